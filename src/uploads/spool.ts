// Where do uploads wait while they are inspected? In files of this process alone
// (0600 in a 0700 folder), bounded in all, emptied at every start: a client as slow as
// it likes holds a file here and no connection to the upstream.
import { createHash, randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { chmod, mkdir, open, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { RefusalError, type ReasonCode } from '../http/errors.ts'

/** One spooled body or part of one. */
export interface SpoolFile {
  readonly path: string
  /** Bytes. */
  readonly size: number
  /** SHA-256, hex. */
  readonly digest: string
  /** Gives the room back. */
  remove (): Promise<void>
}

export interface Spool {
  /**
   * Writes everything that the source gives.
   * @throws RefusalError spool_full, spool_read_only, and whatever the source throws; nothing stays then
   */
  write (source: AsyncIterable<Uint8Array>): Promise<SpoolFile>
  /** How full it is, and what went through it. */
  standing (): SpoolStanding
  /** What else takes room in its bound, from now on. @param bytes as it is when it is asked */
  besides (bytes: () => number): void
  /** Bytes that it has room for now. */
  left (): number
}

/** All but `files` are bytes. */
export interface SpoolStanding {
  readonly used: number
  readonly files: number
  readonly max: number
  /** Ever. */
  readonly written: number
}

// Every piece is a trip to another thread.
const PIECE = 128 * 1024

/** What a file of the spool holds, from its start. */
export function readSpooled ({ path }: Pick<SpoolFile, 'path'>): Readable {
  return createReadStream(path, { highWaterMark: PIECE })
}

/** Opens the folder, empty. @param maxBytes of all uploads together, now */
export async function openSpool (dir: string, maxBytes: () => number): Promise<Spool> {
  await mkdir(dir, { recursive: true, mode: 0o700 })
  await chmod(dir, 0o700)
  for (const name of await readdir(dir)) await rm(join(dir, name), { recursive: true, force: true })
  let used = 0
  let written = 0
  let files = 0
  let others = (): number => 0
  const left = (): number => maxBytes() - used - others()

  return {
    standing: () => ({ used, files, max: maxBytes(), written }),
    besides (bytes) { others = bytes },
    left,
    async write (source) {
      const path = join(dir, randomUUID())
      const hash = createHash('sha256')
      let size = 0
      let isThere = false
      const remove = async (): Promise<void> => {
        used -= size
        size = 0
        if (isThere) files--
        isThere = false
        await rm(path, { force: true })
      }
      // before anything can fail: what is removed then is there
      const file = await open(path, 'wx', 0o600).catch((error: unknown) => { throw diskRefusalOf(error) })
      isThere = true
      files++
      const counted = async function * (): AsyncGenerator<Uint8Array> {
        for await (const chunk of source) {
          if (chunk.length > left()) throw new RefusalError({ code: 'spool_full' })
          used += chunk.length
          size += chunk.length
          written += chunk.length
          hash.update(chunk)
          yield chunk
        }
      }
      try {
        await pipeline(counted, file.createWriteStream({ highWaterMark: 2 * PIECE }))
      } catch (error) {
        await remove()
        throw diskRefusalOf(error)
      }
      return { path, size, digest: hash.digest('hex'), remove }
    }
  }
}

/** What the client is told of what the disk does not take; anything else is passed on as it is. */
export function diskRefusalOf (error: unknown): unknown {
  const code = DISK_MISTAKES[(error as NodeJS.ErrnoException).code ?? '']
  return code === undefined ? error : new RefusalError({ code }, { cause: error })
}

/**
 * A full disk a later attempt may not find; one that is read-only by now, as after an
 * error of it, somebody has to see to.
 */
const DISK_MISTAKES: Readonly<Record<string, ReasonCode>> = {
  ENOSPC: 'spool_full',
  EDQUOT: 'spool_full',
  EROFS: 'spool_read_only'
}

/** Passes a body on, up to `limit` bytes, the limit included as in ChartMuseum. @throws RefusalError body_too_large */
export async function * limited (source: AsyncIterable<Uint8Array>, limit: number): AsyncGenerator<Uint8Array> {
  let length = 0
  for await (const chunk of source) {
    length += chunk.length
    if (length > limit) throw new RefusalError({ code: 'body_too_large' })
    yield chunk
  }
}
