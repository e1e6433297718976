// Which changes has an address to show that could not say whether it has them? Those, and what came
// since. It is asked for them again and again: when it has shown all of them nobody has to wait for
// new changes, which there may be none of, as while the first address is away.
import type { Every } from '../lib/timers.ts'
import { createLatestChanges, type Heard } from './latest-changes.ts'

/**
 * What a look for a change says. `agrees`: nothing speaks against it; `unsure`: it answers, and does
 * not say what it has, or not the same for long enough; `unknown`: it gave no answer.
 */
export type Found = 'shows' | 'agrees' | 'behind' | 'unsure' | 'unknown'

export interface OwedChanges {
  /** Is there one that it has not shown? */
  any (): boolean
  /** One more. @returns all of them when they are too many: none is owed then, and nobody hears of it */
  add (heard: Heard): readonly Heard[]
  /** Forgets all, and nobody hears of it. @returns what it has not shown */
  clear (): readonly Heard[]
}

/** Milliseconds between two times that it is asked, and versions of which changes are kept at most. */
const AGAIN = 500
const MOST = 1_000

/**
 * @param look does not reject
 * @param over hears when all were shown, or else what was not, the one that was looked at first: nothing is owed then
 */
export function createOwedChanges (
  look: (heard: Heard) => Promise<Found>,
  every: Every,
  over: (lacking: readonly Heard[]) => void
): OwedChanges {
  const owed = createLatestChanges(MOST)
  let stop = (): void => {}
  let isLooking = false

  function clear (): readonly Heard[] {
    const all = owed.all()
    owed.clear()
    stop()
    return all
  }

  /** @returns whether the others can be looked at */
  async function lookAt (heard: Heard): Promise<boolean> {
    const found = await look(heard)
    if (!owed.has(heard)) return true // there is a later one, or nothing is owed
    if (found === 'unsure' || found === 'unknown') return false
    owed.delete(heard)
    if (found === 'behind') over([heard, ...clear()])
    else if (owed.size === 0) over(clear())
    return true
  }

  async function lookAtAll (): Promise<void> {
    if (isLooking) return
    isLooking = true
    for (const heard of owed.all()) if (owed.has(heard) && !await lookAt(heard)) break
    isLooking = false
  }

  return {
    any: () => owed.size > 0,
    add (heard) {
      if (owed.size === 0) stop = every(AGAIN, () => { void lookAtAll() })
      return owed.add(heard) ? [] : [...clear(), heard]
    },
    clear
  }
}
