// Archives made by hand, header by header: what no packer writes, and what readers take
// differently. Charts as Helm makes them are in packages.ts.
import { gzipSync } from 'node:zlib'

export interface RawEntry {
  readonly name?: string
  readonly body?: string | Buffer
  /** The type flag: '0' a file, '5' a directory, '2' a link, 'x' 'g' 'L' 'K' headers for what follows. */
  readonly type?: string
  /** What the header says, when it is not the body's length. */
  readonly size?: number
  readonly mode?: number
  readonly magic?: 'ustar\x0000' | 'ustar  \0' | string
  /** Bytes to write over the finished header, by their place in it; before the checksum. */
  readonly patch?: Readonly<Record<number, string | Buffer>>
  /** False leaves a wrong checksum. */
  readonly checksum?: boolean
  /** The checksum of Sun's tar, which took bytes for numbers with signs. */
  readonly signed?: boolean
}

export const TAR_END = Buffer.alloc(1024)

/** One header of 512 bytes, and the body in whole blocks. */
export function rawEntry ({ name = '', body = '', type = '0', size, mode = 0o644, magic = 'ustar\x0000', patch = {}, checksum = true, signed = false }: RawEntry): Buffer {
  const content = Buffer.from(body)
  const header = Buffer.alloc(512)
  header.write(name, 0, 100, 'utf8')
  for (const [at, length, value] of [[100, 8, mode], [108, 8, 0], [116, 8, 0], [124, 12, size ?? content.length], [136, 12, 0]] as const) header.write(value.toString(8).padStart(length - 1, '0'), at, 'latin1')
  header.write(type, 156, 1, 'latin1')
  header.write(magic, 257, 8, 'latin1')
  for (const [at, bytes] of Object.entries(patch)) Buffer.from(bytes as string).copy(header, Number(at))
  header.fill(' ', 148, 156)
  const sum = header.reduce((total, byte) => total + (signed && byte > 127 ? byte - 256 : byte), 0) + (checksum ? 0 : 1)
  header.write(sum.toString(8).padStart(6, '0') + '\0 ', 148, 'latin1')
  return Buffer.concat([header, content, Buffer.alloc(-content.length & 511)])
}

/** A tar archive of these entries, ended as it should be. */
export function rawTar (entries: readonly RawEntry[], end: Buffer = TAR_END): Buffer {
  return Buffer.concat([...entries.map(rawEntry), end])
}

/** A .tgz of these entries. */
export function rawTgz (entries: readonly RawEntry[], end?: Buffer): Buffer {
  return gzipSync(rawTar(entries, end))
}

/** Records of a pax extended header; each counts its own length. */
export function paxRecords (records: readonly (readonly [key: string, value: string])[]): string {
  return records.map(([key, value]) => {
    const rest = Buffer.byteLength(` ${key}=${value}\n`)
    let length = rest + String(rest).length
    if (String(length).length > String(rest).length) length = rest + String(length).length
    return `${length} ${key}=${value}\n`
  }).join('')
}

/** A pax header for the entry behind it. */
export function paxEntry (...records: (readonly [key: string, value: string])[]): RawEntry {
  return { name: 'PaxHeaders/x', type: 'x', body: paxRecords(records) }
}
