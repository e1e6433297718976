// What has the registry answered with once? Manifests, configs and provenance of versions, and
// how many bytes each archive has, in stateDir/oci, so that every digest is known again: after a
// restart, in any worker, and without a download of an archive to look for it. A folder for each
// repository; in it a file for each piece of content, named by its digest, and one for each
// version. No more than what is stored has brought: who pulls adds nothing twice, and what
// belongs to an archive that is gone goes too.
import { randomUUID } from 'node:crypto'
import { access, mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { putBounded } from '../../lib/put-bounded.ts'
import { tagOfVersion, type OciRepository } from './names.ts'

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

type Place = Pick<OciRepository, 'name'>

export interface Kept {
  /**
   * What a digest names in a repository; undefined when it has not been answered there.
   * @param hex a SHA-256
   * @param archive of which it should be: two archives of a version may have one config
   */
  find (repository: Place, hex: string, archive?: string): Promise<KeptContent | undefined>
  /** Keeps it, durably, before it is answered; what the disk does not take, as long as there is room in memory. */
  keep (repository: Place, hex: string, content: KeptContent): Promise<void>
  /**
   * What is known of a version.
   * @param archive that is stored now: what is of it comes before what is of another one
   */
  version (repository: Place, version: string, archive?: string): Promise<KeptVersion | undefined>
  keepVersion (repository: Place, version: string, kept: KeptVersion): Promise<void>
  /** Forgets all that is of a version, unless it is of the archive that is stored now. */
  forget (repository: Place, version: string, stored: string | undefined): Promise<void>
}

interface Remembered {
  readonly content: KeptContent
  /** In a file, which other workers read too. */
  readonly isWritten: boolean
}

/** How many contents are remembered, and how many bytes each has at most; what is larger is read again. */
const MOST_REMEMBERED = 4_000
const SMALL = 4 * 1024

/**
 * @param dir is made when something is kept
 * @param failed hears why something could not be kept
 */
export function createKept (dir: string, failed: (error: unknown) => void): Kept {
  const remembered = new Map<string, Remembered>()
  const versions = new Map<string, KeptVersion>()
  const folder = ({ name }: Place): string => join(dir, ...name.split('/'))
  const contentPath = (place: Place, hex: string): string => join(folder(place), '_content', hex)
  const versionPath = (place: Place, version: string): string =>
    join(folder(place), '_versions', tagOfVersion(version) as string)

  async function find (repository: Place, hex: string, archive?: string): Promise<KeptContent | undefined> {
    const path = contentPath(repository, hex)
    const known = remembered.get(path)
    if (known !== undefined && (archive === undefined || known.content.archive === archive)) {
      // Another worker may have forgotten it.
      if (!known.isWritten || await isThere(path)) return known.content
    }
    const content = readContent(await readOr(path))
    if (content !== undefined) remember(path, { content, isWritten: true })
    else if (known?.isWritten === true) remembered.delete(path)
    return content ?? remembered.get(path)?.content
  }

  function remember (path: string, found: Remembered): void {
    if (found.content.bytes.length <= SMALL) putBounded(remembered, path, found, MOST_REMEMBERED)
  }

  return {
    find,
    async keep (repository, hex, content) {
      if ((await find(repository, hex, content.archive))?.archive === content.archive) return
      const path = contentPath(repository, hex)
      const written = write(path, fileOf(content))
      const isWritten = await written.then(() => true, (error: unknown) => {
        failed(error)
        return false
      })
      remember(path, { content, isWritten })
    },
    async version (repository, version) {
      const path = versionPath(repository, version)
      return readVersion(await readOr(path)) ?? versions.get(path)
    },
    async keepVersion (repository, version, kept) {
      const path = versionPath(repository, version)
      await write(path, Buffer.from(JSON.stringify(kept))).catch((error: unknown) => {
        putBounded(versions, path, kept, MOST_REMEMBERED)
        failed(error)
      })
    },
    async forget (repository, version, stored) {
      const content = join(folder(repository), '_content')
      for (const hex of await readdir(content).catch(() => [])) {
        const path = join(content, hex)
        const found = readContent(await readOr(path))
        if (found?.version !== version || found.archive === stored) continue
        remembered.delete(path)
        await rm(path, { force: true }).catch(failed)
      }
      const kept = versionPath(repository, version)
      versions.delete(kept)
      if (readVersion(await readOr(kept))?.archive !== stored) await rm(kept, { force: true }).catch(failed)
    }
  }
}

async function isThere (path: string): Promise<boolean> {
  return await access(path).then(() => true, () => false)
}

async function readOr (path: string): Promise<Buffer | undefined> {
  return await readFile(path).catch(() => undefined)
}

/** Whole or not at all, and on the disk when this returns. */
async function write (path: string, bytes: Buffer): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const aside = `${path}.${randomUUID()}`
  try {
    await writeFile(aside, bytes, { mode: 0o600, flush: true })
    await rename(aside, path)
  } catch (error) {
    await rm(aside, { force: true })
    throw error
  }
}

const HEADER = /^(manifest|config|provenance|archive) (\S+) ([a-f0-9]{64})$/
const LINE_END = 0x0a

/** What a file of it holds. */
export function fileOf ({ kind, version, archive, bytes }: KeptContent): Buffer {
  return Buffer.concat([Buffer.from(`${kind} ${version} ${archive}\n`), bytes])
}

/** What such a file says; undefined for another one. */
export function readContent (file: Buffer | undefined): KeptContent | undefined {
  const end = file?.indexOf(LINE_END) ?? -1
  if (file === undefined || end < 0) return undefined
  const [, kind, version, archive] = HEADER.exec(file.subarray(0, end).toString('utf8')) ?? []
  if (kind === undefined) return undefined
  return {
    kind: kind as KeptContent['kind'],
    version: version as string,
    archive: archive as string,
    bytes: file.subarray(end + 1)
  }
}

/** What a file of a version says; undefined for none, and for one that is no JSON. */
export function readVersion (file: Buffer | undefined): KeptVersion | undefined {
  try {
    return file === undefined ? undefined : JSON.parse(file.toString('utf8')) as KeptVersion
  } catch {
    return undefined // a file that somebody has put there
  }
}
