// May this login be tried? Failures are counted by account and address together, and by
// address; never by account alone, which would let anybody lock its owner out. Who is over
// a limit is refused before a hash is computed, and a hash counts as a failure from before
// it begins until it is right: of guesses that come at once no more are hashed than of
// those that come one by one. Behind one address there may be a whole company, so a limit
// is not the end for those who know their password:
//
// * What needs no slow hash (tokens, robots' secrets, the master key, a password that is
//   remembered) is looked at first, and lets in whoever it proves; this file hears of it
//   only when it was wrong. Those count by themselves: a pipeline with an old secret
//   takes none of its neighbours' tries.
// * A password that was right lately is known again by a keyed digest, wherever it comes
//   from, and gets its hash whatever the limits say: it is right still, or it would be
//   another hash that it is compared with, and so not known.
// * An account that lately came in from an address is not held up by what others fail at
//   there, only by what fails for itself.
// * For all others there is one hash in some seconds, first come, first served. So guesses
//   end at a number, and when they stop, whoever is new gets in at the next try.
//
// An address from which several accounts came in is several people's (a proxy that nobody
// named, a company's network), and has more. That is seen by right passwords alone: no
// header makes a limit larger (lately.ts).
//
// Replicas count failures together in Redis, where they have one; who came in lately each
// knows by itself, which keeps nobody out.
import { randomBytes } from 'node:crypto'
import { createLocks } from '../lib/locks.ts'
import { createCounter, type Count, type Counted, type CountStore, type SharedCounts } from './counter.ts'
import { createGuesses, type Beginning, type Opened } from './guesses.ts'
import { createLately } from './lately.ts'
import type { Admission, Login, Outcome, Refused } from './login.ts'
import { createUnderWay } from './under-way.ts'

export interface LoginLimits {
  /** What credentials are named with; the same in all processes that count together. */
  readonly key: string
  /** May it wait for its password to be hashed? */
  admit (login: Login): Promise<Admission>
  /** May its password be hashed now? Who may says with the ticket what became of it. */
  begin (login: Login): Promise<Beginning>
  /** @param ticket of what was begun */
  settle (ticket: number, outcome: Outcome): Promise<void>
  /** The password is right, which was hashed for somebody else. */
  letIn (login: Login): Promise<void>
  /** What needs no slow hash was wrong. @returns whether that may be said, or only when to come again */
  miss (origin: string): Promise<Admission>
}

export interface LoginLimitOptions {
  /** Failures for one account from one address. */
  readonly perAccount: number
  /** Failures from one address. */
  readonly perAddress: number
  /** Seconds from the first of them, after which they are forgotten. */
  readonly within: number
}

/** What was refused, and what is counted now. */
export interface LoginStanding {
  /** By the limit that was reached. */
  readonly refused: { readonly account: number, readonly address: number, readonly secret: number }
  /** Addresses, accounts there and passwords. */
  readonly remembered: number
}

/** This process's own, or the primary's for all workers. */
export interface OwnLoginLimits extends LoginLimits {
  standing (): LoginStanding
}

/** How many times as much an address has that is several people's. */
export const SHARE_OF_SEVERAL = 10
/** Seconds in which an address that is over a limit gets one hash more. */
export const SPARE = 5
const MOST = { origins: 10_000, pairs: 20_000 }

/** What the keys of failures begin with where several replicas count them. */
const SHARED_NAME = '{chartgate}:failed'

const ADMITTED: Admission = { ok: true }
const UNCOUNTED: Opened = { ok: true, close: async () => {} }

export interface LoginLimitPlace {
  /** Seconds of a clock that only goes on. */
  readonly clock: () => number
  /** Hears once of an address that is several people's, if nobody said whose. */
  readonly onShared: (origin: string) => void
  /** Where other replicas count failures too; left out: nobody else does. */
  readonly store?: CountStore | undefined
}

/** A limit that is reached. */
interface Over {
  readonly of: 'account' | 'address'
  readonly seconds: number
  /** Also when all that is being hashed here should be right. */
  readonly isCertain: boolean
}

/** How many count besides this one, and how many of them are being hashed here and may be right yet. */
interface Standing extends Count {
  readonly open: number
}

/** What one guess counts for: an account from an address, and the address. */
type Keys = readonly [pair: string, address: string]

