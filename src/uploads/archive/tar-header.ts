// What does Go find in a tar header of 512 bytes? A port of archive/tar of Go 1.26 (reader.go,
// readHeader; format.go, getFormat; strconv.go), which takes every form of tar there has
// been, and refuses a header with one number that is none. Where another reader finds
// another name in the same header, that one is told too.
import { Fault } from './fault.ts'

export const BLOCK = 512

/** POSIX and GNU tar, Schilling's, and everything before them. */
type TarFormat = 'ustar' | 'star' | 'gnu' | 'v7'

export interface TarHeader {
  readonly format: TarFormat
  /** The type flag: '0' and NUL are a file, '5' a directory, 'x', 'g', 'L' and 'K' extend what follows. */
  readonly type: string
  readonly name: string
  /** What other readers take for the name, where it is not the same. */
  readonly otherName: string | undefined
  /** Bytes that follow. */
  readonly size: number
  readonly mode: bigint
}

/** Reads a header. @throws Fault corrupt */
export function readTarHeader (block: Buffer): TarHeader {
  const format = formatOf(block)
  const size = numberAt(block, 124, 12)
  const mode = numberAt(block, 100, 8)
  for (const [at, length] of OTHER_NUMBERS[format]) numberAt(block, at, length)
  if (size < 0n || size > BigInt(Number.MAX_SAFE_INTEGER)) throw damaged('a size that is none')
  // Where a number begins with NUL, others find it empty, and the next header in another place.
  if (block[124] === 0 && size !== 0n) throw damaged('a size behind a NUL')
  return { format, type: block.toString('latin1', 156, 157), ...namesOf(block, format), size: Number(size), mode }
}

/** True when the sum in a header is that of its bytes, which may have been summed up with or without their signs. */
export function hasTarChecksum (block: Buffer): boolean {
  let [unsigned, signed] = [0, 0]
  for (let i = 0; i < BLOCK; i++) {
    const byte = i >= 148 && i < 156 ? 0x20 : block[i] as number
    unsigned += byte
    signed += byte < 0x80 ? byte : byte - 0x100
  }
  const sum = octalOf(block.subarray(148, 156))
  return sum === BigInt(unsigned) || sum === BigInt(signed)
}

type Place = readonly [at: number, length: number]
const UID_GID_MTIME: readonly Place[] = [[108, 8], [116, 8], [136, 12]]
const DEVICE: readonly Place[] = [[329, 8], [337, 8]]
/** Numbers that must be some, whatever they are. */
const OTHER_NUMBERS: Readonly<Record<TarFormat, readonly Place[]>> = {
  v7: UID_GID_MTIME,
  gnu: [...UID_GID_MTIME, ...DEVICE],
  ustar: [...UID_GID_MTIME, ...DEVICE],
  star: [...UID_GID_MTIME, ...DEVICE, [476, 12], [488, 12]]
}
const GNU_TIMES: readonly Place[] = [[345, 12], [357, 12]]

function formatOf (block: Buffer): TarFormat {
  const magic = block.toString('latin1', 257, 265)
  if (magic.startsWith('ustar\0')) return block.toString('latin1', 508) === 'tar\0' ? 'star' : 'ustar'
  return magic === 'ustar  \0' ? 'gnu' : 'v7'
}

function namesOf (block: Buffer, format: TarFormat): Pick<TarHeader, 'name' | 'otherName'> {
  const name = tarText(block.subarray(0, 100))
  const prefix = tarText(block.subarray(345, 500))
  const long = prefix === '' ? name : `${prefix}/${name}`
  switch (format) {
    case 'ustar': return { name: long, otherName: undefined }
    case 'star': {
      const short = tarText(block.subarray(345, 476))
      return different(short === '' ? name : `${short}/${name}`, long)
    }
    case 'gnu':
      // Two times there; where they are none, Go takes them for a prefix that it once wrote itself.
      return GNU_TIMES.every(place => hasTimeAt(block, place)) || !isAscii(prefix)
        ? { name, otherName: undefined }
        : different(long, name)
    // A magic that is nearly one of the others' is theirs to some.
    default: return different(name, block.toString('latin1', 257, 262) === 'ustar' ? long : name)
  }
}

function different (name: string, otherName: string): Pick<TarHeader, 'name' | 'otherName'> {
  return { name, otherName: otherName === name ? undefined : otherName }
}

function hasTimeAt (block: Buffer, [at, length]: Place): boolean {
  return block[at] === 0 || numberOf(block.subarray(at, at + length)) !== undefined
}

function isAscii (text: string): boolean {
  // eslint-disable-next-line no-control-regex
  return /^[\x01-\x7f]*$/.test(text)
}

/** A text up to its first NUL. */
export function tarText (bytes: Buffer): string {
  const end = bytes.indexOf(0)
  return bytes.toString('utf8', 0, end < 0 ? bytes.length : end)
}

/** A number in a header. @throws Fault corrupt */
export function numberAt (block: Buffer, at: number, length: number): bigint {
  const value = numberOf(block.subarray(at, at + length))
  if (value === undefined) throw damaged('a number that is none')
  return value
}

/** In base 256 or in octal; undefined for what is no number of 64 bits. */
function numberOf (bytes: Buffer): bigint | undefined {
  const first = bytes[0] as number
  if ((first & 0x80) === 0) return octalOf(bytes)
  const isNegative = (first & 0x40) !== 0
  let value = BigInt(isNegative ? ~first & 0x7f : first & 0x7f)
  for (const byte of bytes.subarray(1)) value = (value << 8n) | BigInt(isNegative ? ~byte & 0xff : byte)
  if (value >= 2n ** 63n) return undefined
  return isNegative ? -value - 1n : value
}

/** What is left between spaces and NULs, up to another NUL; nothing is 0. */
function octalOf (bytes: Buffer): bigint | undefined {
  let [start, end] = [0, bytes.length]
  while (start < end && isPadding(bytes[start])) start++
  while (end > start && isPadding(bytes[end - 1])) end--
  const digits = tarText(bytes.subarray(start, end))
  if (digits === '') return 0n
  return /^[0-7]+$/.test(digits) ? BigInt(`0o${digits}`) : undefined
}

function isPadding (byte: number | undefined): boolean {
  return byte === 0 || byte === 0x20
}

/** @param what is wrong with the header, as part of a sentence */
export function damaged (what: string): Fault {
  return new Fault('corrupt', `the archive has a damaged header, with ${what}`)
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
