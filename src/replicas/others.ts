// Does every replica ask for locks, and tell of its changes? One that cannot reach Redis goes on,
// and asks and tells nobody: the others have to know that there is one. It is known by its beats,
// which stop, and says so itself as soon as it is back, while anything that it began alone goes on.
import { putBounded } from '../lib/put-bounded.ts'
import { ALONE, saysThat } from './leases.ts'
import { pairsOf, type BeatReply } from './scripts.ts'

/** Milliseconds without a beat after which a member counts as out of touch, */
const SILENT = 1_600
/** and after which it is taken for dead. */
const DEAD = 600_000
/** Names of those who have gone that are known at most: somebody may be heard of once more behind their goodbye. */
const MOST_GONE = 1_000

export interface Others {
  /** @returns those who are taken for dead, and what each said of itself last */
  heard (reply: BeatReply): (readonly [string, string])[]
  /**
   * Says that it has gone, and will not be back.
   * @returns whether it may have done something that it could not tell
   */
  left (member: string): boolean
  /** Is there one who may store something without a lock, or may have and could not tell? */
  isSomebodyAlone (): boolean
}

interface Known {
  readonly saying: string
  readonly since: number
  readonly isNew: boolean
}

/** @param clock milliseconds that only go on */
export function createOthers (clock: () => number): Others {
  /** What each said of itself last, since when that is known, and whether it was said just then. */
  const known = new Map<string, Known>()
  const gone = new Map<string, true>()
  let heardAt = -Infinity

  function isAlone ({ saying, since, isNew }: Known): boolean {
    return !isNew || clock() - since > SILENT || saysThat(ALONE, saying)
  }

  return {
    heard ([, , , , members]) {
      const now = clock()
      // Who was out of touch, or has just begun, does not know how old a saying is.
      const isNew = now - heardAt <= SILENT
      heardAt = now
      for (const [member, saying] of pairsOf(members)) {
        if (gone.has(member)) continue
        const before = known.get(member)
        if (before?.saying !== saying) known.set(member, { saying, since: now, isNew })
        else if (!isNew) known.set(member, { ...before, isNew })
      }
      const dead = [...known].filter(([, { since }]) => now - since > DEAD)
      for (const [member] of dead) known.delete(member)
      return dead.map(([member, { saying }]) => [member, saying] as const)
    },
    left (member) {
      const before = known.get(member)
      known.delete(member)
      putBounded(gone, member, true, MOST_GONE)
      return before !== undefined && isAlone(before)
    },
    isSomebodyAlone: () => [...known.values()].some(isAlone)
  }
}
