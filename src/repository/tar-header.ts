// What does a block of a tar archive say? A port of Go's archive/tar (Go 1.26: readHeader of
// reader.go, format.go, strconv.go), for what a chart's loader asks: name, size, type and mode,
// and whether Go takes it at all, for which every number of it has to be one.
import { ReadFault } from './gunzip.ts'

export const BLOCK_SIZE = 512
export const HEADER_FAULT = 'archive/tar: invalid tar header'

export interface GoTarHeader {
  name: string
  /** Of what lies in the archive, and with PAX or in sparse files of what is meant. */
  size: number
  mode: number
  /** A letter or digit. */
  type: string
  readonly format: TarFormat
}

export type TarFormat = 'v7' | 'ustar' | 'star' | 'gnu'

export const EMPTY_BLOCK = Buffer.alloc(BLOCK_SIZE)

/** Types that have no data, whatever their size says. */
const HEADER_ONLY = new Set(['1', '2', '3', '4', '5', '6'])

export function hasData (type: string): boolean {
  return !HEADER_ONLY.has(type)
}

export function headerFault (): ReadFault {
  return new ReadFault(HEADER_FAULT)
}

/** Throws ReadFault where Go has an error. */
export function readTarHeader (block: Buffer): GoTarHeader {
  const format = formatOf(block)
  if (format === undefined) throw headerFault()
  const name = cTextAt(block, 0, 100)
  const size = numberAt(block, 124, 12)
  const mode = numberAt(block, 100, 8)
  for (const at of [108, 116]) numberAt(block, at, 8)
  numberAt(block, 136, 12)
  if (format !== 'v7') for (const at of [329, 337]) numberAt(block, at, 8)
  const prefix = prefixOf(block, format)
  const type = String.fromCharCode(block[156] as number)
  return { name: prefix === '' ? name : `${prefix}/${name}`, size, mode, type, format }
}

function prefixOf (block: Buffer, format: TarFormat): string {
  switch (format) {
    case 'v7': return ''
    case 'ustar': return cTextAt(block, 345, 155)
    case 'star':
      for (const at of [476, 488]) numberAt(block, at, 12)
      return cTextAt(block, 345, 131)
    case 'gnu': {
      // Writers of old have put the prefix of ustar where times are.
      const times = [345, 357].filter(at => block[at] !== 0)
      if (times.every(at => isNumberAt(block, at, 12))) return ''
      const prefix = cTextAt(block, 345, 155)
      // eslint-disable-next-line no-control-regex
      return /^[\x01-\x7f]*$/.test(prefix) ? prefix : ''
    }
  }
}

export function formatOf (block: Buffer): TarFormat | undefined {
  if (!isNumberAt(block, 148, 8, goOctalAt)) return undefined
  const wanted = goOctalAt(block, 148, 8)
  let unsigned = 8 * 0x20
  let high = 0
  for (let i = 0; i < BLOCK_SIZE; i++) {
    const octet = i >= 148 && i < 156 ? 0 : block[i] as number
    unsigned += octet
    if (octet > 0x7f) high++
  }
  // Some have added them up with signs.
  if (wanted !== unsigned && wanted !== unsigned - 256 * high) return undefined
  const magic = block.toString('latin1', 257, 265)
  if (magic.startsWith('ustar\0')) return block.toString('latin1', 508, 512) === 'tar\0' ? 'star' : 'ustar'
  return magic === 'ustar  \0' ? 'gnu' : 'v7'
}

/** To the first NUL. */
export function cTextAt (block: Buffer, at: number, length: number): string {
  const end = block.indexOf(0, at)
  return block.toString('utf8', at, end < 0 || end > at + length ? at + length : end)
}

/** A number in octal digits, or in octets when the first bit is set; may be negative then. */
export function numberAt (block: Buffer, at: number, length: number): number {
  const first = block[at] as number
  if ((first & 0x80) === 0) return goOctalAt(block, at, length)
  let value = 0n
  const inverted = (first & 0x40) !== 0 ? 0xff : 0
  for (let i = 0; i < length; i++) {
    const octet = (block[at + i] as number) ^ inverted
    value = value << 8n | BigInt(i === 0 ? octet & 0x7f : octet)
  }
  if (value >= 2n ** 63n) throw headerFault()
  return Number(inverted === 0 ? value : -value - 1n)
}

/** Digits with spaces and NULs around them, or none; what is behind a NUL does not count. */
function goOctalAt (block: Buffer, at: number, length: number): number {
  const end = at + length
  let i = at
  while (i < end && isFiller(block[i])) i++
  let value = 0
  for (let digit = digitAt(block, i); i < end && digit !== undefined; digit = digitAt(block, ++i)) {
    value = value * 8 + digit
  }
  if (block[i] !== 0) while (i < end && isFiller(block[i])) i++
  if (i < end && block[i] !== 0) throw headerFault()
  return value
}

function isFiller (octet: number | undefined): boolean {
  return octet === 0 || octet === 0x20
}

function digitAt (block: Buffer, at: number): number | undefined {
  const octet = block[at] as number
  return octet >= 0x30 && octet <= 0x37 ? octet - 0x30 : undefined
}

function isNumberAt (block: Buffer, at: number, length: number, read = numberAt): boolean {
  try {
    read(block, at, length)
    return true
  } catch {
    return false
  }
}
