// Which characters does Go's YAML reader see in these bytes, and how far does it look? A port
// of readerc.go (go.yaml.in/yaml v2.4.3): UTF-8 or UTF-16, no control characters. It reads
// 512 bytes at a time, so what is wrong far behind the first document is never seen; and its
// test for a byte order mark looks at the beginning of what it has read, wherever it is now.
import { isUtf8 } from 'node:buffer'

export interface YamlText {
  readonly text: string
  /**
   * Where each portion ends that is read in one go, for a text where that makes a difference; it
   * has all of any other.
   */
  readonly portions?: readonly number[]
  /** What is wrong with the portion behind those, or with the end. */
  readonly fault?: string
}

const PORTION = 512
// eslint-disable-next-line no-control-regex
const NOT_PLAIN = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufeff\ufffe\uffff]/

/** The characters of a file. */
export function readYamlText (bytes: Buffer): YamlText {
  const encoding = encodingOf(bytes)
  if (encoding === 'utf8' && isUtf8(bytes)) {
    const text = bytes.toString('utf8', startsWithMark(bytes) ? 3 : 0)
    if (!NOT_PLAIN.test(text)) return { text }
  }
  return new PortionReader(bytes, encoding).read()
}

type YamlEncoding = 'utf8' | 'le' | 'be'

function encodingOf (bytes: Buffer): YamlEncoding {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'le'
  return bytes[0] === 0xfe && bytes[1] === 0xff ? 'be' : 'utf8'
}

function startsWithMark (bytes: Buffer): boolean {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf
}

/** A character and its bytes. */
interface Decoded {
  readonly code: number
  readonly width: number
}

/** Its last bytes are in the next portion, if there is one. */
interface Incomplete {
  readonly incomplete: string
}

/** Reads as Go does, a portion at a time. */
class PortionReader {
  private readonly bytes: Buffer
  private readonly encoding: YamlEncoding
  private at: number

  constructor (bytes: Buffer, encoding: YamlEncoding) {
    this.bytes = bytes
    this.encoding = encoding
    this.at = encoding !== 'utf8' ? 2 : startsWithMark(bytes) ? 3 : 0
  }

  read (): YamlText {
    const pieces: string[] = []
    const portions: number[] = []
    let length = 0
    for (let begin = 0; this.at < this.bytes.length; begin = this.at) {
      const end = Math.min(begin + PORTION, this.bytes.length)
      const codes: number[] = []
      while (this.at < end) {
        const decoded = this.encoding === 'utf8' ? this.utf8(end) : this.utf16(end)
        if (typeof decoded === 'object' && 'incomplete' in decoded && codes.length > 0) break
        const fault = characterFault(decoded)
        if (fault !== undefined) return { text: pieces.join(''), portions, fault }
        const { code, width } = decoded as Decoded
        codes.push(code)
        this.at += width
      }
      const piece = String.fromCodePoint(...codes)
      pieces.push(piece)
      length += piece.length
      portions.push(length)
    }
    return { text: pieces.join(''), portions }
  }

  private utf8 (end: number): Decoded | Incomplete | string {
    const { bytes, at } = this
    const first = bytes[at] as number
    const width = octetsOf(first)
    if (width === 0) return 'invalid leading UTF-8 octet'
    if (at + width > end) return { incomplete: 'incomplete UTF-8 octet sequence' }
    let code = width === 1 ? first : first & (0x7f >> width)
    for (let i = 1; i < width; i++) {
      const octet = bytes[at + i] as number
      if ((octet & 0xc0) !== 0x80) return 'invalid trailing UTF-8 octet'
      code = code * 64 + (octet & 0x3f)
    }
    if (code < (SMALLEST[width] as number)) return 'invalid length of a UTF-8 sequence'
    return (code >= 0xd800 && code <= 0xdfff) || code > 0x10ffff ? 'invalid Unicode character' : { code, width }
  }

  private utf16 (end: number): Decoded | Incomplete | string {
    const { bytes, at } = this
    const unit = (from: number): number => this.encoding === 'le' ? bytes.readUInt16LE(from) : bytes.readUInt16BE(from)
    if (at + 2 > end) return { incomplete: 'incomplete UTF-16 character' }
    const high = unit(at)
    if ((high & 0xfc00) === 0xdc00) return 'unexpected low surrogate area'
    if ((high & 0xfc00) !== 0xd800) return { code: high, width: 2 }
    if (at + 4 > end) return { incomplete: 'incomplete UTF-16 surrogate pair' }
    const low = unit(at + 2)
    if ((low & 0xfc00) !== 0xdc00) return 'expected low surrogate area'
    return { code: 0x10000 + ((high & 0x3ff) << 10) + (low & 0x3ff), width: 4 }
  }
}

/** How many octets a character has that begins with this one; 0: none begins with it. */
export function octetsOf (first: number): number {
  if (first < 0x80) return 1
  if (first < 0xc0 || first >= 0xf8) return 0
  return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4
}

const SMALLEST = [0, 0, 0x80, 0x800, 0x10000]

function characterFault (decoded: Decoded | Incomplete | string): string | undefined {
  if (typeof decoded === 'string') return decoded
  if ('incomplete' in decoded) return decoded.incomplete
  const { code } = decoded
  const allowed = code === 0x09 || code === 0x0a || code === 0x0d || code === 0x85 || (code >= 0x20 && code <= 0x7e) ||
    (code >= 0xa0 && code !== 0xfffe && code !== 0xffff)
  return allowed ? undefined : 'control characters are not allowed'
}
