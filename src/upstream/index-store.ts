// Which index does a tenant have now? One request to the upstream at a time for each
// tenant, however many clients ask; what is made of the bytes (links, ETag, gzip) is made
// once for each change. Nothing is looked up here before the right was checked: the index
// door is behind authorization, and every tenant has an entry of its own.
import type { ChartRequest } from '../chartmuseum/chart-request.ts'
import type { Company } from '../lib/company.ts'
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
  /**
   * Something has changed: what was read before counts no longer.
   * @param tenant undefined: any may have
   * @param isShown the upstream shows it to whoever asks from now on
   */
  drop (tenant: string | undefined, isShown: boolean): void
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
 * Milliseconds for which nothing is remembered after a change that the upstream may come to show
 * later (shown.ts): what somebody gets who asks meanwhile is to be nobody else's.
 */
const UNSETTLED = 10_000
/** Tenants of which it is known when they changed last. */
const MOST_CHANGED = 10_000

export function createIndexStore (options: IndexStoreOptions): IndexStore {
  const { reader, place, maxAge, clock, holds } = options
  const memory = createIndexMemory(options.maxBytes)
  const sayLeftOut = createIndexWarnings(options.warn)
  const flights = createFlights<IndexResult>()
  /** Of a tenant, and of all: what was asked for until then may be of before a change. */
  const unsettledUntil = new Map<string, number>()
  let allUnsettledUntil = -Infinity

  function unsettle (tenant: string, until: number): void {
    const before = unsettledUntil.get(tenant) ?? -Infinity
    unsettledUntil.delete(tenant) // it is the newest then
    unsettledUntil.set(tenant, Math.max(before, until))
    if (unsettledUntil.size <= MOST_CHANGED) return
    const [oldest, its] = unsettledUntil.entries().next().value as [string, number]
    unsettledUntil.delete(oldest)
    allUnsettledUntil = Math.max(allUnsettledUntil, its)
  }

  function isSettled (tenant: string, askedAt: number): boolean {
    return askedAt > allUnsettledUntil && askedAt > (unsettledUntil.get(tenant) ?? -Infinity)
  }

  async function ask (request: ChartRequest, company: Company<Asking>, { waits }: Asker): Promise<IndexResult> {
    const { tenant, tenantPath } = request
    const askedAt = clock()
    const answer = await reader.read(request, company)
    if (!answer.ok) {
      memory.forget(tenant)
      return answer
    }
    const known = memory.get(tenant)
    if (known?.raw.equals(answer.body) === true) {
      known.askedAt = askedAt
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
    return memory.put(tenant, answer.body, rewritten.body, askedAt)
  }

  return {
    get used () { return memory.used },
    shrink: memory.shrink,
    fresh (tenant) {
      const age = maxAge()
      const entry = age === 0 || !holds() ? undefined : memory.get(tenant)
      const isYoung = entry !== undefined && isSettled(tenant, entry.askedAt) && clock() - entry.askedAt < age * 1000
      return isYoung ? entry.index : undefined
    },
    read (request, asker) {
      asker.waits.made = 'shared' // unless it is the one for whom the upstream is asked
      return flights.join(request.tenant, asker, async company => await ask(request, company, asker))
    },
    drop (tenant, isShown) {
      const until = clock() + (isShown ? 0 : UNSETTLED)
      if (tenant === undefined) allUnsettledUntil = Math.max(allUnsettledUntil, until)
      else unsettle(tenant, until)
    }
  }
}
