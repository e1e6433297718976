// Would another address of the chart repository answer as the first one does? No page of
// ChartMuseum's says whether it keeps an index of its own, which it does unless it is run
// with --always-regenerate-chart-index or shares a cache (v0.16.5, multitenant/index.go and
// cache.go), nor where its storage is. So it has to have shown it: each change that went
// through the first is looked for here before its client is answered. Who shows several pushes
// to a tenant in a row, each at once, follows; who once does not, follows no more before that answer is given. What
// others than this process change is looked for when they tell it. One that could not say it is
// read from again when it has.
import { putBounded } from '../lib/put-bounded.ts'
import type { Every, Later } from '../lib/timers.ts'
import { GONE, keyOfChange, type Change } from './change.ts'
import type { Upstream } from './client.ts'
import { createOwedChanges, type Found } from './owed-changes.ts'
import { shownBy, UNSURE } from './shown.ts'
import { canBeAsked } from './stored.ts'

export const FOLLOWER_STATES = ['unproven', 'follows', 'behind'] as const
export type FollowerState = typeof FOLLOWER_STATES[number]

export interface Follower {
  /** `unproven`: nothing is known, or no more; `behind`: it did not show what the first showed. */
  state (): FollowerState
  /** Can it be read from? It follows, and was not told of anything that it has not shown yet. */
  isFresh (): boolean
  /**
   * Looks for a change. Resolves when this address shows it, or is not read from any more; at
   * once when it is not read from anyway.
   */
  see (change: Change): Promise<void>
  /** Something may have changed, and nobody knows what: it has to show anew that it follows. */
  doubt (): void
}

export interface FollowerOptions {
  readonly first: Pick<Upstream, 'ask'>
  readonly other: Pick<Upstream, 'ask'>
  readonly later: Later
  readonly every: Every
  /** Hears of each other state. */
  readonly onChange: (state: FollowerState) => void
}

/**
 * Pushes in a row to one tenant. An index that is made anew every so often, or for the first time
 * since a start that nobody noticed, may be so just when it is looked at, but not twice: a look is
 * some milliseconds after its change.
 */
export const ENOUGH = 2
/** Tenants that are remembered as looked at before, and versions as deleted. */
const MOST_TENANTS = 1_000
const MOST_DELETED = 10_000
/** The first may write its index a moment after its 201 (in a goroutine; with Redis, that is a question to it). */
const LOOKS = 4
const PAUSE = 50

export function createFollower (options: FollowerOptions): Follower {
  const { every, onChange } = options
  let state: FollowerState = 'unproven'
  /** Pushes that it showed, one after another, by tenant. */
  const shown = new Map<string, number>()
  /** How often it had to begin anew: what is looked for meanwhile proves nothing. */
  let begun = 0
  /** A look that runs while it is not read from; what comes meanwhile is missed. */
  let looking = false
  /** Changes that were answered, or will be, and are being looked for. */
  let unseen = 0
  /** Tenants whose index it has read: only a change after that tells whether it reads it again. */
  const known = new Map<string, true>()
  /** Versions that were deleted, or may have been: one who never showed that shows what is pushed there again. */
  const deleted = new Map<string, true>()

  function become (next: FollowerState): void {
    if (next === state) return
    state = next
    onChange(next)
  }

  function beginAnew (): void {
    begun++
    shown.clear()
  }

  const owed = createOwedChanges(async change => await look(options, change), every, found => {
    if (found === 'shows') become('follows')
    else fail(found)
  })

  function fail (found: 'behind' | 'unknown'): void {
    beginAnew()
    owed.clear()
    if (found === 'behind') return become('behind')
    known.clear() // it may have been started again
    become('unproven')
  }

  /** Does it prove something that it shows a change? Who has never heard of a version shows its delete, too. */
  function isProof (change: Change): boolean {
    return change.isNew && change.became !== GONE && known.has(change.tenant) && !deleted.has(keyOfChange(change))
  }

  function judge (change: Change, found: Found, { counts, since }: { counts: boolean, since: number }): void {
    if (found === 'unknown' || found === 'behind') return fail(found)
    if (found === 'unsure') {
      if (state === 'follows' || owed.any()) owed.add(change)
      beginAnew()
      return become('unproven')
    }
    if (since !== begun) return
    putBounded(known, change.tenant, true, MOST_TENANTS)
    if (owed.any() || found !== 'shows' || !counts) return
    const times = (shown.get(change.tenant) ?? 0) + 1
    putBounded(shown, change.tenant, times, MOST_TENANTS)
    if (times >= ENOUGH) become('follows')
  }

  return {
    state: () => state,
    isFresh: () => state === 'follows' && unseen === 0,
    doubt () {
      beginAnew()
      owed.clear()
      if (state === 'follows') become('unproven')
    },
    async see (change) {
      const counts = isProof(change)
      const isAnswered = change.became !== undefined
      if (!isAnswered || change.became === GONE) putBounded(deleted, keyOfChange(change), true, MOST_DELETED)
      if (state === 'follows') {
        const since = begun
        if (isAnswered) unseen++
        const found = await look(options, change)
        if (isAnswered) unseen--
        return judge(change, found, { counts, since })
      }
      if (owed.any()) return owed.add(change)
      if (looking) return beginAnew()
      looking = true
      const since = begun
      void look(options, change).then(found => {
        judge(change, found, { counts, since })
        looking = false
      })
    }
  }
}

async function look ({ first, other, later }: FollowerOptions, change: Change): Promise<Found> {
  let found: Found = 'agrees'
  if (!canBeAsked(change.chart)) return 'unknown'
  for (let i = 0; i < LOOKS; i++) {
    if (i > 0 && found !== 'behind') await new Promise<void>(resolve => { later(PAUSE, resolve) })
    const there = await shownBy(other, change)
    if (there === undefined) return 'unknown'
    if (there === UNSURE) {
      found = UNSURE
      continue
    }
    if (there === change.became) return 'shows'
    const says = await shownBy(first, change)
    // A first that went away meanwhile shows what is known of the change.
    const here = says === undefined || says === UNSURE ? change.became ?? there : says
    const next = here === there ? 'agrees' : 'behind'
    // Once, the first may have come to it between the two questions.
    if (next === 'behind' ? found === 'behind' : change.became === undefined) return next
    found = next
  }
  return found
}
