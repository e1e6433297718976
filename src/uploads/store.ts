// How does an understood upload get into the upstream? Without `overwrite` only what is
// not there yet; a chart first and then its provenance, each as a request of our own with
// a length, from the spool. What is looked at, stored and undone is so under one lock.
// ChartMuseum's own form is not used: it cleans up in its own way when half of it fails.
import type { Readable } from 'node:stream'
import type { ChartRequest } from '../chartmuseum/chart-request.ts'
import { RefusalError, isRefusal } from '../http/errors.ts'
import type { Locks } from '../lib/locks.ts'
import type { Later } from '../lib/timers.ts'
import { refusalOfAnswer } from '../upstream/answers.ts'
import type { Asker } from '../upstream/asker.ts'
import type { Upstreams } from '../upstream/upstreams.ts'
import type { Upload } from './inspect.ts'
import { removeFiles } from '../upstream/remove.ts'
import { isAlone, isKept, mayStore, whileProved, type SharedPlace } from './settle.ts'
import { readSpooled, type SpoolFile } from './spool.ts'
import {
  askFor, compareFile, findVersion, forTheRest, hasFile, lockOfFile, provenanceOfFile,
  type FileFacts, type OtherVersion, type TenantPlace
} from '../upstream/stored.ts'

export interface Uploader {
  /**
   * Stores the upload under the request's tenant.
   * @throws RefusalError when it exists, or the upstream refuses or cannot be reached; of
   * half a pair it says what is stored
   * @param sending is called before anything is sent that changes something
   * @returns true when a chart was stored whose version was not there before, for certain
   */
  store (request: ChartRequest, upload: Upload, caller: Asker, sending: () => void): Promise<boolean>
  /** Does something with a file of the tenant, which nobody else changes meanwhile. @param sending as above */
  alone (request: ChartRequest, file: string, caller: Asker, sending: () => void, work: AloneWork): Promise<void>
}

export type AloneWork = (stored: StoredFile) => Promise<void>

/** A chart's file, and its provenance, while nobody else changes them. */
export interface StoredFile {
  /** Stores an upload of this file. @returns as above @throws RefusalError as above */
  store (upload: Upload): Promise<boolean>
  /** Is this what is in it? @throws RefusalError when the upstream does not say */
  compare (archive: FileFacts): Promise<'missing' | 'same' | 'other'>
}

/** One tenant, as somebody uploads to it. */
interface UploadPlace extends TenantPlace, SharedPlace {
  sending (): void
}

export interface UploaderOptions {
  readonly upstreams: Upstreams
  readonly locks: Locks
  /** The upstream stores over what is there (charts.allowOverwrite), now. */
  readonly allowOverwrite: () => boolean
  readonly later: Later
}

export function createUploader ({ upstreams, locks, allowOverwrite, later }: UploaderOptions): Uploader {
  return {
    async store (request, upload, caller, sending) {
      let isNew = false
      await this.alone(request, upload.file, caller, sending, async stored => { isNew = await stored.store(upload) })
      return isNew
    },
    async alone ({ tenant, tenantPath, access }, file, caller, sending, work) {
      const store = access.action === 'overwrite' ? overwrite : push
      await locks.hold(lockOfFile(tenant, file), async hold => {
        const upstream = upstreams.of(tenant)
        const place = { upstream, tenant, tenantPath, caller, sending, hold, allowOverwrite, later }
        await work({
          store: async upload => await store(place, upload),
          compare: async archive => await compareFile(place, file, archive)
        })
      })
    }
  }
}

/**
 * Stores what is not there; of a pair what is missing, when the other half is the same.
 * @returns true when the chart was missing
 */
async function push (place: UploadPlace, upload: Upload): Promise<boolean> {
  const { chart, prov, file } = upload
  if (isPair(upload)) return await pushPair(place, upload)
  const there = chart === undefined
    ? await compareFile(place, `${file}.prov`, prov as SpoolFile) // there is at least one part
    : await compareFile(place, file, chart)
  if (there !== 'missing') throw await conflict(place, upload, there === 'same')
  if (chart !== undefined) {
    await pushFile(place, upload, 'upload-chart', chart)
    return true
  }
  // Beside another version's chart it would be that one's.
  const { holds } = await findVersion(place, upload.name, upload.version)
  if (typeof holds === 'object') throw alreadyThere(upload, holds)
  await pushFile(place, upload, 'upload-prov', prov as SpoolFile)
  return false
}

