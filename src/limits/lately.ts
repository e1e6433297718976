// Who came in lately, with which password, and from where? It is learned from right
// passwords alone, so that nothing that a client merely says makes a limit larger. What is
// remembered is bounded in number and in time.
import { putBounded } from '../lib/put-bounded.ts'
import type { Login } from './login.ts'

/** Accounts that make an address several people's. */
export const SEVERAL = 4
/** Seconds that it is remembered who came in: who comes once a week is no stranger. */
const LATELY = 8 * 86_400
const MOST = { origins: 10_000, proofs: 10_000, accountsOfOrigin: 64 }

export interface Lately {
  /** The password was right. */
  letIn (login: Login): void
  /** The password was right. @param proof what it is known by */
  isProved (proof: string): boolean
  /** The account came in from there. */
  isKnown (origin: string, account: string): boolean
  /** The address is several people's. */
  isSeveral (origin: string): boolean
  /** How much is remembered. */
  size (): number
}

interface KnownOrigin {
  /** Until when it is remembered that they came in. */
  readonly accounts: Map<string, number>
  /** That there are several. */
  isSaid: boolean
}

/**
 * @param clock seconds of a clock that only goes on
 * @param onShared hears once of an address that is several people's, if nobody said whose
 */
export function createLately (clock: () => number, onShared: (origin: string) => void): Lately {
  /** Until when, by proof. */
  const proved = new Map<string, number>()
  /** By origin. */
  const known = new Map<string, KnownOrigin>()

  function isNow (until = -Infinity): boolean {
    return until > clock()
  }

  function isSeveral (origin: string): boolean {
    return [...known.get(origin)?.accounts.values() ?? []].filter(isNow).length >= SEVERAL
  }

  return {
    letIn ({ origin, account, proof, isPeer }) {
      const until = clock() + LATELY
      putBounded(proved, proof, until, MOST.proofs)
      const there = known.get(origin) ?? { accounts: new Map<string, number>(), isSaid: false }
      putBounded(there.accounts, account, until, MOST.accountsOfOrigin)
      putBounded(known, origin, there, MOST.origins)
      if (there.isSaid || !isPeer || !isSeveral(origin)) return
      there.isSaid = true
      onShared(origin)
    },
    isProved: proof => isNow(proved.get(proof)),
    isKnown: (origin, account) => isNow(known.get(origin)?.accounts.get(account)),
    isSeveral,
    size: () => [...known.values()].reduce((all, { accounts }) => all + accounts.size, proved.size)
  }
}
