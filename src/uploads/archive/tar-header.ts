// Is a header of 512 bytes one that every reader takes the same way? POSIX ustar and GNU
// tar, in the forms that packers write (POSIX.1-2017, pax, "ustar Interchange Format";
// Go 1.26, archive/tar/reader.go and format.go). Names are left to who reads the archive.
import { Fault } from './fault.ts'

export const BLOCK = 512

export interface TarHeader {
  /** The type flag: '0' is a file, '5' a directory, 'x', 'g' and 'L' extend what follows. */
  readonly type: string
  /** Bytes that follow. */
  readonly size: number
}

/** Checks a header. @throws Fault not_tar, corrupt, forbidden_entry */
export function checkHeader (block: Buffer): TarHeader {
  if (octalAt(block, 148, 8) !== checksumOf(block)) {
    throw new Fault('not_tar', 'the upload is gzip data, but not a tar archive')
  }
  if (!hasKnownForm(block)) throw new Fault('corrupt', 'the archive has a header that is neither POSIX nor GNU tar')
  const type = block[156] === 0 ? '0' : String.fromCharCode(block[156] as number)
  const size = octalAt(block, 124, 12)
  const mode = octalAt(block, 100, 8)
  if (size === undefined || mode === undefined) {
    throw new Fault('corrupt', 'the archive has a header with a size or mode that is no number')
  }
  if (!'05xgL'.includes(type)) {
    throw new Fault('forbidden_entry', 'the archive has an entry that is neither a file nor a directory')
  }
  // Go takes a file for a directory when its mode says so.
  const fileType = mode & 0o170000
  if (fileType !== 0 && fileType !== (type === '5' ? 0o040000 : 0o100000)) {
    throw new Fault('forbidden_entry', 'the archive has an entry whose mode and type do not agree')
  }
  // Some skip nothing for a directory, others what its size says.
  if (type === '5' && size > 0) throw new Fault('forbidden_entry', 'the archive has a directory with content')
  return { type, size }
}

/** Both forms leave the end of the block empty: with something there, Go finds other forms and names. */
function hasKnownForm (block: Buffer): boolean {
  const magic = block.toString('latin1', 257, 265)
  return (magic === 'ustar\x0000' && isZeros(block.subarray(500))) ||
    (magic === 'ustar  \0' && isZeros(block.subarray(345)))
}

function checksumOf (block: Buffer): number {
  let sum = 8 * 0x20
  for (let i = 0; i < 148; i++) sum += block[i] as number
  for (let i = 156; i < BLOCK; i++) sum += block[i] as number
  return sum
}

/** An octal number between spaces and NULs, empty is 0; undefined for anything else, such as GNU's binary numbers. */
function octalAt (block: Buffer, start: number, length: number): number | undefined {
  const digits = /^(?: *([0-7]+))?[ \0]*$/.exec(block.toString('latin1', start, start + length))
  return digits === null ? undefined : Number.parseInt(digits[1] ?? '0', 8)
}

const ZEROS = Buffer.alloc(64 * 1024)

/** True for nothing but zeros. Compared as memory: a hundred megabytes of them are a cheap thing to send. */
export function isZeros (bytes: Buffer): boolean {
  for (let start = 0; start < bytes.length; start += ZEROS.length) {
    const part = bytes.subarray(start, start + ZEROS.length)
    if (!part.equals(ZEROS.subarray(0, part.length))) return false
  }
  return true
}
