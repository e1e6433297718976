// Who is next, and who has to go when there is no more room? Whoever waits is taken in
// turn by where they come from, and there in turn by the account that they ask for, so
// that nobody's many are ahead of another's one. Who was right lately comes first, and who
// was wrong last. What is looked through is bounded by the room.
import { putBounded } from '../lib/put-bounded.ts'

export interface Waiting {
  /** Where it comes from. */
  readonly origin: string
  readonly account: string
}

export interface FairQueue<W extends Waiting> {
  /** How many wait. */
  size (): number
  /** Takes one in. @returns the one for whom there is no room any more, which may be the same; it is out then */
  add (waiter: W): W | undefined
  /** Takes one out; nothing, when it is not in. */
  remove (waiter: W): void
  /** All of one account from one origin. */
  pair (of: Waiting): Iterable<W>
  /** Takes out whose turn it is; what else there is of its origin and account comes after the others then. */
  next (): W | undefined
  /** Remembers for a while how the last one of an origin ended. */
  remember (origin: string, repute: 'right' | 'wrong'): void
}

export interface FairQueueOptions {
  /** How many there is room for in all, and of one origin. */
  readonly room: { readonly total: number, readonly ofOrigin: number }
  /** Seconds that it is remembered of an origin how its last one ended. */
  readonly lately: number
  /** Seconds of a clock that only goes on. */
  readonly clock: () => number
}

/** Who waits from one origin. */
interface Origin<W> {
  /** By account, in the order of turns. */
  readonly accounts: Map<string, Set<W>>
  size: number
  repute: Repute
}

/** How the last one of an origin ended; nothing is known of most. */
type Repute = 'right' | 'unknown' | 'wrong'

/** In the order of turns. */
const REPUTES: readonly Repute[] = ['right', 'unknown', 'wrong']

/**
 * So many origins are remembered of each repute; a flood from more of them is new to us each
 * time, and takes no memory of those who were right.
 */
const MOST_REMEMBERED = 10_000

export function createFairQueue<W extends Waiting> ({ room, lately, clock }: FairQueueOptions): FairQueue<W> {
  /** In the order of turns. */
  const origins = new Map<string, Origin<W>>()
  /** When it is forgotten, by origin. */
  const remembered = { right: new Map<string, number>(), wrong: new Map<string, number>() }
  let size = 0

  function reputeOf (key: string): Repute {
    const isNow = (until = -Infinity): boolean => until > clock()
    if (isNow(remembered.wrong.get(key))) return 'wrong'
    return isNow(remembered.right.get(key)) ? 'right' : 'unknown'
  }

  function enter (waiter: W): Origin<W> {
    let origin = origins.get(waiter.origin)
    if (origin === undefined) {
      origin = { accounts: new Map(), size: 0, repute: reputeOf(waiter.origin) }
      origins.set(waiter.origin, origin)
    }
    const account = origin.accounts.get(waiter.account)
    if (account === undefined) origin.accounts.set(waiter.account, new Set([waiter]))
    else account.add(waiter)
    origin.size++
    size++
    return origin
  }

  function remove (waiter: W): void {
    const origin = origins.get(waiter.origin)
    const account = origin?.accounts.get(waiter.account)
    if (origin === undefined || account?.delete(waiter) !== true) return
    size--
    if (account.size === 0) origin.accounts.delete(waiter.account)
    if (--origin.size === 0) origins.delete(waiter.origin)
  }

  /**
   * Of those who have the most, the one who came last; who was wrong has more than anybody else,
   * and who was right half of what they have.
   */
  function loser (waiter: W, own: Origin<W>): W {
    const from = own.size > room.ofOrigin
      ? own
      : mostOf(origins.values(), weightOf, own)
    const account = mostOf(
      from.accounts.values(),
      ({ size }) => size,
      from === own ? from.accounts.get(waiter.account) : undefined
    )
    return [...account].at(-1) as W
  }

  function weightOf ({ size, repute }: Origin<W>): number {
    switch (repute) {
      case 'right': return size / 2
      case 'unknown': return size
      case 'wrong': return room.total + size
    }
  }

  return {
    size: () => size,
    add (waiter) {
      const own = enter(waiter)
      if (own.size <= room.ofOrigin && size <= room.total) return undefined
      const out = loser(waiter, own)
      remove(out)
      return out
    },
    remove,
    pair: ({ origin, account }) => origins.get(origin)?.accounts.get(account) ?? [],
    next () {
      if (size === 0) return undefined
      const all = [...origins.values()]
      const best = REPUTES.find(repute => all.some(origin => origin.repute === repute))
      const origin = all.find(({ repute }) => repute === best) as Origin<W>
      const waiter = first(first(origin.accounts.values()))
      remove(waiter)
      moveToEnd(origins, waiter.origin)
      moveToEnd(origin.accounts, waiter.account)
      return waiter
    },
    remember (key, repute) {
      remembered[repute === 'right' ? 'wrong' : 'right'].delete(key)
      putBounded(remembered[repute], key, clock() + lately, MOST_REMEMBERED)
      const origin = origins.get(key)
      if (origin !== undefined) origin.repute = repute
    }
  }
}

/** Of one that has any. */
function first<T> ([one]: Iterable<T>): T {
  return one as T
}

/** The one that weighs most; of several `own`, if it is one of them, else the last in the order of turns. */
function mostOf<T> (all: Iterable<T>, weight: (one: T) => number, own?: T): T {
  let most = first(all)
  for (const one of all) if (weight(one) >= weight(most)) most = one
  return own !== undefined && weight(own) === weight(most) ? own : most
}

function moveToEnd<T> (map: Map<string, T>, key: string): void {
  const value = map.get(key)
  if (value === undefined) return
  map.delete(key)
  map.set(key, value)
}
