// How does what is attached lie on the disk? In one file for each: a line that says what it is,
// then its manifest and its blobs, one after the other. So it comes, is replaced and goes as a
// whole, in one step of the file system, whichever process does it and whenever that ends.
import { open, type FileHandle } from 'node:fs/promises'
import { unlessNoFile, withFile, writeWhole } from '../../files/whole.ts'
import { readSpooled } from '../../uploads/spool.ts'
import { isVersion } from '../../words/chart-names.ts'
import { isHex } from '../../words/digest.ts'
import { contentOf, type ContentBytes } from './entry.ts'
import type { Described } from './manifest.ts'
import { tagOfVersion } from './names.ts'
import { LONGEST_MANIFEST, isObject, jsonOf } from './read-manifest.ts'

/** What the first line says. All digests are SHA-256, in hex. */
export interface AttachmentHead {
  /** The manifest that it is attached to. */
  readonly subject: string
  /** Its own manifest says so, and not its tag alone. */
  readonly isReferrer: boolean
  /** That manifest is one that is attached, too. */
  readonly isNested: boolean
  /** The version, and the archive of it, without which it is not there. */
  readonly version: string
  readonly archive: string
  readonly manifest: Described
  readonly blobs: readonly Described[]
}

/** 256 blobs have a third of it. */
const LONGEST_HEAD = 64 * 1024
const LINE_END = 0x0a

/**
 * Writes it, on the disk when this returns, in the place of what has the path.
 * @param blobs files with the blobs of the head, in its order
 */
export async function writeAttachment (
  path: string,
  head: AttachmentHead,
  manifest: Buffer,
  blobs: readonly { readonly path: string }[]
): Promise<void> {
  await writeWhole(path, contents(head, manifest, blobs))
}

async function * contents (
  head: AttachmentHead,
  manifest: Buffer,
  blobs: readonly { readonly path: string }[]
): AsyncGenerator<Uint8Array> {
  yield Buffer.concat([Buffer.from(JSON.stringify(head) + '\n'), manifest])
  for (const blob of blobs) yield * readSpooled(blob) as AsyncIterable<Uint8Array>
}

/**
 * What a file says of itself; undefined for one that is none, or not there.
 * @throws what else keeps it from being read, as do the others
 */
export async function readHead (path: string): Promise<AttachmentHead | undefined> {
  return await withFile(path, async file => (await headOf(file))?.head)
}

/** Its manifest; undefined for one that is not there any more, or not whole. */
export async function readItsManifest (path: string): Promise<ContentBytes | undefined> {
  return await withFile(path, async file => {
    const found = await headOf(file)
    if (found === undefined) return undefined
    const { head: { manifest }, end } = found
    const bytes = Buffer.alloc(manifest.size)
    await file.read(bytes, 0, bytes.length, end)
    const content = contentOf(bytes)
    return content.hex === manifest.hex ? content : undefined
  })
}

/** A blob of it, as it comes from the disk; nothing, where it has none such any more. */
export async function * readItsBlob (path: string, hex: string): AsyncGenerator<Uint8Array> {
  const file = await unlessNoFile(open(path))
  try {
    const found = file === undefined ? undefined : await headOf(file)
    if (file === undefined || found === undefined) return
    const { head: { manifest, blobs }, end } = found
    const at = blobs.findIndex(blob => blob.hex === hex)
    const size = blobs[at]?.size ?? 0
    if (size === 0) return
    const start = blobs.slice(0, at).reduce((sum, blob) => sum + blob.size, end + manifest.size)
    yield * file.createReadStream({ start, end: start + size - 1, autoClose: false }) as AsyncIterable<Uint8Array>
  } finally {
    await file?.close()
  }
}

/** @returns it, and where it ends */
async function headOf (file: FileHandle): Promise<{ head: AttachmentHead, end: number } | undefined> {
  const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(LONGEST_HEAD), 0, LONGEST_HEAD, 0)
  const line = buffer.subarray(0, bytesRead).indexOf(LINE_END)
  const head = line < 0 ? undefined : jsonOf(buffer.subarray(0, line).toString('utf8'))
  return isHead(head) ? { head, end: line + 1 } : undefined
}

/** As it was written; anything else somebody has put there. */
function isHead (value: unknown): value is AttachmentHead {
  if (!isObject(value)) return false
  const { subject, isReferrer, isNested, version, archive, manifest, blobs } = value
  return isHex(subject) && isHex(archive) && typeof isReferrer === 'boolean' && typeof isNested === 'boolean' &&
    typeof version === 'string' && isVersion(version) && tagOfVersion(version) !== undefined &&
    isDescribed(manifest) && manifest.size <= LONGEST_MANIFEST && Array.isArray(blobs) && blobs.every(isDescribed)
}

function isDescribed (value: unknown): value is Described {
  return isObject(value) && isHex(value['hex']) && Number.isSafeInteger(value['size']) && Number(value['size']) >= 0
}
