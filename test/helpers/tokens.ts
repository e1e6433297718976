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
  /** The signature over `header.payload`; RS256 with the key if left out. */
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
  const header = { alg: 'RS256', typ: 'JWT', kid: key.kid, ...recipe.header }
  const payload = recipe.payload ?? JSON.stringify({ ...rightClaims(), ...recipe.claims })
  const input = `${encode(header)}.${encode(payload)}`
  const signature = recipe.sign?.(input) ?? sign('sha256', Buffer.from(input), key.privateKey)
  return `${input}.${signature.toString('base64url')}`
}
