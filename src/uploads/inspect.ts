// What is being pushed? A spooled upload, raw or multipart, understood from its bytes:
// which chart, which version, with or without provenance. Only what is understood here
// is ever sent to the upstream.
import { readFile } from 'node:fs/promises'
import { readChartArchive } from './archive.ts'
import { readProvenance } from './archive/provenance.ts'
import { chartFileOf, faultOfNewChart } from '../words/chart-names.ts'
import type { Depth } from '../words/tenant.ts'
import { RefusalError } from '../http/errors.ts'
import { readParts, type UploadParts } from './multipart.ts'
import { limited, readSpooled, type Spool, type SpoolFile } from './spool.ts'

export interface Upload extends UploadParts {
  readonly form: 'raw' | 'multipart'
  readonly name: string
  readonly version: string
  /** The chart's file name in the repository. */
  readonly file: string
  /** Frees the spool. */
  remove (): Promise<void>
}

export interface IncomingUpload {
  readonly route: 'upload-chart' | 'upload-prov'
  readonly contentType: string
  readonly body: AsyncIterable<Uint8Array>
  /** Of the repository that it is for. */
  readonly depth: Depth
}

const LONGEST_PROVENANCE = 1024 * 1024

/**
 * Spools and inspects an upload.
 * @param limit of the whole body, bytes
 * @throws RefusalError with a sentence about what is wrong; nothing stays spooled then
 */
export async function readUpload (
  { route, contentType, body, depth }: IncomingUpload,
  spool: Spool,
  limit: number
): Promise<Upload> {
  const bounded = limited(body, limit)
  const multipart = /^multipart\/form-data(?:;|\s|$)/i.test(contentType)
  if (multipart && route === 'upload-prov') {
    throw invalidUpload(
      'a provenance file is sent as it is, not as a form; or together with its chart as chart and prov'
    )
  }
  const parts = multipart
    ? await readParts(contentType, bounded, spool)
    : { [route === 'upload-chart' ? 'chart' : 'prov']: await spool.write(bounded) }
  const remove = async (): Promise<void> => {
    await parts.chart?.remove()
    await parts.prov?.remove()
  }
  try {
    const { name, version } = await agree(parts)
    const fault = faultOfNewChart(name, version, depth)
    if (fault !== undefined) throw invalidUpload(fault)
    return { ...parts, form: multipart ? 'multipart' : 'raw', name, version, file: chartFileOf(name, version), remove }
  } catch (error) {
    await remove()
    throw error
  }
}

interface Identity { name: string, version: string }

/** What the parts say they are; chart and provenance must say the same. */
async function agree ({ chart, prov }: UploadParts): Promise<Identity> {
  const ofChart = chart === undefined ? undefined : await identifyChart(chart)
  const ofProv = prov === undefined ? undefined : await identifyProvenance(prov)
  const differ = ofChart !== undefined && ofProv !== undefined &&
    (ofChart.name !== ofProv.name || ofChart.version !== ofProv.version)
  if (differ) {
    throw invalidUpload('the provenance file belongs to another chart or version than the one it came with')
  }
  return (ofChart ?? ofProv) as Identity // there is at least one part
}

async function identifyChart (file: SpoolFile): Promise<Identity> {
  const read = await readChartArchive(readSpooled(file), file.size)
  if (!read.ok) throw invalidUpload(read.detail)
  return read
}

async function identifyProvenance ({ path, size }: SpoolFile): Promise<Identity> {
  if (size > LONGEST_PROVENANCE) throw invalidUpload('the provenance file is larger than 1 MiB')
  const read = readProvenance(await readFile(path, 'utf8'))
  if (!read.ok) throw invalidUpload(read.detail)
  return read
}

function invalidUpload (detail: string): RefusalError {
  return new RefusalError({ code: 'invalid_upload', detail })
}
