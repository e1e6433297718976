// Would another address of the chart repository answer as the first one does? No page of
// ChartMuseum's says whether it keeps an index of its own, which it does unless it is run
// with --always-regenerate-chart-index or shares a cache (v0.16.5, multitenant/index.go and
// cache.go), nor where its storage is. So it has to have shown it: each change that went
// through the first is looked for here before its client is answered. Who shows several pushes
// to a tenant in a row, each at once, follows; who once does not, follows no more before that answer is given. What
// others than this process change is looked for when they tell it. One that could not say it, or gave
// no answer, is read from again when it has; and one that did not show it follows again when it shows
// that, too.
import { putBounded } from '../lib/put-bounded.ts'
import type { Every, Later } from '../lib/timers.ts'
import { GONE, keyOfChange, type Change, type ToldChange } from './change.ts'
import type { Upstream } from './client.ts'
import { createLatestChanges, type Heard } from './latest-changes.ts'
import { createOwedChanges, type Found } from './owed-changes.ts'
import { shownBy, UNSURE } from './shown.ts'

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
  see (change: ToldChange): Promise<void>
  /** Something may have changed, and nobody knows what: it has to show anew that it follows. */
  doubt (): void
}

export interface FollowerOptions {
  readonly first: Pick<Upstream, 'ask'>
  readonly other: Pick<Upstream, 'ask'>
  readonly later: Later
  readonly every: Every
  /** Milliseconds of a clock that only goes on. */
  readonly clock: () => number
  /** Hears of each other state. */
  readonly onChange: (state: FollowerState) => void
}

/**
 * Pushes in a row to one tenant. An index that is made anew every so often, or for the first time
 * since a start that nobody noticed, may be so just when it is looked at, but not twice: a look is
 * some milliseconds after its change.
 */
export const ENOUGH = 2
/** Tenants that are remembered as looked at before, versions as deleted, and changes as not shown. */
const MOST_TENANTS = 1_000
const MOST_DELETED = 10_000
const MOST_LACKING = 10_000
/** The first may write its index a moment after its 201 (in a goroutine; with Redis, that is a question to it). */
const LOOKS = 4
const PAUSE = 50
/** Milliseconds after which no further look begins: whoever made the change waits for it. */
const LONGEST = 2_000

/** What a look found, and the change: disputed when its version was changed once more meanwhile. */
interface Seen {
  readonly heard: Heard
  readonly found: Found
}

