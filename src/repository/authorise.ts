// May this token do that? As chartmuseum/auth v0.6.0 asks it (authorization.go,
// token.go), but strictly: RS256 and nothing else, a scheme is needed, a token ends,
// and an access claim that is no list is no access (there: 500).
import { verify, type KeyObject } from 'node:crypto'
import { putBounded } from '../lib/put-bounded.ts'

export interface AuthoriseOptions {
  readonly publicKey: KeyObject
  /**
   * Where tokens are had, and the name of this service: for the challenge, which is
   * silent about '' (RFC 6750 section 3).
   */
  readonly realm: string
  readonly service: string
  /** Seconds since the epoch. */
  readonly now: () => number
}

export type Authorisation =
  | { readonly ok: true }
  | { readonly ok: false, /** for WWW-Authenticate */ readonly challenge: string }

export type Authorise = (authorization: string | undefined, tenant: string, action: 'pull' | 'push') => Authorisation

/** What ChartMuseum calls the root of a repository in a scope. */
const ROOT_NAMESPACE = 'repo'
const LONGEST_TOKEN = 16_384
const MOST_REMEMBERED = 1_000

interface Claims {
  readonly exp: number
  readonly iat: number
  readonly nbf: number
  readonly access: readonly unknown[]
}

export function createAuthoriser ({ publicKey, realm, service, now }: AuthoriseOptions): Authorise {
  /** Tokens whose signature was good; times and rights are looked at each time. */
  const signed = new Map<string, Claims>()

  function claimsOf (token: string): Claims | undefined {
    const known = signed.get(token)
    if (known !== undefined) return known
    const claims = readClaims(token, publicKey)
    if (claims === undefined) return undefined
    putBounded(signed, token, claims, MOST_REMEMBERED)
    return claims
  }

  const source = realm === '' ? '' : `realm="${realm}",service="${service}",`
  return (authorization, tenant, action) => {
    const name = tenant === '' ? ROOT_NAMESPACE : tenant
    const token = /^Bearer +([A-Za-z0-9._-]+) *$/i.exec(authorization ?? '')?.[1]
    const claims = token === undefined || token.length > LONGEST_TOKEN ? undefined : claimsOf(token)
    const time = now()
    const isInForce = claims !== undefined && time < claims.exp && time >= claims.iat && time >= claims.nbf
    if (isInForce && allows(claims.access, name, action)) return { ok: true }
    return { ok: false, challenge: `Bearer ${source}scope="artifact-repository:${name}:${action}"` }
  }
}

function readClaims (token: string, publicKey: KeyObject): Claims | undefined {
  const [head, body, signature, ...more] = token.split('.')
  if (head === undefined || body === undefined || signature === undefined || more.length > 0) return undefined
  const header = readPart(head)
  const payload = readPart(body)
  if (header?.['alg'] !== 'RS256' || payload === undefined) return undefined
  const signed = Buffer.from(`${head}.${body}`)
  if (!verify('sha256', signed, publicKey, Buffer.from(signature, 'base64url'))) return undefined
  const { exp, iat = 0, nbf = 0, access } = payload
  if (typeof exp !== 'number' || typeof iat !== 'number' || typeof nbf !== 'number' || !Array.isArray(access)) {
    return undefined
  }
  return { exp, iat, nbf, access: access as unknown[] }
}

function readPart (part: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'))
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? value as Record<string, unknown>
      : undefined
  } catch {
    return undefined
  }
}

function allows (access: readonly unknown[], name: string, action: string): boolean {
  return access.some(entry => {
    if (typeof entry !== 'object' || entry === null) return false
    const { type, name: named, actions } = entry as Record<string, unknown>
    return type === 'artifact-repository' && named === name && Array.isArray(actions) && actions.includes(action)
  })
}
