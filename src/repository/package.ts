// What chart is in this .tgz? A port of Helm's loader (helm/helm v3.20.0, pkg/chart/loader/
// archive.go and load.go), which is what ChartMuseum accepts, with its words for what is
// wrong. Small archives are read in one go, which makes a start with thousands of
// charts quick; large ones and every unusual one are streamed, in bounded memory.
import { createReadStream } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { createGunzip, gunzipSync } from 'node:zlib'
import { extract } from 'tar-stream'
import { textOfLine } from '../lib/line-text.ts'
import { readMetadata, type Metadata } from './chart-metadata.ts'
import { readGoYaml } from './go-yaml.ts'
import { readPlainTar, type TarFile } from './tar.ts'

export interface ChartPackage {
  readonly metadata: Metadata
  /** The files that were asked for, in the archive's order; paths are below the chart's folder. */
  readonly files: readonly TarFile[]
}

export type PackageResult =
  | { readonly ok: true, readonly chart: ChartPackage }
  | { readonly ok: false, /** Helm's words */ readonly message: string }

const MOST_INFLATED = 100 * 1024 * 1024
const LARGEST_FILE = 5 * 1024 * 1024
/** Archives up to this size are read in one go, unless they inflate to more than that. */
const SMALL_MEMBER = 256 * 1024
const SMALL_INFLATED = 4 * 1024 * 1024

class PackageFault extends Error {}

type Keep = (path: string) => boolean
const nothing: Keep = () => false

/** Reads a chart from a file that holds `size` bytes. */
export async function readPackage (path: string, keep: Keep = nothing): Promise<PackageResult> {
  const { size } = await stat(path)
  if (size > SMALL_MEMBER) return await readStreamed(path, size, keep)
  return readBytes(await readFile(path), keep) ?? await readStreamed(path, size, keep)
}

/** Reads a small chart from memory; undefined when it takes the longer way over a file. */
export function readBytes (bytes: Buffer, keep: Keep = nothing): PackageResult | undefined {
  let tar: TarFile[] | undefined
  try {
    tar = readPlainTar(gunzipSync(bytes, { maxOutputLength: SMALL_INFLATED, chunkSize: 64 * 1024 }))
  } catch {
    return undefined // what is wrong with it, the longer way says
  }
  if (tar === undefined) return undefined
  const loader = new Loader(keep)
  try {
    for (const { name, data } of tar) {
      const path = loader.place(name, data.length)
      if (loader.wants(path)) loader.add(path, data)
    }
    return loader.finish()
  } catch (error) {
    return failed(error)
  }
}

async function readStreamed (path: string, size: number, keep: Keep): Promise<PackageResult> {
  if (size === 0) return { ok: false, message: 'EOF' }
  const loader = new Loader(keep)
  const tar = extract()
  const reading = pipeline(createReadStream(path), createGunzip(), tar)
  reading.catch(() => {}) // looked at below
  try {
    for await (const entry of tar) {
      const { name, type, size: length = 0 } = entry.header
      if (type === 'directory') {
        entry.resume()
        continue
      }
      const place = loader.place(name, length)
      if (!loader.wants(place)) {
        entry.resume()
        continue
      }
      const chunks: Buffer[] = []
      for await (const chunk of entry as AsyncIterable<Buffer>) chunks.push(chunk)
      loader.add(place, Buffer.concat(chunks))
    }
    await reading
    return loader.finish()
  } catch (error) {
    /* c8 ignore next -- whichever of the two ends first */
    const cause = await reading.then(() => error, (reason: unknown) => error instanceof PackageFault ? error : reason)
    return failed(cause, size)
  }
}

/** The words of Go's gzip, flate and tar for what zlib and tar-stream found. */
function failed (error: unknown, size = Infinity): PackageResult {
  if (error instanceof PackageFault) return { ok: false, message: error.message }
  const { code = '', message } = error as NodeJS.ErrnoException
  if (code === 'Z_BUF_ERROR' || /unexpected end/i.test(message)) return { ok: false, message: 'unexpected EOF' }
  if (code === 'Z_DATA_ERROR' && message === 'incorrect header check') {
    return { ok: false, message: size < 10 ? 'unexpected EOF' : 'gzip: invalid header' }
  }
  if (code === 'Z_DATA_ERROR' && /incorrect (?:data|length) check/.test(message)) {
    return { ok: false, message: 'gzip: invalid checksum' }
  }
  if (code.startsWith('Z_')) return { ok: false, message: 'flate: corrupt input' }
  if (/tar header|checksum/i.test(message)) return { ok: false, message: 'archive/tar: invalid tar header' }
  /* c8 ignore next 2 -- the file could not be read */
  throw error
}

/** What Helm does with each entry, and with all of them at the end. */
class Loader {
  private readonly keep: Keep
  private readonly files: TarFile[] = []
  private remaining = MOST_INFLATED
  private chartYaml: Buffer | undefined
  private requirements: Buffer | undefined

  constructor (keep: Keep) {
    this.keep = keep
  }

  /** The path below the chart's folder. */
  place (name: string, size: number): string {
    const delimiter = name.includes('\\') ? '\\' : '/'
    const parts = name.split(delimiter)
    const path = parts.slice(1).join('/')
    if (path.startsWith('/')) throw new PackageFault('chart illegally contains absolute paths')
    const clean = cleanPath(path)
    if (clean === '.') {
      throw new PackageFault(`chart illegally contains content outside the base directory: ${JSON.stringify(name)}`)
    }
    if (clean.startsWith('..')) throw new PackageFault('chart illegally references parent directory')
    if (/^[a-zA-Z]:\//.test(clean)) throw new PackageFault('chart contains illegally named files')
    if (parts[0] === 'Chart.yaml') throw new PackageFault('chart yaml not in base directory')
    if (size > this.remaining) {
      throw new PackageFault(`decompressed chart is larger than the maximum file size ${MOST_INFLATED}`)
    }
    if (size > LARGEST_FILE) {
      throw new PackageFault(
        `decompressed chart file ${JSON.stringify(name)} is larger than the maximum file size ${LARGEST_FILE}`
      )
    }
    this.remaining -= size
    return clean
  }

  wants (path: string): boolean {
    return path === 'Chart.yaml' || path === 'requirements.yaml' || this.keep(path)
  }

  add (path: string, data: Buffer): void {
    if (path === 'Chart.yaml') this.chartYaml = data
    if (path === 'requirements.yaml') this.requirements = data
    if (this.keep(path)) this.files.push({ name: path, data })
  }

  finish (): PackageResult {
    if (this.chartYaml === undefined) throw new PackageFault('Chart.yaml file is missing')
    const requirements = this.requirements === undefined ? null : readGoYaml(toText(this.requirements))
    if (requirements === undefined) {
      throw new PackageFault('cannot load requirements.yaml: error converting YAML to JSON')
    }
    const read = readMetadata(readGoYaml(toText(this.chartYaml)), requirements)
    return read.ok ? { ok: true, chart: { metadata: read.metadata, files: this.files } } : read
  }
}

/** UTF-8 without a byte order mark, which Helm's loader cuts off. */
function toText (data: Buffer): string {
  return data.toString('utf8').replace(/^\ufeff/, '')
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
