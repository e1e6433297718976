// What does a chart's file say, as an entry of the index? The entry as ChartMuseum's API
// and index have it, and how one is made from a file.
import { createHash } from 'node:crypto'
import { createReadStream, readFileSync, statSync } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import type { Metadata } from './chart-metadata.ts'
import { compareBytes, goJson, type GoStruct } from './go-json.ts'
import { readBytes, readPackage } from './package.ts'
import { isMissing } from './store.ts'
import { newestFirst, parseVersion, type Version } from './versions.ts'

export interface Entry {
  readonly file: string
  readonly name: string
  readonly version: string
  readonly parsed: Version | undefined
  readonly digest: string
  /** RFC 3339 with nanoseconds. */
  readonly created: string
  /** helm_repo.ChartVersion as JSON. */
  readonly json: string
  /** Its place in index.yaml, once that was asked for. */
  yaml: string | undefined
  /** The fields, read back from the JSON. */
  struct (): GoStruct
}

/** An entry from its text: thousands of them are held, so nothing is held twice. */
export function entryOf (
  parts: Pick<Entry, 'file' | 'name' | 'version' | 'digest' | 'created' | 'json' | 'yaml'>
): Entry {
  return { ...parts, parsed: parseVersion(parts.version), struct: () => JSON.parse(parts.json) as GoStruct }
}

export function makeEntry (file: string, metadata: Metadata, digest: string, created: string): Entry {
  const struct = { ...metadata, urls: [`charts/${file}`], created, digest }
  const { name, version } = metadata
  return entryOf({ file, name, version, digest, created, json: goJson(struct), yaml: undefined })
}

/** Tells one state of a file from another: time of its bytes, size, place on the disk. */
export function stampOfStats (
  stats: { readonly mtimeNs: bigint, readonly size: bigint, readonly ino: bigint }
): string {
  return `${stats.mtimeNs}:${stats.size}:${stats.ino}`
}

/** A file as it was when it was read; without an entry it is no chart. */
export interface KnownFile {
  readonly stamp: string
  readonly entry?: Entry
}

/** A file that was looked at; `fault` says why it is no chart, in Helm's words. */
export interface Examined extends KnownFile {
  readonly fault?: string
}

/** Up to this size a file is read at once. */
const SMALL = 256 * 1024

/**
 * Looks at a file. Small ones are read synchronously: the promises of node:fs cost five
 * times as much as the work, which thousands of charts at a start would feel. The
 * caller lets others in between.
 * @param known what it was the last time
 * @param created times that are remembered for digests; else it is the time of the file
 */
export async function examine (
  path: string,
  file: string,
  known: KnownFile | undefined,
  created: ReadonlyMap<string, string> | undefined
): Promise<Examined | 'same' | 'gone'> {
  try {
    const stats = statSync(path, { bigint: true, throwIfNoEntry: false })
    if (stats?.isFile() !== true) return 'gone'
    const stamp = stampOfStats(stats)
    if (known?.stamp === stamp) return 'same'
    const bytes = stats.size > SMALL ? undefined : readFileSync(path)
    const digest = bytes === undefined ? await fileDigest(path) : createHash('sha256').update(bytes).digest('hex')
    const read = (bytes === undefined ? undefined : readBytes(bytes)) ?? await readPackage(path)
    if (!read.ok) return { stamp, fault: read.message } // ChartMuseum skips it too
    const time = created?.get(digest) ?? timeText(stats.mtimeNs)
    return { stamp, entry: makeEntry(file, read.chart.metadata, digest, time) }
    /* c8 ignore next 6 -- gone between two looks at it, or a disk that cannot be read */
  } catch (error) {
    if (isMissing(error)) return 'gone'
    // One that is closed to us must not hide the others.
    if ((error as NodeJS.ErrnoException).code === 'EACCES') return { stamp: '0:0:0', fault: 'permission denied' }
    throw error
  }
}

async function fileDigest (path: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path), hash)
  return hash.digest('hex')
}

/** time.RFC3339Nano in UTC: nanoseconds without zeros at the end. */
export function timeText (timeNs: bigint): string {
  const seconds = new Date(Number(timeNs / 1_000_000_000n) * 1000).toISOString().slice(0, 19)
  // eslint-disable-next-line regexp/no-super-linear-move -- nine digits
  const fraction = String(timeNs % 1_000_000_000n).padStart(9, '0').replace(/0+$/, '')
  return `${seconds}${fraction === '' ? '' : `.${fraction}`}Z`
}

/** The charts that an index shows, and the files that hold the same version of the same chart. */
export interface Shown {
  readonly charts: ReadonlyMap<string, readonly Entry[]>
  readonly hidden: ReadonlySet<string>
}

/** By name, each version once, the newest first: of two files with the same chart, the one that is named after it. */
export function shownOf (entries: Iterable<Entry>): Shown {
  const byName = new Map<string, Map<string, Entry>>()
  const hidden = new Set<string>()
  for (const entry of entries) {
    let versions = byName.get(entry.name)
    if (versions === undefined) {
      versions = new Map()
      byName.set(entry.name, versions)
    }
    const other = versions.get(entry.version)
    const isShown = other === undefined || isBetter(entry, other)
    if (isShown) versions.set(entry.version, entry)
    if (other !== undefined) hidden.add(isShown ? other.file : entry.file)
  }
  const charts = new Map([...byName].map(([name, versions]) => [
    name,
    [...versions.values()].sort((a, b) => newestFirst(a.parsed, b.parsed) || compareBytes(b.version, a.version))
  ]))
  return { charts, hidden }
}

function isBetter (a: Entry, b: Entry): boolean {
  const canonical = `${a.name}-${a.version}.tgz`
  return a.file === canonical || (b.file !== canonical && a.file < b.file)
}

/** Why a file is left out that holds what another one holds. */
export const HELD_TWICE = 'another file holds the same version of the same chart'

/** The file of a chart, by its name. */
export function isArchiveName (name: string): boolean {
  return name.endsWith('.tgz') && name !== '.tgz'
}
