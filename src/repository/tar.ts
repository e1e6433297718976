// Which files are in this tar archive? What Go's archive/tar gives (Go 1.26, reader.go), on two
// ways: the plain case, as `helm package` writes it, from memory in one go; and everything else
// that Go reads, as it comes, with its words for what is wrong.
import { CUT_SHORT, EndOfFile, ReadFault } from './gunzip.ts'
import {
  BLOCK_SIZE, EMPTY_BLOCK, hasData, headerFault, readTarHeader, cTextAt, type GoTarHeader
} from './tar-header.ts'
import { mergePax, parsePax, type PaxRecords } from './tar-pax.ts'
import { checkSparse, LONGEST_SPECIAL, oldSparseMap, paxSparseMap, type SparsePart } from './tar-sparse.ts'

export interface TarFile {
  readonly name: string
  readonly data: Buffer
}

/** One entry, as Go's Reader.Next gives it. */
export interface TarEntry {
  readonly name: string
  readonly size: number
  readonly isFolder: boolean
  /** A link has none, whatever its size says. */
  readonly hasData: boolean
  /** Its bytes, once; without `keep` they are only read. Throws ReadFault. */
  data (keep: boolean): Promise<Buffer>
}

const DIRECTORY = 0o40000
const PERMISSIONS = 0o7777

/** By its type, or by a mode that says so (FileInfo.IsDir of Go). */
function isFolder ({ type, mode }: GoTarHeader): boolean {
  return type === '5' || (mode & ~PERMISSIONS) === DIRECTORY
}

// ---- the plain case --------------------------------------------------------------------

/** The files, or undefined when the archive is not plain. */
export function readPlainTar (tar: Buffer): TarFile[] | undefined {
  try {
    return plainFiles(tar)
  } catch {
    return undefined // what is wrong with it, the other way says
  }
}

function plainFiles (tar: Buffer): TarFile[] | undefined {
  const files: TarFile[] = []
  let at = 0
  while (at + BLOCK_SIZE <= tar.length) {
    const block = tar.subarray(at, at + BLOCK_SIZE)
    if (block.equals(EMPTY_BLOCK)) {
      return isEnd(tar.subarray(at + BLOCK_SIZE, at + 2 * BLOCK_SIZE)) ? files : undefined
    }
    const header = readTarHeader(block)
    const { name, type, size } = header
    const from = at + BLOCK_SIZE
    if (size < 0 || from + size > tar.length || isFolder(header) !== (type === '5')) return undefined
    if (type === '5') {
      if (size !== 0) return undefined
    } else if (type === '0' || type === '\0') {
      if (name === '' || name.endsWith('/')) return undefined
      files.push({ name, data: tar.subarray(from, from + size) })
    } else return undefined
    at = from + Math.ceil(size / BLOCK_SIZE) * BLOCK_SIZE
  }
  return undefined
}

/** What is behind an empty block: another one, or nothing at all. */
function isEnd (block: Buffer): boolean {
  return block.length === 0 || block.equals(EMPTY_BLOCK)
}

// ---- every case ------------------------------------------------------------------------

/** The entries; ends where Go says io.EOF. Throws ReadFault. */
export async function * readTar (bytes: AsyncGenerator<Buffer, never>): AsyncGenerator<TarEntry> {
  const reader = new TarReader(new ByteReader(bytes))
  try {
    for (;;) yield await reader.next()
  } catch (error) {
    if (!(error instanceof EndOfFile)) throw error
  } finally {
    await bytes.return(undefined as never)
  }
}

/** Bytes as they are asked for. */
class ByteReader {
  private readonly source: AsyncGenerator<Buffer, never>
  private chunk: Buffer = EMPTY_BLOCK.subarray(0, 0)
  private end: ReadFault | undefined

  constructor (source: AsyncGenerator<Buffer, never>) {
    this.source = source
  }

  /** So many bytes, or fewer at the end. */
  async take (count: number): Promise<Buffer> {
    const pieces: Buffer[] = []
    await this.pass(count, piece => { pieces.push(piece) })
    return pieces.length === 1 ? pieces[0] as Buffer : Buffer.concat(pieces)
  }

  /** How many of so many bytes there were. */
  async pass (count: number, use: (piece: Buffer) => void = () => {}): Promise<number> {
    let left = count
    while (left > 0) {
      if (this.chunk.length === 0 && !await this.read()) break
      const piece = this.chunk.subarray(0, left)
      this.chunk = this.chunk.subarray(piece.length)
      left -= piece.length
      use(piece)
    }
    return count - left
  }

  /** What is behind the last byte. */
  fault (): ReadFault {
    return this.end as ReadFault
  }

