// What does a pax extended header say of the file behind it? A port of archive/tar of Go 1.26
// (reader.go, parsePAX and mergePAX; strconv.go, parsePAXRecord), which is as strict about
// forms and numbers as it is free about keys.
import { Fault } from './fault.ts'
import { damaged } from './tar-header.ts'

export interface PaxFields {
  /** undefined: it does not say. */
  readonly path: string | undefined
  readonly size: number | undefined
  /** Of one of GNU's sparse files, whose content is less than the file. */
  readonly sparse: { readonly name: string | undefined, readonly size: number | undefined } | undefined
  /** A name that only some readers know of. */
  readonly otherName: string | undefined
}

const INTEGERS = ['uid', 'gid', 'size']
const TIMES = ['atime', 'mtime', 'ctime']
/** These may have no NUL in their value, and every other key none in itself. */
const TEXTS = ['path', 'linkpath', 'uname', 'gname']
/** The map of a sparse file in GNU's version 0.0: these, one after the other. */
const OF_A_MAP = ['GNU.sparse.offset', 'GNU.sparse.numbytes']
/** What of one for all files Go does not take, and others do. */
const CHANGES_ALL = /^(?:path|size|GNU\.sparse\..*)$/

/** Of one header: each costs more than its bytes, and all are read in one go. */
const MOST_RECORDS = 10_000

/** Reads the header of one file. @throws Fault corrupt, unsafe_name, too_large */
export function readPax (body: Buffer): PaxFields {
  const records = new Map<string, string>()
  const map: string[] = []
  for (const [key, value] of paxRecords(body)) {
    if (OF_A_MAP.includes(key)) {
      if (key !== OF_A_MAP[map.length % 2] || value.includes(',')) throw damaged('a map of a sparse file that is none')
      map.push(value)
      continue
    }
    const before = records.get(key)
    const isDoubtful = key === 'path' && (value === '' || (before !== undefined && before !== value))
    if (isDoubtful) throw new Fault('unsafe_name', 'the archive has an extended header with an empty or a second name')
    records.set(key, value)
  }
  if (map.length > 0) records.set('GNU.sparse.map', map.join(','))
  for (const key of INTEGERS) if (!isPaxInteger(records.get(key) ?? '0')) throw damaged(`a ${key} that is no number`)
  for (const key of TIMES) if (!isPaxTime(records.get(key) ?? '0')) throw damaged(`an ${key} that is no time`)
  const sparse = isSparse(records)
    ? { name: filled(records, 'GNU.sparse.name'), size: sparseSizeOf(records) }
    : undefined
  return {
    path: records.get('path'),
    size: sizeOf(records, 'size'),
    sparse,
    otherName: sparse === undefined ? filled(records, 'GNU.sparse.name') : undefined
  }
}

/**
 * Checks the header of all files that follow, which Go reads and forgets.
 * @throws Fault corrupt, forbidden_entry, too_large
 */
export function checkGlobalPax (body: Buffer): void {
  for (const [key] of paxRecords(body)) {
    if (CHANGES_ALL.test(key)) {
      throw new Fault('forbidden_entry', `the archive has an extended header with a ${key} for all of its files`)
    }
  }
}

/** Records of the form `<length> <key>=<value>\n`, the length counting all of it. */
function * paxRecords (body: Buffer): Generator<[key: string, value: string]> {
  let left = MOST_RECORDS
  for (let start = 0; start < body.length;) {
    if (--left < 0) {
      throw new Fault('too_large', `the archive has an extended header of more than ${MOST_RECORDS} records`)
    }
    const space = body.indexOf(0x20, start)
    const digits = space < 0 || space - start > 20 ? '' : body.toString('latin1', start, space)
    const end = /^\d+$/.test(digits) ? start + Number(digits) : 0
    const equals = body.indexOf(0x3d, space)
    const isRecord = end <= body.length && end > space && body[end - 1] === 0x0a && equals > space + 1 && equals < end
    if (!isRecord) throw damaged('a record that is none')
    const key = body.toString('utf8', space + 1, equals)
    const value = body.subarray(equals + 1, end - 1)
    if (key.includes('\0')) throw damaged('a NUL in a key')
    if (TEXTS.includes(key) && value.includes(0)) throw damaged(`a NUL in a ${key}`)
    yield [key, value.toString('utf8')]
    start = end
  }
}

/** A value that is not empty: Go takes an empty one for none. */
function filled (records: ReadonlyMap<string, string>, key: string): string | undefined {
  const value = records.get(key)
  return value === '' ? undefined : value
}

/** strconv.ParseInt for 64 bits, or nothing. */
function isPaxInteger (text: string): boolean {
  if (text === '') return true
  const [, sign, digits] = /^([-+]?)(\d+)$/.exec(text) ?? []
  if (digits === undefined) return false
  const counting = digits.slice(digits.search(/[1-9]|$/))
  return counting.length <= 19 && BigInt(`0${counting}`) < 2n ** 63n + (sign === '-' ? 1n : 0n)
}

/** Seconds, and digits behind a point, or nothing. */
function isPaxTime (text: string): boolean {
  if (text === '') return true
  const point = text.indexOf('.')
  const seconds = point < 0 ? text : text.slice(0, point)
  return seconds !== '' && isPaxInteger(seconds) && (point < 0 || /^\d*$/.test(text.slice(point + 1)))
}

function sizeOf (records: ReadonlyMap<string, string>, key: string): number | undefined {
  const value = filled(records, key)
  if (value === undefined) return undefined
  const size = isPaxInteger(value) ? Number(value) : -1
  if (size < 0 || !Number.isSafeInteger(size)) throw damaged('a size that is none')
  return size
}

/** Versions 0.0, 0.1 and 1.0 (reader.go, readGNUSparsePAXHeaders). */
function isSparse (records: ReadonlyMap<string, string>): boolean {
  const [major = '', minor = ''] = [records.get('GNU.sparse.major'), records.get('GNU.sparse.minor')]
  if (major !== '' || minor !== '') return ['0.0', '0.1', '1.0'].includes(`${major}.${minor}`)
  return filled(records, 'GNU.sparse.map') !== undefined
}

function sparseSizeOf (records: ReadonlyMap<string, string>): number | undefined {
  return sizeOf(records, 'GNU.sparse.size') ?? sizeOf(records, 'GNU.sparse.realsize')
}
