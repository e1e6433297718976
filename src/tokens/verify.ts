// Is a token one that counts, and what does it prove? Keys and algorithms are chosen
// here, never by the token; every claim that we issue is demanded back. What is not of a
// key of ours is asked of the configured issuers in their order. A verified token is
// remembered until it expires, and no longer than its key counts; what it had left when it
// was first verified is all that it has, wherever the clock is set.
import { tokenPrincipal, type Federated, type Principal } from '../words/principal.ts'
import { readSubject } from '../words/subject.ts'
import type { ReasonCode } from '../http/errors.ts'
import { momentAt, secondsUntil, type Clock, type Moment } from '../lib/clock.ts'
import { putBounded } from '../lib/put-bounded.ts'
import { isFor, isTime, LEEWAY, ownGrants, timeFault } from './claims.ts'
import type { IssuerKey } from './issuer-keys.ts'
import { asIssuersSay, isOfIssuer, judgeForeign, leewayOf, signerOf, type Issuer } from './issuers.ts'
import type { TokenSource } from './issue.ts'
import type { VerifyingKey } from './keys.ts'
import type { Revocations } from './revocations.ts'
import { isSignedBy, readToken, type SignedToken } from './signature.ts'
import type { TrustedKeys } from './trusted.ts'

export type Verification =
  | { readonly ok: true, readonly principal: Principal }
  | { readonly ok: false, readonly code: ReasonCode }

export interface Verifier {
  /**
   * The answer that is already known, if there is one.
   * @param as what the token came in: the whole header, or itself
   */
  remembered (as: string): Verification | undefined
  /** A promise only where keys of an issuer have to be fetched first. @param as what it is remembered by */
  verify (token: string, as?: string): Verification | Promise<Verification>
}

export interface VerifierOptions {
  /** As they are now. */
  readonly keys: () => TrustedKeys
  readonly source: TokenSource
  /**
   * Does the account of a token still exist? A map look-up.
   * @param rule of a job: the rule that took it, which has to be in force
   */
  readonly knowsSubject: (subject: string, rule?: string) => boolean
  /** What counts no more of tokens of ours; left out: that is not looked at. */
  readonly revocations?: Pick<Revocations, 'isRevoked'>
  readonly clock: Clock
  /** How many tokens are remembered. */
  readonly most?: number
}

/** Whose signature is on a token, and of ours when it was issued, in seconds since the epoch. */
type TokenSigner =
  | { readonly key: VerifyingKey, readonly issuer?: undefined, readonly issuedAt: number }
  | { readonly key: IssuerKey, readonly issuer: Issuer }

/** A token that was verified. */
interface VerifiedToken {
  /** What it came in. */
  readonly as: string
  readonly principal: Principal
  readonly signer: TokenSigner
}

/** Characters. */
export const LONGEST_TOKEN = 16_384
const MOST_TOKENS = 20_000
const UNKNOWN: Verification = { ok: false, code: 'token_unknown_key' }
const EXPIRED: Verification = { ok: false, code: 'token_expired' }
const REVOKED: Verification = { ok: false, code: 'token_revoked' }

