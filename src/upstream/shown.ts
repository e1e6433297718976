// Does the chart repository show a change? ChartMuseum answers a change and updates its index behind
// that (v0.16.5, multitenant/cache.go, startEventListener): a moment, or with its Redis as long as it
// takes to make an index anew, which with 10,000 versions is a second. Until then whoever asks gets
// the index of before, which is to be nobody else's, and so it is asked for what was changed first.
import { createPresence, type Presence } from '../lib/presence.ts'
import { later as afterThat, type Later } from '../lib/timers.ts'
import type { Waits } from '../observe/outcome.ts'
import { textOf } from './answers.ts'
import { alone, gatewayItself } from './asker.ts'
import { GONE, keyOfChange, type Change } from './change.ts'
import type { Question, Upstream } from './client.ts'

/**
 * It answers, and not what it has: a ChartMuseum that lists its files (--always-regenerate-chart-index)
 * says 500 when one of them is deleted just then, of whichever chart (v0.16.5, multitenant/cache.go).
 */
export const UNSURE = 'unsure'
/** Milliseconds without a byte, and for an answer, whole: one that drips is none. A connection has time to fail. */
const PATIENCE = 2_000
const PATIENCE_IN_ALL = 6_000
/** Bytes of one entry of the API. */
const LONGEST_ENTRY = 8 * 1024 * 1024
/** Milliseconds before each look, and after the first until the last begins. */
const LOOKS = [0, 5, 10, 25, 50, 100, 200, 400, 800]
const LONGEST = 2_000

/** What an address says that the version is, or UNSURE; undefined when there is no answer. Never rejects. */
export async function shownBy (upstream: Pick<Upstream, 'ask'>, change: Change): Promise<string | undefined> {
  const presence = createPresence()
  const stop = afterThat(PATIENCE_IN_ALL, presence.leave.bind(presence))
  const says = await said(upstream, change, presence).catch(() => undefined)
  stop()
  return says
}

async function said (upstream: Pick<Upstream, 'ask'>, change: Change, presence: Presence): Promise<string> {
  const { tenant, tenantPath, chart, version } = change
  const target: Question['target'] = { route: 'version', tenant, tenantPath, chart, version, query: {} }
  // Its clients do not wait for one that is away.
  const asker = { ...gatewayItself(tenant), insists: false, presence }
  const answer = await upstream.ask({
    method: 'GET',
    target,
    company: alone(asker),
    named: false,
    most: LONGEST_ENTRY,
    longer: 'left',
    patience: PATIENCE
  })
  if (answer.status === 404) return GONE
  if (answer.status !== 200) return UNSURE
  const entry = JSON.parse(textOf(answer)) as { readonly version?: unknown, readonly digest?: unknown } | null
  // Asked for a version that is not there, ChartMuseum gives one that fits it.
  return entry?.version === version && typeof entry.digest === 'string' ? entry.digest : GONE
}

export interface Showing {
  /**
   * Waits until the chart repository, at its first address, shows a change that was made. Never rejects.
   * @param waits hears how long that took
   * @returns false when nobody knows: it did not in time, or the version was changed once more
   */
  until (change: Change, waits: Pick<Waits, 'waited'>): Promise<boolean>
  /** Something was changed. @param change undefined: nobody knows what */
  hear (change: Change | undefined): void
}

/** The first address, as it is asked for a tenant. */
export type FirstOf = (tenant: string) => Pick<Upstream, 'ask'>

/** @param clock milliseconds of a clock that only goes on */
export function createShowing (first: FirstOf, later: Later, clock: () => number): Showing {
  /** What is waited for, and whether another change has come since. */
  const waiting = new Set<{ readonly change: Change, isOver: boolean }>()

  return {
    async until (change, waits) {
      if (change.became === undefined) return false
      const wait = { change, isOver: false }
      waiting.add(wait)
      const begunAt = clock()
      try {
        for (const pause of LOOKS) {
          if (pause > 0) await new Promise<void>(resolve => { later(pause, resolve) })
          if (wait.isOver || clock() - begunAt > LONGEST) return false
          if (await shownBy(first(change.tenant), change) === change.became) return true
        }
        return false
      } finally {
        waiting.delete(wait)
        waits.waited += clock() - begunAt
      }
    },
    hear (change) {
      for (const wait of waiting) {
        if (change === undefined || keyOfChange(change) === keyOfChange(wait.change)) wait.isOver = true
      }
    }
  }
}
