// What has the registry answered with once? Manifests, configs and provenance of versions, and
// how many bytes each archive has, in stateDir/oci, so that every digest is known again: after a
// restart, in any worker, and without a download of an archive to look for it. A folder for each
// repository; in it a file for each piece of content, named by its digest, and one for each
// version. No more than what is stored has brought: who pulls adds nothing twice, and what
// belongs to an archive that is gone goes too.
import { access, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { stateOf, type FileState } from '../../files/state.ts'
import { readWhole, unlessNoFile, writeWhole } from '../../files/whole.ts'
import { putBounded } from '../../lib/put-bounded.ts'
import { isVersion } from '../../words/chart-names.ts'
import { isHex } from '../../words/digest.ts'
import { contentOf } from './entry.ts'
import { tagOfVersion, type OciRepository } from './names.ts'
import { isObject, jsonOf } from './read-manifest.ts'

/** What a digest names in a repository. */
export interface KeptContent {
  readonly kind: 'manifest' | 'config' | 'provenance' | 'archive'
  /** The version that it is of. */
  readonly version: string
  /** SHA-256 of the archive that it is of, in hex: while that is stored, this is there. */
  readonly archive: string
  /** Those that the digest is of; of an archive none, which the chart repository has. */
  readonly bytes: Buffer
}

export interface KeptVersion {
  /** SHA-256 in hex, and bytes. */
  readonly archive: string
  readonly size: number
  /** The manifest that was pushed under its tag, in hex; left out: none was. */
  readonly tagged?: string
  /** The number of that push, which says of two replicas which was later (kept-by-all.ts). */
  readonly taggedAt?: number
  /** Bytes of the manifests that were pushed for it, all together. */
  readonly pushed?: number
}

/** One of which a manifest was pushed. */
export type TaggedVersion = KeptVersion & { readonly tagged: string }

type Place = Pick<OciRepository, 'name'>

/** What digests name, each with its SHA-256 in hex. */
export type Contents = ReadonlyArray<readonly [hex: string, content: KeptContent]>

/** What is known of a version, for who knows by now which archive is stored. */
export type KeptVersionOf = (archive?: string) => Promise<KeptVersion | undefined>

/** What reads of it rejects when a file is there and cannot be read now. */
export interface Kept {
  /**
   * What a digest names in a repository; undefined when it has not been answered there.
   * @param hex a SHA-256
   * @param archive of which it should be: two archives of a version may have one config
   */
  find (repository: Place, hex: string, archive?: string): Promise<KeptContent | undefined>
  /** Keeps all of them, durably, before they are answered; what the disk does not take, as long as there is room. */
  keep (repository: Place, contents: Contents): Promise<void>
  /**
   * What is known of a version.
   * @param archive that is stored now: what is of it comes before what is of another one
   */
  version (repository: Place, version: string, archive?: string): Promise<KeptVersion | undefined>
  /** The same, looked for while it is not known yet which archive is stored. */
  beginVersion (repository: Place, version: string): KeptVersionOf
  /** Of a push: its manifest has the tag from now on. */
  keepVersion (repository: Place, version: string, kept: TaggedVersion): Promise<void>
  /**
   * What was found of an archive that is stored, and nobody had asked for.
   * @param before the archive that was known before that; undefined: none was
   * @returns true when it is kept; false when by now something else is known, as of a push that was made meanwhile
   */
  learnVersion (repository: Place, version: string, kept: KeptVersion, before: string | undefined): Promise<boolean>
  /** Forgets all that is of a version, unless it is of the archive that is stored now. */
  forget (repository: Place, version: string, stored: string | undefined): Promise<void>
}

interface Remembered {
  readonly content: KeptContent
  readonly path: string
  /** In a file, which other workers read too. */
  readonly isWritten: boolean
  /** Of its folder when it was seen there last; '' while another change may give it the same. */
  stamp: string
}

/** What was in a file when that was so. */
interface ReadVersion {
  readonly stamp: string
  readonly kept: KeptVersion
}

const [CONTENT, VERSIONS] = ['_content', '_versions']
/** How many contents are remembered, and how many bytes each has at most; what is larger is read again. */
const MOST_REMEMBERED = 4_000
const SMALL = 4 * 1024

/**
 * @param dir is made when something is kept
 * @param failed hears why something could not be kept
 */
export function createKept (dir: string, failed: (error: unknown) => void): Kept {
  const remembered = new Map<string, Remembered>()
  const read = new Map<string, ReadVersion>()
  /** Those that the disk did not take. */
  const versions = new Map<string, KeptVersion>()
  const folder = ({ name }: Place): string => join(dir, ...name.split('/'))
  const contentPath = (place: Place, hex: string): string => join(folder(place), CONTENT, hex)
  const versionPath = (place: Place, version: string): string =>
    join(folder(place), VERSIONS, tagOfVersion(version) as string)

  async function find (repository: Place, hex: string, archive?: string): Promise<KeptContent | undefined> {
    const path = contentPath(repository, hex)
    const known = remembered.get(path)
    const isOf = known !== undefined && (archive === undefined || known.content.archive === archive)
    if (isOf && await areThere(repository, [known])) return known.content
    const content = readContent(await readWhole(path), hex)
    if (content !== undefined) remember(path, { content, path, isWritten: true, stamp: '' })
    else if (known?.isWritten === true) remembered.delete(path)
    return content ?? remembered.get(path)?.content
  }

  /** Another worker may have forgotten them: a folder that is as it was says of all at one look that none has. */
  async function areThere (repository: Place, all: readonly Remembered[]): Promise<boolean> {
    const written = all.filter(({ isWritten }) => isWritten)
    if (written.length === 0) return true
    const now = await stateOf(join(folder(repository), CONTENT))
    if (now === undefined) return false
    for (const each of written) {
      if (each.stamp === now.stamp) continue
      if (!await isThere(each.path)) return false
      each.stamp = now.isSettled ? now.stamp : ''
    }
    return true
  }

  async function areKept (repository: Place, contents: Contents): Promise<boolean> {
    const known = contents.flatMap(([hex, { archive }]) => {
      const found = remembered.get(contentPath(repository, hex))
      return found?.content.archive === archive ? [found] : []
    })
    return known.length === contents.length && await areThere(repository, known)
  }

  async function keepOne (repository: Place, [hex, content]: Contents[number]): Promise<void> {
    if ((await find(repository, hex, content.archive))?.archive === content.archive) return
    const path = contentPath(repository, hex)
    const isWritten = await writeWhole(path, fileOf(content)).catch((error: unknown) => {
      failed(error)
      return false
    })
    remember(path, { content, path, isWritten, stamp: '' })
  }

  function remember (path: string, found: Remembered): void {
    if (found.content.bytes.length <= SMALL) putBounded(remembered, path, found, MOST_REMEMBERED)
  }

  async function versionAt (path: string): Promise<KeptVersion | undefined> {
    const state = await stateOf(path)
    const kept = state === undefined ? undefined : await versionIn(path, state)
    return kept ?? versions.get(path)
  }

  async function versionIn (path: string, { stamp, isSettled }: FileState): Promise<KeptVersion | undefined> {
    const before = read.get(path)
    if (before?.stamp === stamp) return before.kept
    const kept = readVersion(await readWhole(path))
    if (kept !== undefined && isSettled) putBounded(read, path, { stamp, kept }, MOST_REMEMBERED)
    return kept
  }

  async function putVersion (path: string, kept: KeptVersion, isWanted = async () => true): Promise<boolean> {
    return await writeWhole(path, Buffer.from(JSON.stringify(kept)), isWanted).catch(async (error: unknown) => {
      failed(error)
      if (!await isWanted()) return false
      putBounded(versions, path, kept, MOST_REMEMBERED)
      return true
    })
  }

  return {
    find,
    async keep (repository, contents) {
      if (await areKept(repository, contents)) return
      await Promise.all(contents.map(async each => { await keepOne(repository, each) }))
    },
    version: async (repository, version) => await versionAt(versionPath(repository, version)),
    beginVersion (repository, version) {
      const known = versionAt(versionPath(repository, version))
      known.catch(() => {}) // who asked may have gone before it is wanted
      return async () => await known
    },
    async keepVersion (repository, version, kept) {
      await putVersion(versionPath(repository, version), kept)
    },
    async learnVersion (repository, version, kept, before) {
      const path = versionPath(repository, version)
      return await putVersion(path, kept, async () => (await versionAt(path))?.archive === before)
    },
    async forget (repository, version, stored) {
      const content = join(folder(repository), CONTENT)
      // What cannot be read now is left there, and is not answered.
      const hear = (error: unknown): undefined => { failed(error) }
      for (const hex of await unlessNoFile(readdir(content)).catch(hear) ?? []) {
        const path = join(content, hex)
        const found = readContent(await readWhole(path).catch(hear))
        if (found?.version !== version || found.archive === stored) continue
        remembered.delete(path)
        await rm(path, { force: true }).catch(hear)
      }
      const path = versionPath(repository, version)
      versions.delete(path)
      const known = readVersion(await readWhole(path).catch(hear))
      if (known?.archive !== stored) await rm(path, { force: true }).catch(hear)
    }
  }
}

async function isThere (path: string): Promise<boolean> {
  return await access(path).then(() => true, () => false)
}

const HEADER = /^(\S+) (\S+) (\S+)$/
const KINDS: ReadonlySet<string> = new Set<KeptContent['kind']>(['manifest', 'config', 'provenance', 'archive'])
const LINE_END = 0x0a

/** What a file of it holds. */
export function fileOf ({ kind, version, archive, bytes }: KeptContent): Buffer {
  return Buffer.concat([Buffer.from(`${kind} ${version} ${archive}\n`), bytes])
}

/**
 * What such a file says; undefined for another one.
 * @param hex of which its bytes have to be, where that is wanted
 */
export function readContent (file: Buffer | undefined, hex?: string): KeptContent | undefined {
  const end = file?.indexOf(LINE_END) ?? -1
  if (file === undefined || end < 0) return undefined
  const [, kind, version = '', archive = ''] = HEADER.exec(file.subarray(0, end).toString('utf8')) ?? []
  const isTagged = isVersion(version) && tagOfVersion(version) !== undefined
  if (!isKind(kind) || !isTagged || !isHex(archive)) return undefined
  const bytes = file.subarray(end + 1)
  if (hex !== undefined && kind !== 'archive' && contentOf(bytes).hex !== hex) return undefined
  return { kind, version, archive, bytes }
}

function isKind (text: string | undefined): text is KeptContent['kind'] {
  return text !== undefined && KINDS.has(text)
}

/** What a file of a version says; undefined for none, and for another one. */
export function readVersion (file: Buffer | undefined): KeptVersion | undefined {
  const value = file === undefined ? undefined : jsonOf(file.toString('utf8'))
  return isKeptVersion(value) ? value : undefined
}

function isKeptVersion (value: unknown): value is KeptVersion {
  if (!isObject(value)) return false
  const { archive, size, tagged = archive, taggedAt = 0, pushed = 0 } = value
  return isHex(archive) && isHex(tagged) && [size, taggedAt, pushed].every(isCount)
}

function isCount (value: unknown): boolean {
  return Number.isSafeInteger(value) && Number(value) >= 0
}
