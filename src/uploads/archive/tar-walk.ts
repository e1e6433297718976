// Which files are in a tar archive? The walk of archive/tar of Go 1.26 (reader.go, next), of
// which Helm and ChartMuseum are made, from header to header, in bounded memory: of a file's
// content only what is asked for is held. Refused is what Go refuses, and what
// leads other readers to another header or another name than Go.
import { Fault } from './fault.ts'
import { checkGlobalPax, readPax, type PaxFields } from './pax.ts'
import {
  BLOCK, damaged, hasTarChecksum, isZeros, numberAt, readTarHeader, tarText, type TarHeader
} from './tar-header.ts'

export interface TarEntry {
  /** As Go has it. */
  readonly name: string
  /** As somebody else may have it. */
  readonly otherNames: readonly string[]
  /** The one in its own header, where an extended header has another. */
  readonly coveredName: string | undefined
  /** `odd` is a file to Go, and perhaps to nobody else. */
  readonly kind: 'file' | 'folder' | 'link' | 'device' | 'odd'
  /** Bytes of the file. */
  readonly size: number
}

/** Is told of each entry, and gives who takes its content, if anybody does. */
export type TarVisitor = (entry: TarEntry) => ((content: Buffer) => void) | undefined

// Of Go (maxSpecialFileSize): a path of Linux has 4,096 bytes, but some systems note all that they know of a file.
const LONGEST_EXTENSION = 1024 * 1024

/** Reads an archive to its end. @throws Fault */
export async function walkTar (chunks: AsyncIterable<Buffer>, visit: TarVisitor): Promise<void> {
  const walk = new Walk(visit)
  for await (const chunk of chunks) walk.push(chunk)
  walk.finish()
}

type TarPlace = 'header' | 'extension' | 'sparse map' | 'content' | 'padding' | 'second end' | 'behind the end'

/** What came before the header of a file, for it. */
interface Extensions {
  pax?: PaxFields
  longName?: string
  longLink?: string
}

class Walk {
  private readonly visit: TarVisitor
  private place: TarPlace = 'header'
  /** Bytes of the current place that have not come yet. */
  private missing = BLOCK
  /** What has come of a place that is looked at as a whole. */
  private kept: Buffer[] = []
  private header: TarHeader | undefined
  private extensions: Extensions = {}
  /** Of a sparse file in GNU's old form. */
  private sparseSize = 0
  private receive: ((content: Buffer) => void) | undefined

  constructor (visit: TarVisitor) {
    this.visit = visit
  }

  push (chunk: Buffer): void {
    for (let at = 0; at < chunk.length;) {
      const part = chunk.subarray(at, at + this.missing)
      at += part.length
      this.missing -= part.length
      if (this.place === 'behind the end') {
        if (!isZeros(part)) throw somethingBehind()
      } else if (this.isKept()) this.kept.push(part)
      if (this.missing === 0) this.arrive()
    }
  }

  finish (): void {
    if (this.place !== 'behind the end') {
      throw new Fault('truncated', 'the archive ends before its end: ' +
        'in the middle of a file, or without the two empty blocks of an end')
    }
  }

  private isKept (): boolean {
    return this.place !== 'padding' && (this.place !== 'content' || this.receive !== undefined)
  }

  /** At the end of a place: looks at what was kept, and goes to the next. */
  private arrive (): void {
    const bytes = this.kept.length === 1 ? this.kept[0] as Buffer : Buffer.concat(this.kept)
    this.kept = []
    switch (this.place) {
      case 'header':
        if (isZeros(bytes)) this.endHere()
        else this.enter(bytes)
        return
      case 'extension':
        this.extend(bytes)
        this.goTo('padding', -bytes.length & (BLOCK - 1))
        return
      case 'sparse map':
        this.enterSparseMap(bytes[504] !== 0)
        return
      case 'content':
        this.receive?.(bytes)
        this.goTo('padding', -(this.header as TarHeader).size & (BLOCK - 1))
        return
      case 'second end':
        // Some readers stop at one empty block, others read on behind both.
        if (!isZeros(bytes)) throw somethingBehind()
        this.goTo('behind the end', Number.MAX_SAFE_INTEGER)
        return
      default:
        this.goTo('header', BLOCK)
    }
  }

  private goTo (place: TarPlace, length: number): void {
    this.place = place
    this.missing = length
    if (length === 0) this.arrive()
  }

  private endHere (): void {
    if (this.isExtended()) {
      throw new Fault('truncated', 'the archive ends after an extended header, without its file')
    }
    this.goTo('second end', BLOCK)
  }

  private isExtended (): boolean {
    return Object.keys(this.extensions).length > 0
  }

