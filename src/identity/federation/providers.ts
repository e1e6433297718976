// Whose jobs have an identity here, and what does a token of theirs prove? The providers and
// rules of `federation` as one value, which is replaced whole; a token is verified by the keys
// of its provider and judged in full, once (sources/federation.ts keeps what came of it).
import { hash } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import type { ReasonCode } from '../../http/errors.ts'
import { momentAt, secondsUntil, type Clock } from '../../lib/clock.ts'
import { isTime, LEEWAY, timeFault } from '../../tokens/claims.ts'
import { textOf } from '../../tokens/in-words.ts'
import { keyThatSigned, type IssuerKey } from '../../tokens/issuer-keys.ts'
import { named } from '../../tokens/issuers.ts'
import { keySourceOf, openKeySource, type KeyPlace, type KeySource } from '../../tokens/key-source.ts'
import type { JsonObject, SignedToken } from '../../tokens/signature.ts'
import { EVERYONE, subjectOf } from '../../words/subject.ts'
import type { OnceToken, Principal } from '../../words/principal.ts'
import type { FederationConfig, ProviderConfig } from './federation-config.ts'
import { compileFederationRule, matchRule, type CompiledRule } from './rules.ts'

export interface Provider extends KeySource {
  readonly config: ProviderConfig
  /** Those that name it, in the configuration's order. */
  readonly rules: readonly CompiledRule[]
}

export interface Federation {
  /** What it was made of. */
  readonly config: FederationConfig
  readonly providers: readonly Provider[]
  /** By id. */
  readonly rules: ReadonlyMap<string, CompiledRule>
}

export const NO_FEDERATION: Federation = { config: { providers: [], rules: [] }, providers: [], rules: new Map() }

/** What was read, as far as it can be used. */
export interface FederationReading {
  /** Without the keys of files that cannot be used, or with those that they had before. */
  readonly federation: Federation
  /** What of files cannot be used, one line each. */
  readonly mistakes: readonly string[]
}

/** @param before what is in force: a provider whose keys are at the same place keeps those that it has */
export async function openFederation (
  config: FederationConfig,
  before: Federation = NO_FEDERATION
): Promise<FederationReading> {
  const mistakes: string[] = []
  const sources = await Promise.all(config.providers.map(async (provider, i) => {
    const same = sameProvider(provider, before)
    if (same?.remote !== undefined) return same
    const source = await openKeySource(placeOf(provider))
    if (typeof source !== 'string') return source
    mistakes.push(`federation.providers[${i}]: ${source}`)
    return same ?? NO_KEYS
  }))
  return { federation: createFederation(config, sources), mistakes }
}

/** The one of this name whose keys are at the same place. */
function sameProvider (provider: ProviderConfig, { providers }: Federation): Provider | undefined {
  const place = placeOf(provider)
  return providers.find(({ config }) => config.name === provider.name && isDeepStrictEqual(placeOf(config), place))
}

const NO_KEYS: KeySource = { keys: () => [] }

/** @param sources where each provider's keys come from, in the configuration's order */
export function createFederation (federating: FederationConfig, sources: readonly KeySource[]): Federation {
  const { providers, rules } = federating
  const compiled = rules.map((rule, i) => {
    // The configuration's rules see to it that there is one.
    return compileFederationRule(rule, i, providers.find(({ name }) => name === rule.provider) as ProviderConfig)
  })
  return {
    config: federating,
    providers: providers.map((config, i) => {
      const { keys, remote } = sources[i] as KeySource
      const own = compiled.filter(({ provider }) => provider === config)
      return { config, keys, ...(remote === undefined ? {} : { remote }), rules: own }
    }),
    rules: new Map(compiled.map(rule => [rule.id, rule]))
  }
}

/** Of a provider whose keys another process has read from its file. @param before what is in force */
export function sourceOf (config: ProviderConfig, keys: readonly IssuerKey[], before: Federation): KeySource {
  const same = sameProvider(config, before)
  return same?.remote === undefined ? keySourceOf(placeOf(config), keys) : same
}

function placeOf ({ issuer, jwksUrl, jwksFile, ca, tokenFile }: ProviderConfig): KeyPlace {
  if (jwksFile !== undefined) return { jwksFile }
  return { remote: jwksUrl === undefined ? { discover: issuer, ca } : { jwksUrl, ca, tokenFile } }
}

/** The providers that call themselves as a token's `iss` says; only keys say which of them it is. */
export function providersOf ({ providers }: Federation, { payload }: SignedToken): readonly Provider[] {
  return providers.filter(({ config: { issuer } }) => issuer === payload['iss'])
}

/** Whose signature is on a token. */
export interface Signed {
  readonly provider: Provider
  readonly key: IssuerKey
}

/**
 * Whose signature is on it, of these.
 * @param ours thumbprints of our own keys, which are nobody else's
 */