export function createVerifier (
  { keys, source, knowsSubject, revocations, clock, most = MOST_TOKENS }: VerifierOptions
): Verifier {
  const known = new Map<string, VerifiedToken>()

  function remembered (as: string): Verification | undefined {
    const found = known.get(endOf(as))
    if (found?.as !== as) return undefined
    const { principal, signer } = found
    if (isOver(principal, signer)) return EXPIRED
    if (isRevoked(principal, signer)) return REVOKED
    if (!stillCounts(signer, keys(), clock.wall())) return undefined
    return isThere(principal) ? sound(principal) : { ok: false, code: 'token_unknown_subject' }
  }

  function isOver ({ expires }: Principal, { issuer }: TokenSigner): boolean {
    return secondsUntil(clock, expires as Moment) <= -(issuer === undefined ? LEEWAY : leewayOf(issuer))
  }

  function sound (principal: Principal): Verification {
    return { ok: true, principal: asIssuersSay(principal, keys().issuers) }
  }

  function isRevoked ({ subject, proof }: Principal, signer: TokenSigner): boolean {
    if (revocations === undefined || signer.issuer !== undefined) return false
    return revocations.isRevoked({ id: proof?.tokenId as string, subject, issuedAt: signer.issuedAt })
  }

  function isThere ({ subject, proof }: Principal): boolean {
    return knowsSubject(subject, proof?.federated?.rule) || isOfIssuer(subject, keys().issuers)
  }

  function remember (as: string, verified: Principal, signer: TokenSigner): Verification {
    // An end that was written down before stands: a clock that was set back since moves none.
    const before = known.get(endOf(as))
    const principal = before?.as === as ? { ...verified, expires: before.principal.expires as Moment } : verified
    if (isOver(principal, signer)) return EXPIRED
    if (isRevoked(principal, signer)) return REVOKED
    if (!isThere(principal)) return { ok: false, code: 'token_unknown_subject' }
    putBounded(known, endOf(as), { as, principal, signer }, most)
    return sound(principal)
  }

  /**
   * What the issuers say: the first who takes it, else the first who knows it; undefined
   * when none of them signed it.
   */
  function byIssuer (as: string, read: SignedToken): Verification | undefined {
    const { issuers, ours } = keys()
    let refused: Verification | undefined
    for (const issuer of issuers) {
      const key = signerOf(issuer, read)
      if (key === undefined || ours.has(key.thumbprint)) continue
      const verdict = judgeForeign(issuer, read, clock)
      if (verdict.ok) return remember(as, verdict.principal, { key, issuer })
      refused ??= verdict
    }
    return refused
  }

  function verify (token: string, as = token): Verification | Promise<Verification> {
    const read = token.length > LONGEST_TOKEN ? undefined : readToken(token)
    const kid = read?.header['kid']
    if (read === undefined || !(kid === undefined || typeof kid === 'string')) {
      return { ok: false, code: 'token_malformed' }
    }
    const { ring, issuers } = keys()
    const key = kid === undefined ? undefined : ring.verifying(kid, clock.wall())
    if (key !== undefined) {
      const verdict = judgeOwn(read, key, source, clock)
      return verdict.ok ? remember(as, verdict.principal, { key, issuedAt: read.payload['iat'] as number }) : verdict
    }
    const verdict = byIssuer(as, read)
    if (verdict !== undefined) return verdict
    const fetches = issuers.flatMap(({ remote }) => remote?.refresh() ?? [])
    return fetches.length === 0 ? UNKNOWN : Promise.all(fetches).then(() => byIssuer(as, read) ?? UNKNOWN)
  }

  return { remembered, verify }
}

/**
 * The key of what is remembered: a part of the signature, which no two tokens share. A map
 * reads a key anew for each request, and a header has 700 bytes; comparing it is cheap.
 */
function endOf (as: string): string {
  return as.slice(-48)
}

function stillCounts ({ key, issuer }: TokenSigner, { ring, issuers }: TrustedKeys, now: number): boolean {
  return issuer === undefined
    ? ring.verifying(key.kid, now) !== undefined
    : issuers.includes(issuer) && issuer.keys().includes(key)
}

/** A token with the id of a key of ours: everything has to be as `issueToken` writes it. */
function judgeOwn (token: SignedToken, key: VerifyingKey, source: TokenSource, clock: Clock): Verification {
  const { header: { typ, alg }, payload } = token
  if (typ !== 'JWT' || alg !== key.alg) return { ok: false, code: 'token_malformed' }
  if (!isSignedBy(token, key.publicKey, key.alg)) return { ok: false, code: 'token_bad_signature' }
  const { iss, sub, aud, iat, nbf, exp, jti } = payload
  if (
    iss !== source.issuer || !isFor(aud, source.audience) || typeof sub !== 'string' || sub === '' ||
    typeof jti !== 'string' || !isTime(nbf)
  ) {
    return { ok: false, code: 'token_wrong_claims' }
  }
  const fault = timeFault(payload, clock.wall())
  if (fault !== undefined) return { ok: false, code: fault }
  if (!isTime(iat) || exp as number - iat > source.ttl) return { ok: false, code: 'token_wrong_claims' }
  const grants = ownGrants(payload['access'])
  if (grants === undefined) return { ok: false, code: 'token_wrong_claims' }
  const federated = federatedOf(sub, payload['ci'])
  if (federated === 'wrong') return { ok: false, code: 'token_wrong_claims' }
  const proof = { tokenId: jti, keyId: key.kid, ...(federated === undefined ? {} : { federated }) }
  return { ok: true, principal: tokenPrincipal(sub, grants, momentAt(clock, exp as number), proof) }
}

/** The rule of a token that was issued to a job, which has one, as nobody else's has. */
function federatedOf (sub: string, claim: unknown): Federated | undefined | 'wrong' {
  const isOfJob = readSubject(sub).kind === 'ci'
  if (claim === undefined) return isOfJob ? 'wrong' : undefined
  const { rule, ids } = (typeof claim === 'object' && claim !== null ? claim : {}) as Partial<Federated>
  const isSound = isOfJob && typeof rule === 'string' && typeof ids === 'object' && ids !== null &&
    Object.values(ids).every(id => typeof id === 'string')
  return isSound ? { rule, ids } : 'wrong'
}
