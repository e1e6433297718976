export interface Room {
  /** The folder or file below src/, or plugins. */
  readonly name: string
  /** What it answers. */
  readonly question: string
  /** The rooms that it may know, if it is not all below it. */
  readonly only?: readonly string[]
}

export const ROOMS: readonly Room[]
export function roomOf (file: string): Room | undefined
export function forbiddenTo (room: Room): string[]