  private async read (): Promise<boolean> {
    try {
      this.chunk = (await this.source.next()).value
      return true
    } catch (error) {
      if (!(error instanceof ReadFault)) throw error
      this.end = error
      return false
    }
  }
}

class TarReader {
  private readonly bytes: ByteReader
  /** What is left of this entry's data, and behind it up to a block's end. */
  private left = 0
  private padding = 0

  constructor (bytes: ByteReader) {
    this.bytes = bytes
  }

  async next (): Promise<TarEntry> {
    let records: PaxRecords = new Map()
    let longName = ''
    for (;;) {
      await this.toNextHeader()
      const block = await this.readBlock()
      const header = readTarHeader(block)
      this.begin(header)
      switch (header.type) {
        case 'x':
          records = parsePax(await this.readSpecial())
          break
        case 'g':
          // An entry of its own, which Helm passes over: what was said before it is forgotten.
          parsePax(await this.readSpecial())
          records = new Map()
          longName = ''
          break
        case 'L': {
          const name = await this.readSpecial()
          longName = cTextAt(name, 0, name.length)
          break
        }
        case 'K':
          await this.readSpecial()
          break
        default: {
          mergePax(header, records)
          if (longName !== '') header.name = longName
          if (header.type === '\0') header.type = header.name.endsWith('/') ? '5' : '0'
          this.begin(header)
          const parts = header.type === 'S'
            ? await oldSparseMap(header, block, async () => await this.mustTake(BLOCK_SIZE))
            : await paxSparseMap(header, records, async () => await this.takeData(BLOCK_SIZE))
          if (parts !== undefined) checkSparse(header, parts)
          return this.entry(header, parts)
        }
      }
    }
  }

  private entry (header: GoTarHeader, parts: readonly SparsePart[] | undefined): TarEntry {
    const { name, type, size } = header
    const data = parts === undefined
      ? async (keep: boolean) => await this.plainData(keep)
      : async (keep: boolean) => await this.sparseData(size, parts, keep)
    return { name, size, isFolder: isFolder(header), hasData: hasData(type), data }
  }

  private begin ({ size, type }: GoTarHeader): void {
    const length = hasData(type) ? size : 0
    if (length < 0) throw headerFault()
    this.left = length
    this.padding = (BLOCK_SIZE - length % BLOCK_SIZE) % BLOCK_SIZE
  }

  /** An end in the padding is as good as any. */
  private async toNextHeader (): Promise<void> {
    await this.plainData(false)
    if (await this.bytes.pass(this.padding) < this.padding) throw this.bytes.fault()
    this.padding = 0
  }

  /** The next header; the end is two empty blocks, or one, or none. */
  private async readBlock (): Promise<Buffer> {
    const block = await this.takeBlock()
    if (!block.equals(EMPTY_BLOCK)) return block
    const second = await this.takeBlock()
    throw second.equals(EMPTY_BLOCK) ? new EndOfFile() : headerFault()
  }

  private async takeBlock (): Promise<Buffer> {
    const block = await this.bytes.take(BLOCK_SIZE)
    if (block.length === BLOCK_SIZE) return block
    throw block.length === 0 ? this.bytes.fault() : this.cutShort()
  }

  private cutShort (): ReadFault {
    const fault = this.bytes.fault()
    return fault instanceof EndOfFile ? new ReadFault(CUT_SHORT) : fault
  }

  private async mustTake (count: number): Promise<Buffer> {
    const taken = await this.bytes.take(count)
    if (taken.length < count) throw this.cutShort()
    return taken
  }

  /** So many bytes of this entry's data. */
  private async takeData (count: number): Promise<Buffer> {
    if (count > this.left) throw new ReadFault(CUT_SHORT)
    this.left -= count
    return await this.mustTake(count)
  }

  private async plainData (keep: boolean): Promise<Buffer> {
    const count = this.left
    this.left = 0
    if (keep) return await this.mustTake(count)
    if (await this.bytes.pass(count) < count) throw this.cutShort()
    return EMPTY_BLOCK
  }

  private async sparseData (size: number, parts: readonly SparsePart[], keep: boolean): Promise<Buffer> {
    const file = Buffer.alloc(keep ? size : 0)
    for (const { offset, length } of parts) {
      if (length > this.left) throw new ReadFault('archive/tar: sparse file references non-existent data')
      const data = await this.takeData(length)
      if (keep) data.copy(file, offset)
    }
    if (this.left > 0) throw new ReadFault('archive/tar: sparse file contains unreferenced data')
    return file
  }

  /** A header that is as long as data is. */
  private async readSpecial (): Promise<Buffer> {
    if (this.left > LONGEST_SPECIAL) throw new ReadFault('archive/tar: header field too long')
    return await this.plainData(true)
  }
}
