// Which keys does somebody else's token server sign with? A PEM, as ChartMuseum is given
// it, or a JSON Web Key Set (RFC 7517), read into what a token can be checked against.
import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto'
import { parsePublic, thumbprintOf } from './keys.ts'
import { algorithmsOf, isSignedBy, type Algorithm, type SignedToken } from './signature.ts'

export interface IssuerKey {
  /** Undefined: tokens of this key may name any, or none. */
  readonly kid: string | undefined
  readonly thumbprint: string
  /** What a token may say in `alg`. */
  readonly algorithms: readonly Algorithm[]
  readonly publicKey: KeyObject
}

const MOST_KEYS = 32

/** The key that signed a token, if one of these did. `kid` only spares trying those that it cannot be. */
export function keyThatSigned (token: SignedToken, keys: readonly IssuerKey[]): IssuerKey | undefined {
  const { kid, alg } = token.header
  return keys.find(key =>
    (kid === undefined || key.kid === undefined || key.kid === kid) &&
    key.algorithms.includes(alg as Algorithm) &&
    isSignedBy(token, key.publicKey, alg as Algorithm))
}

/** The one key of a PEM file; a sentence about the file when there is none, or several. */
export async function readPem (pem: string): Promise<readonly IssuerKey[] | string> {
  if (pem.includes('PRIVATE KEY-----')) return 'it holds a private key: give the public one (openssl pkey -pubout)'
  const blocks = pem.split('-----BEGIN ').length - 1
  if (blocks > 1) return `it holds ${blocks} keys, of which a token server has one: several are a jwksFile`
  const publicKey = parsePublic(pem)
  const key = publicKey === undefined ? undefined : await issuerKeyOf(publicKey, {})
  return key === undefined
    ? 'it is not a public key or certificate in PEM, of RSA (2048 to 8192 bits), EC or Ed25519'
    : [key]
}

/** The keys of a set that verify signatures; others in it are left out. A sentence when it is no set. */
export async function readJwks (text: string): Promise<readonly IssuerKey[] | string> {
  let set: unknown
  try {
    set = JSON.parse(text)
  } catch {
    return 'it is not JSON'
  }
  const { keys } = (typeof set === 'object' && set !== null ? set : {}) as { keys?: unknown }
  if (!Array.isArray(keys)) return 'it is not a JSON Web Key Set: a mapping with a list of keys'
  if (keys.length > MOST_KEYS) return `it holds ${keys.length} keys, and ${MOST_KEYS} are looked at`
  const read = await Promise.all(keys.map(readJwk))
  return read.filter(key => key !== undefined)
}

async function readJwk (jwk: unknown): Promise<IssuerKey | undefined> {
  if (typeof jwk !== 'object' || jwk === null) return undefined
  const { use, key_ops: operations, d } = jwk as Record<string, unknown>
  if (d !== undefined || (use !== undefined && use !== 'sig')) return undefined
  if (Array.isArray(operations) && !operations.includes('verify')) return undefined
  try {
    return await issuerKeyOf(createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' }), jwk as Record<string, unknown>)
  } catch {
    return undefined
  }
}

async function issuerKeyOf (
  publicKey: KeyObject,
  { kid, alg }: Record<string, unknown>
): Promise<IssuerKey | undefined> {
  const algorithms = algorithmsOf(publicKey).filter(each => alg === undefined || each === alg)
  if (algorithms.length === 0) return undefined
  const thumbprint = await thumbprintOf(publicKey)
  return { kid: typeof kid === 'string' ? kid : undefined, thumbprint, algorithms, publicKey }
}
