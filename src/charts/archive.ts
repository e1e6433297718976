// What is inside a .tgz or a .prov? Name, version and metadata are read from the
// bytes, never from what a client says of them. Asked by uploads (strict: nothing that
// two readers could read differently) and by the embedded repository (what ChartMuseum
// takes). Memory stays bounded: only Chart.yaml and the files asked for are kept.
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { extract, type Header } from 'tar-stream'
import { parse } from 'yaml'
import { isChartName, isVersion } from './names.ts'

export type ArchiveFault =
  | 'empty' | 'not_gzip' | 'corrupt' | 'too_large' | 'too_many_entries' | 'unsafe_name' | 'forbidden_entry'
  | 'several_roots' | 'missing_chart_yaml' | 'several_chart_yaml' | 'invalid_chart_yaml' | 'invalid_name' | 'invalid_version'

export interface ChartArchive {
  readonly name: string
  readonly version: string
  /** Chart.yaml as it is. */
  readonly metadata: Readonly<Record<string, unknown>>
  /** The files that were asked for, by their path below the chart's folder. */
  readonly files: ReadonlyMap<string, Buffer>
}

export type ArchiveResult =
  | { readonly ok: true, readonly chart: ChartArchive }
  | { readonly ok: false, readonly fault: ArchiveFault, /** a sentence for a person */ readonly detail: string }

export interface ReadOptions {
  /** Refuse whatever another reader could understand differently. */
  readonly strict: boolean
  /** Which files to keep besides Chart.yaml. */
  readonly keep?: (path: string) => boolean
}

const MOST_INFLATED = 100 * 1024 * 1024
const MOST_ENTRIES = 10_000
const LONGEST_KEPT = 1024 * 1024 * 5

/** A fault on its way out of a stream pipeline. */
class Fault extends Error {
  readonly fault: ArchiveFault
  constructor (fault: ArchiveFault, detail: string) {
    super(detail)
    this.fault = fault
  }
}

/** Reads a packaged chart to its end (helm/helm v3.21.4, pkg/chart/loader/archive.go is the judge of what a chart is). */
export async function readChartArchive (source: Readable, options: ReadOptions): Promise<ArchiveResult> {
  const walk = new Walk(options)
  const gunzip = createGunzip()
  const tar = extract()
  let bytes = 0
  let inflated = 0
  gunzip.on('data', (chunk: Buffer) => {
    inflated += chunk.length
    if (inflated > MOST_INFLATED) gunzip.destroy(new Fault('too_large', `the archive inflates to more than ${MOST_INFLATED / 1024 / 1024} MiB`))
  })
  source.on('data', (chunk: Buffer) => { bytes += chunk.length })
  const reading = pipeline(source, gunzip, tar)
  try {
    for await (const entry of tar) await walk.visit(entry.header, entry as AsyncIterable<Buffer>)
    await reading
    return walk.finish()
  } catch (error) {
    await reading.catch(() => {}) // the same error again
    return asFault(error, bytes)
  }
}

function asFault (error: unknown, bytes: number): ArchiveResult {
  if (error instanceof Fault) return { ok: false, fault: error.fault, detail: error.message }
  if (bytes === 0) return { ok: false, fault: 'empty', detail: 'the upload is empty' }
  return (error as NodeJS.ErrnoException).code === 'Z_DATA_ERROR' && /header/.test((error as Error).message)
    ? { ok: false, fault: 'not_gzip', detail: 'the upload is not a gzip archive' }
    : { ok: false, fault: 'corrupt', detail: 'the archive is damaged or not a tar archive' }
}

/** One pass over the entries. */
class Walk {
  private readonly options: ReadOptions
  private readonly seen = new Set<string>()
  private readonly files = new Map<string, Buffer>()
  private root: string | undefined
  private chartYaml: Buffer | undefined
  private entries = 0

  constructor (options: ReadOptions) {
    this.options = options
  }

  async visit (header: Header, body: AsyncIterable<Buffer>): Promise<void> {
    if (++this.entries > MOST_ENTRIES) throw new Fault('too_many_entries', `the archive has more than ${MOST_ENTRIES} entries`)
    const path = this.options.strict ? this.placeOf(header) : loosePlaceOf(header)
    const wanted = path === 'Chart.yaml' || (path !== undefined && (this.options.keep?.(path) ?? false))
    const chunks: Buffer[] = []
    let length = 0
    for await (const chunk of body) {
      if (!wanted) continue
      length += chunk.length
      if (length > LONGEST_KEPT) throw new Fault('too_large', 'a file of the chart is too large')
      chunks.push(chunk)
    }
    if (!wanted || path === undefined) return
    if (path !== 'Chart.yaml') this.files.set(path, Buffer.concat(chunks))
    else this.chartYaml = Buffer.concat(chunks)
  }

