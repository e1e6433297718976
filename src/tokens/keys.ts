// What is a key? Private and public halves from PEM files, their ids, and how a new one is
// made.
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPair,
  randomBytes,
  type JsonWebKey,
  type KeyObject
} from 'node:crypto'
import { chmod, link, open, readFile, stat, unlink } from 'node:fs/promises'
import { promisify } from 'node:util'
import type { JWK } from 'jose'
import { calculateJwkThumbprint } from 'jose/jwk/thumbprint' // all of jose is five times as many files to open
import { algorithmsOf } from './signature.ts'

/** What our own tokens are signed with; the first is the default. */
export const OWN_ALGORITHMS = ['RS256', 'ES256', 'EdDSA'] as const
export type OwnAlgorithm = typeof OWN_ALGORITHMS[number]

export function isOwnAlgorithm (text: string): text is OwnAlgorithm {
  return (OWN_ALGORITHMS as readonly string[]).includes(text)
}

export interface VerifyingKey {
  /** RFC 7638 thumbprint, SHA-256, base64url. */
  readonly kid: string
  readonly alg: OwnAlgorithm
  readonly publicKey: KeyObject
  readonly file: string
}

export interface SigningKey extends VerifyingKey {
  readonly privateKey: KeyObject
}

/** What is wrong with a file, in a sentence that names it and quotes nothing of it. */
export class KeyFileError extends Error {}

const KINDS: Readonly<Record<OwnAlgorithm, string>> = {
  RS256: 'an RSA key of at least 2048 bits',
  ES256: 'an EC key on the curve P-256',
  EdDSA: 'an Ed25519 key'
}

/**
 * Reads a key that signs: a private key that nobody else can read, as OpenSSH has it (9.2,
 * authfile.c, sshkey_perm_ok). One that belongs to another user is theirs to say who reads
 * it: a Secret of Kubernetes is root's and 0440.
 * @param alg what the key must be for; undefined: any of ours
 */
export async function readSigningKey (file: string, alg?: OwnAlgorithm): Promise<SigningKey> {
  const privateKey = parsePrivate(await readFile(file, 'utf8'), file)
  const { mode, uid } = await stat(file)
  const shown = (mode & 0o777).toString(8)
  if (uid === process.geteuid?.()) {
    if ((mode & 0o077) !== 0) throw new KeyFileError(`${file} can be read by others (mode ${shown}): chmod 600 it`)
  } else if ((mode & 0o022) !== 0) {
    throw new KeyFileError(`${file} can be written by others (mode ${shown}): chmod go-w it`)
  }
  return { ...await ownKeyOf(createPublicKey(privateKey), file, alg), privateKey }
}

/** Reads a key that only verifies: a public key, or the private one that it belongs to. */
export async function readVerifyingKey (file: string, alg: OwnAlgorithm): Promise<VerifyingKey> {
  const pem = await readFile(file, 'utf8')
  return await ownKeyOf(parsePublic(pem) ?? createPublicKey(parsePrivate(pem, file)), file, alg)
}

/** The public key of a PEM text (SPKI, PKCS #1, or a certificate); undefined when it is none, or a private one. */
export function parsePublic (pem: string): KeyObject | undefined {
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(pem)) return undefined
  try {
    return createPublicKey(pem)
  } catch {
    return undefined
  }
}

/** RFC 7638 thumbprint of a public key. */
export async function thumbprintOf (publicKey: KeyObject): Promise<string> {
  return await calculateJwkThumbprint(publicKey.export({ format: 'jwk' }) as JWK, 'sha256')
}

/** The public half as it is published (RFC 7517). */
export function publicJwk ({ kid, alg, publicKey }: VerifyingKey): JsonWebKey {
  return { ...publicKey.export({ format: 'jwk' }), kid, alg, use: 'sig' }
}

/** Writes a new key (mode 0600) whole or not at all; false when the file is there already, which stays as it is. */
export async function makeKey (file: string, alg: OwnAlgorithm): Promise<boolean> {
  const privateKey = await generate(alg)
  const temporary = `${file}.${randomBytes(6).toString('hex')}.tmp`
  const handle = await open(temporary, 'wx', 0o600)
  let made = true
  try {
    try {
      await handle.writeFile(privateKey.export({ type: 'pkcs8', format: 'pem' }))
      await handle.sync()
    } finally {
      await handle.close()
    }
    await chmod(temporary, 0o600)
    await link(temporary, file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    made = false
  } finally {
    await unlink(temporary)
  }
  return made
}

/** A key in no file, for RS256, that nobody has the public half of. */
export async function throwawayKey (): Promise<SigningKey> {
  const privateKey = await generate('RS256')
  return { ...await ownKeyOf(createPublicKey(privateKey), '', 'RS256'), privateKey }
}

async function generate (alg: OwnAlgorithm): Promise<KeyObject> {
  const make = promisify(generateKeyPair)
  switch (alg) {
    case 'RS256': return (await make('rsa', { modulusLength: 2048 })).privateKey
    case 'ES256': return (await make('ec', { namedCurve: 'P-256' })).privateKey
    case 'EdDSA': return (await make('ed25519')).privateKey
  }
}

function parsePrivate (pem: string, file: string): KeyObject {
  try {
    return createPrivateKey(pem)
  } catch {
    // OpenSSL's own words may quote what it read.
    throw new KeyFileError(`${file} is not an unencrypted private key in PEM`)
  }
}

async function ownKeyOf (publicKey: KeyObject, file: string, wanted: OwnAlgorithm | undefined): Promise<VerifyingKey> {
  const alg = OWN_ALGORITHMS.find(each =>
    (wanted === undefined || each === wanted) && algorithmsOf(publicKey).includes(each))
  if (alg === undefined) {
    const kinds = wanted === undefined ? Object.values(KINDS).join(', or ') : KINDS[wanted]
    throw new KeyFileError(`${file} is not ${kinds}`)
  }
  return { kid: await thumbprintOf(publicKey), alg, publicKey, file }
}
