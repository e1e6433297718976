// What is attached to the charts of a registry? A file for each (attachment-file.ts), in a folder
// of its chart's in stateDir/oci, which all workers share. What is known of a folder is what was
// read last, while the folder is as it was then: no worker has to be told of anything.
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { stateOf } from '../../files/state.ts'
import { tidyFolder, unlessNoFile } from '../../files/whole.ts'
import { putBounded } from '../../lib/put-bounded.ts'
import { someAtOnce } from '../../lib/some-at-once.ts'
import { isHex } from '../../words/digest.ts'
import { readHead, readItsBlob, readItsManifest, writeAttachment, type AttachmentHead } from './attachment-file.ts'
import type { ContentBytes } from './entry.ts'
import { subjectOfTag, type OciRepository } from './names.ts'
import { partsIn } from './repository-folders.ts'

/** One that is there; whether its chart is, nobody has looked. */
export interface Attachment extends AttachmentHead {
  /** Of its file: cosign's tag, or the SHA-256 of its manifest. */
  readonly name: string
  /** That it takes on the disk. */
  readonly bytes: number
}

export type AttachmentPlace = Pick<OciRepository, 'name'>

/** What cannot be read now is not taken for what is not there: then they reject. */
export interface Attachments {
  /** All of a repository. */
  of (place: AttachmentPlace): Promise<readonly Attachment[]>
  /** Bytes on the disk of all that a tenant has. */
  bytesOfTenant (tenant: Pick<OciRepository, 'tenantPath'>): Promise<number>
  /** Keeps one, durably, in the place of what has its name. */
  put (
    place: AttachmentPlace,
    name: string,
    head: AttachmentHead,
    manifest: Buffer,
    blobs: readonly { readonly path: string }[]
  ): Promise<void>
  /** Removes those that are to go, and what is attached to one that is not there. */
  remove (place: AttachmentPlace, isGone: (attachment: Attachment) => boolean): Promise<void>
  /** Its manifest as it is now; undefined when it is not there any more. */
  manifest (place: AttachmentPlace, name: string): Promise<ContentBytes | undefined>
  /** A blob of it; nothing when it is not there any more. */
  blob (place: AttachmentPlace, name: string, hex: string): AsyncGenerator<Uint8Array>
  /**
   * Removes what a process has begun to write, and what it has begun to remove, and ended before it had.
   * @param age milliseconds that it is old
   */
  tidy (place: AttachmentPlace, age: number): Promise<void>
}

const FOLDER = '_attachments'
/** What a small file takes of most disks. */
const BLOCK = 4096

/**
 * Digests that all that is attached to a chart may have, of manifests and blobs: who asks for one has
 * it looked for among them.
 */
export const MOST_DIGESTS = 4_000
/** Folders of which everything is remembered, and of which it is how many bytes they have. */
const MOST_REMEMBERED = 64
const MOST_SUMS = 10_000
/** Files of a folder that are open at once while it is read. */
const AT_ONCE = 16

interface LookedAt {
  readonly stamp: string
  readonly attachment: Attachment
}

interface Sum {
  /** Of the folder, as with a look. */
  readonly stamp: string
  readonly bytes: number
}

interface Look {
  /** Of the folder, before it was read; '' while another change may give it the same. */
  readonly stamp: string
  readonly files: ReadonlyMap<string, LookedAt>
  readonly all: readonly Attachment[]
}

