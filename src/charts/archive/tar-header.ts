// What does one block of 512 bytes say of the entry behind it? POSIX ustar and GNU tar,
// as Go's archive/tar reads them; a header that readers take differently is refused
// (POSIX.1-2017, pax, "ustar Interchange Format"; Go 1.25, archive/tar/reader.go).
import { Fault } from './fault.ts'

export const BLOCK = 512

export interface TarHeader {
  readonly name: string
  /** The type flag: '0' is a file, '5' a directory. */
  readonly type: string
  /** Bytes that follow. */
  readonly size: number
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Reads a header. @throws Fault not_tar, corrupt, unsafe_name, forbidden_entry */
export function readHeader (block: Buffer): TarHeader {
  if (readNumber(block, 148, 8) !== checksumOf(block)) throw new Fault('not_tar', 'the upload is gzip data, but not a tar archive')
  const format = formatOf(block)
  if (format === undefined) throw new Fault('corrupt', 'the archive has a header that is neither POSIX nor GNU tar')
  const prefix = format === 'ustar' ? readText(block.subarray(345, 500)) : ''
  const name = readText(block.subarray(0, 100))
  const type = block[156] === 0 ? '0' : String.fromCharCode(block[156] as number)
  // Go takes a file for a directory when its mode says so.
  const fileType = (readNumber(block, 100, 8) as number) & 0o170000
  if (fileType !== 0 && fileType !== (type === '5' ? 0o040000 : 0o100000)) throw new Fault('forbidden_entry', 'the archive has an entry whose mode and type do not agree')
  const size = readNumber(block, 124, 12)
  if (size === undefined) throw new Fault('corrupt', 'the archive has a header with a size that is no number')
  return { name: prefix === '' ? name : `${prefix}/${name}`, type, size }
}

/** Both forms leave the end of the block empty; what has something there is neither. */
function formatOf (block: Buffer): 'ustar' | 'gnu' | undefined {
  const isEmptyFrom = (start: number): boolean => block.subarray(start).every(byte => byte === 0)
  const magic = block.toString('latin1', 257, 265)
  if (magic === 'ustar\x0000' && isEmptyFrom(500)) return 'ustar'
  return magic === 'ustar  \0' && isEmptyFrom(345) ? 'gnu' : undefined
}

function checksumOf (block: Buffer): number {
  let sum = 0
  for (let i = 0; i < BLOCK; i++) sum += i >= 148 && i < 156 ? 0x20 : block[i] as number
  return sum
}

/** An octal number between spaces and NULs, empty is 0; undefined for anything else, such as GNU's binary numbers. */
function readNumber (block: Buffer, start: number, length: number): number | undefined {
  const digits = /^ *([0-7]*)[ \0]*$/.exec(block.toString('latin1', start, start + length))?.[1]
  return digits === undefined ? undefined : Number.parseInt('0' + digits, 8)
}

/** The bytes up to the first NUL. @throws Fault unsafe_name when they are not UTF-8 */
export function readText (bytes: Uint8Array): string {
  const end = bytes.indexOf(0)
  try {
    return utf8.decode(end < 0 ? bytes : bytes.subarray(0, end))
  } catch {
    throw new Fault('unsafe_name', 'the archive has an entry whose name is not UTF-8')
  }
}