/** How a change was looked for. */
interface Looked {
  /** It proves something when it is shown. */
  readonly counts: boolean
  /** How often it had begun anew before. */
  readonly since: number
  /** The address was read from then. */
  readonly wasRead: boolean
}

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
  /** Changes that were heard of, ever. */
  let count = 0
  /** Changes that are being looked for, and whether their version was changed once more since. */
  const looks = new Set<{ readonly key: string, isOver: boolean }>()
  /** Tenants whose index it has read: only a change after that tells whether it reads it again. */
  const known = new Map<string, true>()
  /** Versions that were deleted, or may have been: one who never showed that shows what is pushed there again. */
  const deleted = new Map<string, true>()
  /** What it did not show, or was not asked for since: what it shows of other tenants says nothing of these. */
  const lacking = createLatestChanges(MOST_LACKING)
  /** There were more of them than are remembered: nothing that it shows says that it has them. */
  let lacksMore = false

  function become (next: FollowerState): void {
    if (next === state) return
    state = next
    onChange(next)
  }

  function beginAnew (): void {
    begun++
    shown.clear()
  }

  async function lookFor (heard: Heard): Promise<Seen> {
    const look = { key: keyOfChange(heard.change), isOver: false }
    looks.add(look)
    try {
      const found = await findIn(options, heard, () => look.isOver)
      return { found, heard: look.isOver ? { ...heard, isDisputed: true } : heard }
    } finally {
      looks.delete(look)
    }
  }

  const owed = createOwedChanges(async heard => (await lookFor(heard)).found, every, all => {
    if (all.length === 0) become('follows')
    else fallBehind(all)
  })

  /** What nobody was told of may never be the same at both. */
  function lack (changes: readonly Heard[]): void {
    for (const heard of changes) {
      if (heard.change.became !== undefined && !lacking.add(heard)) lacksMore = true
    }
  }

  function fallBehind (changes: readonly Heard[]): void {
    beginAnew()
    lack([...changes, ...owed.clear()])
    become('behind')
  }

  /** Does it prove something that it shows a change? Who has never heard of a version shows its delete, too. */
  function isProof (change: Change): boolean {
    return change.isNew && change.became !== GONE && known.has(change.tenant) && !deleted.has(keyOfChange(change))
  }

  /** It could not say it. @param wasRead it was read from then, and has to show this, whatever it is by now */
  function owe (heard: Heard, wasRead: boolean): void {
    beginAnew()
    if (state === 'follows' || owed.any()) lack(owed.add(heard))
    else if (wasRead || state === 'behind') lack([heard])
    if (state === 'follows') become('unproven')
  }

  /** @returns whether it has shown enough to be read from */
  function judge ({ heard, found }: Seen, { counts, since, wasRead }: Looked): boolean {
    const { change } = heard
    if (found === 'behind') fallBehind([heard])
    else if (found === 'unsure' || found === 'unknown') {
      owe(heard, wasRead)
      if (found === 'unknown') known.clear() // it may have been started again
    } else if (since === begun) {
      putBounded(known, change.tenant, true, MOST_TENANTS)
      if (owed.any() || found !== 'shows' || !counts) return false
      const times = (shown.get(change.tenant) ?? 0) + 1
      putBounded(shown, change.tenant, times, MOST_TENANTS)
      return times >= ENOUGH
    }
    return false
  }

  async function showsAllThatLacked (since: number): Promise<boolean> {
    for (const heard of lacking.all()) {
      const { found } = await lookFor(heard)
      if (since !== begun || (found !== 'shows' && found !== 'agrees')) return false
      lacking.delete(heard)
    }
    return !lacksMore
  }

  /** Looks for a change at one that is not read from. */
  async function prove (heard: Heard, counts: boolean): Promise<void> {
    const since = begun
    const isEnough = judge(await lookFor(heard), { counts, since, wasRead: false })
    if (!isEnough) return
    if (await showsAllThatLacked(since) && since === begun) become('follows')
    else beginAnew()
  }

  return {
    state: () => state,
    isFresh: () => state === 'follows' && unseen === 0,
    doubt () {
      beginAnew()
      lack(owed.clear())
      if (state === 'follows') become('unproven')
    },
    async see (change) {
      const key = keyOfChange(change)
      const heard = { change, at: ++count }
      for (const look of looks) if (look.key === key) look.isOver = true
      const counts = isProof(change)
      const isAnswered = change.became !== undefined
      if (!isAnswered || change.became === GONE) putBounded(deleted, key, true, MOST_DELETED)
      if (state === 'follows') {
        const since = begun
        if (isAnswered) unseen++
        const seen = await lookFor(heard)
        if (isAnswered) unseen--
        judge(seen, { counts, since, wasRead: true })
        return
      }
      if (owed.any()) return lack(owed.add(heard))
      if (looking) {
        if (!isAnswered) return // nobody was told that it is so
        beginAnew()
        if (state === 'behind') lack([heard])
        return
      }
      looking = true
      void prove(heard, counts).finally(() => { looking = false })
    }
  }
}

/** @param isOver was the version changed once more since? What it is then says nothing of who is behind */
async function findIn (
  { first, other, later, clock }: FollowerOptions,
  { change, isDisputed = false }: Heard,
  isOver: () => boolean
): Promise<Found> {
  const begunAt = clock()
  let found: Found = 'agrees'
  /** What both said the last time, where that was not the same. */
  let apart = ''
  for (let i = 0; i < LOOKS && clock() - begunAt < LONGEST; i++) {
    if (i > 0) await new Promise<void>(resolve => { later(PAUSE, resolve) })
    const there = await shownBy(other, change)
    if (there === undefined) return 'unknown'
    if (there === UNSURE) {
      found = UNSURE
      continue
    }
    if (there === change.became && !isDisputed) return 'shows'
    const says = await shownBy(first, change)
    const isSaid = says !== undefined && says !== UNSURE
    if (isDisputed && !isSaid) return UNSURE
    // A first that went away meanwhile shows what is known of the change.
    const here = isSaid ? says : change.became ?? there
    if (here === there && (change.became === undefined || isDisputed)) return 'agrees'
    const [before, now] = [apart, here === there ? '' : `${here} ${there}`]
    apart = now
    // Either may have come to it between the two questions, and come to the next change since.
    found = now === '' ? 'agrees' : now === before && !isOver() ? 'behind' : UNSURE
  }
  return found
}
