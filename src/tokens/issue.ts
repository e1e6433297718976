// What proves a right? Signed tokens: for clients (distribution's token form with
// ChartMuseum's access claim), and for the upstream, one tenant and one action each.
import { randomUUID } from 'node:crypto'
import { momentAt, secondsSince, type Clock, type Moment } from '../lib/clock.ts'
import type { Access, Grant } from '../words/access.ts'
import type { Federated } from '../words/principal.ts'
import type { SigningKey } from './keys.ts'
import { signToken, type JsonObject } from './signature.ts'
import { UPSTREAM_SKEW } from '../chartmuseum/skew.ts'
import { putBounded } from '../lib/put-bounded.ts'

export interface TokenSource {
  readonly issuer: string
  readonly audience: string
  /** Seconds. */
  readonly ttl: number
}

export interface IssuedToken {
  readonly token: string
  /** Its `jti`. */
  readonly id: string
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
 * @param federated of a job: the claim `ci`, so that the token ends with its rule
 */
export async function issueToken (
  key: SigningKey,
  source: TokenSource,
  subject: string,
  grants: readonly Grant[],
  now: number,
  federated?: Federated
): Promise<IssuedToken> {
  const id = randomUUID()
  const token = await sign(key, {
    iss: source.issuer,
    sub: subject,
    aud: source.audience,
    iat: now,
    nbf: now - NOT_BEFORE_LEEWAY,
    exp: now + source.ttl,
    jti: id,
    access: grants.map(({ type, name, actions }) => ({ type, name, actions: [...actions] })),
    ...(federated === undefined ? {} : { ci: federated })
  })
  return { token, id, expiresIn: source.ttl, issuedAt: new Date(now * 1000) }
}

/** Seconds that a request may wait for a connection and be on its way, and more than enough. */
const ON_ITS_WAY = 30
const UPSTREAM_REUSE = 60
const MOST_KEPT = 10_000

/**
 * Mints the tokens that the upstream is sent, and uses each for a minute. ChartMuseum gives
 * no leeway, and has no limit for a lifetime (chartmuseum/auth v0.6.0, token.go;
 * golang-jwt v4.5.2, map_claims.go): so a token begins long enough in the past and ends long
 * enough after its last use for both clocks to differ. One that was made before the clock
 * was set back is not used: for others its time may not have come.
 */
export function createUpstreamMinter (
  key: SigningKey,
  issuer: string,
  clock: Clock
): (access: Access) => Promise<string> {
  const kept = new Map<string, { readonly token: Promise<string>, readonly made: Moment }>()
  return (access) => {
    const name = `${access.name}:${access.action}`
    const before = kept.get(name)
    if (before !== undefined) {
      const age = secondsSince(clock, before.made)
      if (age >= 0 && age < UPSTREAM_REUSE) return before.token
    }
    const time = clock.wall()
    const iat = time - UPSTREAM_SKEW - ON_ITS_WAY
    const token = sign(key, {
      iss: issuer,
      sub: 'chartgate',
      aud: 'chartmuseum',
      iat,
      nbf: iat,
      exp: time + UPSTREAM_REUSE + UPSTREAM_SKEW + ON_ITS_WAY,
      jti: randomUUID(),
      access: [{ type: access.type, name: access.name, actions: [access.action] }]
    })
    putBounded(kept, name, { token, made: momentAt(clock, time) }, MOST_KEPT)
    return token
  }
}

async function sign ({ privateKey, alg, kid }: SigningKey, claims: JsonObject): Promise<string> {
  return await signToken(privateKey, { alg, typ: 'JWT', kid }, claims)
}
