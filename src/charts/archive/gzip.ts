// Which bytes does a gzip file hold? One member, whole, with nothing after it: readers
// differ in what they make of more members and of what follows them (RFC 1952).
import { once } from 'node:events'
import { createGunzip, type Gunzip } from 'node:zlib'
import { Fault } from './fault.ts'

const MOST_INFLATED = 100 * 1024 * 1024

/**
 * Inflates a gzip file piece by piece, 100 MiB at most. Whoever reads on to the end has
 * read all that any reader finds.
 * @throws Fault empty, not_gzip, truncated, corrupt, too_large; and what the source throws
 */
export async function * inflate (source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const gunzip = createGunzip()
  const input = new Input(source, gunzip)
  const feeding = input.feed()
  feeding.catch((error: Error) => { gunzip.destroy(error) })
  let inflated = 0
  try {
    for await (const chunk of gunzip as AsyncIterable<Buffer>) {
      inflated += chunk.length
      if (inflated > MOST_INFLATED) throw new Fault('too_large', `the archive inflates to more than ${MOST_INFLATED / 1024 / 1024} MiB`)
      yield chunk
    }
    await feeding
  } catch (error) {
    throw asFault(error, input.length)
  } finally {
    gunzip.destroy()
  }
  // The last four bytes are the size of the last member: another one before it, or
  // anything behind it, shows in one of the two.
  if (gunzip.bytesWritten !== input.length || input.lastWord() !== inflated) throw new Fault('corrupt', 'the archive is more than one gzip file: something follows its end')
}

function asFault (error: unknown, length: number): unknown {
  const { code, message } = error as NodeJS.ErrnoException
  if (code === 'Z_BUF_ERROR') return length === 0 ? new Fault('empty', 'the upload is empty') : new Fault('truncated', 'the archive is not complete')
  if (code === 'Z_DATA_ERROR') return message === 'incorrect header check' ? new Fault('not_gzip', 'the upload is not a gzip archive') : new Fault('corrupt', 'the archive is damaged: its bytes are no gzip data')
  return error
}

/** Feeds the inflater, and remembers what it fed. */
class Input {
  length = 0
  private last = Buffer.alloc(0)
  private readonly source: AsyncIterable<Buffer>
  private readonly gunzip: Gunzip
  private readonly closed: Promise<unknown>

  constructor (source: AsyncIterable<Buffer>, gunzip: Gunzip) {
    this.source = source
    this.gunzip = gunzip
    // An inflater that has seen its end takes no more, and says `drain` to nobody.
    this.closed = new Promise(resolve => { gunzip.once('end', resolve).once('close', resolve) })
  }

  async feed (): Promise<void> {
    for await (const chunk of this.source) {
      this.length += chunk.length
      this.last = Buffer.concat([this.last, chunk.subarray(-4)]).subarray(-4)
      // Behind its end, only the length of what comes still matters; and nothing after a fault.
      if (this.gunzip.readableEnded || this.gunzip.destroyed) continue
      if (!this.gunzip.write(chunk)) await Promise.race([once(this.gunzip, 'drain'), this.closed])
    }
    this.gunzip.end()
  }

  /** The last four bytes as a number, little-endian. */
  lastWord (): number {
    return this.last.readUInt32LE()
  }
}