  /** The path below the chart's folder; undefined for the folder itself and for directories. */
  private placeOf ({ name, type }: Header): string | undefined {
    if (type !== 'file' && type !== 'directory') throw new Fault('forbidden_entry', `the archive has an entry that is neither a file nor a directory (${String(type)})`)
    const parts = (type === 'directory' ? name.replace(/\/$/, '') : name).split('/')
    // eslint-disable-next-line no-control-regex
    if (parts.some(part => part === '' || part === '.' || part === '..' || /[\\\x00-\x1f\x7f]/.test(part))) throw new Fault('unsafe_name', 'the archive has an entry with an absolute, dot or backslash name')
    const [root, ...rest] = parts as [string, ...string[]]
    this.root ??= root
    if (root !== this.root || (rest.length === 0 && type !== 'directory')) throw new Fault('several_roots', 'the archive must hold one folder with the chart, and nothing beside it')
    if (type === 'directory') return undefined
    const path = rest.join('/')
    if (this.seen.has(path)) throw path === 'Chart.yaml' ? new Fault('several_chart_yaml', 'the archive has two Chart.yaml') : new Fault('unsafe_name', 'the archive has the same file twice')
    this.seen.add(path)
    return path
  }

  finish (): ArchiveResult {
    if (this.chartYaml === undefined) throw new Fault('missing_chart_yaml', 'the archive has no Chart.yaml in its folder')
    const metadata = readChartYaml(this.chartYaml)
    const { name, version } = metadata
    if (typeof name !== 'string' || !isChartName(name)) throw new Fault('invalid_name', 'Chart.yaml has no valid name: letters, digits, ".", "_" and "-"')
    if (typeof version !== 'string' || !isVersion(version)) throw new Fault('invalid_version', 'Chart.yaml has no valid version: a semantic version such as 1.2.3')
    return { ok: true, chart: { name, version, metadata, files: this.files } }
  }
}

/** As Helm's loader does: the first folder is cut off, whatever it is called. */
function loosePlaceOf ({ name, type }: Header): string | undefined {
  if (type === 'directory' || !name.includes('/')) return undefined
  return name.slice(name.indexOf('/') + 1)
}

function readChartYaml (bytes: Buffer): Record<string, unknown> {
  try {
    // YAML 1.1, as Go's reader has it; a duplicate key and a bomb of aliases are refused.
    const value: unknown = parse(bytes.toString('utf8'), { version: '1.1', maxAliasCount: 100, logLevel: 'error' })
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  } catch {
    // the parser's own words quote the file
  }
  throw new Fault('invalid_chart_yaml', 'Chart.yaml is not a YAML mapping')
}

export type ProvenanceResult =
  | { readonly ok: true, readonly name: string, readonly version: string }
  | { readonly ok: false, readonly detail: string }

/**
 * The chart that a provenance file speaks of. Both lines are looked for as ChartMuseum
 * does (helm/chartmuseum v0.16.5, pkg/repo/provenance.go), and must be there once.
 */
export function readProvenance (text: string): ProvenanceResult {
  if (!text.startsWith('-----BEGIN PGP SIGNED MESSAGE-----')) return { ok: false, detail: 'the provenance file is not a signed message' }
  const signed = text.split('-----BEGIN PGP SIGNATURE-----', 1)[0] as string
  const [name, ...moreNames] = [...signed.matchAll(/\nname:[ *](.+)/g)].map(match => unquote(match[1] as string))
  const [version, ...moreVersions] = [...signed.matchAll(/\nversion:[ *](.+)/g)].map(match => unquote(match[1] as string))
  if (name === undefined || version === undefined || moreNames.length + moreVersions.length > 0) return { ok: false, detail: 'the provenance file must name one chart and one version' }
  if (!isChartName(name) || !isVersion(version)) return { ok: false, detail: 'the provenance file names a chart or version that no chart can have' }
  return { ok: true, name, version }
}

function unquote (value: string): string {
  return value.trim().replace(/^(["'])(.*)\1$/, '$2')
}
