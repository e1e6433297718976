// How is a change told? In one way, whoever made it: what is remembered of its tenant is dropped,
// each further address has to show it before it is read from again, and who made it here waits until
// the first one shows it, and has the others do the same, before its client is answered.
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
  /** Is an index answered from memory now? */
  readonly remembers: () => boolean
}

/** Hears of changes from now on. @returns what to do when one was made here; resolves when every read shows it */
export function tellChanges (options: ChangesOptions): (change: Change) => Promise<void> {
  const { upstreams, store, peers, showing, remembers } = options
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
  return async change => {
    // Where nothing is remembered, whoever reads has it of the chart repository itself.
    const told = { ...change, isShown: remembers() && await showing.until(change) }
    await Promise.all([hear(change.tenant, told), peers.changed(told)])
  }
}

/** The same, of which another address than the first is read from only while every change is told here. */
export function readElsewhereWhileTold (upstreams: Upstreams, { knowsAll }: Pick<Peers, 'knowsAll'>): Upstreams {
  return {
    ...upstreams,
    // What was answered before a read began is known when it does, and so whenever it is asked elsewhere.
    forReads: tenant => knowsAll() ? upstreams.forReads(tenant) : upstreams.of(tenant)
  }
}
