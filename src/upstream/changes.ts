// How is a change told? In one way, whoever made it: what is remembered of its tenant is dropped,
// each further address has to show it before it is read from again, and who made it here waits until
// the first one shows it, and has the others do the same, before its client is answered.
import { ownText } from '../lib/own-text.ts'
import type { Asker } from './asker.ts'
import type { Change } from './change.ts'
import type { IndexStore } from './index-store.ts'
import type { HearChange, Peers } from './peers.ts'
import type { Showing } from './shown.ts'
import type { Upstreams } from './upstreams.ts'

export interface ChangesOptions {
  readonly upstreams: Upstreams
  readonly store: Pick<IndexStore, 'drop'>
  readonly peers: Peers
  readonly showing: Showing
  /** May a read be answered with something else than what the first address says then: from memory, or elsewhere? */
  readonly mayBeOld: () => boolean
}

/**
 * What to do about a change that was made here. Resolves when every read shows it.
 * @param asker who made it
 * @param readsNext they read it next, and wait until it is shown also where every read is of the first address
 */
export type TellChange = (change: Change, asker: Pick<Asker, 'waits'>, readsNext?: boolean) => Promise<void>

/** Hears of changes from now on. */
export function tellChanges (options: ChangesOptions): TellChange {
  const { upstreams, store, peers, showing, mayBeOld } = options
  const hear: HearChange = async (tenant, change) => {
    showing.hear(change)
    const isShown = change?.isShown === true
    store.drop(tenant, isShown) // at once, because who made it does not wait for a look that takes long
    if (change === undefined) upstreams.doubt()
    else await upstreams.show(change)
    store.drop(tenant, isShown) // also what was read meanwhile
  }
  peers.onChange(hear)
  peers.onDoubt(upstreams.doubt)
  return async (made, { waits }, readsNext = false) => {
    const change = inTextsOfItsOwn(made)
    const told = { ...change, isShown: (readsNext || mayBeOld()) && await showing.until(change, waits) }
    await Promise.all([hear(change.tenant, told), peers.changed(told)])
  }
}

/** The same: it is remembered while an address lacks it, and what it says was cut from a target or a Chart.yaml. */
function inTextsOfItsOwn (change: Change): Change {
  const { tenant, tenantPath, chart, version, became } = change
  return {
    ...change,
    tenant: ownText(tenant),
    tenantPath: ownText(tenantPath),
    chart: ownText(chart),
    version: ownText(version),
    became: became === undefined ? undefined : ownText(became)
  }
}

/** The same, of which another address than the first is read from only while every change is told here. */
export function readElsewhereWhileTold (upstreams: Upstreams, { knowsAll }: Pick<Peers, 'knowsAll'>): Upstreams {
  return {
    ...upstreams,
    forReads (tenant) {
      const first = upstreams.of(tenant)
      return {
        takesConditions: first.takesConditions,
        // What was answered before a read began is known when it does, and so whenever it is asked elsewhere: not
        // when somebody wanted to ask, who may have waited for others and been joined by whoever came since.
        ask: async question => await (knowsAll() ? upstreams.forReads(tenant) : first).ask(question)
      }
    }
  }
}
