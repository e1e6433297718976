// What chart is inside a .tgz? Name and version are read from the bytes, never from what a
// client says of them. Whatever Helm and ChartMuseum take is taken, unless readers could
// find another name, another version or another Chart.yaml in it. Memory stays bounded:
// only Chart.yaml and requirements.yaml are held.
import type { Readable } from 'node:stream'
import { inQuotes } from '../lib/printable.ts'
import { checkRequirements, LONGEST_CHART_YAML, readChartYaml, type ChartIdentity } from './archive/chart-yaml.ts'
import { Fault, type ArchiveFault } from './archive/fault.ts'
import { inflate } from './archive/gzip.ts'
import { createPlaces } from './archive/places.ts'
import { walkTar, type TarVisitor } from './archive/tar-walk.ts'

export type ArchiveResult =
  | { readonly ok: true } & ChartIdentity
  | { readonly ok: false, readonly fault: ArchiveFault, /** a sentence for a person */ readonly detail: string }

// Helm's (v3.21.4, pkg/chart/loader/archive.go, MaxDecompressedFileSize, MaxDecompressedChartSize).
const LARGEST_FILE = 5 * 1024 * 1024
const LARGEST_CHART = 100 * 1024 * 1024

/**
 * Reads a packaged chart of `size` bytes to its end (helm v3.21.4, pkg/chart/loader is
 * the judge of what a chart is).
 * @throws what the source throws
 */
export async function readChartArchive (source: Readable, size: number): Promise<ArchiveResult> {
  try {
    return { ok: true, ...await readChart(source, size) }
  } catch (error) {
    if (error instanceof Fault) return { ok: false, fault: error.fault, detail: error.message }
    throw error
  }
}

async function readChart (source: Readable, size: number): Promise<ChartIdentity> {
  const contents = new Map<string, Buffer>()
  await walkTar(inflate(source, size), keepOwnFiles(contents))
  const chart = contents.get('Chart.yaml')
  if (chart === undefined) throw new Fault('missing_chart_yaml', 'the archive has no Chart.yaml in its folder')
  const identity = await readChartYaml(chart)
  const requirements = contents.get('requirements.yaml')
  if (requirements !== undefined) await checkRequirements(requirements)
  return identity
}

/** Sees to places and sizes of all files, and takes the content of those that say how the chart is called. */
function keepOwnFiles (contents: Map<string, Buffer>): TarVisitor {
  const placeOf = createPlaces()
  let left = LARGEST_CHART
  return entry => {
    const path = placeOf(entry)
    if (path === undefined) return undefined
    if (entry.size > LARGEST_FILE) {
      const file = inQuotes(path, 100)
      throw new Fault('too_large', `the archive has ${file} of more than 5 MiB, which Helm does not read`)
    }
    left -= entry.kind === 'link' ? 0 : entry.size
    if (left <= 0) throw new Fault('too_large', 'the archive has files of 100 MiB or more, which Helm does not read')
    if (path !== 'Chart.yaml' && path !== 'requirements.yaml') return undefined
    if (entry.size > LONGEST_CHART_YAML) {
      throw new Fault('too_large', `the archive has a ${path} of more than ${LONGEST_CHART_YAML / 1024 / 1024} MiB`)
    }
    return content => { contents.set(path, content) }
  }
}
