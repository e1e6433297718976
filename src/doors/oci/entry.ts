// What does the repository's API say of a version? Its digest, its file and, byte for byte,
// what Helm writes as the config of an OCI artifact: the metadata stands first in the entry, as
// Go wrote it, and Helm writes it by the same code (helm/helm v3.21.4, pkg/repo/index.go,
// ChartVersion, and pkg/registry/client.go, Push).
import { hash } from 'node:crypto'
import { isChartFile } from '../../words/chart-names.ts'
import { isHex } from '../../words/digest.ts'

/** A version that is listed. */
export interface ListedVersion {
  readonly name: string
  readonly version: string
  /** The file of its archive. */
  readonly file: string
  /** SHA-256 of its archive, in hex. */
  readonly archive: string
  /** What Helm writes as its config. */
  readonly config: ContentBytes
  /** The same, read. */
  readonly metadata: Readonly<Record<string, unknown>>
}

/** Bytes and their SHA-256, in hex. */
export interface ContentBytes {
  readonly bytes: Buffer
  readonly hex: string
}

export function contentOf (bytes: Buffer): ContentBytes {
  return { bytes, hex: hash('sha256', bytes, 'hex') }
}

/** What follows the metadata in an entry; nothing behind it can hold the same. */
const URLS = Buffer.from(',"urls":[')
const BRACE = Buffer.from('}')

/** @param text the JSON of one entry; undefined for what is none, or has not all that is needed */
export function readEntry (text: Buffer): ListedVersion | undefined {
  const cut = text.lastIndexOf(URLS)
  if (cut < 0) return undefined
  const bytes = Buffer.concat([text.subarray(0, cut), BRACE])
  const [entry, metadata] = [jsonOf(text), jsonOf(bytes)]
  if (!isObject(entry) || !isObject(metadata)) return undefined
  const { name, version } = metadata
  const { urls, digest } = entry
  const url = Array.isArray(urls) ? urls[0] as unknown : undefined
  if (typeof name !== 'string' || typeof version !== 'string' || typeof url !== 'string') return undefined
  if (!isHex(digest)) return undefined
  const file = url.slice(url.lastIndexOf('/') + 1)
  if (!isChartFile(file)) return undefined // it is asked for: no dot segment, and nothing that a path cannot say
  return { name, version, file, archive: digest, config: contentOf(bytes), metadata }
}

function jsonOf (bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch {
    return undefined
  }
}

function isObject (value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

/** The versions of a chart's list; undefined for what is none. */
export function versionsOf (list: Buffer): string[] | undefined {
  const entries = jsonOf(list)
  if (!Array.isArray(entries)) return undefined
  return entries.flatMap((entry: unknown) => {
    return isObject(entry) && typeof entry['version'] === 'string' ? [entry['version']] : []
  })
}

/** The versions of a chart's list, each with its archive; undefined for a list of which not all can be read. */
export function archivesOf (list: Buffer): Pick<ListedVersion, 'version' | 'archive'>[] | undefined {
  const entries = jsonOf(list)
  if (!Array.isArray(entries)) return undefined
  const archives = entries.flatMap((entry: unknown) => {
    if (!isObject(entry)) return []
    const { version, digest } = entry
    return typeof version === 'string' && isHex(digest) ? [{ version, archive: digest }] : []
  })
  return archives.length === entries.length ? archives : undefined
}

const [QUOTE, BACKSLASH, COMMA] = [0x22, 0x5c, 0x2c]
const [OPENS, CLOSES] = [new Set([0x5b, 0x7b]), new Set([0x5d, 0x7d])]

/** The entries of a chart, as they stand in its list: what Go writes, without blanks. */
export function entriesOf (list: Buffer): Buffer[] {
  const entries: Buffer[] = []
  let [depth, begin, isText] = [0, 0, false]
  for (let at = 0; at < list.length; at++) {
    const byte = list[at] as number
    if (isText) {
      if (byte === BACKSLASH) at++
      else if (byte === QUOTE) isText = false
      continue
    }
    if (byte === QUOTE) isText = true
    else if (OPENS.has(byte)) {
      depth++
      if (depth === 1) begin = at + 1
    } else if (CLOSES.has(byte)) depth--
    const isEnd = depth === 0 || (depth === 1 && byte === COMMA)
    if (isEnd && at > begin) entries.push(list.subarray(begin, at))
    if (isEnd) begin = at + 1
  }
  return entries
}
