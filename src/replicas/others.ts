// Does every replica ask for locks? One that cannot reach Redis goes on, and asks nobody: the
// others have to know that there is one. It is known by its beats, which stop, and says so
// itself as soon as it is back, while anything that it began alone goes on.
import { ALONE, saysThat } from './leases.ts'
import { pairsOf, type BeatReply } from './scripts.ts'

/** Milliseconds without a beat after which a member counts as out of touch, */
const SILENT = 1_600
/** and after which it is taken for dead. */
const DEAD = 600_000

export interface Others {
  /** @returns those who are taken for dead, and what each said of itself last */
  heard (reply: BeatReply): (readonly [string, string])[]
  /** Says that it has gone, and will not be back. */
  left (member: string): void
  /** Is there one who may store something without a lock? */
  isSomebodyAlone (): boolean
}

/** @param clock milliseconds that only go on */
export function createOthers (clock: () => number): Others {
  /** What each said of itself last, and since when. */
  const known = new Map<string, { readonly saying: string, readonly since: number }>()
  return {
    heard ([, , , , members]) {
      for (const [member, saying] of pairsOf(members)) {
        if (known.get(member)?.saying !== saying) known.set(member, { saying, since: clock() })
      }
      const dead = [...known].filter(([, { since }]) => clock() - since > DEAD)
      for (const [member] of dead) known.delete(member)
      return dead.map(([member, { saying }]) => [member, saying] as const)
    },
    left (member) { known.delete(member) },
    isSomebodyAlone: () => [...known.values()].some(({ saying, since }) =>
      clock() - since > SILENT || saysThat(ALONE, saying))
  }
}
