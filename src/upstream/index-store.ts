// Which index does a tenant have now? One request to the upstream at a time for each
// tenant, however many clients ask; what is made of the bytes (links, ETag, gzip) is made
// once for each change. Nothing is looked up here before the right was checked: the index
// door is behind authorization, and every tenant has an entry of its own.
import type { ChartRequest } from '../chartmuseum/chart-request.ts'
import type { Company } from '../lib/company.ts'
import { putBounded } from '../lib/put-bounded.ts'
import type { Asker, Asking } from './asker.ts'
import { createFlights } from './flights.ts'
import type { IndexPlace } from './index-links.ts'
import { createIndexMemory, type Index } from './index-memory.ts'
import type { IndexFailure, IndexReader } from './index-reader.ts'
import { rewriteIndex } from './index-rewrite.ts'
import { createIndexWarnings, type Warn } from './index-warnings.ts'

export type IndexResult = Index | IndexFailure

export interface IndexStore {
  /** What is in memory and young enough: no promise on the hot path. */
  fresh (tenant: string): Index | undefined
  /** The index as it is after this moment. @throws NobodyThere when who asked went before */
  read (request: ChartRequest, asker: Asker): Promise<IndexResult>
  /** Something of the tenant has changed, or of any if it is left out: what was read before counts no longer. */
  drop (tenant?: string): void
  /** Forgets what there is no room for by now. */
  shrink (): void
  /** Bytes of all that is remembered. */
  readonly used: number
}

export interface IndexStoreOptions {
  readonly reader: IndexReader
  readonly place: Omit<IndexPlace, 'tenantPath'>
  /** Seconds that an index is answered from memory now; 0: every answer is of after its request. */
  readonly maxAge: () => number
  /** Bytes of all that is remembered, now. */
  readonly maxBytes: () => number
  /** Milliseconds of a clock that only goes on. */
  readonly clock: () => number
  /** Whether anything is answered from memory at this moment (peers.ts). */
  readonly holds: () => boolean
  /** Hears of what is left out of an index. */
  readonly warn: Warn
}

/**
 * Milliseconds for which nothing is remembered after a change: ChartMuseum updates its index behind
 * its 201 (v0.16.5, multitenant/cache.go, startEventListener), and who asks in that moment gets the
 * one of before, which is to be nobody else's.
 */
const UNSETTLED = 1_000
/** Tenants of which it is known when they changed last. */
const MOST_CHANGED = 10_000

export function createIndexStore (options: IndexStoreOptions): IndexStore {
  const { reader, place, maxAge, clock, holds } = options
  const memory = createIndexMemory(options.maxBytes)
  const sayLeftOut = createIndexWarnings(options.warn)
  const flights = createFlights<IndexResult>()
  /** Tenants that the upstream is asked for now, and whether they were dropped since. */
  const asking = new Map<string, { dropped: boolean }>()
  const droppedAt = new Map<string, number>()
  let allDroppedAt = -Infinity

  function isSettled (tenant: string, at: number): boolean {
    return at - Math.max(droppedAt.get(tenant) ?? -Infinity, allDroppedAt) >= UNSETTLED
  }

  async function ask (request: ChartRequest, company: Company<Asking>, { waits }: Asker): Promise<IndexResult> {
    const { tenant, tenantPath } = request
    const askedAt = clock()
    const state = { dropped: false }
    asking.set(tenant, state)
    const answer = await reader.read(request, company).finally(() => { asking.delete(tenant) })
    if (!answer.ok) {
      memory.forget(tenant)
      return answer
    }
    const known = memory.get(tenant)
    // Nothing is younger than a change that came while it was on its way, or may have to be shown yet.
    const youngAt = state.dropped || !isSettled(tenant, askedAt) ? -Infinity : askedAt
    if (known?.raw.equals(answer.body) === true) {
      known.askedAt = youngAt
      waits.made = 'kept'
      return known.index
    }
    const rewritten = rewriteIndex(answer.body, { ...place, tenantPath })
    if (!rewritten.ok) {
      memory.forget(tenant)
      return { ok: false, refusal: { code: 'upstream_bad_answer' }, cause: rewritten.cause }
    }
    sayLeftOut(tenant, rewritten.leftOut)
    waits.made = 'rewritten'
    return memory.put(tenant, answer.body, rewritten.body, youngAt)
  }

  return {
    get used () { return memory.used },
    shrink: memory.shrink,
    fresh (tenant) {
      const age = maxAge()
      const entry = age === 0 || !holds() ? undefined : memory.get(tenant)
      const isYoung = entry !== undefined && entry.askedAt > allDroppedAt && clock() - entry.askedAt < age * 1000
      return isYoung ? entry.index : undefined
    },
    read (request, asker) {
      asker.waits.made = 'shared' // unless it is the one for whom the upstream is asked
      return flights.join(request.tenant, asker, async company => await ask(request, company, asker))
    },
    drop (tenant) {
      if (tenant === undefined) {
        allDroppedAt = clock()
        for (const state of asking.values()) state.dropped = true
        return
      }
      putBounded(droppedAt, tenant, clock(), MOST_CHANGED)
      const entry = memory.get(tenant)
      if (entry !== undefined) entry.askedAt = -Infinity
      const state = asking.get(tenant)
      if (state !== undefined) state.dropped = true
    }
  }
}
