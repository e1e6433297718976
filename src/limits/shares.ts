// Who gets the next connection to the chart repository? As long as there is one, whoever
// asks. When there is none, the one who holds the fewest: by client first, and among
// equals by tenant, then in the order of coming. Nobody waits longer than 5 s: a large
// download that nobody reads makes place, if it is that of a client with more, and when all
// are read, the youngest of the client with the most. Large downloads never have all.
import type { Company } from '../lib/company.ts'
import type { Presence } from '../lib/presence.ts'
import type { Pace } from './pace.ts'
import type { Standing } from './standing.ts'

/** For whom a connection is used. */
export interface Sharer {
  /** Which client: one value for all that it does, whatever that is made of. */
  readonly party: unknown
  readonly tenant: string
  readonly presence: Presence
}

/** What somebody wants a connection for. */
export interface Want {
  readonly company: Company<{ readonly asker: Sharer }>
  /** For a download that is known to be large. */
  readonly large: boolean
  /** It is its turn; at once, if there is room. */
  grant (place: ConnectionPlace): void
  refuse (why: WhyNot): void
}

export type WhyNot = 'no_room' | 'nobody_there'

/** Nobody reads it, or it is read and its client has more than one who waits. */
export type WhyEnded = 'not_read' | 'over_share'

/** The right to use one connection. */
export interface ConnectionPlace {
  /** Turns out to be for a large download. @returns false when those have all of their part */
  grow (): boolean
  /** Goes to somebody who may read or not. @param end takes the connection away, so that the place is given back */
  stream (pace: Pace, end: (why: WhyEnded) => void): void
  /** Gives it back. */
  release (): void
}

/** How connections are used now, and how it went so far. */
export interface Connections extends Standing {
  readonly all: number
  readonly used: number
  /** How many of those for large downloads. */
  readonly large: number
}

export interface Shares {
  take (want: Want): void
  standing (): Connections
}

export interface SharesOptions {
  /** Connections. */
  readonly all: number
  /** How many of them large downloads may have. */
  readonly large: number
  /** Milliseconds of a clock that only goes on. */
  readonly clock: () => number
  /** Calls after so many milliseconds. */
  readonly later: (ms: number, run: () => void) => unknown
}

/** Milliseconds between two looks at those who wait. */
export const LOOK = 250
/** Milliseconds that somebody waits; with the look that sees it 5 s at most. */
export const PLACE_PATIENCE = 4_750
/**
 * Milliseconds that somebody waits for what is read before a client with at least two more
 * gives up its youngest: whoever reads all of theirs slowly keeps the others out no less.
 */
export const EVEN_OUT = 3_000
/** Who comes when so many wait is refused, or whoever has the most of them waiting. */
export const MOST_WAITING = 1_024
/**
 * Milliseconds after which a download that is not read makes place: for a client with
 * fewer, for a tenant with fewer, for anybody who then has no more.
 */
export const STALLED = { byClient: 2_000, byTenant: 4_000, atLast: 15_000 } as const

/** One who shares, a client or a tenant, for as long as it holds or waits for anything. */
interface Share {
  readonly key: unknown
  held: number
  waits: number
}

/** On whose account a place goes. */
interface Party {
  readonly client: Share
  readonly tenant: Share
}

interface PlaceWaiter extends Party {
  /** Of all who want it the one that had the fewest. */
  client: Share
  readonly want: Want
  readonly since: number
  /** No longer listens to whether they are there. */
  forget: () => void
}

interface Holder extends Party {
  large: boolean
  pace?: Pace
  /** Once, and only for what somebody may not read. */
  end?: ((why: WhyEnded) => void) | undefined
}

