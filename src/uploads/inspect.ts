// What is being pushed? A spooled upload, raw or multipart, understood from its bytes:
// which chart, which version, with or without provenance. Only what is understood here
// is ever sent to the upstream.
import { readFile } from 'node:fs/promises'
import { readChartArchive } from './archive.ts'
import type { ChartIdentity } from './archive/chart-yaml.ts'
import type { ArchiveFault } from './archive/fault.ts'
import { readProvenance, type ProvenanceResult } from './archive/provenance.ts'
import { chartFileOf, faultOfNewChart } from '../words/chart-names.ts'
import type { Depth } from '../words/tenant.ts'
import { RefusalError } from '../http/errors.ts'
import { inQuotes } from '../lib/printable.ts'
import { readParts, type FormFields, type UploadParts } from './multipart.ts'
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

/** What the repository that something is pushed to takes. */
export interface UploadTaker {
  readonly depth: Depth
  /** By what it names a provenance file: ChartMuseum by its text as it is, quotes and all. */
  readonly namesProvenanceBy: 'its text' | 'what it says'
}

export interface IncomingUpload extends UploadTaker {
  readonly route: 'upload-chart' | 'upload-prov'
  readonly contentType: string
  readonly body: AsyncIterable<Uint8Array>
  readonly fields: FormFields
}

const LONGEST_PROVENANCE = 1024 * 1024

/**
 * Spools and inspects an upload.
 * @param limit of the whole body, bytes
 * @throws RefusalError with a sentence about what is wrong; nothing stays spooled then
 */
export async function readUpload (
  { route, contentType, body, fields, ...taker }: IncomingUpload,
  spool: Spool,
  limit: number
): Promise<Upload> {
  const bounded = limited(body, limit)
  const multipart = /^multipart\/form-data(?:;|\s|$)/i.test(contentType)
  if (multipart && route === 'upload-prov') {
    throw invalidUpload(
      'a provenance file is sent as it is, not as a form; ' +
      `or together with its chart as ${fields.chart} and ${fields.prov}`
    )
  }
  const parts = multipart
    ? await readParts(contentType, bounded, spool, fields)
    : { [route === 'upload-chart' ? 'chart' : 'prov']: await spool.write(bounded) }
  return await inspectParts(parts, { ...taker, form: multipart ? 'multipart' : 'raw', contentType })
}

/**
 * Inspects what is spooled, at least one part, however it came.
 * @throws RefusalError as above; nothing stays spooled then
 */
export async function inspectParts (
  parts: UploadParts,
  { depth, namesProvenanceBy, form, contentType }: UploadTaker & Pick<Upload, 'form'> & { readonly contentType: string }
): Promise<Upload> {
  const remove = async (): Promise<void> => {
    await parts.chart?.remove()
    await parts.prov?.remove()
  }
  try {
    const { name, version } = await agree(parts, namesProvenanceBy, contentType)
    const fault = faultOfNewChart(name, version, depth)
    if (fault !== undefined) throw invalidUpload(fault)
    return { ...parts, form, name, version, file: chartFileOf(name, version), remove }
  } catch (error) {
    await remove()
    throw error
  }
}

type Provenance = Extract<ProvenanceResult, { ok: true }>

/** What the parts say they are; chart and provenance must say the same. */
async function agree (
  { chart, prov }: UploadParts,
  namesProvenanceBy: IncomingUpload['namesProvenanceBy'],
  contentType: string
): Promise<ChartIdentity> {
  const ofChart = chart === undefined ? undefined : await identifyChart(chart, contentType)
  if (prov === undefined) return ofChart as ChartIdentity // there is at least one part
  const { meant, written, isOnly } = await identifyProvenance(prov)
  if (ofChart === undefined && !isOnly) {
    throw invalidUpload('the provenance file must name one chart and one version: send it with its chart')
  }
  if (ofChart !== undefined && !isSame(ofChart, meant)) {
    throw invalidUpload('the provenance file belongs to another chart or version than the one it came with')
  }
  if (namesProvenanceBy === 'its text' && !isSame(meant, written)) {
    const file = inQuotes(`${chartFileOf(written.name, written.version)}.prov`, LONGEST_SHOWN)
    throw invalidUpload(
      `ChartMuseum would store the provenance file as ${file}, which nobody asks for: write name and version ` +
      'in Chart.yaml without quotes, comments and blanks and sign it again, or push the chart without it'
    )
  }
  return meant
}

function isSame (one: ChartIdentity, other: ChartIdentity): boolean {
  return one.name === other.name && one.version === other.version
}

const LONGEST_SHOWN = 200

/** What curl sends with -d, which takes the line ends out of a file, and with --data-binary, which does not. */
const OF_CURL = /^application\/x-www-form-urlencoded(?:;|\s|$)/i
const OF_DAMAGE: readonly ArchiveFault[] = ['empty', 'not_gzip', 'corrupt', 'truncated']

async function identifyChart (file: SpoolFile, contentType: string): Promise<ChartIdentity> {
  const read = await readChartArchive(readSpooled(file), file.size)
  if (read.ok) return read
  const isOfCurl = OF_CURL.test(contentType) && OF_DAMAGE.includes(read.fault)
  throw invalidUpload(isOfCurl ? `${read.detail} (with curl: --data-binary @FILE, not -d)` : read.detail)
}

async function identifyProvenance ({ path, size }: SpoolFile): Promise<Provenance> {
  if (size > LONGEST_PROVENANCE) throw invalidUpload('the provenance file is larger than 1 MiB')
  const read = readProvenance(await readFile(path, 'utf8'))
  if (!read.ok) throw invalidUpload(read.detail)
  return read
}

function invalidUpload (detail: string): RefusalError {
  return new RefusalError({ code: 'invalid_upload', detail })
}
