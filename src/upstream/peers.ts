// Who else answers what clients read? With several workers each has indexes in a memory of its
// own and knows by itself which addresses it may read from, and so has and does each replica.
import type { ToldChange } from './change.ts'

/**
 * What to do about a change. Resolves when no read from now on is of before it.
 * @param tenant undefined: any may have changed
 * @param change undefined: nobody knows what of it changed
 */
export type HearChange = (tenant?: string, change?: ToldChange) => Promise<void>

/** The others, as one of them sees them. */
export interface Peers {
  /** Something has changed; resolves when none of the others answers from before it. */
  changed (change: ToldChange): Promise<void>
  /** What to do when another one says so. */
  onChange (hear: HearChange): void
  /** What to do when changes may have been made that nobody could tell of. */
  onDoubt (doubt: () => void): void
  /** May an index be answered from memory at this moment? */
  holds (): boolean
  /** Has every change that was answered been told here? */
  knowsAll (): boolean
}

/** There are none. */
export const NO_PEERS: Peers = {
  changed: async () => {},
  onChange () {},
  onDoubt () {},
  holds: () => true,
  knowsAll: () => true
}
