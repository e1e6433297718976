// May this login be tried? Failures are counted by account and address together, and by
// address; never by account alone, which would let anybody lock its owner out. Who is over
// a limit is refused before a hash is computed. Behind one address there may be a whole
// company, so a limit is not the end for those who know their password:
//
// * What needs no slow hash (tokens, robots' secrets, the master key, a password that is
//   remembered) is looked at first, and lets in whoever it proves; this file hears of it
//   only when it was wrong. Those count by themselves: a pipeline with an old secret
//   takes none of its neighbours' tries.
// * A password that was right lately is known again by a keyed digest, wherever it comes
//   from, and gets its hash whatever the limits say: it is right, or changed, which costs
//   one hash and is forgotten.
// * An account that lately came in from an address is not held up by what others fail at
//   there, only by what fails for itself.
// * For all others there is one hash in some seconds, first come, first served. So guesses
//   end at a number, and when they stop, whoever is new gets in at the next try.
//
// An address from which several accounts came in is several people's (a proxy that nobody
// named, a company's network), and has more. That is seen by right passwords alone: no
// header makes a limit larger. What is remembered is bounded in number and in time.
//
// Replicas count failures together in Redis, where they have one; who came in lately each
// knows by itself, which keeps nobody out.
import { randomBytes } from 'node:crypto'
import { putBounded } from '../lib/put-bounded.ts'
import { createCounter, type CountStore, type SharedCounts } from './counter.ts'

export interface Login {
  /** Where it comes from, as `originOf` names it. */
  readonly origin: string
  /** The account that it is about, whether there is one or not; '' for what no account can be called. */
  readonly account: string
  /** The same for the same credentials against the same hash, and made with `key`. */
  readonly proof: string
  /** The address is the connection's own, and no trusted proxy's. */
  readonly isPeer: boolean
}

/** `seconds`: after which it may be tried again. */
export type Admission = { readonly ok: true } | { readonly ok: false, readonly seconds: number }

export interface LoginLimits {
  /** What credentials are named with; the same in all processes that count together. */
  readonly key: string
  /** May its password be hashed? @param begins the hash would begin now */
  admit (login: Login, begins: boolean): Promise<Admission>
  /** The hash was computed. */
  settle (login: Login, isRight: boolean): Promise<void>
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

/** Accounts that make an address several people's, */
export const SEVERAL = 4
/** and how many times as much it has then. */
export const SHARE_OF_SEVERAL = 10
/** Seconds in which an address that is over a limit gets one hash more. */
export const SPARE = 5
/** Seconds that it is remembered who came in: who comes once a week is no stranger. */
const LATELY = 8 * 86_400
const MOST = { origins: 10_000, pairs: 20_000, proofs: 10_000, accountsOfOrigin: 64 }

/** What the keys of failures begin with where several replicas count them. */
const SHARED_NAME = '{chartgate}:failed'

const ADMITTED: Admission = { ok: true }

export interface LoginLimitPlace {
  /** Seconds of a clock that only goes on. */
  readonly clock: () => number
  /** Hears once of an address that is several people's, if nobody said whose. */
  readonly onShared: (origin: string) => void
  /** Where other replicas count failures too; left out: nobody else does. */
  readonly store?: CountStore | undefined
}

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
  /** Until when, by proof. */
  const proved = new Map<string, number>()
  /** Who came in, by origin. */
  const known = new Map<string, KnownOrigin>()
  const refused = { account: 0, address: 0, secret: 0 }

  function isNow (until = -Infinity): boolean {
    return until > clock()
  }

  function accountsOf (origin: string): number {
    return [...known.get(origin)?.accounts.values() ?? []].filter(isNow).length
  }

  function shareOf (origin: string): number {
    const { perAddress } = options()
    return accountsOf(origin) < SEVERAL ? perAddress : perAddress * SHARE_OF_SEVERAL
  }

  /** The limit that it is over, and for how long still; undefined: none. */
  async function limitOf ({ origin, account }: Login): Promise<['account' | 'address', number] | undefined> {
    const own = await pairs.read(pairOf(origin, account))
    if (own.times >= options().perAccount) return ['account', own.seconds]
    if (isNow(known.get(origin)?.accounts.get(account))) return undefined
    const all = await addresses.read(origin)
    return all.times >= shareOf(origin) ? ['address', all.seconds] : undefined
  }

  function letIn ({ origin, account, proof, isPeer }: Login): void {
    const until = clock() + LATELY
    putBounded(proved, proof, until, MOST.proofs)
    const there = known.get(origin) ?? { accounts: new Map<string, number>(), isSaid: false }
    putBounded(there.accounts, account, until, MOST.accountsOfOrigin)
    putBounded(known, origin, there, MOST.origins)
    if (there.isSaid || !isPeer || accountsOf(origin) < SEVERAL) return
    there.isSaid = true
    onShared(origin)
  }

  return {
    key: randomBytes(32).toString('base64'),
    async admit (login, begins) {
      if (isNow(proved.get(login.proof))) return ADMITTED
      const limit = await limitOf(login)
      if (limit === undefined) return ADMITTED
      const spare = begins ? await spares.add(login.origin) : await spares.read(login.origin)
      if (spare.times <= Number(begins)) return ADMITTED
      const [which, seconds] = limit
      refused[which]++
      return { ok: false, seconds }
    },
    async settle (login, isRight) {
      if (isRight) return letIn(login)
      proved.delete(login.proof)
      await pairs.add(pairOf(login.origin, login.account))
      await addresses.add(login.origin)
    },
    async miss (origin) {
      const { times, seconds } = await secrets.add(origin)
      if (times <= shareOf(origin)) return ADMITTED
      refused.secret++
      return { ok: false, seconds }
    },
    standing () {
      const counters = [pairs, addresses, secrets, spares].map(counter => counter.size())
      const accounts = [...known.values()].map(({ accounts }) => accounts.size)
      const remembered = [proved.size, ...counters, ...accounts].reduce((all, each) => all + each)
      return { refused: { ...refused }, remembered }
    }
  }
}

interface KnownOrigin {
  /** Until when it is remembered that they came in. */
  readonly accounts: Map<string, number>
  /** That there are several. */
  isSaid: boolean
}

function pairOf (origin: string, account: string): string {
  return `${origin} ${account}`
}

/** For who asks without a client: commands. */
export const UNLIMITED: LoginLimits = {
  key: randomBytes(32).toString('base64'),
  admit: async () => ADMITTED,
  settle: async () => {},
  miss: async () => ADMITTED
}
