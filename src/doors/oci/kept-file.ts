// How does what is kept lie on the disk? Each content in a file behind a line that says what it is,
// and of which version and archive; what is known of a version in one of JSON, named by its tag.
import { basename, join } from 'node:path'
import { readWhole, withFile } from '../../files/whole.ts'
import { isVersion } from '../../words/chart-names.ts'
import { isHex } from '../../words/digest.ts'
import { contentOf } from './entry.ts'
import { tagOfVersion, versionOfTag, type OciRepository } from './names.ts'
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

/** A version, and the archive of it. */
export type Whose = Pick<KeptContent, 'version' | 'archive'>

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

/** Milliseconds after which a file says anew that somebody has kept what is in it. */
export const RENEWED = 30 * 60_000

/** The folders of a repository: of content, named by its digest, and of versions, named by their tags. */
export function foldersOf (dir: string, { name }: Pick<OciRepository, 'name'>): { content: string, versions: string } {
  const folder = join(dir, ...name.split('/'))
  return { content: join(folder, '_content'), versions: join(folder, '_versions') }
}

const HEADER = /^(\S+) (\S+) (\S+)$/
const KINDS: ReadonlySet<string> = new Set<KeptContent['kind']>(['manifest', 'config', 'provenance', 'archive'])
const LINE_END = 0x0a
/** More than the longest kind, a tag and a digest. */
const LONGEST_LINE = 256

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

/** The version and archive that a file of content is of; undefined for none, and for another one. */
export async function whoseContent (path: string): Promise<Whose | undefined> {
  const start = Buffer.allocUnsafe(LONGEST_LINE)
  return readContent(await withFile(path, async file => {
    const { bytesRead } = await file.read(start, 0, LONGEST_LINE, 0)
    return start.subarray(0, bytesRead)
  }))
}

/** The version and archive that a file of a version is of; undefined for none, and for another one. */
export async function whoseVersion (path: string): Promise<Whose | undefined> {
  const [version, kept] = [versionOfTag(basename(path)), readVersion(await readWhole(path))]
  return version === undefined || kept === undefined ? undefined : { version, archive: kept.archive }
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
