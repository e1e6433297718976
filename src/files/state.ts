// Is a file or folder as it was when somebody looked? For who remembers what is in one that is
// only ever replaced, added to or taken from, so that nobody has to be told of a change.
import { stat } from 'node:fs/promises'
import { unlessNoFile } from './whole.ts'

export interface FileState {
  /** Another one for a file that was changed or replaced, and for a folder in which one was. */
  readonly stamp: string
  /** Whether a change from now on gives another stamp for certain. */
  readonly isSettled: boolean
  /** Bytes. */
  readonly size: number
}

/** Milliseconds: file systems take a time from a clock which ticks each few of them. */
const SETTLED = 100

/** Undefined where there is none. @throws what else keeps it from being looked at */
export async function stateOf (path: string): Promise<FileState | undefined> {
  const found = await unlessNoFile(stat(path, { bigint: true }))
  if (found === undefined) return undefined
  const { ino, mtimeNs, mtimeMs, size } = found
  return { stamp: `${ino} ${mtimeNs} ${size}`, isSettled: Date.now() - Number(mtimeMs) > SETTLED, size: Number(size) }
}
