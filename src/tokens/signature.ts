// Who signed this? The compact form of a signed token (RFC 7515 section 7.1), read
// strictly and in one way only, and the signature over node:crypto, which verifies more
// than twice as many tokens a second as WebCrypto does. Which key and which algorithm
// count is never asked of the token: callers say both.
import { isUtf8 } from 'node:buffer'
import { constants, sign, verify, type AsymmetricKeyDetails, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'
import { endOfTurn } from '../lib/turn.ts'

export type JsonObject = Readonly<Record<string, unknown>>

/** A token taken apart; nothing of it is proven yet. */
export interface SignedToken {
  readonly header: JsonObject
  readonly payload: JsonObject
  /** What is signed: the first two parts as they came. */
  readonly input: string
  readonly signature: Buffer
}

interface Scheme {
  readonly keyType: 'rsa' | 'ec' | 'ed25519'
  readonly curve?: string
  readonly hash: string | null
  readonly options?: { readonly padding?: number, readonly saltLength?: number, readonly dsaEncoding?: 'ieee-p1363' }
}

const PSS = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
const P1363 = { dsaEncoding: 'ieee-p1363' } as const

/**
 * Algorithms with a private and a public key (RFC 7518 section 3.1, RFC 8037, RFC 9864).
 * There is no other, so neither `none` nor a MAC is ever checked.
 */
const SCHEMES = {
  RS256: { keyType: 'rsa', hash: 'sha256' },
  RS384: { keyType: 'rsa', hash: 'sha384' },
  RS512: { keyType: 'rsa', hash: 'sha512' },
  PS256: { keyType: 'rsa', hash: 'sha256', options: PSS },
  PS384: { keyType: 'rsa', hash: 'sha384', options: PSS },
  PS512: { keyType: 'rsa', hash: 'sha512', options: PSS },
  ES256: { keyType: 'ec', curve: 'prime256v1', hash: 'sha256', options: P1363 },
  ES384: { keyType: 'ec', curve: 'secp384r1', hash: 'sha384', options: P1363 },
  ES512: { keyType: 'ec', curve: 'secp521r1', hash: 'sha512', options: P1363 },
  EdDSA: { keyType: 'ed25519', hash: null },
  Ed25519: { keyType: 'ed25519', hash: null }
} as const satisfies Record<string, Scheme>

export type Algorithm = keyof typeof SCHEMES

/** Bits; larger ones take a verifier milliseconds for each signature, good or not. */
const [SMALLEST_MODULUS, LARGEST_MODULUS] = [2048, 8192]
/** What does is 65537; with one of thousands of bits a signature takes fifty times as long. */
const LARGEST_EXPONENT = 2n ** 33n
const signLater = promisify(sign)

/** Every algorithm that a key can be used with; none for a key that is too weak, too slow or of another kind. */
export function algorithmsOf (key: KeyObject): Algorithm[] {
  const { modulusLength = 0, publicExponent = 0n, namedCurve } = key.asymmetricKeyDetails as AsymmetricKeyDetails
  const isSound = modulusLength >= SMALLEST_MODULUS && modulusLength <= LARGEST_MODULUS &&
    publicExponent >= 3n && publicExponent < LARGEST_EXPONENT
  if (key.asymmetricKeyType === 'rsa' && !isSound) return []
  return (Object.entries(SCHEMES) as [Algorithm, Scheme][])
    .filter(([, { keyType, curve }]) =>
      keyType === key.asymmetricKeyType && curve === (keyType === 'ec' ? namedCurve : undefined))
    .map(([name]) => name)
}

// Each part in the one spelling that an encoder gives it (no padding, no stray bits).
const TOKEN_FORM = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/

/**
 * Takes a token apart. undefined for everything that is not three parts of canonical
 * base64url, two of them JSON objects in UTF-8, or that asks for an extension: `crit`
 * (RFC 7515 section 4.1.11) and `b64` (RFC 7797) are understood by nobody here.
 */
export function readToken (token: string): SignedToken | undefined {
  if (!TOKEN_FORM.test(token)) return undefined
  const [head, body, tail] = token.split('.') as [string, string, string]
  const [header, payload, signature] = [readObject(head), readObject(body), decodePart(tail)]
  if (header === undefined || payload === undefined || signature === undefined) return undefined
  if (Object.hasOwn(header, 'crit') || Object.hasOwn(header, 'b64')) return undefined
  return { header, payload, input: token.slice(0, head.length + 1 + body.length), signature }
}

/** True when this key signed it with this algorithm, and the token says no other. */
export function isSignedBy ({ header, input, signature }: SignedToken, publicKey: KeyObject, alg: Algorithm): boolean {
  const { hash, options }: Scheme = SCHEMES[alg]
  return header['alg'] === alg && verify(hash, Buffer.from(input), { key: publicKey, ...options }, signature)
}

/**
 * A token of these claims. The signature is made in the thread pool: 0.25 ms of RSA in the
 * event loop would be the delay of every index that is read meanwhile, a second core could
 * not help, and even on one core a token would cost more (docs/performance.md). All of one
 * turn go there together, because each wakes up a thread, which takes the core from
 * whatever this one has not done yet.
 */
export async function signToken (
  privateKey: KeyObject,
  header: { readonly alg: Algorithm, readonly typ: 'JWT', readonly kid: string },
  claims: JsonObject
): Promise<string> {
  const { hash, options }: Scheme = SCHEMES[header.alg]
  const input = `${encode(header)}.${encode(claims)}`
  await endOfTurn()
  const signature = await signLater(hash, Buffer.from(input), { key: privateKey, ...options })
  return `${input}.${signature.toString('base64url')}`
}

function encode (value: JsonObject): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

function decodePart (part: string): Buffer | undefined {
  const bytes = Buffer.from(part, 'base64url')
  return bytes.toString('base64url') === part ? bytes : undefined
}

function readObject (part: string): JsonObject | undefined {
  const bytes = decodePart(part)
  if (bytes === undefined || !isUtf8(bytes)) return undefined
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'))
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value as JsonObject : undefined
  } catch {
    return undefined
  }
}
