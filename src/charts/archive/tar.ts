// Which entries does a tar archive have? Read as Go's archive/tar reads them, of which
// ChartMuseum and Helm are made, and only where every other reader takes them the same.
import type { ByteReader } from './bytes.ts'
import { Fault } from './fault.ts'
import { readPaxPath } from './pax.ts'
import { BLOCK, readHeader, readText, type TarHeader } from './tar-header.ts'

export interface TarEntry {
  readonly name: string
  readonly type: 'file' | 'directory' | 'other'
  /** Bytes. */
  readonly size: number
  /** The content, for whoever wants it: before the next entry is asked for. */
  read (): Promise<Buffer>
}

const MOST_ENTRIES = 10_000
// As in Go (archive/tar/common.go, maxSpecialFileSize).
const LONGEST_EXTENSION = 1024 * 1024

/** The entries in their order, to the end of the archive and what follows it. @throws Fault */
export async function * tarEntries (bytes: ByteReader): AsyncGenerator<TarEntry> {
  let entries = 0
  let extension: Extension | undefined
  for (;;) {
    const block = await bytes.take(BLOCK)
    if (block === undefined || isEmpty(block)) {
      await checkEnd(bytes, block !== undefined && extension === undefined)
      return
    }
    const header = readHeader(block)
    if (EXTENSIONS.has(header.type)) {
      const { path } = await readExtension(bytes, header)
      if (header.type === 'g') continue
      if (extension !== undefined) throw new Fault('forbidden_entry', 'the archive has two extended headers for one file')
      extension = { path }
      continue
    }
    if (++entries > MOST_ENTRIES) throw new Fault('too_many_entries', `the archive has more than ${MOST_ENTRIES} entries`)
    const body = new Body(bytes, header.size)
    yield { name: extension?.path ?? header.name, type: typeOf(header), size: header.size, read: async () => await body.read() }
    extension = undefined
    await body.skip()
  }
}

// Headers that speak of the next entry (pax 'x', GNU's long name 'L') or of all that follow ('g').
const EXTENSIONS: ReadonlySet<string> = new Set(['x', 'g', 'L'])

interface Extension { readonly path: string | undefined }

async function readExtension (bytes: ByteReader, { type, size }: TarHeader): Promise<Extension> {
  if (size > LONGEST_EXTENSION) throw new Fault('too_large', 'the archive has an extended header of more than 1 MiB')
  const body = await new Body(bytes, size).read()
  if (type === 'L') return { path: readLongName(body) }
  const path = readPaxPath(body)
  // One name for all files: GNU tar and others take it, Go does not.
  if (type === 'g' && path !== undefined) throw new Fault('forbidden_entry', 'the archive has an extended header that names all of its files')
  return { path }
}

function readLongName (body: Buffer): string {
  const end = body.indexOf(0)
  if (end <= 0 || body.subarray(end).some(byte => byte !== 0)) throw new Fault('unsafe_name', 'the archive has a long name that does not end where it should')
  return readText(body)
}

function typeOf ({ type, size }: TarHeader): TarEntry['type'] {
  // Go skips nothing for a directory, others skip what its size says.
  if (type === '5' && size > 0) throw new Fault('forbidden_entry', 'the archive has a directory with content')
  return type === '0' ? 'file' : type === '5' ? 'directory' : 'other'
}

/** The content of one entry and what fills up its last block. */
class Body {
  private readonly bytes: ByteReader
  private readonly size: number
  private done = false

  constructor (bytes: ByteReader, size: number) {
    this.bytes = bytes
    this.size = size
  }

  async read (): Promise<Buffer> {
    this.done = true
    const content = await this.bytes.take(this.size)
    if (content === undefined) throw cutOff()
    await this.pass(-this.size & (BLOCK - 1))
    return content
  }

  async skip (): Promise<void> {
    if (!this.done) await this.pass(Math.ceil(this.size / BLOCK) * BLOCK)
  }

  private async pass (length: number): Promise<void> {
    let passed = 0
    for await (const part of this.bytes.pass(length)) passed += part.length
    if (passed < length) throw cutOff()
  }
}

function cutOff (): Fault {
  return new Fault('truncated', 'the archive ends in the middle of a file')
}

/** Two empty blocks, and nothing but zeros after them: some readers stop at the first, others look behind both. */
async function checkEnd (bytes: ByteReader, begun: boolean): Promise<void> {
  const second = begun ? await bytes.take(BLOCK) : undefined
  if (second === undefined) throw new Fault('truncated', 'the archive has no end')
  if (!isEmpty(second)) throw somethingBehind()
  for await (const part of bytes.pass(Infinity)) if (!isEmpty(part)) throw somethingBehind()
}

function somethingBehind (): Fault {
  return new Fault('corrupt', 'the archive has something after its end')
}

const ZEROS = Buffer.alloc(BLOCK)

/** Compared block by block, as memory: a hundred megabytes of zeros are a cheap thing to send. */
function isEmpty (bytes: Buffer): boolean {
  for (let start = 0; start < bytes.length; start += BLOCK) {
    const block = bytes.subarray(start, start + BLOCK)
    if (!block.equals(ZEROS.subarray(0, block.length))) return false
  }
  return true
}
