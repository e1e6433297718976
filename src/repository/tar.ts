// Which files are in this tar archive? The plain case, read from memory in one go:
// regular files and folders with short names, as `helm package` writes them. Whatever
// is not plain (long names, links, sparse files, a damaged header) is left to tar-stream.

export interface TarFile {
  readonly name: string
  readonly data: Buffer
}

const BLOCK = 512
const END = Buffer.alloc(BLOCK)

/** The files, or undefined when the archive is not plain. */
export function readPlainTar (tar: Buffer): TarFile[] | undefined {
  const files: TarFile[] = []
  let at = 0
  while (at + BLOCK <= tar.length) {
    if (tar.subarray(at, at + BLOCK).equals(END)) return files
    const type = tar[at + 156] as number
    const size = octal(tar, at + 124, 12)
    if (size === undefined || !checksumHolds(tar, at)) return undefined
    const from = at + BLOCK
    if (from + size > tar.length) return undefined
    const name = readName(tar, at)
    if (type === 0x35) { // '5', a folder
      if (size !== 0) return undefined
    } else if (type === 0x30 || type === 0) {
      if (name === '' || name.endsWith('/')) return undefined
      files.push({ name, data: tar.subarray(from, from + size) })
    } else return undefined
    at = from + Math.ceil(size / BLOCK) * BLOCK
  }
  return undefined
}

function readName (tar: Buffer, at: number): string {
  const name = cString(tar, at, 100)
  const prefix = tar.toString('latin1', at + 257, at + 263) === 'ustar\0' ? cString(tar, at + 345, 155) : ''
  return prefix === '' ? name : `${prefix}/${name}`
}

function cString (tar: Buffer, at: number, length: number): string {
  const end = tar.indexOf(0, at)
  return tar.toString('utf8', at, end < 0 || end > at + length ? at + length : end)
}

/** A number of digits and the NUL or space behind them; undefined for base-256 and rubbish. */
function octal (tar: Buffer, at: number, length: number): number | undefined {
  const text = tar.toString('latin1', at, at + length)
  return /^ *[0-7]+[\0 ]*$/.test(text) ? parseInt(text, 8) : undefined
}

function checksumHolds (tar: Buffer, at: number): boolean {
  let sum = 8 * 0x20
  for (let i = 0; i < BLOCK; i++) if (i < 148 || i >= 156) sum += tar[at + i] as number
  return octal(tar, at + 148, 8) === sum
}