export function createShares ({ all, large: mostLarge, clock, later }: SharesOptions): Shares {
  const clients = createBook()
  const tenants = createBook()
  const holders = new Set<Holder>()
  /** In the order of their coming. */
  const waiters = new Set<PlaceWaiter>()
  let large = 0
  let looking = false
  const past = { waited: 0, waitedMs: 0, refused: 0 }

  function hasRoom (isLarge: boolean): boolean {
    return holders.size < all && (!isLarge || large < mostLarge)
  }

  function grant ({ client, tenant }: Party, want: Want): void {
    const holder: Holder = { client, tenant, large: want.large }
    holders.add(holder)
    if (holder.large) large++
    client.held++
    tenant.held++
    want.grant({
      grow () {
        if (holder.large) return true
        // Nobody is ended for it here: who waits with less would get that place.
        if (large >= mostLarge) return false
        holder.large = true
        large++
        return true
      },
      stream (pace, end) {
        holder.pace = pace
        holder.end = end
      },
      release () {
        if (!holders.delete(holder)) return
        if (holder.large) large--
        client.held--
        tenant.held--
        settle(holder)
        serve()
      }
    })
  }

  function settle ({ client, tenant }: Party): void {
    clients.settle(client)
    tenants.settle(tenant)
  }

  /** Gives what is free to whoever is next. */
  function serve (): void {
    for (let next = choose(); next !== undefined; next = choose()) {
      leave(next)
      past.waited++
      past.waitedMs += clock() - next.since
      grant(next, next.want)
    }
  }

  function choose (): PlaceWaiter | undefined {
    let next: PlaceWaiter | undefined
    for (const waiter of waiters) {
      if (hasRoom(waiter.want.large) && (next === undefined || compareParties(waiter, next) < 0)) next = waiter
    }
    return next
  }

  function wait (party: Party, want: Want): void {
    if (waiters.size >= MOST_WAITING && !refuseOneFor(party)) {
      refuse(party, want, 'no_room')
      return
    }
    // Somebody is there: nobody gives up before this is made.
    const waiter: PlaceWaiter = {
      ...party,
      want,
      since: clock(),
      forget: want.company.onAllGone(() => { giveUp(waiter, 'nobody_there') })
    }
    waiter.client.waits++
    waiter.tenant.waits++
    waiters.add(waiter)
    want.company.onJoin(({ asker }) => { improve(waiter, asker) })
    endUnreadFor(waiter)
    lookLater()
  }

  /** One more wants the same: it may have fewer than those who were there. */
  function improve (waiter: PlaceWaiter, asker: Sharer): void {
    const client = clients.of(asker.party)
    if (client.held < waiter.client.held) {
      waiter.client.waits--
      clients.settle(waiter.client)
      waiter.client = client
      client.waits++
    } else clients.settle(client)
  }

  function leave (waiter: PlaceWaiter): void {
    waiters.delete(waiter)
    waiter.forget()
    waiter.client.waits--
    waiter.tenant.waits--
  }

  function giveUp (waiter: PlaceWaiter, why: WhyNot): void {
    leave(waiter)
    refuse(waiter, waiter.want, why)
  }

  function refuse (party: Party, want: Want, why: WhyNot): void {
    settle(party)
    if (why === 'no_room') past.refused++
    want.refuse(why)
  }

  /** Lets the last go of the client that has the most waiting; false when that is this one's. */
  function refuseOneFor ({ client }: Party): boolean {
    let last: PlaceWaiter | undefined
    for (const waiter of waiters) if (last === undefined || waiter.client.waits >= last.client.waits) last = waiter
    if (last === undefined || last.client.waits <= client.waits) return false
    giveUp(last, 'no_room')
    return true
  }

  /** Ends what is not read of whoever is the farthest above this one; its place is free then, if there is such. */
  function endUnreadFor (party: Party): boolean {
    const now = clock()
    const stalled = ({ pace }: Holder): number => (pace as Pace).stalled(now)
    let worst: Holder | undefined
    for (const holder of holders) {
      if (holder.end === undefined || stalled(holder) < patienceOf(party, holder)) continue
      if (worst === undefined || (compareParties(holder, worst) || stalled(holder) - stalled(worst)) > 0) worst = holder
    }
    return end(worst, 'not_read')
  }

  /** The same of what is read: least is lost with the one that began last. */
  function endYoungestFor ({ client }: Party): boolean {
    let youngest: Holder | undefined
    for (const holder of holders) {
      if (holder.end === undefined || holder.client.held - client.held <= 1) continue
      if (youngest === undefined || compareParties(holder, youngest) >= 0) youngest = holder
    }
    return end(youngest, 'over_share')
  }

  function end (holder: Holder | undefined, why: WhyEnded): boolean {
    const run = holder?.end
    if (holder === undefined || run === undefined) return false
    holder.end = undefined
    run(why)
    return true
  }

  /** For all who wait, those with the fewest first. */
  function makePlace (now: number): void {
    // One for each client at a time: what it then has is seen only at the next look.
    const evened = new Set<Share>()
    for (const waiter of [...waiters].sort(compareParties)) {
      if (!waiters.has(waiter) || endUnreadFor(waiter)) continue
      if (now - waiter.since < EVEN_OUT || evened.has(waiter.client)) continue
      if (endYoungestFor(waiter)) evened.add(waiter.client)
    }
  }

  function lookLater (): void {
    if (looking || waiters.size === 0) return
    looking = true
    later(LOOK, () => {
      looking = false
      const now = clock()
      for (const waiter of waiters) if (now - waiter.since >= PLACE_PATIENCE) giveUp(waiter, 'no_room')
      makePlace(now)
      lookLater()
    })
  }

  return {
    standing: () => ({ all, used: holders.size, large, length: waiters.size, ...past }),
    take (want) {
      const { present } = want.company
      if (present === undefined) {
        want.refuse('nobody_there')
        return
      }
      const { party, tenant } = present.asker
      const shares = { client: clients.of(party), tenant: tenants.of(tenant) }
      if (hasRoom(want.large)) grant(shares, want)
      else wait(shares, want)
    }
  }
}

/** Below 0: the first has less. */
function compareParties (a: Party, b: Party): number {
  return a.client.held - b.client.held || a.tenant.held - b.tenant.held
}

/** Milliseconds for which somebody who waits has to bear that a download is not read. */
function patienceOf (waiting: Party, holder: Party): number {
  const more = waiting.client === holder.client ? 1 : holder.client.held - waiting.client.held
  if (more <= 0) return Infinity
  if (more > 1) return STALLED.byClient
  return holder.tenant.held - waiting.tenant.held > 1 ? STALLED.byTenant : STALLED.atLast
}

interface Book {
  of (key: unknown): Share
  /** Forgets who neither holds nor waits. */
  settle (share: Share): void
}

function createBook (): Book {
  const shares = new Map<unknown, Share>()
  return {
    of (key) {
      const known = shares.get(key)
      if (known !== undefined) return known
      const share = { key, held: 0, waits: 0 }
      shares.set(key, share)
      return share
    },
    settle (share) {
      if (share.held === 0 && share.waits === 0) shares.delete(share.key)
    }
  }
}
