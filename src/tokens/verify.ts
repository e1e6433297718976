// Is a token one of ours, and what does it prove? Algorithm and key are chosen by the
// key store alone, never by the token; every claim that is issued is demanded back.
// A verified token is remembered until it expires, so that the signature is checked
// once for each token and not for each request.
import { decodeProtectedHeader, errors, jwtVerify, type JWTPayload } from 'jose'
import { tokenPrincipal, type Principal } from '../identity/principal.ts'
import { ACTIONS, type Action } from '../charts/routes.ts'
import type { Grant } from '../policy/access.ts'
import type { ReasonCode } from '../http/errors.ts'
import type { SigningKey } from './keys.ts'
import type { TokenSource } from './issue.ts'

export type Verification =
  | { readonly ok: true, readonly principal: Principal }
  | { readonly ok: false, readonly code: ReasonCode }

export interface Verifier {
  /** The answer that is already known, if there is one: no promise on the hot path. */
  remembered (token: string): Verification | undefined
  verify (token: string): Promise<Verification>
}

export interface VerifierOptions {
  readonly keys: readonly SigningKey[]
  readonly source: TokenSource
  /** Does the subject of a token still exist? A map look-up. */
  readonly knowsSubject: (subject: string) => boolean
  /** Seconds since the epoch. */
  readonly now: () => number
}

/** Seconds that the clocks of issuer and verifier may differ. */
const LEEWAY = 10
const LONGEST_TOKEN = 16_384
const MOST_REMEMBERED = 20_000
const REQUIRED_CLAIMS = ['iss', 'sub', 'aud', 'exp', 'iat', 'nbf', 'jti']

/** A verifier of the tokens that `issueToken` makes. */
export function createVerifier ({ keys, source, knowsSubject, now }: VerifierOptions): Verifier {
  const byKid = new Map(keys.map(key => [key.kid, key]))
  const known = new Map<string, Principal>()

  function remembered (token: string): Verification | undefined {
    const principal = known.get(token)
    if (principal === undefined) return undefined
    if (now() >= (principal.expires as number) + LEEWAY) {
      known.delete(token)
      return { ok: false, code: 'token_expired' }
    }
    return knowsSubject(principal.subject) ? { ok: true, principal } : { ok: false, code: 'token_unknown_subject' }
  }

  async function verify (token: string): Promise<Verification> {
    const key = keyOf(token, byKid)
    if (typeof key === 'string') return { ok: false, code: key }
    let payload: JWTPayload
    try {
      ({ payload } = await jwtVerify(token, key.publicKey, {
        algorithms: [key.alg],
        issuer: source.issuer,
        audience: source.audience,
        requiredClaims: REQUIRED_CLAIMS,
        clockTolerance: LEEWAY,
        currentDate: new Date(now() * 1000)
      }))
    } catch (error) {
      return { ok: false, code: reasonOf(error) }
    }
    const proven = readClaims(payload, source, now())
    if (!proven.ok) return proven
    if (!knowsSubject(proven.principal.subject)) return { ok: false, code: 'token_unknown_subject' }
    if (known.size >= MOST_REMEMBERED) known.delete(known.keys().next().value as string)
    known.set(token, proven.principal)
    return proven
  }

  return { remembered, verify }
}

/** The key that a token's header names, when the header is one that we write. */
function keyOf (token: string, byKid: ReadonlyMap<string, SigningKey>): SigningKey | ReasonCode {
  if (token.length > LONGEST_TOKEN) return 'token_malformed'
  let header: ReturnType<typeof decodeProtectedHeader>
  try {
    header = decodeProtectedHeader(token)
  } catch {
    return 'token_malformed'
  }
  if (header.typ !== 'JWT' || typeof header.kid !== 'string') return 'token_malformed'
  return byKid.get(header.kid) ?? 'token_unknown_key'
}

/** What jose refuses, in the words of our table. */
function reasonOf (error: unknown): ReasonCode {
  if (error instanceof errors.JWTExpired) return 'token_expired'
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'token_bad_signature'
  if (error instanceof errors.JWTClaimValidationFailed) return error.claim === 'nbf' ? 'token_not_yet_valid' : 'token_wrong_claims'
  return 'token_malformed'
}

/** The claims that jose leaves to us: times that are numbers and near, a subject, and well-formed grants. */
function readClaims (payload: JWTPayload, source: TokenSource, now: number): Verification {
  const { iat, exp, sub, jti } = payload
  if (typeof iat !== 'number' || typeof exp !== 'number' || typeof sub !== 'string' || sub === '' || typeof jti !== 'string') return { ok: false, code: 'token_wrong_claims' }
  if (iat > now + LEEWAY) return { ok: false, code: 'token_not_yet_valid' }
  if (exp - iat > source.ttl) return { ok: false, code: 'token_wrong_claims' }
  const grants = readGrants(payload['access'])
  return grants === undefined
    ? { ok: false, code: 'token_wrong_claims' }
    : { ok: true, principal: tokenPrincipal(sub, grants, exp) }
}

/** The access claim; undefined unless it is a list of well-formed entries. */
function readGrants (claim: unknown): Grant[] | undefined {
  if (!Array.isArray(claim)) return undefined
  const grants: Grant[] = []
  for (const entry of claim as unknown[]) {
    if (typeof entry !== 'object' || entry === null) return undefined
    const { type, name, actions } = entry as Record<string, unknown>
    if ((type !== 'artifact-repository' && type !== 'repository') || typeof name !== 'string' || !isActions(actions)) return undefined
    grants.push({ type, name, actions })
  }
  return grants
}

function isActions (value: unknown): value is Action[] {
  return Array.isArray(value) && value.every(action => (ACTIONS as readonly unknown[]).includes(action))
}
