// What chart is inside a .tgz? Name and version are read from the bytes, never from what a
// client says of them, and nothing is taken that two readers could read differently:
// ChartMuseum, Helm and the embedded repository find the same in it. Memory stays bounded:
// only Chart.yaml and requirements.yaml are held.
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { extract, type Extract } from 'tar-stream'
import { checkRequirements, readChartYaml, type ChartIdentity } from './archive/chart-yaml.ts'
import { Fault, type ArchiveFault } from './archive/fault.ts'
import { inflate } from './archive/gzip.ts'
import { createPlaces } from './archive/places.ts'
import { checkTar } from './archive/tar-check.ts'

export type ArchiveResult =
  | { readonly ok: true } & ChartIdentity
  | { readonly ok: false, readonly fault: ArchiveFault, /** a sentence for a person */ readonly detail: string }

// Helm's (v3.21.4, pkg/chart/loader/archive.go, MaxDecompressedFileSize).
const LARGEST_FILE = 5 * 1024 * 1024

/**
 * Reads a packaged chart of `size` bytes to its end (helm v3.21.4, pkg/chart/loader is
 * the judge of what a chart is).
 * @throws what the source throws
 */
export async function readChartArchive (source: Readable, size: number): Promise<ArchiveResult> {
  const tar = extract()
  // The entries first: a fault in one of them ends the feeding too.
  const feeding = pipeline(checkTar(inflate(source, size)), tar).catch((error: Error) => error)
  const reading = await readChart(tar).catch((error: Error) => error)
  const fed = await feeding
  const error = [reading, fed].find(each => each instanceof Fault) ?? fed ?? reading
  if (error instanceof Fault) return { ok: false, fault: error.fault, detail: error.message }
  if (error instanceof Error) throw error
  return { ok: true, ...error }
}

async function readChart (tar: Extract): Promise<ChartIdentity> {
  const placeOf = createPlaces()
  let identity: ChartIdentity | undefined
  for await (const entry of tar) {
    const { header } = entry
    const path = placeOf(header)
    if (path !== undefined && (header.size as number) > LARGEST_FILE) {
      throw new Fault('too_large', 'the archive has a file of more than 5 MiB, which Helm does not read')
    }
    if (path === 'Chart.yaml') identity = readChartYaml(await contentOf(entry))
    else if (path === 'requirements.yaml') checkRequirements(await contentOf(entry))
    else entry.resume()
  }
  if (identity === undefined) throw new Fault('missing_chart_yaml', 'the archive has no Chart.yaml in its folder')
  return identity
}

async function contentOf (entry: AsyncIterable<unknown>): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of entry) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}
