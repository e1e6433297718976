// Where are the holes of a sparse file in a tar archive? A port of the sparse formats of Go's
// archive/tar (Go 1.26, reader.go, common.go): the map in GNU's own headers, in PAX records, or
// before the data.
import { BLOCK_SIZE, hasData, headerFault, numberAt, type GoTarHeader } from './tar-header.ts'
import { ReadFault } from './gunzip.ts'
import { paxInteger, type PaxRecords } from './tar-pax.ts'

/** A part of the file that has data. */
export interface SparsePart {
  readonly offset: number
  readonly length: number
}

/** Bytes of a map. */
export const LONGEST_SPECIAL = 1024 * 1024
const SPARSE_TOO_LONG = 'archive/tar: sparse map too long'

/** GNU's old form: in the header, and in blocks behind it. @param readBlock the next one */
export async function oldSparseMap (
  header: GoTarHeader,
  block: Buffer,
  readBlock: () => Promise<Buffer>
): Promise<SparsePart[]> {
  if (header.format !== 'gnu') throw headerFault()
  header.size = numberAt(block, 483, 12)
  const parts: SparsePart[] = []
  let [table, entries] = [block.subarray(386, 386 + 24 * 4 + 1), 4]
  for (let total = table.length; total < LONGEST_SPECIAL; total += table.length) {
    for (let i = 0; i < entries && table[i * 24] !== 0; i++) {
      parts.push({ offset: numberAt(table, i * 24, 12), length: numberAt(table, i * 24 + 12, 12) })
    }
    if (table[entries * 24] === 0) return parts
    table = await readBlock()
    entries = 21
  }
  throw new ReadFault(SPARSE_TOO_LONG)
}

/** The forms with PAX; undefined for a file that is not sparse. @param readBlock of the file's data */
export async function paxSparseMap (
  header: GoTarHeader,
  records: PaxRecords,
  readBlock: () => Promise<Buffer>
): Promise<SparsePart[] | undefined> {
  const record = (name: string): string => records.get(`GNU.sparse.${name}`) ?? ''
  const version = `${record('major')}.${record('minor')}`
  if (!['0.0', '0.1', '1.0'].includes(version) && (version !== '.' || record('map') === '')) return undefined
  if (record('name') !== '') header.name = record('name')
  const size = record('size') || record('realsize')
  if (size !== '') header.size = paxInteger(size)
  return version === '1.0' ? await dataSparseMap(readBlock) : recordSparseMap(record('numblocks'), record('map'))
}

function recordSparseMap (count: string, map: string): SparsePart[] {
  const numbers = map === '' ? [] : map.split(',')
  const entries = paxInteger(count)
  if (entries < 0 || numbers.length !== 2 * entries) throw headerFault()
  return sparsePartsOf(numbers)
}

async function dataSparseMap (readBlock: () => Promise<Buffer>): Promise<SparsePart[]> {
  const lines: string[] = []
  let rest = ''
  let total = 0
  const need = async (count: number): Promise<void> => {
    while (lines.length < count) {
      total += BLOCK_SIZE
      if (total > LONGEST_SPECIAL) throw new ReadFault(SPARSE_TOO_LONG)
      const read = (rest + (await readBlock()).toString('latin1')).split('\n')
      rest = read.pop() as string
      lines.push(...read)
    }
  }
  await need(1)
  const entries = paxInteger(lines[0] as string)
  if (entries < 0) throw headerFault()
  await need(1 + 2 * entries)
  return sparsePartsOf(lines.slice(1, 1 + 2 * entries))
}

function sparsePartsOf (numbers: readonly string[]): SparsePart[] {
  const parts: SparsePart[] = []
  for (let i = 0; i + 1 < numbers.length; i += 2) {
    parts.push({ offset: paxInteger(numbers[i] as string), length: paxInteger(numbers[i + 1] as string) })
  }
  return parts
}

/** Parts in order, inside of the file. Throws ReadFault. */
export function checkSparse ({ type, size }: GoTarHeader, parts: readonly SparsePart[]): void {
  let end = 0
  for (const { offset, length } of parts) {
    if (offset < end || length < 0 || offset + length > size) throw headerFault()
    end = offset + length
  }
  if (size < 0 || !hasData(type)) throw headerFault()
}
