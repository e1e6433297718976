// What does the upstream hold of a version? Its files are asked for one by one, and its
// API which version lives in one of them: `foo` `1-1.0` and `foo-1` `1.0` have one file
// name, and a file that somebody put there may hold anything. An index is asked for only
// when a file is there and nothing else says whose it is.
import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import type { ChartRequest } from '../chartmuseum/chart-request.ts'
import { isChartName, isVersion } from '../words/chart-names.ts'
import { RefusalError } from '../http/errors.ts'
import { causeOfAnswer, isPage, refusalOfAnswer, refusalOfFailure, textOf, type UpstreamAnswer } from './answers.ts'
import { alone, toItsEnd, type Asker } from './asker.ts'
import type { Upstream } from './client.ts'
import type { Reading } from './exchange.ts'
import { sendOwn, type OwnAnswer, type OwnRequest } from './own-request.ts'

/** One tenant of the upstream, and for whom it is asked. */
export interface TenantPlace extends Pick<ChartRequest, 'tenant' | 'tenantPath'> {
  readonly upstream: Upstream
  readonly caller: Asker
}

/** The same, once something of a change was sent: what belongs to it is done also when the client has gone. */
export function forTheRest<P extends TenantPlace> (place: P): P {
  return { ...place, caller: toItsEnd(place.caller) }
}

/** What bytes are known by. */
export interface FileFacts {
  /** Bytes. */
  readonly size: number
  /** SHA-256, in hex. */
  readonly digest: string
}

/** Another version that a file holds; without a name when the index has one that no chart can have. */
export interface OtherVersion {
  readonly name?: string
  readonly version?: string
}

/** What is in the file that a version would have. */
export interface FoundVersion {
  /** `this` is the version itself, or what no listed version lives in. */
  readonly holds: 'nothing' | 'this' | OtherVersion
  /** The file that the version is listed in, when it is another one. */
  readonly elsewhere?: string
}

// One entry, the list of all of them, and a provenance file; bytes.
const LONGEST_ENTRY = 8 * 1024 * 1024
const LONGEST_LIST = 64 * 1024 * 1024
const LONGEST_PROVENANCE = 1024 * 1024
/** So many charts may have one file, by where its name is divided, before the list is asked in place of each. */
const MOST_SPLITS = 8

/** The file of a version (helm/chartmuseum v0.16.5, pkg/repo/chart.go, ChartPackageFilenameFromNameVersion). */
export function fileOfVersion (name: string, version: string): string {
  return `${name}-${version}.tgz`
}

/** The lock for everything that is done to a chart and its provenance. */
export function lockOfFile (tenant: string, file: string): string {
  return `${tenant}/${file}`
}

type AskedTarget = Omit<Parameters<typeof sendOwn>[1], 'tenant' | 'tenantPath' | 'query'> & {
  readonly query?: ChartRequest['query']
}

/** Asks for something of the tenant. @throws RefusalError when the upstream cannot be reached */
export async function askFor (
  place: TenantPlace,
  parts: AskedTarget,
  method: OwnRequest['method'],
  body?: OwnRequest['body']
): Promise<OwnAnswer> {
  const { upstream, tenant, tenantPath, caller } = place
  const target = { query: {}, ...parts, tenant, tenantPath }
  return await sendOwn(upstream, target, { method, caller, ...(body === undefined ? {} : { body }) })
}

/** True when the tenant has the file. @throws RefusalError when the upstream does not say */
export async function hasFile (place: TenantPlace, file: string): Promise<boolean> {
  return await readStored(place, partsOf(file), { most: 0, longer: 'left' }) !== undefined
}

/**
 * Is this what the tenant has in the file? No more of it is read than can be the same.
 * @throws RefusalError when the upstream does not say
 */
export async function compareFile (
  place: TenantPlace,
  file: string,
  { size, digest }: FileFacts
): Promise<'missing' | 'same' | 'other'> {
  const body = await open(place, partsOf(file))
  if (body === undefined) return 'missing'
  const hash = createHash('sha256')
  let length = 0
  return await wholly(async () => {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      length += chunk.length
      if (length > size) return 'other' // leaving the loop destroys the stream
      hash.update(chunk)
    }
    return hash.digest('hex') === digest ? 'same' : 'other'
  })
}

