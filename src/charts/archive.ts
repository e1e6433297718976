// What is inside a .tgz or a .prov? Name, version and metadata are read from the
// bytes, never from what a client says of them, and nothing is taken that two readers
// could read differently. Asked by uploads. Memory stays bounded: only Chart.yaml and
// requirements.yaml are held.
import type { Readable } from 'node:stream'
import { ByteReader } from './archive/bytes.ts'
import { checkRequirements, readChartYaml } from './archive/chart-yaml.ts'
import { Fault, type ArchiveFault } from './archive/fault.ts'
import { inflate } from './archive/gzip.ts'
import { createPlaces } from './archive/places.ts'
import { tarEntries } from './archive/tar.ts'

export type { ArchiveFault } from './archive/fault.ts'
export { readProvenance, type ProvenanceResult } from './archive/provenance.ts'

export interface ChartArchive {
  readonly name: string
  readonly version: string
  /** Chart.yaml as it is. */
  readonly metadata: Readonly<Record<string, unknown>>
}

export type ArchiveResult =
  | { readonly ok: true, readonly chart: ChartArchive }
  | { readonly ok: false, readonly fault: ArchiveFault, /** a sentence for a person */ readonly detail: string }

const LONGEST = 1024 * 1024

/**
 * Reads a packaged chart to its end (helm v3.21.4, pkg/chart/loader/archive.go is the
 * judge of what a chart is).
 * @throws what the source throws
 */
export async function readChartArchive (source: Readable): Promise<ArchiveResult> {
  const bytes = new ByteReader(inflate(source))
  const result = await readChart(bytes).catch((error: Error) => error)
  await bytes.close()
  source.destroy()
  if (result instanceof Fault) return { ok: false, fault: result.fault, detail: result.message }
  if (result instanceof Error) throw result
  return { ok: true, chart: result }
}

async function readChart (bytes: ByteReader): Promise<ChartArchive> {
  const placeOf = createPlaces()
  let chartYaml: Buffer | undefined
  for await (const entry of tarEntries(bytes)) {
    const path = placeOf(entry)
    if (path !== 'Chart.yaml' && path !== 'requirements.yaml') continue
    if (entry.size > LONGEST) throw new Fault('too_large', `the archive has a ${path} of more than 1 MiB`)
    const content = await entry.read()
    if (path === 'Chart.yaml') chartYaml = content
    else checkRequirements(content)
  }
  if (chartYaml === undefined) throw new Fault('missing_chart_yaml', 'the archive has no Chart.yaml in its folder')
  return readChartYaml(chartYaml)
}
