// Which keys sign? Two, made at the first start: one for the tokens of clients, which
// rotates and is published, and one for the upstream, which no rotation touches,
// because ChartMuseum takes one PEM and ignores kid, iss and aud.
import { createPrivateKey, createPublicKey, generateKeyPair, randomBytes, type KeyObject } from 'node:crypto'
import { chmod, link, mkdir, open, readFile, stat, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { calculateJwkThumbprint, exportJWK, type JWK } from 'jose'

export interface SigningKey {
  /** RFC 7638 thumbprint, SHA-256, base64url. */
  readonly kid: string
  readonly alg: 'RS256'
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
  readonly file: string
}

export interface KeyStore {
  /** Signs the tokens of clients. */
  readonly signing: SigningKey
  /** Signs what the upstream is sent, and nothing else. */
  readonly upstream: SigningKey
  /** The public half of the client keys (RFC 7517). */
  jwks (): { keys: JWK[] }
}

export type KeyStoreResult =
  | { readonly ok: true, readonly keys: KeyStore }
  | { readonly ok: false, readonly message: string }

const SMALLEST_MODULUS = 2048

/**
 * Opens the keys of a folder and makes those that are missing (RSA 2048, mode 0600
 * in a folder of mode 0700), unless `make` says not to.
 * @returns a sentence instead, when a file cannot be read, written or used
 */
export async function openKeyStore (dir: string, { make = true } = {}): Promise<KeyStoreResult> {
  try {
    if (make) await mkdir(dir, { recursive: true, mode: 0o700 })
    const signing = await openKey(join(dir, 'token.pem'), make)
    const upstream = await openKey(join(dir, 'upstream.pem'), make)
    // ChartMuseum looks at neither issuer nor audience: with one key for both it would take the token of a client.
    if (signing.kid === upstream.kid) throw new Error(`${signing.file} and ${upstream.file} are the same key, and so the upstream would accept the tokens of clients: remove one of them, and a new one is made`)
    const published = { keys: [await publicJwk(signing)] }
    return { ok: true, keys: { signing, upstream, jwks: () => published } }
  } catch (error) {
    return { ok: false, message: `the keys in ${dir} cannot be used: ${await ownerMistake(error as NodeJS.ErrnoException) ?? (error as Error).message}` }
  }
}

async function openKey (file: string, make: boolean): Promise<SigningKey> {
  let pem = await readIfThere(file)
  if (pem === undefined) {
    if (!make) throw new Error(`${file} is not there yet: \`serve\` and \`keys export\` make it`)
    await makeKey(file)
    pem = await readFile(file, 'utf8') // another process may have been first: what lies there counts
  }
  const privateKey = parseKey(pem, file)
  const { mode } = await stat(file)
  if ((mode & 0o077) !== 0) throw new Error(`${file} can be read by others (mode ${(mode & 0o777).toString(8)}): chmod 600 it`)
  const publicKey = createPublicKey(privateKey)
  return { kid: await calculateJwkThumbprint(await exportJWK(publicKey), 'sha256'), alg: 'RS256', privateKey, publicKey, file }
}

/** Whose file or folder it is, when somebody else's: a command run as root leaves such keys to a service. */
async function ownerMistake ({ code, path = '' }: NodeJS.ErrnoException): Promise<string | undefined> {
  const me = process.geteuid?.()
  if (code !== 'EACCES' && code !== 'EPERM') return undefined
  for (const each of [path, dirname(path)]) {
    const uid = await stat(each).then(found => found.uid, () => me)
    if (uid !== me) return `${each} belongs to user ${uid}, and this is user ${me}: chown it`
  }
  return undefined
}

function parseKey (pem: string, file: string): KeyObject {
  let key: KeyObject
  try {
    key = createPrivateKey(pem)
  } catch {
    // OpenSSL's own words may quote what it read.
    throw new Error(`${file} is not an unencrypted private key in PEM`)
  }
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0
  if (key.asymmetricKeyType !== 'rsa' || bits < SMALLEST_MODULUS) throw new Error(`${file} is not an RSA key of at least ${SMALLEST_MODULUS} bits`)
  return key
}

async function readIfThere (file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** Writes a new key whole or not at all; a key that is already there stays. */
async function makeKey (file: string): Promise<void> {
  const { privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: SMALLEST_MODULUS })
  const temporary = `${file}.${randomBytes(6).toString('hex')}.tmp`
  const handle = await open(temporary, 'wx', 0o600)
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
  } finally {
    await unlink(temporary)
  }
}

async function publicJwk (key: SigningKey): Promise<JWK> {
  return { ...await exportJWK(key.publicKey), kid: key.kid, alg: key.alg, use: 'sig' }
}
