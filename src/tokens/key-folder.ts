// Where do the keys lie that the gateway makes itself? In stateDir/keys: token.pem of the
// first start, token-<time>.pem of each rotation with the time from which it signs, and
// upstream.pem, which no rotation touches. The names are the whole state: a key appears
// and goes with one file, and there is no index that could be half written.
import { mkdir, readdir, stat, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { isReadOnly } from '../lib/read-only.ts'
import { KeyFileError, makeKey, readSigningKey, type OwnAlgorithm, type SigningKey } from './keys.ts'
import { createRing, type KeyRing, type DatedKey } from './ring.ts'

const FIRST = 'token.pem'
const UPSTREAM = 'upstream.pem'
const NAME = /^token(?:-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z)?\.pem$/

/**
 * Seconds between the moment a new key is there and its first signature: every process
 * on the folder, and whoever else verifies, knows it before it is used.
 */
export const LEAD = 3

/** Opens the key that the upstream is spoken to with. */
export async function openUpstreamKey (dir: string): Promise<SigningKey> {
  return await within(dir, async () => {
    const file = join(dir, UPSTREAM)
    return await unlessGone(readSigningKey(file, 'RS256')) ?? missing(file)
  })
}

/** Makes the folder and the key that the upstream is spoken to with (RSA 2048), where there is none. */
export async function prepareUpstreamKey (dir: string): Promise<void> {
  await within(dir, async () => {
    await mkdir(dir, { recursive: true, mode: 0o700 })
    if (!(await readdir(dir)).includes(UPSTREAM)) await makeKey(join(dir, UPSTREAM), 'RS256')
  })
}

/** Makes the folder and the first key for the tokens of clients, where there is none. */
export async function prepareFolder (dir: string): Promise<void> {
  await within(dir, async () => {
    await mkdir(dir, { recursive: true, mode: 0o700 })
    if ((await tokenFiles(dir)).length === 0) await makeKey(join(dir, FIRST), 'RS256')
  })
}

/** Opens the keys for the tokens of clients. */
export async function openFolder (dir: string): Promise<readonly [DatedKey, ...DatedKey[]]> {
  return await within(dir, async () => {
    const opened = await Promise.all((await tokenFiles(dir)).map(async ({ file, since }) => {
      const key = await unlessGone(readSigningKey(file))
      return key === undefined ? [] : [{ key, since }]
    }))
    const [first, ...more] = opened.flat()
    return first === undefined ? missing(join(dir, FIRST)) : [first, ...more]
  })
}

export type Rotation =
  | {
    readonly ok: true
    readonly key: SigningKey
    /** it signs from then on */
    readonly since: number
    readonly removed: readonly string[]
  }
  | { readonly ok: false, readonly message: string }

/** Makes the next key, and removes files of keys that are retired. @param now seconds since the epoch */
export async function rotateFolder (
  dir: string,
  alg: OwnAlgorithm | undefined,
  lifetime: number,
  now: number
): Promise<Rotation> {
  const signers = await openFolder(dir)
  const coming = signers.find(({ since }) => since > now)
  if (coming !== undefined) {
    const { key, since } = coming
    return { ok: false, message: `a rotation is under way: ${key.file} signs from ${showTime(since)} on` }
  }
  return await within(dir, async () => {
    const ring = createRing(signers, [], lifetime)
    const since = now + LEAD
    const file = join(dir, `token-${showTime(since).replace(/[-:]/g, '')}.pem`)
    if (!await makeKey(file, alg ?? ring.signing(now).alg)) {
      throw new KeyFileError(`${file} is there already: another rotation is under way`)
    }
    return { ok: true, key: await readSigningKey(file), since, removed: await removeRetired(ring, now) }
  })
}

async function removeRetired (ring: KeyRing, now: number): Promise<string[]> {
  const retired = ring.states(now).filter(({ state }) => state === 'retired').map(({ key }) => key.file)
  await Promise.all(retired.map(async file => { await unlessGone(unlink(file)) }))
  return retired
}

/** 2026-11-24T23:55:00Z */
export function showTime (seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace(/\.\d+Z$/, 'Z')
}

/** The folder, and the files in it whose change may change a key; what hinders reading it is said by who opens it. */
export async function folderFiles (dir: string): Promise<readonly string[]> {
  return [dir, ...(await tokenFiles(dir).catch(() => [])).map(({ file }) => file)]
}

async function tokenFiles (dir: string): Promise<{ file: string, since: number }[]> {
  return (await unlessGone(readdir(dir)) ?? []).flatMap(name => {
    const [whole, ...time] = NAME.exec(name) ?? []
    if (whole === undefined) return []
    const [year, month, day, hour, minute, second] = time
    const since = year === undefined ? 0 : Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`) / 1000
    return Number.isNaN(since) ? [] : [{ file: join(dir, name), since }]
  })
}

async function unlessGone<T> (work: Promise<T>): Promise<T | undefined> {
  try {
    return await work
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

function missing (file: string): never {
  throw new KeyFileError(`${file} is not there yet: \`serve\` and \`keys export\` make it`)
}

/** Does something in the folder; whatever goes wrong names it. */
async function within<T> (dir: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const reason = await hindrance(error as NodeJS.ErrnoException) ?? (error as Error).message
    throw new KeyFileError(`the keys in ${dir} cannot be used: ${reason}`)
  }
}

/** What whoever runs the gateway can put right. */
async function hindrance (error: NodeJS.ErrnoException): Promise<string | undefined> {
  if (await isReadOnly(error)) {
    return 'its disk is mounted read-only, and no key can be made there: ' +
      'mount one that can be written, put the keys there, or choose another stateDir'
  }
  return await ownerMistake(error)
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