  private enter (block: Buffer): void {
    if (!hasTarChecksum(block)) {
      throw this.header === undefined
        ? new Fault('not_tar', 'the upload is gzip data, but not a tar archive')
        : damaged('a sum that is not its own')
    }
    const header = readTarHeader(block)
    this.header = header
    if ('xgLK'.includes(header.type)) this.enterExtension(header)
    else if (header.type === 'S') this.enterOldSparse(header, block)
    else this.enterFile(header)
  }

  private enterExtension ({ type, size }: TarHeader): void {
    const { pax, longName, longLink } = this.extensions
    // Of two for one entry, or with a global one between, each reader takes another.
    const isSecond = type === 'g' ? this.isExtended() : { x: pax, L: longName, K: longLink }[type] !== undefined
    if (isSecond) throw new Fault('forbidden_entry', 'the archive has two extended headers for one file')
    if (size > LONGEST_EXTENSION) throw new Fault('too_large', 'the archive has an extended header of more than 1 MiB')
    // Some take the next file's content for that of an empty one.
    if (size === 0) throw damaged('nothing in it that it could extend')
    this.goTo('extension', size)
  }

  private extend (bytes: Buffer): void {
    const { type } = this.header as TarHeader
    if (type === 'x') this.extensions.pax = readPax(bytes)
    else if (type === 'L') this.extensions.longName = tarText(bytes)
    else if (type === 'K') this.extensions.longLink = tarText(bytes)
    else checkGlobalPax(bytes)
  }

  private nameOf ({ name }: TarHeader): string {
    const { pax, longName = '' } = this.extensions
    return pax?.sparse?.name ?? (longName === '' ? pax?.path ?? name : longName)
  }

  /** Those that are in the header and before it, and are not the one that counts. */
  private otherNamesOf (header: TarHeader, name: string): readonly string[] {
    const { pax, longName = '' } = this.extensions
    const doubtful = longName !== '' || pax?.sparse?.name !== undefined ? [pax?.path, longName] : []
    return [header.otherName, pax?.otherName, ...doubtful]
      .filter((each): each is string => each !== undefined && each !== '' && each !== name)
  }

  /** @param kind and @param realSize of the file, when they are not what the header says */
  private enterFile (header: TarHeader, kind?: 'odd', realSize?: number): void {
    const { pax } = this.extensions
    const { size } = header
    if (pax?.size !== undefined && pax.size !== size) {
      throw new Fault('forbidden_entry', 'the archive has an extended header with another size than its file')
    }
    const name = this.nameOf(header)
    const isAlone = isHeaderOnly(header, name)
    // Some skip nothing for it, others what its size says.
    if (isAlone && size > 0) throw new Fault('forbidden_entry', 'the archive has a folder or a link with content')
    this.receive = this.visit({
      name,
      otherNames: this.otherNamesOf(header, name),
      coveredName: header.name === name ? undefined : header.name,
      kind: hasModeOfFolder(header) ? 'folder' : kind ?? (pax?.sparse === undefined ? kindOf(header, name) : 'odd'),
      size: realSize ?? pax?.sparse?.size ?? size
    })
    this.extensions = {}
    this.goTo('content', size)
  }

  private enterOldSparse (header: TarHeader, block: Buffer): void {
    if (header.format !== 'gnu') throw damaged('a sparse file of another form than GNU\'s')
    this.sparseSize = Number(numberAt(block, 483, 12))
    this.enterSparseMap(block[482] !== 0)
  }

  /** The map of a sparse file goes on in blocks between header and content. */
  private enterSparseMap (goesOn: boolean): void {
    if (goesOn) this.goTo('sparse map', BLOCK)
    else this.enterFile(this.header as TarHeader, 'odd', this.sparseSize)
  }
}

/** Types that have a header and nothing behind it (format.go, isHeaderOnlyType). */
function isHeaderOnly ({ type }: TarHeader, name: string): boolean {
  return '123456'.includes(type) || (type === '\0' && name.endsWith('/'))
}

function kindOf ({ type }: TarHeader, name: string): TarEntry['kind'] {
  if (type === '\0') return name.endsWith('/') ? 'folder' : 'file'
  return KINDS[type] ?? 'odd'
}

const KINDS: Readonly<Record<string, TarEntry['kind']>> = {
  0: 'file', 1: 'link', 2: 'link', 3: 'device', 4: 'device', 5: 'folder', 6: 'device', 7: 'file'
}

/** Go takes a file for a folder when its mode says so, and reads it past all the same. */
function hasModeOfFolder ({ mode }: TarHeader): boolean {
  return (BigInt.asUintN(32, mode) & ~0o7777n) === 0o40000n
}

function somethingBehind (): Fault {
  return new Fault('corrupt', 'the archive has something after its end')
}
