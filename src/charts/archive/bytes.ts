// A stream of chunks, read by length.
import { Fault } from './fault.ts'

export class ByteReader {
  private readonly chunks: AsyncIterator<Buffer>
  private rest: Buffer = Buffer.alloc(0)

  constructor (source: AsyncIterable<Buffer>) {
    this.chunks = source[Symbol.asyncIterator]()
  }

  /** The next bytes in one buffer; undefined at the end. @throws Fault truncated in the middle */
  async take (length: number): Promise<Buffer | undefined> {
    const parts: Buffer[] = []
    let missing = length
    for await (const part of this.pass(length)) {
      parts.push(part)
      missing -= part.length
    }
    if (missing === 0) return parts.length === 1 ? parts[0] : Buffer.concat(parts)
    if (missing === length) return undefined
    throw new Fault('truncated', 'the archive ends in the middle of a file')
  }

  /** The next bytes in pieces, as many as there are. */
  async * pass (length: number): AsyncGenerator<Buffer> {
    for (let missing = length; missing > 0;) {
      if (this.rest.length === 0) {
        const { value, done } = await this.chunks.next() as IteratorResult<Buffer, undefined>
        if (done === true) return
        this.rest = value
      }
      const part = this.rest.subarray(0, missing)
      this.rest = this.rest.subarray(part.length)
      missing -= part.length
      yield part
    }
  }

  /** Reads nothing more, and lets the source go. */
  async close (): Promise<void> {
    await this.chunks.return?.()
  }
}
