// Whose tokens count besides our own? Token servers that the configuration names, such
// as one that a ChartMuseum has had so far. Their tokens are judged by their own access
// claim, and under names that no account can have.
import { isDeepStrictEqual } from 'node:util'
import type { Action, Grant } from '../words/access.ts'
import type { ReasonCode } from '../http/errors.ts'
import { tokenPrincipal, type Principal } from '../words/principal.ts'
import { subjectOf } from '../words/subject.ts'
import { momentAt, type Clock } from '../lib/clock.ts'
import { isFor, knownGrants, LEEWAY, timeFault } from './claims.ts'
import { keyThatSigned, type IssuerKey } from './issuer-keys.ts'
import { keySourceOf, openKeySource, type KeyPlace, type KeySource } from './key-source.ts'
import type { SignedToken } from './signature.ts'

/** As the configuration has it: one of publicKey, jwksFile and jwksUrl, files absolute. */
export interface IssuerConfig {
  readonly name: string
  readonly publicKey?: string
  readonly jwksFile?: string
  readonly jwksUrl?: string
  readonly issuer?: string
  readonly audience?: string
  /** Seconds that its clock may differ from ours; LEEWAY if left out. */
  readonly clockSkew?: number
  readonly pushIncludes?: readonly ('overwrite' | 'delete')[]
  /** Its tokens open the registry too; left out: the chart repository alone. */
  readonly oci?: boolean
}

export interface Issuer extends KeySource { readonly config: IssuerConfig }

export type IssuersResult =
  | { readonly ok: true, readonly issuers: readonly Issuer[] }
  | { readonly ok: false, /** one line each */ readonly mistakes: readonly string[] }

/** @param before issuers in force */
export async function openIssuers (
  configs: readonly IssuerConfig[],
  before: readonly Issuer[] = []
): Promise<IssuersResult> {
  const opened = await Promise.all(configs.map(async config => await openIssuer(config, before)))
  const mistakes = opened.flatMap((each, i) => typeof each === 'string' ? [`tokens.issuers[${i}]: ${each}`] : [])
  if (mistakes.length > 0) return { ok: false, mistakes }
  return { ok: true, issuers: opened.filter(each => typeof each !== 'string') }
}

async function openIssuer (config: IssuerConfig, before: readonly Issuer[]): Promise<Issuer | string> {
  const same = sameIssuer(config, before)
  if (same !== undefined) return same
  const source = await openKeySource(placeOf(config))
  return typeof source === 'string' ? source : { config, ...source }
}

/** The one whose keys come from the same URL in the same way: it stays as it is, with the keys that it has. */
export function sameIssuer (config: IssuerConfig, before: readonly Issuer[]): Issuer | undefined {
  return before.find(each => each.remote !== undefined && isDeepStrictEqual(each.config, config))
}

/** @param keys of its file; one with a URL has those that are fetched from there */
export function createIssuer (config: IssuerConfig, keys: readonly IssuerKey[]): Issuer {
  return { config, ...keySourceOf(placeOf(config), keys) }
}

function placeOf ({ publicKey, jwksFile, jwksUrl }: IssuerConfig): KeyPlace {
  return { publicKey, jwksFile, remote: jwksUrl === undefined ? undefined : { jwksUrl } }
}

/** Whom tokens of an issuer speak for; no account's name has this kind. */
function issuerSubject ({ config }: Issuer, sub: string | undefined): string {
  return subjectOf('issuer', sub === undefined ? config.name : `${config.name}/${sub}`)
}

/** True when a subject is one of an issuer that is still named. */
export function isOfIssuer (subject: string, issuers: readonly Issuer[]): boolean {
  return issuers.some(issuer => {
    return subject === issuerSubject(issuer, undefined) || subject.startsWith(issuerSubject(issuer, ''))
  })
}

/** The same principal, with the registry open to it where the issuer that it goes back to says so now. */
export function asIssuersSay (principal: Principal, issuers: readonly Issuer[]): Principal {
  const opens = issuers.some(issuer => issuer.config.oci === true && isOfIssuer(principal.subject, [issuer]))
  return opens ? { ...principal, opensRegistry: true } : principal
}

export type IssuerVerdict =
  | { readonly ok: true, readonly principal: Principal }
  | { readonly ok: false, readonly code: ReasonCode }

/** The issuer's key that signed the token, if one did. `iss` and `kid` only spare looking where it cannot be. */
export function signerOf ({ config, keys }: Issuer, token: SignedToken): IssuerKey | undefined {
  if (config.issuer !== undefined && token.payload['iss'] !== config.issuer) return undefined
  return keyThatSigned(token, keys())
}

// As most token servers write it, or not at all (RFC 7515 section 4.1.9, RFC 9068).
const TYPE = /^(?:application\/)?(?:at\+)?jwt$/i
const LONGEST_SUBJECT = 256

/** Seconds that an issuer's tokens count before they begin and after they have ended. */
export function leewayOf ({ config: { clockSkew = LEEWAY } }: Issuer): number {
  return clockSkew
}

/** What a token says whose signature is the issuer's. */
export function judgeForeign (issuer: Issuer, { header, payload }: SignedToken, clock: Clock): IssuerVerdict {
  const { typ, kid } = header
  if (typ !== undefined && !(typeof typ === 'string' && TYPE.test(typ))) return { ok: false, code: 'token_malformed' }
  const fault = timeFault(payload, clock.wall(), leewayOf(issuer))
  if (fault !== undefined) return { ok: false, code: fault }
  const { audience, pushIncludes = [] } = issuer.config
  const { sub, aud, exp } = payload
  const grants = knownGrants(payload['access'])
  if (grants === undefined || !isPrintableSub(sub) || (audience !== undefined && !isFor(aud, audience))) {
    return { ok: false, code: 'token_wrong_claims' }
  }
  const rights = grants.map(grant => withPush(grant, pushIncludes))
  // A fraction (RFC 7519 section 2 lets a date have one) is cut off: no token that is got with it may outlive it.
  const expires = momentAt(clock, Math.floor(exp as number))
  const proof = { ...named('tokenId', payload['jti']), ...named('keyId', kid) }
  return { ok: true, principal: tokenPrincipal(issuerSubject(issuer, sub), rights, expires, proof) }
}

/** A name that another token server gave, where it is one: it stands in the audit log. */
export function named<const K extends string> (key: K, name: unknown): { readonly [key in K]?: string } {
  const isName = typeof name === 'string' && name !== '' && isPrintableSub(name)
  return isName ? { [key]: name } as { [key in K]: string } : {}
}

/** A subject stands in the log and in tokens that are got with this one: printable, and not endless. */
function isPrintableSub (sub: unknown): sub is string | undefined {
  return sub === undefined || (typeof sub === 'string' && sub.length <= LONGEST_SUBJECT && !/\p{C}/u.test(sub))
}

function withPush (grant: Grant, more: readonly Action[]): Grant {
  return grant.actions.includes('push') ? { ...grant, actions: [...new Set([...grant.actions, ...more])] } : grant
}
