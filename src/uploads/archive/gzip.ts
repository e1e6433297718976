// Which bytes does a gzip file hold? One member, whole, with nothing after it: readers
// differ in what they make of more members and of what follows them (RFC 1952).
import type { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { Fault } from './fault.ts'
import { FIRST_BYTES, otherThanGzip } from './first-bytes.ts'

/** The 100 MiB of files that Helm reads, and room for what a tar archive has beside them. */
const MOST_INFLATED = 128 * 1024 * 1024
const CHUNK = 64 * 1024

/**
 * Inflates a gzip file of `size` bytes piece by piece, 128 MiB at most, and lets the
 * source go in the end. Whoever reads on to the end has read all that any reader finds.
 * @throws Fault empty, not_gzip, truncated, corrupt, too_large; and what the source throws
 */
export async function * inflate (source: Readable, size: number): AsyncGenerator<Buffer> {
  const gunzip = createGunzip({ chunkSize: CHUNK })
  let firstBytes: Buffer = Buffer.alloc(0)
  let lastBytes: Buffer = Buffer.alloc(0)
  source.on('data', (chunk: Buffer) => {
    if (firstBytes.length < FIRST_BYTES) firstBytes = Buffer.concat([firstBytes, chunk.subarray(0, FIRST_BYTES)])
    lastBytes = Buffer.concat([lastBytes, chunk.subarray(-4)]).subarray(-4)
  })
  source.on('error', (error: Error) => { gunzip.destroy(error) })
  source.pipe(gunzip)
  let inflated = 0
  try {
    for await (const chunk of gunzip as AsyncIterable<Buffer>) {
      inflated += chunk.length
      if (inflated > MOST_INFLATED) {
        throw new Fault('too_large', `the archive inflates to more than ${MOST_INFLATED / 1024 / 1024} MiB`)
      }
      yield chunk
    }
  } catch (error) {
    throw asFault(error, size, firstBytes)
  } finally {
    source.destroy()
    gunzip.destroy()
  }
  // The last four bytes are the size of the last member: another one before it, or
  // anything behind it that is passed over, shows in one of the two.
  if (gunzip.bytesWritten !== size || lastBytes.readUInt32LE() !== inflated) {
    throw new Fault('corrupt', 'the archive is more than one gzip file: something follows its end')
  }
}

function asFault (error: unknown, size: number, firstBytes: Buffer): unknown {
  const { code, message } = error as NodeJS.ErrnoException
  if (code === 'Z_BUF_ERROR') {
    return size === 0
      ? new Fault('empty', 'the upload is empty')
      : new Fault('truncated', 'the archive is not complete')
  }
  if (code !== 'Z_DATA_ERROR') return error
  const knownAs = otherThanGzip(firstBytes)
  return message === 'incorrect header check'
    ? new Fault('not_gzip', knownAs ?? 'the upload is not a gzip archive, or something follows its end')
    : new Fault('corrupt', 'the archive is damaged: its bytes are no gzip data')
}
