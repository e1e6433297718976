// Is every replica in touch? One that cannot reach Redis goes on, and asks nobody for locks: the
// others have to know that there is one. It is known by its beats, which stop.
import type { BeatReply } from './scripts.ts'
import { pairsOf } from './scripts.ts'

/** Milliseconds without a beat after which a member counts as out of touch, */
const SILENT = 1_600
/** and after which it is taken for dead. */
const DEAD = 600_000

export interface Others {
  heard (reply: BeatReply): void
  /** Says that it has gone, and will not be back. */
  left (member: string): void
  /** Is somebody out of touch who may still store something? */
  isSomebodySilent (): boolean
}

/** @param clock milliseconds that only go on */
export function createOthers (clock: () => number): Others {
  /** How often each came, and since when it is that often. */
  const known = new Map<string, { readonly times: string, readonly since: number }>()
  return {
    heard ([, , , , members]) {
      for (const [member, times] of pairsOf(members)) {
        if (known.get(member)?.times !== times) known.set(member, { times, since: clock() })
      }
      for (const [member, { since }] of known) if (clock() - since > DEAD) known.delete(member)
    },
    left (member) { known.delete(member) },
    isSomebodySilent: () => [...known.values()].some(({ since }) => clock() - since > SILENT)
  }
}
