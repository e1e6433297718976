// Whose job is it? An ID token that a CI platform or a cluster gives its jobs, as Bearer or as
// the password of Basic. It is verified once, in full; what came of that is kept under the
// SHA-256 of the whole token until it ends, and as long as the rule that took it and the key
// that signed it are in force. Nothing that the token names is fetched (providers.ts).
import { hash } from 'node:crypto'
import { secondsUntil, type Clock, type Moment } from '../../lib/clock.ts'
import { putBounded } from '../../lib/put-bounded.ts'
import type { IssuerKey } from '../../tokens/issuer-keys.ts'
import { readToken, type SignedToken } from '../../tokens/signature.ts'
import { LONGEST_TOKEN } from '../../tokens/verify.ts'
import type { Principal } from '../../words/principal.ts'
import { looksLikeToken } from '../credentials.ts'
import {
  judgeIdToken, leewayOf, providersOf, signersOf, type Federation, type Provider
} from '../federation/providers.ts'
import type { CompiledRule } from '../federation/rules.ts'
import type { Authentication, IdentitySource, Presented } from './source.ts'

export interface FederationSourceOptions {
  /** As it is now. */
  readonly federation: () => Federation
  /** Thumbprints of our own keys, as they are now. */
  readonly ours: () => ReadonlySet<string>
  readonly clock: Clock
  /** How many tokens are remembered. */
  readonly most?: number
}

export interface FederationSource extends IdentitySource {
  /** Whoever waits for it: nothing of it waits for a turn. */
  authenticate (presented: Pick<Presented, 'secret'>): Authentication | Promise<Authentication> | undefined
}

/** A token that was verified. */
interface Session {
  readonly rule: CompiledRule
  readonly key: IssuerKey
  readonly principal: Principal
}

/** A token whose refusal stands as long as nothing is changed. */
interface Dismissal {
  readonly federation: Federation
  readonly result: Authentication
}

const MOST_TOKENS = 20_000
/** Anybody can have a job that no rule takes: it pushes none out that one takes. */
const MOST_DISMISSED = 2_000
const UNKNOWN_KEY: Authentication = { ok: false, code: 'token_unknown_key' }
const EXPIRED: Authentication = { ok: false, code: 'token_expired' }

export function createFederationSource (
  { federation, ours, clock, most = MOST_TOKENS }: FederationSourceOptions
): FederationSource {
  const sessions = new Map<string, Session>()
  const dismissed = new Map<string, Dismissal>()
  /** Tokens that wait for keys: one that comes twice meanwhile is verified once. */
  const waiting = new Map<string, Promise<Authentication>>()

  /** What is known of a token already, as far as it stands. */
  function known (name: string): Authentication | undefined {
    const session = sessions.get(name)
    if (session === undefined) {
      const before = dismissed.get(name)
      return before?.federation === federation() ? before.result : undefined
    }
    const { principal, key, rule } = session
    if (secondsUntil(clock, principal.expires as Moment) <= -leewayOf(rule.provider)) return EXPIRED
    const current = federation()
    const ruleNow = current.rules.get(rule.id)
    const keys = current.providers.find(({ config }) => config === ruleNow?.provider)?.keys()
    if (ruleNow === undefined || keys?.some(({ thumbprint }) => thumbprint === key.thumbprint) !== true) {
      sessions.delete(name)
      return undefined
    }
    if (ruleNow === rule) return { ok: true, principal, again: () => known(name) }
    // The same rule at another place.
    const moved = { ...session, rule: ruleNow, principal: { ...principal, rights: ruleNow.rights } }
    sessions.set(name, moved)
    return { ok: true, principal: moved.principal, again: () => known(name) }
  }

  /** What the keys that are here say; undefined when none of them signed it. */
  function judge (name: string, token: SignedToken, providers: readonly Provider[]): Authentication | undefined {
    const signers = signersOf(providers, token, ours())
    const [signed] = signers
    if (signed === undefined) return undefined
    // Two that cannot be told apart are neither.
    if (signers.length > 1) {
      const names = signers.map(({ provider: { config } }) => config.name).join(' and ')
      return { ok: false, code: 'federation_no_rule', because: `keys of ${names} verify it` }
    }
    const verdict = judgeIdToken(signed, token, clock)
    if (!verdict.ok) {
      // Its time may come; all else stays as it is.
      return verdict.code === 'token_not_yet_valid' ? verdict : dismiss(name, verdict)
    }
    const { principal, rule } = verdict
    putBounded(sessions, name, { rule, key: signed.key, principal }, most)
    return { ok: true, principal, again: () => known(name) }
  }

  function dismiss (name: string, result: Authentication): Authentication {
    putBounded(dismissed, name, { federation: federation(), result }, MOST_DISMISSED)
    return result
  }

  function verify (name: string, token: SignedToken): Authentication | Promise<Authentication> | undefined {
    const providers = providersOf(federation(), token)
    if (providers.length === 0) return undefined
    const verdict = judge(name, token, providers)
    if (verdict !== undefined) return verdict
    const fetches = providers.flatMap(({ remote }) => remote?.refresh() ?? [])
    if (fetches.length === 0) return UNKNOWN_KEY
    const result = Promise.all(fetches)
      .then(() => judge(name, token, providersOf(federation(), token)) ?? UNKNOWN_KEY)
      .finally(() => { waiting.delete(name) })
    waiting.set(name, result)
    return result
  }

  return {
    authenticate ({ secret }) {
      if (federation().providers.length === 0 || !looksLikeToken(secret) || secret.length > LONGEST_TOKEN) {
        return undefined
      }
      const name = hash('sha256', secret, 'base64url')
      const before = known(name) ?? waiting.get(name)
      if (before !== undefined) return before
      const token = readToken(secret)
      return token === undefined ? undefined : verify(name, token)
    },
    isActive: () => false // what is issued to a job names its rule, which the verifier looks at
  }
}
