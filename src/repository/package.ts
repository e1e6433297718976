// What chart is in this .tgz? A port of Helm's loader (helm/helm v3.20.2, pkg/chart/loader/
// archive.go), which is what ChartMuseum accepts, with its words for what is wrong. Small
// archives are read in one go, which makes a start with thousands of charts quick; large ones
// and every unusual one are streamed, in bounded memory, and in a thread where there is a long
// text to understand: nobody else is answered during one word of it.
import { createReadStream } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { dirname, extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import { gunzipSync } from 'node:zlib'
import { textOfLine } from '../lib/line-text.ts'
import { atOnce, inTurns } from '../lib/steps.ts'
import { chartBudget, ChartFault, ChartLoader, type ArchivedChart, type ChartBudget } from './chart-loader.ts'
import type { Metadata } from './chart-metadata.ts'
import { goJson } from './go-json.ts'
import { EndOfFile, gunzip, headLength, ReadFault, rereadBuffer, type Rereadable } from './gunzip.ts'
import { createSideThread, ThreadEnded } from './side-thread.ts'
import { readPlainTar, readTar, type TarFile } from './tar.ts'

export interface ChartPackage {
  readonly metadata: Metadata
  /** What is in values.yaml, as JSON, with templates; `null` without one. */
  readonly values: string
  /** The files that were asked for, in the archive's order; paths are below the chart's folder. */
  readonly files: readonly TarFile[]
}

/** What is wanted of a chart, besides what it is. */
export type Wanted = 'nothing' | 'values' | 'templates'

export type PackageResult =
  | { readonly ok: true, readonly chart: ChartPackage }
  | { readonly ok: false, /** Helm's words */ readonly message: string }

const MOST_INFLATED = 100 * 1024 * 1024
const LARGEST_FILE = 5 * 1024 * 1024
/** What an archive and those in it may inflate to, with headers, which Helm does not count. */
const MOST_BYTES = 2 * MOST_INFLATED
/** Archives up to this size are read in one go, unless they inflate to more than that. */
const SMALL_ARCHIVE = 256 * 1024
const SMALL_INFLATED = 4 * 1024 * 1024
/** More YAML takes turns. */
const SMALL_YAML = 64 * 1024
/** A longer file of YAML is read in a thread. */
const LONG_YAML = 128 * 1024
/** All YAML of a chart with its subcharts: what it says is held in memory, and others wait for the thread. */
const MOST_YAML = 16 * 1024 * 1024
/** Milliseconds in the thread; so much YAML takes a few seconds. */
const LONGEST_READ = 20_000
/** Chart.yaml, and requirements.yaml. */
const MOST_METADATA = 1024 * 1024
/** What comes of them, as JSON: it is in every index. */
const LARGEST_ENTRY = 512 * 1024
/** Characters of what is wrong. */
const LONGEST_MESSAGE = 500
/** Folders in each other, with more than any disk has: each part of a name costs, and a name may have a megabyte. */
const MOST_PARTS = 2048
/** Beside this file, in the language that this one is in. */
const PACKAGE_THREAD = new URL(`./package-thread${extname(import.meta.url)}`, import.meta.url)

function isWanted (wanted: Wanted, path: string): boolean {
  return wanted === 'values' ? path === 'values.yaml' : wanted === 'templates' && path.startsWith('templates/')
}

/** Of one archive with all in it. */
interface LoadBudget extends ChartBudget {
  bytes: number
  yaml: number
  /** Long texts are read too: nobody waits for this thread. */
  readonly alone: boolean
  /** There is one, for a thread. */
  hasLongText: boolean
}

/** Reads a chart from a file. */
export async function readPackage (path: string, wanted: Wanted = 'nothing'): Promise<PackageResult> {
  const { size } = await stat(path)
  const quick = size > SMALL_ARCHIVE ? undefined : readBytes(await readFile(path), wanted)
  return quick ?? await readStreamed(path, wanted, false) ?? await readInThread(path, wanted)
}

/** Reads a small chart from memory; undefined when it takes the longer way over a file. */
export function readBytes (bytes: Buffer, wanted: Wanted = 'nothing'): PackageResult | undefined {
  const loader = new ChartLoader(chartBudget())
  const files: TarFile[] = []
  let isRead: boolean
  try {
    isRead = loadPlain(bytes, loader, (name, data) => {
      if (isWanted(wanted, name)) files.push({ name, data })
    })
  } catch {
    return undefined // what is wrong with it, the longer way says
  }
  return isRead ? resultOf(loader, files, wanted) : undefined
}

/** Those of one folder, which is a tenant's, wait for each other alone. */
const askThread = createSideThread<ThreadTask, PackageResult>(
  () => new Worker(PACKAGE_THREAD),
  LONGEST_READ
)

async function readInThread (path: string, wanted: Wanted): Promise<PackageResult> {
  try {
    const result = await askThread(dirname(path), { path, wanted })
    if (!result.ok) return result
    return { ok: true, chart: { ...result.chart, files: result.chart.files.map(asBuffer) } }
    /* c8 ignore next 4 -- gone between two looks, or more than a machine for tests can have read */
  } catch (error) {
    if (error instanceof ThreadEnded) return refusedPackage('reading its long texts takes too much time or memory')
    throw error
  }
}

/** Between threads a buffer becomes an array of octets. */
function asBuffer ({ name, data: { buffer, byteOffset, byteLength } }: TarFile): TarFile {
  return { name, data: Buffer.from(buffer, byteOffset, byteLength) }
}

/** What the thread is to read. */
export interface ThreadTask {
  readonly path: string
  readonly wanted: Wanted
}

/** False when it is not plain. Throws whatever is wrong with the archive. */
function loadPlain (bytes: Buffer, loader: ChartLoader, see: (path: string, data: Buffer) => void): boolean {
  headLength(bytes)
  const tar = readPlainTar(gunzipSync(bytes, { maxOutputLength: SMALL_INFLATED, chunkSize: 64 * 1024 }))
  if (tar === undefined || tar.length === 0) return false
  const room = new ArchiveRoom()
  let yaml = SMALL_YAML
  for (const { name, data } of tar) {
    const path = room.pathOf(name, data.length)
    room.use(data.length, data.length)
    const content = withoutMark(data)
    see(path, content)
    const place = loader.place(path)
    if (place === undefined) continue
    // An archive may hold any number of others, each a thousand times as large as it is packed.
    if ('archive' in place) return false
    yaml -= content.length
    if (yaml < 0) return false
    atOnce(place.loader.add(place.file, content))
  }
  return true
}

/** Reads a chart as it comes; undefined when that is for a thread. @param alone in such a thread */
export async function readStreamed (path: string, wanted: Wanted, alone: boolean): Promise<PackageResult | undefined> {
  const budget = { ...chartBudget(), bytes: MOST_BYTES, yaml: MOST_YAML, alone, hasLongText: false }
  const loader = new ChartLoader(budget)
  const files: TarFile[] = []
  const fault = await loadStreamed({ from: start => createReadStream(path, { start }) }, loader, budget, wanted, files)
  if (budget.hasLongText) return undefined
  return fault === undefined ? resultOf(loader, files, wanted) : refusedPackage(fault)
}

/** Loads a chart; gives what is wrong with the archive. */
async function loadStreamed (
  source: Rereadable,
  loader: ChartLoader,
  budget: LoadBudget,
  wanted: Wanted,
  files: TarFile[]
): Promise<string | undefined> {
  const room = new ArchiveRoom()
  let count = 0
  try {
    for await (const entry of readTar(counted(gunzip(source), budget))) {
      if (entry.isFolder) continue
      const path = room.pathOf(entry.name, entry.size)
      const isKept = isWanted(wanted, path)
      const place = loader.place(path)
      if (place !== undefined && 'file' in place) checkSize(path, place.file, entry.size, budget)
      const data = withoutMark(await entry.data(isKept || place !== undefined))
      room.use(entry.size, entry.hasData ? entry.size : 0)
      count++
      if (isKept) files.push({ name: path, data })
      if (place === undefined) continue
      if ('archive' in place) await loadArchived(data, place.archive, budget)
      else await inTurns(place.loader.add(place.file, data))
    }
    return count === 0 ? 'no files in chart archive' : undefined
  } catch (error) {
    return loadFault(error)
  }
}

function checkSize (path: string, file: string, size: number, budget: LoadBudget): void {
  const isMetadata = file === 'Chart.yaml' || file === 'requirements.yaml'
  if (isMetadata && size > MOST_METADATA) {
    throw new ChartFault(`${path} is larger than ${MOST_METADATA} bytes`)
  }
  budget.yaml -= size
  if (budget.yaml < 0) throw new ChartFault(`chart and subcharts have more than ${MOST_YAML} bytes of YAML`)
  if (size <= LONG_YAML || budget.alone) return
  budget.hasLongText = true
  throw new ChartFault('a long text')
}

/** A chart in an archive of its own, whose faults are said when it is its turn. */
async function loadArchived (data: Buffer, archive: ArchivedChart, budget: LoadBudget): Promise<void> {
  const subchart = new ChartLoader(budget, archive.level)
  const fault = await loadStreamed(rereadBuffer(data), subchart, budget, 'nothing', [])
  if (budget.hasLongText) throw new ChartFault('a long text')
  if (fault === undefined) archive.loader = subchart
  else archive.fault = fault
}

async function * counted (bytes: AsyncGenerator<Buffer, never>, budget: LoadBudget): AsyncGenerator<Buffer, never> {
  for await (const chunk of bytes) {
    budget.bytes -= chunk.length
    if (budget.bytes < 0) throw new ChartFault(`chart and subcharts inflate to more than ${MOST_BYTES} bytes`)
    yield chunk
  }
  /* c8 ignore next 2 -- they end with a fault */
  throw new EndOfFile()
}

function resultOf (loader: ChartLoader, files: readonly TarFile[], wanted: Wanted): PackageResult {
  try {
    const metadata = loader.finish()
    if (goJson(metadata).length > LARGEST_ENTRY) {
      throw new ChartFault(`Chart.yaml says more than ${LARGEST_ENTRY} characters, which would be in every index`)
    }
    const values = wanted === 'templates' ? goJson(loader.values ?? null) : 'null'
    return { ok: true, chart: { metadata, values, files } }
  } catch (error) {
    return refusedPackage(loadFault(error))
  }
}

/** Whatever of a file is quoted in it; what is wrong is at the end. */
function refusedPackage (message: string): PackageResult {
  const half = LONGEST_MESSAGE / 2
  const isLong = message.length > LONGEST_MESSAGE
  return { ok: false, message: isLong ? `${message.slice(0, half)}…${message.slice(-half)}` : message }
}

function loadFault (error: unknown): string {
  if (error instanceof ChartFault || error instanceof ReadFault) return error.message
  /* c8 ignore next 2 -- the file could not be read */
  throw error
}

/** What Helm asks of each entry of an archive. */
class ArchiveRoom {
  private left = MOST_INFLATED

  /** The path below the chart's folder. Throws ChartFault. */
  pathOf (name: string, size: number): string {
    const delimiter = name.includes('\\') ? '\\' : '/'
    const parts = name.split(delimiter, MOST_PARTS + 1)
    if (parts.length > MOST_PARTS) throw new ChartFault(`chart has more than ${MOST_PARTS} folders in each other`)
    const path = parts.slice(1).join('/')
    if (path.startsWith('/')) throw new ChartFault('chart illegally contains absolute paths')
    const clean = cleanPath(path)
    if (clean === '.') {
      throw new ChartFault(`chart illegally contains content outside the base directory: ${JSON.stringify(name)}`)
    }
    if (clean.startsWith('..')) throw new ChartFault('chart illegally references parent directory')
    if (/^[a-zA-Z]:\//.test(clean)) throw new ChartFault('chart contains illegally named files')
    if (parts[0] === 'Chart.yaml') throw new ChartFault('chart yaml not in base directory')
    if (size > this.left) throw chartTooLarge()
    if (size > LARGEST_FILE) {
      throw new ChartFault(
        `decompressed chart file ${JSON.stringify(name)} is larger than the maximum file size ${LARGEST_FILE}`
      )
    }
    return clean
  }

  /** @param read bytes that there were */
  use (size: number, read: number): void {
    this.left -= read
    if (read < size || this.left <= 0) throw chartTooLarge()
  }
}

function chartTooLarge (): ChartFault {
  return new ChartFault(`decompressed chart is larger than the maximum file size ${MOST_INFLATED}`)
}

/** UTF-8 without a byte order mark, which Helm's loader cuts off. */
function withoutMark (data: Buffer): Buffer {
  return data[0] === 0xef && data[1] === 0xbb && data[2] === 0xbf ? data.subarray(3) : data
}

/** path.Clean of Go, for a relative path. */
function cleanPath (path: string): string {
  const parts: string[] = []
  for (const part of path.split('/')) {
    if (part === '..' && parts.length > 0 && parts.at(-1) !== '..') parts.pop()
    else if (part !== '' && part !== '.') parts.push(part)
  }
  return parts.length === 0 ? '.' : parts.join('/')
}

/**
 * The file that a provenance file belongs to, by the first name and version in it
 * (helm/chartmuseum v0.16.5, pkg/repo/provenance.go); undefined when it names none.
 */
export function provenanceFileName (text: string): string | undefined {
  if (!text.startsWith('-----BEGIN PGP SIGNED MESSAGE-----')) return undefined
  const name = /\nname:[ *](.+)/.exec(text)?.[1]
  const version = /\nversion:[ *](.+)/.exec(text)?.[1]
  // ChartMuseum leaves quotes, comments and carriage returns in the file's name, where nobody would look for it.
  return name === undefined || version === undefined
    ? undefined
    : `${textOfLine(name)}-${textOfLine(version)}.tgz.prov`
}
