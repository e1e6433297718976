// What proves a right? Signed tokens: for clients (distribution's token form with
// ChartMuseum's access claim), and for the upstream, one tenant and one action each.
import { randomUUID } from 'node:crypto'
import type { Access, Grant } from '../policy/access.ts'
import type { SigningKey } from './keys.ts'
import { signToken, type JsonObject } from './signature.ts'

export interface TokenSource {
  readonly issuer: string
  readonly audience: string
  /** Seconds. */
  readonly ttl: number
}

export interface IssuedToken {
  readonly token: string
  /** Seconds. */
  readonly expiresIn: number
  readonly issuedAt: Date
}

/** Clocks of verifiers may be behind ours by this many seconds. */
export const NOT_BEFORE_LEEWAY = 10

/**
 * A token for a client: iss, sub, aud, iat, nbf, exp, jti and `access`, which is
 * there even when it is empty (ChartMuseum 0.16.5 answers 500 without it).
 * @param now seconds since the epoch
 */
export async function issueToken (key: SigningKey, source: TokenSource, subject: string, grants: readonly Grant[], now: number): Promise<IssuedToken> {
  const token = await sign(key, {
    iss: source.issuer,
    sub: subject,
    aud: source.audience,
    iat: now,
    nbf: now - NOT_BEFORE_LEEWAY,
    exp: now + source.ttl,
    jti: randomUUID(),
    access: grants.map(({ type, name, actions }) => ({ type, name, actions: [...actions] }))
  })
  return { token, expiresIn: source.ttl, issuedAt: new Date(now * 1000) }
}

const UPSTREAM_TTL = 120
const UPSTREAM_REUSE = 60
const MOST_KEPT = 10_000

/**
 * Mints the tokens that the upstream is sent, and uses each for a minute. iat is in
 * the past, because ChartMuseum gives no leeway (chartmuseum/auth v0.6.0, token.go).
 * @param now seconds since the epoch
 */
export function createUpstreamMinter (key: SigningKey, issuer: string, now: () => number): (access: Access) => Promise<string> {
  const kept = new Map<string, { token: Promise<string>, until: number }>()
  return (access) => {
    const name = `${access.name}:${access.action}`
    const time = now()
    const before = kept.get(name)
    if (before !== undefined && before.until > time) return before.token
    if (kept.size >= MOST_KEPT) kept.clear()
    const iat = time - NOT_BEFORE_LEEWAY
    const token = sign(key, {
      iss: issuer,
      sub: 'chartgate',
      aud: 'chartmuseum',
      iat,
      nbf: iat,
      exp: time + UPSTREAM_TTL,
      jti: randomUUID(),
      access: [{ type: access.type, name: access.name, actions: [access.action] }]
    })
    kept.set(name, { token, until: time + UPSTREAM_REUSE })
    return token
  }
}

async function sign ({ privateKey, alg, kid }: SigningKey, claims: JsonObject): Promise<string> {
  return await signToken(privateKey, { alg, typ: 'JWT', kid }, claims)
}