/** Stores what is not there, and sees that it is this which is there then, where another replica may store too. */
async function pushFile (place: UploadPlace, upload: Upload, route: UploadRoute, file: SpoolFile): Promise<void> {
  mayStore(place)
  await sendFile(place, upload, route, file)
  if (!await isKept(forTheRest(place), nameOf(upload, route), file)) throw alreadyThere(upload)
}

function nameOf ({ file }: Upload, route: UploadRoute): string {
  return route === 'upload-chart' ? file : `${file}.prov`
}

async function pushPair (place: UploadPlace, pair: Pair): Promise<boolean> {
  const { chart, prov, file } = pair
  const chartThere = await compareFile(place, file, chart)
  const isNew = chartThere === 'missing'
  const provThere = chartThere === 'other' ? chartThere : await compareFile(place, `${file}.prov`, prov)
  const isSame = chartThere === 'same' && provThere === 'same'
  if (provThere === 'other' || isSame) throw await conflict(place, pair, isSame)
  if (isNew) await pushFile(place, pair, 'upload-chart', chart)
  if (provThere === 'same') return isNew
  const rest = isNew ? forTheRest(place) : place
  await sendSecond(rest, pair, {}, async there => {
    // One that has come meanwhile is somebody else's, and would go too.
    if (isNew && there === undefined) await removeFiles(rest, pair.name, pair.version)
  })
  return isNew
}

/**
 * Stores what comes, over what is there of this version.
 * @returns true when no chart of it was there, and nobody else can have stored one meanwhile, who would not be refused
 */
async function overwrite (place: UploadPlace, upload: Upload): Promise<boolean> {
  const { chart, prov, name, version } = upload
  const { holds, elsewhere } = await findVersion(place, name, version)
  if (typeof holds === 'object') throw alreadyThere(upload, holds)
  if (chart === undefined) {
    await sendFile(place, upload, 'upload-prov', prov as SpoolFile, FORCE)
    return false
  }
  const isNew = holds === 'nothing'
  if (isPair(upload)) await overwritePair(place, upload, isNew)
  else await overwriteChart(place, upload, chart, isNew)
  return isNew && elsewhere === undefined && isAlone(place)
}

async function overwriteChart (place: UploadPlace, upload: Upload, chart: SpoolFile, isNew: boolean): Promise<void> {
  const old = !isNew && isOld(await provenanceOfFile(place, upload.file), upload, chart)
  await sendFile(place, upload, 'upload-chart', chart, FORCE)
  if (!old) return
  const rest = forTheRest(place)
  try {
    await dropProvenance(rest, upload, chart)
  } catch (error) {
    throw await halfDone(rest, upload, error)
  }
}

async function overwritePair (place: UploadPlace, pair: Pair, isNew: boolean): Promise<void> {
  const { chart, name, version } = pair
  await sendFile(place, pair, 'upload-chart', chart, FORCE)
  const rest = forTheRest(place)
  await sendSecond(rest, pair, FORCE, async there => {
    if (!isNew && isOld(there, pair, chart)) await dropProvenance(rest, pair, chart)
    if (isNew && (there === undefined || isOld(there, pair, chart))) await removeFiles(rest, name, version)
  })
}

type Pair = Upload & Required<Pick<Upload, 'chart' | 'prov'>>

function isPair (upload: Upload): upload is Pair {
  return upload.chart !== undefined && upload.prov !== undefined
}

const FORCE = { force: '' }

type UploadRoute = 'upload-chart' | 'upload-prov'

/** Stores one file. When the answer is lost, what is there says whether it was done. */
async function sendFile (
  place: UploadPlace,
  upload: Upload,
  route: UploadRoute,
  file: SpoolFile,
  query: ChartRequest['query'] = {}
): Promise<void> {
  try {
    await sendOnce(place, upload, route, file, query)
  } catch (error) {
    if (!isUnanswered(error)) throw error
    const stored = await compareFile(forTheRest(place), nameOf(upload, route), file).catch(() => 'missing')
    if (stored === 'same') return
    throw place.hold() === 'lost' ? new RefusalError({ code: 'lock_unproved' }, { cause: error }) : error
  }
}

function isUnanswered (error: unknown): boolean {
  return error instanceof RefusalError &&
    (error.refusal.code === 'upstream_unreachable' || error.refusal.code === 'upstream_timeout')
}

