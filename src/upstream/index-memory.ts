// Which indexes are kept, and how much memory do they take? Each is counted with all that
// hangs on it, so that many small tenants are bounded as a few large ones are.
import { isUtf8 } from 'node:buffer'
import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import { constants, gzip } from 'node:zlib'
import { ownText } from '../lib/own-text.ts'

/** An index as clients get it. */
export interface Index {
  readonly ok: true
  readonly body: Buffer
  /**
   * What an answer is written from: for a small body a text of the same bytes, which Node
   * writes together with the head.
   */
  readonly payload: Buffer | string
  /** It has a version of a chart: one without a link is left out (index-rewrite.ts), and nothing else has one. */
  readonly hasCharts: boolean
  /** Strong (RFC 9110 section 8.8.1), in quotes. */
  readonly etag: string
  /** The body under gzip, made when somebody first wants it. */
  gzipped (): Promise<Buffer>
}

/** What is kept of a tenant. */
export interface KeptIndex {
  readonly raw: Buffer
  readonly index: Index
  /** When the upstream was asked for it. */
  askedAt: number
}

export interface IndexMemory {
  get (tenant: string): KeptIndex | undefined
  /** @param raw what was read @param body what is made of it; the same buffer when that is the same */
  put (tenant: string, raw: Buffer, body: Buffer, askedAt: number): Index
  forget (tenant: string): void
  /** Makes room when there is less of it by now, at the worst by forgetting everything. */
  shrink (): void
  /** Bytes that all of it takes. */
  readonly used: number
}

const deflate = promisify(gzip)
/**
 * Half of what is left of an index under gzip are digests, in which short repetitions are
 * chance: Z_FILTERED leaves those to the Huffman codes. An index of 1.86 MB is 10.1 times
 * smaller with it, and 9.6 times with the defaults, in about the same time.
 */
const GZIP_OPTIONS = { level: 8, memLevel: 9, strategy: constants.Z_FILTERED }

/** Where one write of head and body costs less than two. */
const LONGEST_TEXT = 16 * 1024

/**
 * Bytes that an entry takes besides its texts and buffers: objects, closures and their
 * contexts, its place in the map, and what the allocators leave between all of them
 * (an empty tenant takes 0.9 kB of the heap and 2.2 kB of the process, on Node 20).
 */
const ENTRY = 1_500
/** A buffer's own objects, in and beside the heap. */
const BUFFER = 400

interface Kept extends KeptIndex {
  /** The tenant's name, in memory of its own. */
  readonly name: string
  size: number
}

/**
 * Entries up to so many bytes; those that were not asked for the longest go first.
 * @param maxBytes as it is now
 */
export function createIndexMemory (maxBytes: () => number): IndexMemory {
  const entries = new Map<string, Kept>()
  let used = 0

  function forget (tenant: string): void {
    used -= entries.get(tenant)?.size ?? 0
    entries.delete(tenant)
  }

  function shrink (): void {
    for (const tenant of entries.keys()) {
      if (used <= maxBytes()) return
      forget(tenant)
    }
  }

  return {
    get used () { return used },
    get (tenant) {
      const entry = entries.get(tenant)
      if (entry === undefined) return undefined
      entries.delete(tenant)
      entries.set(entry.name, entry)
      return entry
    },
    put (tenant, raw, body, askedAt) {
      forget(tenant)
      const own = ownMemory(raw)
      const index = indexOf(raw === body ? own : ownMemory(body), zipped => {
        if (entries.get(entry.name) !== entry) return
        entry.size += sizeOf(zipped)
        used += sizeOf(zipped)
        shrink()
      })
      const texts = 2 * (tenant.length + (typeof index.payload === 'string' ? index.payload.length : 0))
      const bodies = sizeOf(own) + (raw === body ? 0 : sizeOf(index.body))
      const entry: Kept = { name: ownText(tenant), raw: own, index, askedAt, size: ENTRY + texts + bodies }
      entries.set(entry.name, entry)
      used += entry.size
      shrink()
      return index
    },
    forget,
    shrink
  }
}

function indexOf (body: Buffer, zippedNow: (zipped: Buffer) => void): Index {
  let zipped: Promise<Buffer> | undefined
  return {
    ok: true,
    body,
    payload: body.length <= LONGEST_TEXT && isUtf8(body) ? body.toString('utf8') : body,
    hasCharts: body.includes('urls'),
    etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`,
    gzipped () {
      zipped ??= deflate(body, GZIP_OPTIONS).then(bytes => {
        const own = ownMemory(bytes)
        zippedNow(own)
        return own
      })
      return zipped
    }
  }
}

/** A buffer that holds its own bytes and no others: a small one is a part of 8 KiB that it would keep as a whole. */
function ownMemory (bytes: Buffer): Buffer {
  if (bytes.buffer.byteLength === bytes.length) return bytes
  const own = Buffer.allocUnsafeSlow(bytes.length)
  bytes.copy(own)
  return own
}

function sizeOf (bytes: Buffer): number {
  return BUFFER + bytes.length
}
