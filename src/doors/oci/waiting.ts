// Where does a push wait until its tag is put? In stateDir/spool/oci, one folder for all
// workers: in it a folder for each repository, with uploads that have begun under their id, and
// what is whole under its digest. No worker knows anything of a push that the folder does not
// say: how far an upload is is the length of its file, who writes it has renamed it meanwhile,
// and so each request of a push may come to another worker.
import { createHash, randomUUID, type Hash } from 'node:crypto'
import { link, mkdir, open, rename, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { RefusalError } from '../../http/errors.ts'
import { diskRefusalOf, limited, readSpooled, type Spool, type SpoolFile } from '../../uploads/spool.ts'
import type { WaitingLedger, WaitingPlace } from './waiting-ledger.ts'

/** What is named by its digest: a manifest is had as one alone. */
export type WaitingKind = 'blob' | 'manifest'

/** What waits under a digest. */
export interface WaitingFile {
  readonly path: string
  /** Bytes. */
  readonly size: number
}

export type Bytes = AsyncIterable<Uint8Array>

export interface Waiting {
  /** Begins an upload, and gives its id. @throws RefusalError when there are too many */
  begin (place: WaitingPlace): Promise<string>
  /** How many bytes it has. @throws RefusalError when there is none such */
  length (place: WaitingPlace, id: string): Promise<number>
  /**
   * Adds to it, all or nothing, and gives its new length.
   * @param at its length now, as who sends it knows it
   * @param size of what comes, if that was said
   * @throws RefusalError as above, when it is not so long, and when there is no room
   */
  append (place: WaitingPlace, id: string, part: UploadPart): Promise<number>
  /** Adds what is left, and lets it wait under its digest. @throws RefusalError as above; it is gone then */
  finish (place: WaitingPlace, id: string, part: UploadPart, hex: string): Promise<void>
  /** @throws RefusalError when there is none such */
  cancel (place: WaitingPlace, id: string): Promise<void>
  /** Lets content wait that comes at once. @throws RefusalError as above; nothing stays then */
  put (place: WaitingPlace, kind: WaitingKind, hex: string, body: Bytes): Promise<void>
  find (place: WaitingPlace, kind: WaitingKind, hex: string): Promise<WaitingFile | undefined>
  /** The same under a name of its own, which stays until it is removed. */
  hold (place: WaitingPlace, hex: string): Promise<SpoolFile | undefined>
  remove (place: WaitingPlace, kind: WaitingKind, hex: string): Promise<void>
  /** Bytes that came, ever, in this process. */
  written (): number
}

export interface UploadPart {
  readonly body: Bytes
  /** The length of the upload before it. */
  readonly at: number
  /** Its own, if that was said. */
  readonly size?: number
}

/** Of an upload that somebody writes to. */
const BUSY = '.busy'

/**
 * @param spool in whose bound it counts
 * @param most bytes of one upload, as it is now
 */
export function createWaiting (
  dir: string,
  ledger: WaitingLedger,
  spool: Pick<Spool, 'left'>,
  most: () => number
): Waiting {
  let written = 0
  const below = ({ name }: WaitingPlace, folder: string): string => join(dir, ...name.split('/'), folder)
  const uploadPath = (place: WaitingPlace, id: string): string => join(below(place, '_uploads'), id)
  const contentPath = (place: WaitingPlace, kind: WaitingKind, hex: string): string =>
    join(below(place, kind === 'blob' ? '_blobs' : '_manifests'), hex)

  async function make (place: WaitingPlace, name: string): Promise<string> {
    await ledger.admit(place)
    const path = uploadPath(place, name)
    try {
      await inFolder(below(place, '_uploads'), async () => { await writeFile(path, '', { flag: 'wx', mode: 0o600 }) })
    } catch (error) {
      ledger.give(place, { files: 1, bytes: 0 })
      throw diskRefusalOf(error)
    }
    return path
  }

  /** Who writes to an upload is alone with it. @throws RefusalError when it is not there, or not of this length */
  async function claim (place: WaitingPlace, id: string, at: number): Promise<string> {
    const path = uploadPath(place, id)
    const busy = path + BUSY
    if (!await done(rename(path, busy))) {
      throw new RefusalError({ code: await sizeOf(busy) === undefined ? 'oci_upload_unknown' : 'oci_upload_busy' })
    }
    if (await sizeOf(busy) === at) return busy
    await rename(busy, path)
    throw new RefusalError({ code: 'oci_upload_out_of_order' })
  }

  /** Writes a part behind what is there. @throws RefusalError, and what the body throws; nothing of it stays then */
  async function write (
    place: WaitingPlace,
    path: string,
    { body, at, size }: UploadPart,
    hash?: Hash
  ): Promise<number> {
    let length = at
    const counted = async function * (): Bytes {
      for await (const chunk of limited(body, most() - at)) {
        if (chunk.length > spool.left()) throw new RefusalError({ code: 'spool_full' })
        ledger.take(place, chunk.length)
        length += chunk.length
        written += chunk.length
        hash?.update(chunk)
        yield chunk
      }
    }
    try {
      await appendTo(path, counted())
      if (size !== undefined && length - at !== size) throw new RefusalError({ code: 'oci_size_invalid' })
      return length
    } catch (error) {
      ledger.give(place, { files: 0, bytes: length - at })
      await truncate(path, at)
      throw diskRefusalOf(error)
    }
  }

  async function drop (place: WaitingPlace, path: string): Promise<void> {
    const bytes = await sizeOf(path)
    if (bytes === undefined) return
    await rm(path, { force: true })
    ledger.give(place, { files: 1, bytes })
  }

  /** Lets a file wait under its digest, if it is that. @throws RefusalError when it is not, and it is gone then */
  async function settle (
    place: WaitingPlace,
    kind: WaitingKind,
    hex: string,
    path: string,
    part: UploadPart
  ): Promise<void> {
    try {
      const hash = createHash('sha256')
      if (part.at > 0) for await (const chunk of readSpooled({ path })) hash.update(chunk as Buffer)
      await write(place, path, part, hash)
      if (hash.digest('hex') !== hex) throw new RefusalError({ code: 'oci_digest_mismatch' })
      const target = contentPath(place, kind, hex)
      // In the place of the same from another push, which is there all the while.
      const before = await sizeOf(target)
      await inFolder(dirname(target), async () => { await rename(path, target) })
      if (before !== undefined) ledger.give(place, { files: 1, bytes: before })
    } catch (error) {
      await drop(place, path)
      throw error
    }
  }

  async function find (place: WaitingPlace, kind: WaitingKind, hex: string): Promise<WaitingFile | undefined> {
    const path = contentPath(place, kind, hex)
    const size = await sizeOf(path)
    return size === undefined ? undefined : { path, size }
  }

  return {
    find,
    async begin (place) {
      const id = randomUUID()
      await make(place, id)
      return id
    },
    async length (place, id) {
      const path = uploadPath(place, id)
      const size = await sizeOf(path) ?? await sizeOf(path + BUSY)
      if (size === undefined) throw new RefusalError({ code: 'oci_upload_unknown' })
      return size
    },
    async append (place, id, part) {
      const busy = await claim(place, id, part.at)
      try {
        return await write(place, busy, part)
      } finally {
        await rename(busy, uploadPath(place, id))
      }
    },
    async finish (place, id, part, hex) {
      const busy = await claim(place, id, part.at)
      await settle(place, 'blob', hex, busy, part)
    },
    async cancel (place, id) {
      const busy = await claim(place, id, await this.length(place, id))
      await drop(place, busy)
    },
    async put (place, kind, hex, body) {
      const path = await make(place, randomUUID() + BUSY)
      await settle(place, kind, hex, path, { body, at: 0 })
    },
    async hold (place, hex) {
      const held = join(below(place, '_held'), randomUUID())
      const path = contentPath(place, 'blob', hex)
      if (!await done(inFolder(dirname(held), async () => { await link(path, held) }))) return undefined
      const size = await sizeOf(held) as number // it is there until it is removed
      return { path: held, size, digest: hex, remove: async () => { await rm(held, { force: true }) } }
    },
    async remove (place, kind, hex) { await drop(place, contentPath(place, kind, hex)) },
    written: () => written
  }
}

// Every write is a trip to another thread.
const PIECE = 256 * 1024

/** Nothing of it is under way any more when this has returned, or thrown. */
async function appendTo (path: string, body: Bytes): Promise<void> {
  const file = await open(path, 'a')
  try {
    let pieces: Uint8Array[] = []
    let length = 0
    const flush = async (): Promise<void> => {
      await file.appendFile(Buffer.concat(pieces))
      pieces = []
      length = 0
    }
    for await (const chunk of body) {
      pieces.push(chunk)
      length += chunk.length
      if (length >= PIECE) await flush()
    }
    await flush()
  } finally {
    await file.close()
  }
}

async function sizeOf (path: string): Promise<number | undefined> {
  return (await stat(path).catch(() => undefined))?.size
}

/** True for what could be done; false where what it is done to is not there. */
async function done (work: Promise<unknown>): Promise<boolean> {
  try {
    await work
    return true
  } catch (error) {
    if (isMissing(error)) return false
    throw diskRefusalOf(error)
  }
}

function isMissing (error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT'
}

/** Makes the folder for it; once more where a look has found that empty, and removed it, between the two. */
async function inFolder (folder: string, work: () => Promise<void>): Promise<void> {
  const attempt = async (): Promise<void> => {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    await work()
  }
  const isDone = await attempt().then(() => true, (error: unknown) => {
    if (isMissing(error)) return false
    throw error
  })
  if (!isDone) await attempt()
}
