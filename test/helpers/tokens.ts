// Any token, right or wrong: made by hand, because a library refuses to make most of
// the wrong ones.
import { sign } from 'node:crypto'
import type { TokenSource } from '../../src/tokens/issue.ts'
import type { SigningKey } from '../../src/tokens/keys.ts'
import { encode } from './jwt-lab.ts'
import { ourKey } from './keys.ts'

/** The clock of tests, in seconds since the epoch. */
export const NOW = 1_800_000_000

export const SOURCE: TokenSource = { issuer: 'http://charts.example.test', audience: 'charts.example.test', ttl: 300 }

export interface Recipe {
  /** Laid over a right header; undefined takes a member out. */
  readonly header?: Readonly<Record<string, unknown>>
  /** Laid over right claims; undefined takes a claim out. */
  readonly claims?: Readonly<Record<string, unknown>>
  /** The whole payload as text, for what JSON.stringify does not write. */
  readonly payload?: string
  /** Signs, and is named by `kid`; our own if left out. */
  readonly key?: SigningKey
  /** The signature over `header.payload`; the key's own if left out. */
  readonly sign?: (input: string) => Buffer
}

/** Claims as the gateway writes them. */
export function rightClaims (): Record<string, unknown> {
  return {
    iss: SOURCE.issuer,
    sub: 'key:master',
    aud: SOURCE.audience,
    iat: NOW,
    nbf: NOW - 10,
    exp: NOW + SOURCE.ttl,
    jti: '00000000-0000-4000-8000-000000000000',
    access: [{ type: 'artifact-repository', name: 'org1/repo1', actions: ['pull'] }]
  }
}

/** A right token, but for what the recipe changes. */
export async function mintToken (recipe: Recipe = {}): Promise<string> {
  const key = recipe.key ?? await ourKey()
  const header = { alg: key.alg, typ: 'JWT', kid: key.kid, ...recipe.header }
  const payload = recipe.payload ?? JSON.stringify({ ...rightClaims(), ...recipe.claims })
  const input = `${encode(header)}.${encode(payload)}`
  const signature = recipe.sign?.(input) ?? sign(key.alg === 'EdDSA' ? null : 'sha256', Buffer.from(input), { key: key.privateKey, dsaEncoding: 'ieee-p1363' })
  return `${input}.${signature.toString('base64url')}`
}

/** A token as chartmuseum/auth v0.6.0 makes it: neither `kid` nor `typ` nor `sub`, unless the recipe says so. */
export async function mintForeign (key: SigningKey, { header = {}, claims = {} }: Pick<Recipe, 'header' | 'claims'> = {}): Promise<string> {
  return await mintToken({
    key,
    header: { kid: undefined, ...header },
    payload: JSON.stringify({ exp: NOW + 3600, iat: NOW, access: rightClaims()['access'], ...claims })
  })
}
