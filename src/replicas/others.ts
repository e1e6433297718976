// Does every replica ask for locks, and tell of its changes? One that cannot reach Redis goes on,
// and asks and tells nobody: the others have to know that there is one. It is known by its beats,
// which stop, and says so itself as soon as it is back, while anything that it began alone goes on.
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
  /** Is there one who may store something without a lock, or may have and could not tell? */
  isSomebodyAlone (): boolean
}

/** @param clock milliseconds that only go on */
export function createOthers (clock: () => number): Others {
  /** What each said of itself last, since when that is known, and whether it was said just then. */
  const known = new Map<string, { readonly saying: string, readonly since: number, readonly isNew: boolean }>()
  let heardAt = -Infinity
  return {
    heard ([, , , , members]) {
      const now = clock()
      // Who was out of touch, or has just begun, does not know how old a saying is.
      const isNew = now - heardAt <= SILENT
      heardAt = now
      for (const [member, saying] of pairsOf(members)) {
        const before = known.get(member)
        if (before?.saying !== saying) known.set(member, { saying, since: now, isNew })
        else if (!isNew) known.set(member, { ...before, isNew })
      }
      const dead = [...known].filter(([, { since }]) => now - since > DEAD)
      for (const [member] of dead) known.delete(member)
      return dead.map(([member, { saying }]) => [member, saying] as const)
    },
    left (member) { known.delete(member) },
    isSomebodyAlone: () => [...known.values()].some(({ saying, since, isNew }) =>
      !isNew || clock() - since > SILENT || saysThat(ALONE, saying))
  }
}
