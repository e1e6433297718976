// What do extended headers of a tar archive say? A port of parsePAX and mergePAX (Go 1.26,
// archive/tar, reader.go and strconv.go). Records that nobody here asks for have to be well
// formed too, or Go does not read the archive.
import { headerFault, type GoTarHeader } from './tar-header.ts'

export type PaxRecords = ReadonlyMap<string, string>

const SPARSE_MAP = 'GNU.sparse.map'
const SPARSE_OFFSET = 'GNU.sparse.offset'
const SPARSE_BYTES = 'GNU.sparse.numbytes'
/** No text in them has a NUL. */
const TEXTS = new Set(['path', 'linkpath', 'uname', 'gname'])

/** The records of one header. Throws ReadFault. */
export function parsePax (bytes: Buffer): PaxRecords {
  const records = new Map<string, string>()
  const sparse: string[] = []
  for (let at = 0; at < bytes.length;) {
    const space = bytes.indexOf(0x20, at)
    const count = bytes.toString('latin1', at, Math.max(at, Math.min(space, at + 20)))
    const length = parseInt64(count)
    if (space < 0 || length === undefined || length < 5n) throw headerFault()
    const end = at + Number(length)
    if (end > bytes.length || end - 1 <= space || bytes[end - 1] !== 0x0a) throw headerFault()
    const equals = bytes.subarray(0, end - 1).indexOf(0x3d, space + 1)
    if (equals < 0) throw headerFault()
    const key = bytes.toString('utf8', space + 1, equals)
    const value = bytes.toString('utf8', equals + 1, end - 1)
    if (key === '' || (TEXTS.has(key) ? value : key).includes('\0')) throw headerFault()
    if (key === SPARSE_OFFSET || key === SPARSE_BYTES) {
      // The oldest form: pairs of records.
      if ((key === SPARSE_OFFSET) !== (sparse.length % 2 === 0) || value.includes(',')) throw headerFault()
      sparse.push(value)
    } else records.set(key, value)
    at = end
  }
  if (sparse.length > 0) records.set(SPARSE_MAP, sparse.join(','))
  return records
}

/** Puts what the records say in place of what the header says. Throws ReadFault. */
export function mergePax (header: GoTarHeader, records: PaxRecords): void {
  for (const [key, value] of records) {
    if (value === '') continue
    switch (key) {
      case 'path':
        header.name = value
        break
      case 'size':
        header.size = paxInteger(value)
        break
      case 'uid':
      case 'gid':
        paxInteger(value)
        break
      case 'atime':
      case 'mtime':
      case 'ctime': {
        const [seconds, fraction = ''] = value.split(/\.([^]*)/, 2) as [string, string?]
        paxInteger(seconds)
        if (!/^[0-9]*$/.test(fraction)) throw headerFault()
      }
    }
  }
}

/** strconv.ParseInt(text, 10, 64), or a fault of the header. */
export function paxInteger (text: string): number {
  const value = parseInt64(text)
  if (value === undefined) throw headerFault()
  return Number(value)
}

function parseInt64 (text: string): bigint | undefined {
  const [, sign, digits] = /^([+-]?)0*([0-9]{1,19})$/.exec(text) ?? []
  if (digits === undefined) return undefined
  const value = sign === '-' ? -BigInt(digits) : BigInt(digits)
  return BigInt.asIntN(64, value) === value ? value : undefined
}