/**
 * The text of a chart's provenance file; undefined when there is none that can be one.
 * @throws RefusalError when the upstream does not say
 */
export async function provenanceOfFile (place: TenantPlace, chartFile: string): Promise<string | undefined> {
  const body = await open(place, partsOf(`${chartFile}.prov`))
  if (body === undefined) return undefined
  return (await wholly(async () => await collect(body, LONGEST_PROVENANCE)))?.toString('utf8')
}

/**
 * What the file of a version holds. What is no version, such as `1.0 (1)`, speaks of the
 * file itself: then only a version whose own file it is counts as another one.
 * @throws RefusalError when the upstream does not say
 */
export async function findVersion (place: TenantPlace, name: string, version: string): Promise<FoundVersion> {
  const file = fileOfVersion(name, version)
  const canBe = isChartName(name) && isVersion(version)
  const listedIn = canBe && canBeAsked(name) ? await listedFile(place, name, version) : undefined
  if (listedIn === file) return { holds: 'this' }
  const elsewhere = listedIn === undefined ? {} : { elsewhere: listedIn }
  if (!await hasFile(place, file)) return { holds: 'nothing', ...elsewhere }
  return { holds: await otherVersionIn(place, { name, version, file }, isVersion(version)) ?? 'this', ...elsewhere }
}

/**
 * At dynamic depth /api/a/charts/charts/1.0.0 asks for something of another tenant,
 * `a/charts`: such a chart is looked for in the list.
 */
export function canBeAsked (name: string): boolean {
  return name !== 'charts'
}

/** The file in which the API lists exactly this version. */
async function listedFile (place: TenantPlace, name: string, version: string): Promise<string | undefined> {
  const body = await open(place, { route: 'version', chart: name, version })
  const entry = body === undefined ? undefined : readEntry(await jsonOf(body, LONGEST_ENTRY))
  // Asked for a version that is not there, ChartMuseum gives one that fits it.
  return entry?.name === name && entry.version === version ? entry.file : undefined
}

/**
 * The listed version that lives in the file of the one that was asked for; with `anyName`
 * also one whose own file has another name.
 */
async function otherVersionIn (
  place: TenantPlace,
  asked: ListedVersion,
  anyName: boolean
): Promise<OtherVersion | undefined> {
  const { file } = asked
  const splits = splitsOf(file).filter(([name]) => name !== asked.name)
  const few = splits.length <= MOST_SPLITS && splits.every(([name]) => canBeAsked(name))
  if (few) {
    for (const [name, version] of splits) {
      if (await listedFile(place, name, version) === file) return { name, version }
    }
  }
  if ((few && !anyName) || !await isListed(place, file)) return undefined
  const list = await jsonOf(await open(place, { route: 'list' }), LONGEST_LIST)
  const entry = Object.values(list as object).flat().map(readEntry).find(each => each?.file === file)
  if (entry === undefined || (entry.name === asked.name && entry.version === asked.version)) return undefined
  if (!anyName && fileOfVersion(entry.name, entry.version) !== file) return undefined
  return isChartName(entry.name) && isVersion(entry.version) ? { name: entry.name, version: entry.version } : {}
}

/** Every chart and version that have this file. */
function splitsOf (file: string): [name: string, version: string][] {
  const stem = file.replace(/\.tgz$/, '')
  const splits: [string, string][] = []
  for (let dash = stem.indexOf('-'); dash >= 0; dash = stem.indexOf('-', dash + 1)) {
    const [name, version] = [stem.slice(0, dash), stem.slice(dash + 1)]
    if (isChartName(name) && isVersion(version)) splits.push([name, version])
  }
  return splits
}

/**
 * Is the file's name, which has nothing that JSON escapes, at an end of something in the
 * list? The bytes go by, so that a long list takes no room and no time to parse.
 */
