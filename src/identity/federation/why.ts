// Why is a job let in, or not? The judgement of its token read for people: which provider signed
// it, what it says that counts for nothing, and of every rule whether it takes it. Decisions are
// made in providers.ts and rules.ts; nothing here lets anybody in.
import type { ReasonCode } from '../../http/errors.ts'
import type { Clock } from '../../lib/clock.ts'
import type { SignedToken } from '../../tokens/signature.ts'
import type { Principal } from '../../words/principal.ts'
import { claimsFault, judgeIdToken, providersOf, signersOf, type Federation, type Provider } from './providers.ts'
import { matchRule, type CompiledRule, type Match } from './rules.ts'

export interface WhyProvider {
  readonly provider: Provider
  /** `unknown`: it has no keys now to look with. */
  readonly signed: 'yes' | 'no' | 'unknown'
  /** What of the claims counts for nothing, whichever rule it is for. */
  readonly fault: ReasonCode | undefined
  readonly rules: readonly { readonly rule: CompiledRule, readonly match: Match }[]
}

export interface WhyToken {
  /** Those that are called as its `iss`; none: nobody is. */
  readonly providers: readonly WhyProvider[]
  /** Who it is, where it is let in. */
  readonly principal: Principal | undefined
  /** Why it is not. */
  readonly code: ReasonCode | undefined
}

/** @param ours thumbprints of our own keys */
export function whyToken (
  federation: Federation,
  token: SignedToken,
  ours: ReadonlySet<string>,
  clock: Clock
): WhyToken {
  const called = providersOf(federation, token)
  const signers = signersOf(called, token, ours)
  const providers = called.map((provider): WhyProvider => ({
    provider,
    signed: signers.some(each => each.provider === provider) ? 'yes' : provider.keys().length === 0 ? 'unknown' : 'no',
    fault: claimsFault(provider, token, clock.wall()),
    rules: provider.rules.map(rule => ({ rule, match: matchRule(rule, token.payload) }))
  }))
  const [signed, another] = signers
  if (signed === undefined) return { providers, principal: undefined, code: 'token_unknown_key' }
  if (another !== undefined) return { providers, principal: undefined, code: 'federation_no_rule' }
  const verdict = judgeIdToken(signed, token, clock)
  return verdict.ok
    ? { providers, principal: verdict.principal, code: undefined }
    : { providers, principal: undefined, code: verdict.code }
}
