// Does every reader walk this tar archive the same way? A look at each header before
// tar-stream reads it: Go's archive/tar, of which ChartMuseum and Helm are made, and
// tar-stream part ways over ends in the middle, headers that extend other headers, and
// numbers in unusual forms, none of which tar-stream shows. What passes here they read alike.
import { Fault } from './fault.ts'
import { checkPax } from './pax.ts'
import { BLOCK, checkHeader, isZeros, type TarHeader } from './tar-header.ts'

const MOST_ENTRIES = 10_000
// A path of Linux has 4096 bytes at most, and what systems note besides is short; it is
// held in memory here and in tar-stream.
const LONGEST_EXTENSION = 64 * 1024

/** Passes the bytes of a tar archive on, each chunk once it was checked. @throws Fault */
export async function * checkTar (chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const walk = new Walk()
  for await (const chunk of chunks) {
    walk.push(chunk)
    yield chunk
  }
  walk.finish()
}

type TarPlace = 'header' | 'extension' | 'content' | 'second end' | 'behind the end'

class Walk {
  private place: TarPlace = 'header'
  /** Bytes of the current place that have not come yet. */
  private missing = BLOCK
  /** What has come of a header or extension. */
  private kept: Buffer[] = []
  private header: TarHeader = { type: '0', size: 0 }
  private entries = 0
  /** An extended header waits for its entry. */
  private extended = false

  push (chunk: Buffer): void {
    for (let at = 0; at < chunk.length;) {
      const part = chunk.subarray(at, at + this.missing)
      at += part.length
      this.missing -= part.length
      if (this.place === 'behind the end' && !isZeros(part)) throw somethingBehind()
      if (this.place !== 'content' && this.place !== 'behind the end') this.kept.push(part)
      if (this.missing === 0) this.arrive()
    }
  }

  finish (): void {
    // tar-stream holds what is no whole block for the start of another header.
    if (this.place !== 'behind the end' || this.missing % BLOCK !== 0) {
      throw new Fault('truncated', 'the archive ends before its end: ' +
        'in the middle of a file, or without the two empty blocks of an end')
    }
  }

  /** At the end of a place: looks at what was kept, and goes to the next. */
  private arrive (): void {
    const bytes = this.kept.length === 1 ? this.kept[0] as Buffer : Buffer.concat(this.kept)
    this.kept = []
    switch (this.place) {
      case 'header':
        if (isZeros(bytes)) this.endHere()
        else this.enter(checkHeader(bytes))
        return
      case 'extension':
        if (this.header.type !== 'L') checkPax(bytes, this.header.type as 'x' | 'g')
        this.goTo('content', -this.header.size & (BLOCK - 1))
        return
      case 'second end':
        // Some readers stop at one empty block, others read on behind both.
        if (!isZeros(bytes)) throw somethingBehind()
        this.goTo('behind the end', Number.MAX_SAFE_INTEGER - Number.MAX_SAFE_INTEGER % BLOCK)
        return
      default:
        this.goTo('header', BLOCK)
    }
  }

  private endHere (): void {
    if (this.extended) throw new Fault('truncated', 'the archive ends after an extended header, without its file')
    this.goTo('second end', BLOCK)
  }

  private enter (header: TarHeader): void {
    this.header = header
    const { type, size } = header
    const extends_ = type === 'x' || type === 'L'
    if (!extends_ && ++this.entries > MOST_ENTRIES) {
      throw new Fault('too_many_entries', `the archive has more than ${MOST_ENTRIES} entries`)
    }
    // Of two for one entry, or with a global one between, each reader takes another.
    if (this.extended && (extends_ || type === 'g')) {
      throw new Fault('forbidden_entry', 'the archive has two extended headers for one file')
    }
    this.extended = extends_
    if (!extends_ && type !== 'g') {
      this.goTo('content', Math.ceil(size / BLOCK) * BLOCK)
      return
    }
    if (size > LONGEST_EXTENSION) throw new Fault('too_large', 'the archive has an extended header of more than 64 KiB')
    // tar-stream takes the next file's content for that of an empty one.
    if (size === 0) throw new Fault('corrupt', 'the archive has an empty extended header')
    this.goTo('extension', size)
  }

  private goTo (place: TarPlace, length: number): void {
    this.place = place
    this.missing = length
    if (length === 0) this.arrive()
  }
}

function somethingBehind (): Fault {
  return new Fault('corrupt', 'the archive has something after its end')
}