async function isListed (place: TenantPlace, file: string): Promise<boolean> {
  const body = await open(place, { route: 'list' })
  if (body === undefined) return false
  const wanted = Buffer.from(`/${file}"`)
  return await wholly(async () => {
    let before: Buffer = Buffer.alloc(0)
    for await (const chunk of body as AsyncIterable<Buffer>) {
      const bytes = Buffer.concat([before, chunk])
      if (bytes.includes(wanted)) return true
      before = bytes.subarray(1 - wanted.length)
    }
    return false
  })
}

interface ListedVersion { readonly name: string, readonly version: string, readonly file: string }

/** An entry of the API (helm/helm v3.21.4, pkg/repo/index.go, ChartVersion); its file is the end of its first link. */
function readEntry (value: unknown): ListedVersion | undefined {
  const { name, version, urls } = (value ?? {}) as {
    readonly name?: unknown
    readonly version?: unknown
    readonly urls?: readonly unknown[]
  }
  const url = Array.isArray(urls) ? urls[0] as unknown : undefined
  if (typeof name !== 'string' || typeof version !== 'string' || typeof url !== 'string') return undefined
  return { name, version, file: url.slice(url.lastIndexOf('/') + 1) }
}

function partsOf (file: string): AskedTarget {
  return { route: file.endsWith('.prov') ? 'prov-file' : 'chart-file', file }
}

/** Bytes of a body that are read before anybody looks at them. */
const AT_FIRST = 64 * 1024

/** The body of a read; undefined when there is no such thing. */
async function open (place: TenantPlace, parts: AskedTarget): Promise<Readable | undefined> {
  const answer = await readStored(place, parts, { most: AT_FIRST, longer: 'streamed' })
  return answer?.kind === 'whole' ? Readable.from([answer.body]) : answer?.body
}

type Answered<K extends UpstreamAnswer['kind']> = Extract<UpstreamAnswer, { readonly kind: K }>

/** What there is under a name; undefined when nothing is. @throws RefusalError when the upstream does not say */
async function readStored (
  place: TenantPlace,
  parts: AskedTarget,
  how: Reading & { readonly longer: 'streamed' }
): Promise<Answered<'whole' | 'streamed'> | undefined>
async function readStored (place: TenantPlace, parts: AskedTarget, how: Reading): Promise<UpstreamAnswer | undefined>
async function readStored (
  { upstream, tenant, tenantPath, caller }: TenantPlace,
  parts: AskedTarget,
  how: Reading
): Promise<UpstreamAnswer | undefined> {
  const target = { query: {}, ...parts, tenant, tenantPath }
  const answer = await upstream.ask({ ...how, method: 'GET', target, company: alone(caller), named: true })
  if (answer.status === 200 && !isPage(answer.headers)) return answer
  if (answer.status === 404) return undefined
  throw new RefusalError(refusalOfAnswer(answer.status, textOf(answer)), { cause: causeOfAnswer(answer.status) })
}

/** A JSON body, or {} for what is none. @throws RefusalError when it is longer than `limit` */
async function jsonOf (body: Readable | undefined, limit: number): Promise<unknown> {
  if (body === undefined) return {}
  const bytes = await wholly(async () => await collect(body, limit))
  if (bytes === undefined) {
    throw new RefusalError({ code: 'upstream_bad_answer' }, { cause: 'the upstream sent too long an answer' })
  }
  try {
    return JSON.parse(bytes.toString('utf8')) ?? {}
  } catch {
    return {}
  }
}

/** Passes a body's breaking off on as a refusal. */
export async function wholly<T> (read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    throw new RefusalError(refusalOfFailure(error), { cause: error })
  }
}

/** The bytes of a body; undefined when there are more than `limit`, of which the rest is not read. */
export async function collect (body: AsyncIterable<Uint8Array>, limit: number): Promise<Buffer | undefined> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of body) {
    length += chunk.length
    if (length > limit) return undefined // leaving the loop destroys the stream
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
