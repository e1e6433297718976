// Which changes has an address to show that could not say whether it has them? Those, and what came
// since. It is asked for them again and again: when it has shown all of them nobody has to wait for
// new changes, which there may be none of, as while the first address is away.
import { putBounded } from '../lib/put-bounded.ts'
import type { Every } from '../lib/timers.ts'
import { keyOfChange, type Change } from './change.ts'

/**
 * What a look for a change says. `agrees`: nothing speaks against it; `unsure`: it answers, and does
 * not say what it has, or not the same for long enough; `unknown`: it gave no answer.
 */
export type Found = 'shows' | 'agrees' | 'behind' | 'unsure' | 'unknown'

export interface OwedChanges {
  /** Is there one that it has not shown? */
  any (): boolean
  /** One more, in the place of the last one of its version; of too many nothing is kept, and nobody hears of it. */
  add (change: Change): void
  /** Forgets all, and nobody hears of it. */
  clear (): void
}

/** Milliseconds between two times that it is asked, and changes that are kept at most. */
const AGAIN = 500
const MOST = 1_000

/**
 * @param look does not reject
 * @param over hears when all were shown, and which one was not: then nothing is owed any more
 */
export function createOwedChanges (
  look: (change: Change) => Promise<Found>,
  every: Every,
  over: (found: 'shows' | 'behind', change: Change) => void
): OwedChanges {
  const owed = new Map<string, Change>()
  let stop = (): void => {}
  let isLooking = false

  function clear (): void {
    owed.clear()
    stop()
  }

  /** @returns whether the others can be looked at */
  async function lookAt (key: string, change: Change): Promise<boolean> {
    const found = await look(change)
    if (owed.get(key) !== change) return true // there is a later one, or nothing is owed
    if (found === 'unsure' || found === 'unknown') return false
    owed.delete(key)
    if (found !== 'behind' && owed.size > 0) return true
    clear()
    over(found === 'behind' ? found : 'shows', change)
    return true
  }

  async function lookAtAll (): Promise<void> {
    if (isLooking) return
    isLooking = true
    for (const [key, change] of owed) if (!await lookAt(key, change)) break
    isLooking = false
  }

  return {
    any: () => owed.size > 0,
    add (change) {
      if (owed.size === 0) stop = every(AGAIN, () => { void lookAtAll() })
      if (owed.size === MOST) return clear()
      // What nobody was told of takes the place of nothing that somebody was.
      const isAnswered = change.became !== undefined
      putBounded(owed, `${keyOfChange(change)} ${isAnswered}`, change, MOST)
    },
    clear
  }
}