export function signersOf (
  providers: readonly Provider[],
  token: SignedToken,
  ours: ReadonlySet<string>
): readonly Signed[] {
  return providers.flatMap(provider => {
    const key = keyThatSigned(token, provider.keys())
    return key === undefined || ours.has(key.thumbprint) ? [] : [{ provider, key }]
  })
}

export type IdTokenVerdict =
  | { readonly ok: true, readonly principal: Principal, readonly rule: CompiledRule }
  | {
    readonly ok: false
    readonly code: ReasonCode
    /** Whose it is, and what is in the way. */
    readonly because: string
  }

/** Left out, or what an ID token says; an access token of the same issuer is none (RFC 9068 section 2.1). */
const TYPE = /^(?:application\/)?jwt$/i

/** What a token says whose signature is the provider's, whichever rule it is for. */
export function claimsFault (
  { config }: Provider,
  { header, payload }: SignedToken,
  now: number
): ReasonCode | undefined {
  const { typ } = header
  if (typ !== undefined && !(typeof typ === 'string' && TYPE.test(typ))) return 'token_malformed'
  const fault = timeFault(payload, now, leewayOf(config))
  if (fault !== undefined) return fault
  const { sub, aud, iat } = payload
  const isSound = typeof sub === 'string' && sub !== '' && isTime(iat) && isForAlone(aud, config.audience)
  return isSound ? undefined : 'token_wrong_claims'
}

/** Who a job is, by the first rule that takes it. */
export function judgeIdToken ({ provider, key }: Signed, token: SignedToken, clock: Clock): IdTokenVerdict {
  const { payload, header } = token
  const fault = claimsFault(provider, token, clock.wall())
  if (fault !== undefined) return { ok: false, code: fault, because: jobOf(provider, payload) }
  /** What stands in the way of the rule that asks for the least of what the job is not. */
  let nearest = { because: `no rule names ${provider.config.name}`, met: -1 }
  for (const rule of provider.rules) {
    const match = matchRule(rule, payload)
    if (!match.ok) {
      const { because, met } = match
      if (met > nearest.met) nearest = { because: `${rule.place} does not take it: ${because}`, met }
      continue
    }
    const end = Math.floor(Math.min(payload['exp'] as number, payload['iat'] as number + rule.config.maxLifetime))
    const expires = momentAt(clock, end)
    if (secondsUntil(clock, expires) <= -leewayOf(provider.config)) {
      return { ok: false, code: 'token_expired', because: jobOf(provider, payload) }
    }
    const proof = {
      ...named('tokenId', payload['jti']),
      ...named('keyId', header['kid'] ?? key.kid),
      federated: match.federated
    }
    const groups = rule.config.groups.map(group => subjectOf('group', group))
    const { subject } = match
    const only = provider.config.exchangeOnce === true ? { exchangeOnly: onceOf(provider, token, clock) } : {}
    return {
      ok: true,
      rule,
      principal: { kind: 'ci', subject, subjects: [...groups, EVERYONE], rights: rule.rights, expires, proof, ...only }
    }
  }
  return { ok: false, code: 'federation_no_rule', because: `${jobOf(provider, payload)}: ${nearest.because}` }
}

/** A job that is let in under no name, as the log has it. */
function jobOf ({ config: { name } }: Provider, { sub, aud }: JsonObject): string {
  return `a job of ${name}, sub ${textOf(sub)}, with a token for ${textOf(aud)}`
}

/** Seconds that its tokens count before they begin and after they have ended. */
export function leewayOf ({ clockSkew = LEEWAY }: ProviderConfig): number {
  return clockSkew
}

/** Seconds after which no rule lets a token in, and that many more than its clock and ours may differ by. */
const [LONGEST_LIFETIME, MORE_THAN_CLOCKS_DIFFER] = [86_400, 600]

/**
 * What a token is remembered by that counts once: `jti`, or where there is none all that is
 * signed; never the signature, which may have several spellings. For as long as another rule
 * could let it in.
 */
function onceOf ({ config }: Provider, { payload, input }: SignedToken, clock: Clock): OnceToken {
  const { iss, jti, iat, exp } = payload
  const parts = typeof jti === 'string' && jti !== '' ? ['jti', iss, jti] : ['input', input]
  return {
    provider: config.name,
    name: hash('sha256', JSON.stringify(parts), 'base64url'),
    seconds: Math.min(exp as number - clock.wall(), LONGEST_LIFETIME) + MORE_THAN_CLOCKS_DIFFER,
    issued: momentAt(clock, iat as number - leewayOf(config))
  }
}

/** For this audience and no other: who else is sent the token could come here with it. */
function isForAlone (aud: unknown, audience: string): boolean {
  return aud === audience || (Array.isArray(aud) && aud.length === 1 && aud[0] === audience)
}