/** @param dir with a folder for each repository, or for the parts of its name */
export function createAttachments (dir: string): Attachments {
  const remembered = new Map<string, Look>()
  const sums = new Map<string, Sum>()
  const folderOf = ({ name }: AttachmentPlace): string => join(dir, ...name.split('/'), FOLDER)

  async function look (folder: string): Promise<readonly Attachment[]> {
    const found = await stateOf(folder)
    if (found === undefined) {
      remembered.delete(folder)
      return []
    }
    const before = remembered.get(folder)
    if (before?.stamp === found.stamp) return before.all
    const names = (await unlessNoFile(readdir(folder)) ?? []).filter(isName)
    const files = new Map(before?.files)
    for (const name of files.keys()) if (!names.includes(name)) files.delete(name)
    await someAtOnce(names, AT_ONCE, async name => {
      const read = await readAnew(folder, name, files.get(name))
      if (read === undefined) files.delete(name)
      else files.set(name, read)
    })
    const all = [...files.values()].map(({ attachment }) => attachment)
    const stamp = found.isSettled ? found.stamp : ''
    putBounded(remembered, folder, { stamp, files, all }, MOST_REMEMBERED)
    putBounded(sums, folder, { stamp, bytes: all.reduce((sum, { bytes }) => sum + bytes, 0) }, MOST_SUMS)
    return all
  }

  /** Of a tenant with many charts nothing is read again but what has changed. */
  async function bytesIn (folder: string): Promise<number> {
    const found = await stateOf(folder)
    if (found === undefined) return 0
    const known = sums.get(folder)
    return known?.stamp === found.stamp
      ? known.bytes
      : (await look(folder)).reduce((sum, { bytes }) => sum + bytes, 0)
  }

  return {
    of: async place => await look(folderOf(place)),
    async bytesOfTenant ({ tenantPath }) {
      const above = join(dir, ...tenantPath.split('/'))
      let bytes = 0
      for (const chart of await partsIn(above)) bytes += await bytesIn(join(above, chart, FOLDER))
      return bytes
    },
    async put (place, name, head, manifest, blobs) {
      await writeAttachment(join(folderOf(place), name), head, manifest, blobs)
    },
    async remove (place, isGone) {
      let going = goingIn(await this.of(place), isGone)
      while (going.length > 0) {
        for (const { name } of going) await rm(join(folderOf(place), name), { force: true })
        going = goingIn(await this.of(place), () => false) // what came meanwhile
      }
    },
    manifest: async (place, name) => await readItsManifest(join(folderOf(place), name)),
    blob: (place, name, hex) => readItsBlob(join(folderOf(place), name), hex),
    async tidy (place, age) {
      await tidyFolder(folderOf(place), age)
      await this.remove(place, () => false)
    }
  }
}

function isName (name: string): boolean {
  return isHex(name) || subjectOfTag(name) !== undefined
}

async function readAnew (folder: string, name: string, before: LookedAt | undefined): Promise<LookedAt | undefined> {
  // What is named by its digest is the same whenever it is there; a tag may be of another one.
  if (before !== undefined && isHex(name)) return before
  const path = join(folder, name)
  const found = await stateOf(path)
  if (found?.stamp === before?.stamp) return before
  const head = await readHead(path)
  if (found === undefined || head === undefined) return undefined
  return { stamp: found.stamp, attachment: { ...head, name, bytes: Math.ceil(found.size / BLOCK) * BLOCK } }
}

/** Those that go, and with them what is attached to something attached that is not there any more. */
function goingIn (all: readonly Attachment[], isGone: (attachment: Attachment) => boolean): readonly Attachment[] {
  /** How many there are of a manifest: by its digest and by a tag. */
  const left = new Map<string, number>()
  const nested = new Map<string, Attachment[]>()
  for (const each of all) {
    left.set(each.manifest.hex, (left.get(each.manifest.hex) ?? 0) + 1)
    if (each.isNested) nested.set(each.subject, [...nested.get(each.subject) ?? [], each])
  }
  const going = new Set(all.filter(each => isGone(each) || (each.isNested && !left.has(each.subject))))
  for (const { manifest: { hex } } of going) { // also over those that are added meanwhile
    left.set(hex, (left.get(hex) as number) - 1)
    if (left.get(hex) === 0) for (const each of nested.get(hex) ?? []) going.add(each)
  }
  return [...going]
}