/** @param options as they are now */
export function createLoginLimits (
  options: () => LoginLimitOptions,
  { clock, onShared, store }: LoginLimitPlace
): OwnLoginLimits {
  const within = (): number => options().within
  const sharedAs = (name: string): SharedCounts | undefined => {
    return store === undefined ? undefined : { store, name: `${SHARED_NAME}:${name}` }
  }
  const pairs = createCounter({ within, most: MOST.pairs, shared: sharedAs('accounts') })
  const addresses = createCounter({ within, most: MOST.origins, shared: sharedAs('addresses') })
  const secrets = createCounter({ within, most: MOST.origins, shared: sharedAs('secrets') })
  const spares = createCounter({ within: () => SPARE, most: MOST.origins, shared: sharedAs('spares') })
  const lately = createLately(clock, onShared)
  /** What counts and may be right, by what it counts for. */
  const underWay = createUnderWay()
  /**
   * The same of what counts for a moment, and is under way next or taken back: one guess of an address. It is not
   * under way yet, or who is unsure would wake all others who are by its end, and be woken by theirs, without end.
   */
  const trying = new Set<string>()
  const turns = createLocks()
  const guesses = createGuesses(open)
  const refused = { account: 0, address: 0, secret: 0 }

  function shareOf (origin: string): number {
    const { perAddress } = options()
    return lately.isSeveral(origin) ? perAddress * SHARE_OF_SEVERAL : perAddress
  }

  function overOf ({ origin, account }: Login, pair: Standing, address: Standing): Over | undefined {
    const { perAccount } = options()
    return over('account', pair, perAccount) ??
      (lately.isKnown(origin, account) ? undefined : over('address', address, shareOf(origin)))
  }

  function refuse ({ of, seconds }: Over): Refused {
    refused[of]++
    return { ok: false, seconds }
  }

  /** The one in some seconds that an address has over its limits. */
  async function isSpare ({ origin }: Login): Promise<boolean> {
    return (await spares.add(origin)).times === 1
  }

  /** Counts a guess as a failure. */
  async function add ([pair, address]: Keys): Promise<[Counted, Counted]> {
    return await Promise.all([pairs.add(pair), addresses.add(address)])
  }

  /** A guess that may be hashed, and counts until it is known to be none. */
  function hold (keys: Keys, takeBack: () => Promise<void>): Opened {
    const ends = keys.map(underWay.begin)
    return {
      ok: true,
      async close (outcome) {
        try {
          if (outcome !== 'wrong') await takeBack()
        } finally {
          for (const end of ends) end()
        }
      }
    }
  }

  /** Counts a guess, if no limit is reached; `unsure`: that is known when one with this key has ended. */
  async function count (login: Login): Promise<Opened | { readonly ok: 'unsure', readonly key: string }> {
    const keys = keysOf(login)
    // Before anything is asked: what is counted later is counted behind this one.
    const [ofPair, ofAddress] = [underWay.of(keys[0]), underWay.of(keys[1])]
    for (const key of keys) trying.add(key)
    try {
      const counted = await add(keys)
      const takeBack = async (): Promise<void> => { await Promise.all(counted.map(each => each.takeBack())) }
      const limit = overOf(login, without(counted[0], ofPair), without(counted[1], ofAddress))
      if (limit === undefined || (limit.isCertain && await isSpare(login))) return hold(keys, takeBack)
      await takeBack()
      return limit.isCertain ? refuse(limit) : { ok: 'unsure', key: keys[limit.of === 'account' ? 0 : 1] }
    } finally {
      for (const key of keys) trying.delete(key)
    }
  }

  /** One guess of an address after the other, or two would be over a limit by each other. */
  async function countInTurn (login: Login): Promise<Opened> {
    for (;;) {
      const counted = await turns.hold(login.origin, async () => await count(login))
      if (counted.ok !== 'unsure') return counted
      await underWay.nextEnd(counted.key)
    }
  }

  async function open (login: Login): Promise<Opened> {
    const opened = lately.isProved(login.proof) ? UNCOUNTED : await countInTurn(login)
    if (!opened.ok) return opened
    return {
      ok: true,
      async close (outcome) {
        if (outcome === 'right') lately.letIn(login)
        await opened.close(outcome)
      }
    }
  }

  /** How many count now that may be right yet. */
  function openOf (key: string): number {
    return underWay.of(key) + Number(trying.has(key))
  }

  return {
    key: randomBytes(32).toString('base64'),
    async admit (login) {
      if (lately.isProved(login.proof)) return ADMITTED
      const [pair, address] = keysOf(login)
      const [ofPair, ofAddress] = [openOf(pair), openOf(address)]
      const [own, all] = await Promise.all([pairs.read(pair), addresses.read(address)])
      const limit = overOf(login, { ...own, open: ofPair }, { ...all, open: ofAddress })
      if (limit === undefined || !limit.isCertain) return ADMITTED
      const spare = await spares.read(login.origin)
      return spare.times === 0 ? ADMITTED : refuse(limit)
    },
    begin: guesses.begin,
    settle: guesses.settle,
    letIn: async login => { lately.letIn(login) },
    async miss (origin) {
      const { times, seconds } = await secrets.add(origin)
      if (times <= shareOf(origin)) return ADMITTED
      refused.secret++
      return { ok: false, seconds }
    },
    standing () {
      const counted = [pairs, addresses, secrets, spares].reduce((all, counter) => all + counter.size(), 0)
      return { refused: { ...refused }, remembered: counted + lately.size() }
    }
  }
}

/** Without the one that was counted itself. */
function without ({ times, seconds }: Count, open: number): Standing {
  return { times: times - 1, seconds, open }
}

/** So many are wrong for certain as are not being hashed here. */
function over (of: Over['of'], { times, seconds, open }: Standing, limit: number): Over | undefined {
  return times < limit ? undefined : { of, seconds, isCertain: times - open >= limit }
}

function keysOf ({ origin, account }: Login): Keys {
  return [`${origin} ${account}`, origin]
}

/** For who asks without a client: commands. */
export const UNLIMITED: LoginLimits = {
  key: randomBytes(32).toString('base64'),
  admit: async () => ADMITTED,
  begin: async () => ({ ok: true, ticket: 0 }),
  settle: async () => {},
  letIn: async () => {},
  miss: async () => ADMITTED
}
