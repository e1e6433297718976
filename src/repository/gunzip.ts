// What is in this gzip file? Its bytes as Go's compress/gzip (Go 1.26, gunzip.go) gives them:
// one member behind the other, and what is wrong is said when a reader comes there, not before.
// So whoever has found the end of what it looks for never hears of what lies behind.
import { Readable } from 'node:stream'
import { crc32, createInflateRaw } from 'node:zlib'

/** Bytes from a place on, as often as that is asked for. */
export interface Rereadable {
  from (start: number): Readable
}

/** What a reader finds behind the last bytes that is wrong, in Go's words. */
export class ReadFault extends Error {}

/** There is nothing behind them, as there should be (io.EOF). */
export class EndOfFile extends ReadFault {
  constructor () {
    super('EOF')
  }
}

export const CUT_SHORT = 'unexpected EOF'
export const BAD_HEADER = 'gzip: invalid header'

export function rereadBuffer (bytes: Buffer): Rereadable {
  return { from: start => Readable.from([bytes.subarray(start)]) }
}

/** Each is a stream of its own here. A bgzip file has one for 64 KiB. */
const MOST_MEMBERS = 4096
/** The longest head of a member: 10 bytes, 64 KiB of extra fields, two texts, a checksum. */
const LONGEST_HEAD = 10 + 2 + 65_535 + 512 + 512 + 2
const LONGEST_HEAD_TEXT = 512
const TRAILER = 8

/** The bytes; throws ReadFault at their end, whatever it is. */
export async function * gunzip (source: Rereadable): AsyncGenerator<Buffer, never> {
  let at = 0
  for (let members = 0; members < MOST_MEMBERS; members++) {
    const head = await readAt(source, at, LONGEST_HEAD)
    if (members === 0 && head.length === 0) throw new ReadFault('EOF') // which is no end
    at += headLength(head)
    const inflate = createInflateRaw()
    const input = source.from(at)
    let fault: Error = new ReadFault(CUT_SHORT)
    inflate.on('error', ({ code }: NodeJS.ErrnoException) => {
      if (code !== 'Z_BUF_ERROR') fault = new ReadFault('flate: corrupt input')
    })
    input.on('error', error => {
      fault = error
      inflate.destroy()
    })
    input.pipe(inflate)
    let sum = 0
    let length = 0
    try {
      for await (const chunk of inflate as AsyncIterable<Buffer>) {
        sum = crc32(chunk, sum)
        length += chunk.length
        yield chunk
      }
    } catch {
      throw fault // what was thrown is only that it ended
    } finally {
      input.destroy()
      inflate.destroy()
    }
    at += inflate.bytesWritten
    const trailer = await readAt(source, at, TRAILER)
    if (trailer.length < TRAILER) throw new ReadFault(CUT_SHORT)
    if (trailer.readUInt32LE(0) !== sum || trailer.readUInt32LE(4) !== length % 2 ** 32) {
      throw new ReadFault('gzip: invalid checksum')
    }
    at += TRAILER
  }
  throw new ReadFault(`gzip: more than ${MOST_MEMBERS} files in one`)
}

async function readAt (source: Rereadable, start: number, most: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of source.from(start) as AsyncIterable<Buffer>) {
    // Of an archive in memory a chunk is all of the rest.
    const part = chunk.subarray(0, most - length)
    chunks.push(part)
    length += part.length
    if (length === most) break
  }
  return Buffer.concat(chunks, length)
}

/** How long the head of a member is (RFC 1952 section 2.3; readHeader). */
export function headLength (bytes: Buffer): number {
  if (bytes.length < 10) throw bytes.length === 0 ? new EndOfFile() : new ReadFault(CUT_SHORT)
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b || bytes[2] !== 8) throw new ReadFault(BAD_HEADER)
  const flags = bytes[3] as number
  let at = 10
  const need = (count: number): void => { if (at + count > bytes.length) throw new ReadFault(CUT_SHORT) }
  if ((flags & 4) !== 0) {
    need(2)
    const extra = bytes.readUInt16LE(at)
    at += 2
    need(extra)
    at += extra
  }
  for (const flag of [8, 16]) {
    if ((flags & flag) === 0) continue
    const end = bytes.subarray(0, at + LONGEST_HEAD_TEXT).indexOf(0, at)
    if (end < 0) throw new ReadFault(bytes.length >= at + LONGEST_HEAD_TEXT ? BAD_HEADER : CUT_SHORT)
    at = end + 1
  }
  if ((flags & 2) !== 0) {
    need(2)
    if (bytes.readUInt16LE(at) !== (crc32(bytes.subarray(0, at)) & 0xffff)) throw new ReadFault(BAD_HEADER)
    at += 2
  }
  return at
}