async function sendOnce (
  place: UploadPlace,
  upload: Upload,
  route: UploadRoute,
  file: SpoolFile,
  query: ChartRequest['query']
): Promise<void> {
  const stream = (): Readable => whileProved(() => readSpooled(file), place)
  const body = { contentType: 'application/octet-stream', length: file.size, stream }
  place.sending()
  const { statusCode, text } = await askFor(place, { route, query }, 'POST', body)
  if (statusCode === 409) throw alreadyThere(upload)
  if (statusCode !== 201) {
    throw new RefusalError(refusalOfAnswer(statusCode, text), { cause: `the upstream answered ${statusCode}` })
  }
}

/**
 * Stores the provenance of a chart that is stored. When that fails, `settle` sees to what
 * is left, knowing the provenance that is there.
 */
async function sendSecond (
  place: UploadPlace,
  pair: Pair,
  query: ChartRequest['query'],
  settle: (there: string | undefined) => Promise<void>
): Promise<void> {
  const { prov, file } = pair
  try {
    await sendFile(place, pair, 'upload-prov', prov, query)
  } catch (error) {
    try {
      await settle(await provenanceOfFile(place, file))
    } catch {
      // What is stored now is told below.
    }
    throw await halfDone(place, pair, error)
  }
}

/** True for a provenance file that speaks of other bytes than the chart's. */
function isOld (provenance: string | undefined, { file }: Upload, { digest }: SpoolFile): boolean {
  return provenance?.startsWith('-----BEGIN PGP SIGNED MESSAGE-----') === true &&
    !provenance.includes(`${file}: sha256:${digest}`)
}

/**
 * Takes an old provenance away. ChartMuseum does that with its chart alone, so the chart
 * is stored once more, twice if need be: it was taken a moment ago. Where the upstream
 * allows no deletes, the old one stays.
 * @throws RefusalError when the chart or the provenance is not as it should be
 */
async function dropProvenance (place: UploadPlace, upload: Upload, chart: SpoolFile): Promise<void> {
  const failure = await removeFiles(place, upload.name, upload.version).then(() => undefined, (error: unknown) => error)
  const again = async (): Promise<void> => { await sendFile(place, upload, 'upload-chart', chart, FORCE) }
  await again().catch(again)
  if (failure === undefined || isRefusal(failure, 'not_in_upstream')) return
  if (isOld(await provenanceOfFile(place, upload.file), upload, chart)) throw failure
}

/** A failure, with what is stored now. */
async function halfDone (place: UploadPlace, { file }: Upload, error: unknown): Promise<unknown> {
  if (!(error instanceof RefusalError)) return error
  return new RefusalError(
    { code: error.refusal.code, detail: `${error.message}; ${await whatIsStored(place, file)}` },
    { cause: error.cause ?? error }
  )
}

async function whatIsStored (place: UploadPlace, file: string): Promise<string> {
  try {
    const [chart, prov] = [await hasFile(place, file), await hasFile(place, `${file}.prov`)]
    if (chart && prov) return 'the chart is stored, with a provenance file that may not be its own: send it again'
    if (chart) return 'the chart is stored, its provenance is not: send it again'
    return prov
      ? 'the chart is not stored, a provenance file is: send it again'
      : 'neither the chart nor its provenance is stored'
  } catch {
    return 'it is not known what of it is stored: send it again'
  }
}

/** What is there already: the very same, which a pipeline that runs twice may take for done, or what else it is. */
async function conflict (place: UploadPlace, upload: Upload, isSame: boolean): Promise<RefusalError> {
  if (isSame) return new RefusalError({ code: 'already_stored' })
  const { holds } = await findVersion(place, upload.name, upload.version)
  return alreadyThere(upload, typeof holds === 'object' ? holds : undefined)
}

/**
 * ChartMuseum's two sentences for it (pkg/chartmuseum/server/multitenant/api.go and
 * handlers.go), unless another version is in the way.
 */
function alreadyThere ({ form, file }: Upload, other?: OtherVersion): RefusalError {
  const code = form === 'raw' ? 'file_exists' : 'chart_exists'
  if (other === undefined) return new RefusalError({ code })
  const { name, version } = other
  const holds = name === undefined ? 'another version' : `${name} ${version}`
  return new RefusalError({
    code,
    detail: `${file} holds ${holds}: two versions cannot have one file, so use another name or version`
  })
}
