// Which keys are trusted with what? Our own ring and the issuers of others, as one value
// that is replaced whole: at the start, and whenever a file of it changes. A key has one
// use: none of clients' tokens is the upstream's, and none of ours is somebody else's.
import { join } from 'node:path'
import { openFolder, prepareFolder } from './key-folder.ts'
import { readSigningKey, readVerifyingKey, type OwnAlgorithm, type SigningKey, type VerifyingKey } from './keys.ts'
import { openIssuers, type Issuer, type IssuerConfig } from './issuers.ts'
import { createRing, type KeyRing, type KeyState, type DatedKey } from './ring.ts'

export interface TrustedKeys {
  /** Keys for the tokens of clients. */
  readonly ring: KeyRing
  readonly issuers: readonly Issuer[]
  /** Thumbprints of every key of ours; no issuer's key counts that is one of them. */
  readonly ours: ReadonlySet<string>
}

/** What the configuration says of keys. */
export interface KeysConfig {
  readonly stateDir: string
  readonly tokens: {
    readonly ttl: number
    readonly keys: readonly OwnKey[]
    readonly issuers: readonly IssuerConfig[]
  }
  /** With a key of one's own for the upstream; absolute. */
  readonly upstream?: { readonly keyFile?: string }
}

export interface OwnKey { readonly file: string, readonly alg: OwnAlgorithm, readonly state: KeyState }

export type TrustedResult =
  | { readonly ok: true, readonly trusted: TrustedKeys }
  | { readonly ok: false, /** one line each */ readonly mistakes: readonly string[] }

/** The folder of the keys that are made here. */
export function keyFolder ({ stateDir }: Pick<KeysConfig, 'stateDir'>): string {
  return join(stateDir, 'keys')
}

/** Makes the first key where keys are not brought along and there is none. */
export async function prepareKeys (config: KeysConfig): Promise<void> {
  if (config.tokens.keys.length === 0) await prepareFolder(keyFolder(config))
}

/**
 * Reads all keys; one that has two uses is a mistake.
 * @param upstream the key that the upstream is spoken to with; undefined: not known here
 */
export async function loadTrusted (
  config: KeysConfig,
  upstream: SigningKey | undefined,
  before?: TrustedKeys
): Promise<TrustedResult> {
  const { keys, issuers, ttl } = config.tokens
  const own = await (keys.length === 0
    ? attempt([async () => ({ signers: await openFolder(keyFolder(config)), verifiers: [] })])
    : openOwn(keys))
  const others = await openIssuers(issuers, before?.issuers)
  if (!own.ok || !others.ok) return { ok: false, mistakes: [own, others].flatMap(each => each.ok ? [] : each.mistakes) }
  const [{ signers, verifiers }] = own.values
  const used = [...signers.map(({ key }) => key), ...verifiers, ...(upstream === undefined ? [] : [upstream])]
  const mistakes = [...repeated(used), ...issuers.flatMap((_, i) => taken(others.issuers[i] as Issuer, i, used))]
  if (mistakes.length > 0) return { ok: false, mistakes }
  const ring = createRing(signers, verifiers, ttl)
  return { ok: true, trusted: { ring, issuers: others.issuers, ours: new Set(used.map(({ kid }) => kid)) } }
}

interface OwnKeys { readonly signers: readonly [DatedKey, ...DatedKey[]], readonly verifiers: readonly VerifyingKey[] }

type KeyReading<T> =
  | { readonly ok: true, readonly values: readonly [T, ...T[]] }
  | { readonly ok: false, readonly mistakes: readonly string[] }

/** The keys of the configuration; files of retired ones may be gone. */
async function openOwn (keys: readonly OwnKey[]): Promise<KeyReading<OwnKeys>> {
  const wanted = keys.filter(({ state }) => state !== 'retired')
  const read = await attempt<DatedKey | VerifyingKey>(wanted.map(({ file, alg, state }) => async () => {
    if (state !== 'active') return await readVerifyingKey(file, alg)
    return { key: await readSigningKey(file, alg), since: 0 }
  }))
  if (!read.ok) return read
  // The configuration's rules see to it that there is one.
  const signers = read.values.filter(each => 'since' in each) as [DatedKey]
  const verifiers = read.values.filter((each): each is VerifyingKey => !('since' in each))
  return { ok: true, values: [{ signers, verifiers }] }
}

/** Everything that can be read, or every reason why something cannot. */
async function attempt<T> (works: readonly (() => Promise<T>)[]): Promise<KeyReading<T>> {
  const done = await Promise.allSettled(works.map(async work => await work()))
  const mistakes = done.flatMap(each => each.status === 'rejected' ? [keyFileSentence(each.reason)] : [])
  if (mistakes.length > 0) return { ok: false, mistakes }
  return { ok: true, values: done.map(each => (each as PromiseFulfilledResult<T>).value) as [T, ...T[]] }
}

/** What is wrong with a key's file: our own sentence, or the system's word and the file. */
export function keyFileSentence (error: unknown): string {
  const { code, path, message } = error as NodeJS.ErrnoException
  return code !== undefined && path !== undefined ? `${path} cannot be read (${code})` : message
}

function repeated (keys: readonly VerifyingKey[]): string[] {
  const files = new Map<string, string>()
  return keys.flatMap(({ kid, file }) => {
    const other = files.get(kid)
    files.set(kid, file)
    return other === undefined ? [] : [`${other} and ${file} are the same key: each use needs a key of its own`]
  })
}

function taken ({ config, keys, remote }: Issuer, i: number, ours: readonly VerifyingKey[]): string[] {
  if (remote !== undefined) return []
  return ours.filter(({ kid }) => keys().some(({ thumbprint }) => thumbprint === kid))
    .map(({ file }) => `tokens.issuers[${i}]: the key of ${config.name} is our own, ${file}`)
}
