// What has the registry answered with once? Manifests, configs and provenance of versions, and
// how many bytes each archive has, in stateDir/oci, so that every digest is known again: after a
// restart, in any worker, and without a download of an archive to look for it. A folder for each
// repository; in it a file for each piece of content, named by its digest, and one for each
// version. No more than what is stored has brought: who pulls adds nothing twice, and what
// belongs to an archive that is gone goes too.
import { readdir, rm, stat, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { stateOf, type FileState } from '../../files/state.ts'
import { isAside, isNoFile, readWhole, unlessNoFile, writeWhole } from '../../files/whole.ts'
import { putBounded } from '../../lib/put-bounded.ts'
import { someAtOnce } from '../../lib/some-at-once.ts'
import {
  fileOf, foldersOf, readContent, readVersion, RENEWED, whoseContent, type KeptContent, type KeptVersion,
  type TaggedVersion
} from './kept-file.ts'
import { tagOfVersion, type OciRepository } from './names.ts'

type Place = Pick<OciRepository, 'name'>

/** What digests name, each with its SHA-256 in hex. */
export type Contents = ReadonlyArray<readonly [hex: string, content: KeptContent]>

/** What is known of a version, for who knows by now which archive is stored. */
export type KeptVersionOf = (archive?: string) => Promise<KeptVersion | undefined>

/**
 * Lets something be done while nobody else changes what is kept, or not at all.
 * @param isNeeded asked when nobody else does: somebody may have done it meanwhile
 */
export type WhenAlone = (work: () => Promise<void>, isNeeded: () => Promise<boolean>) => Promise<void>

/** The lock for what is kept of a version. No file has such a name, which would be another lock's. */
export function lockOfKept ({ name }: Place, version: string): string {
  return `${name}/:${version}`
}

/** What reads of it rejects when a file is there and cannot be read now. */
export interface Kept {
  /**
   * What a digest names in a repository; undefined when it has not been answered there.
   * @param hex a SHA-256
   * @param archive of which it should be: two archives of a version may have one config
   */
  find (repository: Place, hex: string, archive?: string): Promise<KeptContent | undefined>
  /**
   * Keeps all of them, durably, before they are answered; what the disk does not take, as long as there is room.
   * @param alone does what writes them, where they are not all kept already
   */
  keep (repository: Place, contents: Contents, alone?: WhenAlone): Promise<void>
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
  /** Of its file before it was read; '' when it was not: another one may have the place of what was written. */
  readonly fileStamp: string
  /** Of its folder when it was seen there last; '' while another change may give it the same. */
  stamp: string
  /** Milliseconds since the epoch, at which its file said last that it is wanted, as far as is known here. */
  renewedAt: number
}

/** What was in a file when that was so. */
interface ReadVersion {
  readonly stamp: string
  readonly kept: KeptVersion
}

/** How many contents are remembered, and how many bytes each has at most; what is larger is read again. */
const MOST_REMEMBERED = 4_000
const SMALL = 4 * 1024
/** Files that are read at once. */
const AT_ONCE = 16

/**
 * @param dir is made when something is kept
 * @param failed hears why something could not be kept
 */
export function createKept (dir: string, failed: (error: unknown) => void): Kept {
  const remembered = new Map<string, Remembered>()
  const read = new Map<string, ReadVersion>()
  /** Those that the disk did not take. */
  const versions = new Map<string, KeptVersion>()
  const contentPath = (place: Place, hex: string): string => join(foldersOf(dir, place).content, hex)
  const versionPath = (place: Place, version: string): string =>
    join(foldersOf(dir, place).versions, tagOfVersion(version) as string)

  async function find (repository: Place, hex: string, archive?: string): Promise<KeptContent | undefined> {
    const path = contentPath(repository, hex)
    const known = remembered.get(path)
    const isOf = known !== undefined && (archive === undefined || known.content.archive === archive)
    if (isOf && await areThere(repository, [known])) return known.content
    const fileStamp = (await stateOf(path))?.stamp ?? ''
    const content = readContent(await readWhole(path), hex)
    if (content !== undefined) remember(path, { content, path, isWritten: true, fileStamp, stamp: '', renewedAt: 0 })
    else if (known?.isWritten === true) remembered.delete(path)
    return content ?? remembered.get(path)?.content
  }

  /**
   * Another worker may have forgotten them, or put what is of another archive in their place: a folder that is as it
   * was says of all at one look that none has.
   */
  async function areThere (repository: Place, all: readonly Remembered[]): Promise<boolean> {
    const written = all.filter(({ isWritten }) => isWritten)
    if (written.length === 0) return true
    const now = await stateOf(foldersOf(dir, repository).content)
    if (now === undefined) return false
    for (const each of written) {
      if (each.stamp === now.stamp) continue
      if (each.fileStamp === '' || (await stateOf(each.path))?.stamp !== each.fileStamp) return false
      each.stamp = now.isSettled ? now.stamp : ''
    }
    return true
  }

  async function areKept (repository: Place, contents: Contents): Promise<boolean> {
    const known = contents.flatMap(([hex, { archive }]) => {
      const found = remembered.get(contentPath(repository, hex))
      return found?.content.archive === archive ? [found] : []
    })
    const areWanted = known.every(({ isWritten, renewedAt }) => !isWritten || Date.now() - renewedAt <= RENEWED)
    return known.length === contents.length && areWanted && await areThere(repository, known)
  }

  async function isKept (repository: Place, [hex, { archive }]: Contents[number]): Promise<boolean> {
    return (await find(repository, hex, archive))?.archive === archive && await renew(contentPath(repository, hex))
  }

  async function areAllKept (repository: Place, contents: Contents): Promise<boolean> {
    return (await Promise.all(contents.map(async each => await isKept(repository, each)))).every(Boolean)
  }

  async function keepOne (repository: Place, [hex, content]: Contents[number]): Promise<void> {
    const path = contentPath(repository, hex)
    if (await isKept(repository, [hex, content])) return
    const isWritten = await writeWhole(path, fileOf(content)).catch((error: unknown) => {
      failed(error)
      return false
    })
    remember(path, { content, path, isWritten, fileStamp: '', stamp: '', renewedAt: Date.now() })
  }

  /**
   * Says on a file that it is wanted, to whoever is about to remove it as one of long ago (kept-shelf.ts).
   * @returns false when it is not there any more
   */
  async function renew (path: string): Promise<boolean> {
    const now = Date.now()
    try {
      const { mtimeMs } = await stat(path)
      const isOld = now - mtimeMs > RENEWED
      if (isOld) await utimes(path, now / 1000, now / 1000)
      const known = remembered.get(path)
      if (known !== undefined) known.renewedAt = isOld ? now : mtimeMs
      return true
    } catch (error) {
      return !isNoFile(error)
    }
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
    async keep (repository, contents, alone = async work => { await work() }) {
      // What is large is not remembered, and looked for.
      const isNeeded = async (): Promise<boolean> => !await areAllKept(repository, contents)
      if (await areKept(repository, contents) || !await isNeeded()) return
      const work = async (): Promise<void> => {
        await Promise.all(contents.map(async each => { await keepOne(repository, each) }))
      }
      await alone(work, isNeeded)
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
      // What cannot be read now is left there, and is not answered.
      const hear = (error: unknown): undefined => { failed(error) }
      // First what a push meanwhile puts another one in the place of: the look at the content may take a while.
      const path = versionPath(repository, version)
      versions.delete(path)
      const known = readVersion(await readWhole(path).catch(hear))
      if (known?.archive !== stored) await rm(path, { force: true }).catch(hear)
      const { content } = foldersOf(dir, repository)
      const names = await unlessNoFile(readdir(content)).catch(hear) ?? []
      await someAtOnce(names.filter(name => !isAside(name)), AT_ONCE, async hex => {
        const file = join(content, hex)
        const found = await whoseContent(file).catch(hear)
        if (found?.version !== version || found.archive === stored) return
        remembered.delete(file)
        await rm(file, { force: true }).catch(hear)
      })
    }
  }
}
