// A registry's client in a few lines: what is asked of /v2/, and what comes back.
import { createHash } from 'node:crypto'
import type { Readable } from 'node:stream'
import { request } from 'undici'
import type { IncomingHttpHeaders } from 'undici/types/header.js'

export interface OciAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly bytes: Buffer
  /** The codes of its errors. */
  readonly codes: readonly string[]
}

export interface OciManifest {
  readonly config: OciDescriptor
  readonly layers: readonly OciDescriptor[]
  readonly annotations: Readonly<Record<string, string>>
}

export interface OciDescriptor { readonly mediaType: string, readonly digest: string, readonly size: number }

export interface OciOptions {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Buffer | string | Readable
}

/** Asks for a path below /v2/. @param authorization the whole header; undefined sends none */
export async function askOci (origin: string, path: string, authorization: string | undefined, { method = 'GET', headers = {}, body }: OciOptions = {}): Promise<OciAnswer> {
  const answer = await request(`${origin}/v2/${path}`, { method: method as 'GET', headers: { ...headers, ...(authorization === undefined ? {} : { authorization }) }, ...(body === undefined ? {} : { body }) })
  const bytes = Buffer.from(await answer.body.arrayBuffer())
  return { status: answer.statusCode, headers: answer.headers, bytes, codes: codesOf(bytes) }
}

function codesOf (bytes: Buffer): string[] {
  try {
    return (JSON.parse(bytes.toString()) as { errors?: { code: string }[] }).errors?.map(({ code }) => code) ?? []
  } catch {
    return [] // no JSON
  }
}

export function manifestIn ({ bytes }: Pick<OciAnswer, 'bytes'>): OciManifest {
  return JSON.parse(bytes.toString()) as OciManifest
}

/** The digest of bytes, as a registry has it. */
export function digestOfBytes (bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}

export const MANIFEST_TYPE = 'application/vnd.oci.image.manifest.v1+json'
export const CONFIG_TYPE = 'application/vnd.cncf.helm.config.v1+json'
export const ARCHIVE_TYPE = 'application/vnd.cncf.helm.chart.content.v1.tar+gzip'
export const PROVENANCE_TYPE = 'application/vnd.cncf.helm.chart.provenance.v1.prov'

/** Asks for a path below /v2/. */
export type AskOci = (path: string, options?: OciOptions) => Promise<OciAnswer>

/** Who asks one gateway, with a credential that may be another one for each request. */
export function ociAsker (origin: string, authorization: () => string | undefined): AskOci {
  return async (path, options) => await askOci(origin, path, authorization(), options)
}

/** What is pushed: blobs, and the manifest that names them. */
export interface OciPush {
  readonly manifest: Buffer
  readonly blobs: readonly Buffer[]
  readonly digest: string
}

/** The config that Helm writes for a chart of `chartOf`. */
export function configOf (name: string, version: string): Buffer {
  return Buffer.from(`{"name":"${name}","version":"${version}","description":"a \\u003cchart\\u003e \\u0026 more","apiVersion":"v2"}`)
}

export function descriptorOf (mediaType: string, bytes: Buffer): OciDescriptor {
  return { mediaType, digest: digestOfBytes(bytes), size: bytes.length }
}

export interface PushParts {
  readonly chart: Buffer
  readonly config?: Buffer
  readonly provenance?: string
  /** When the file was packed, which makes another manifest of the same chart. */
  readonly created?: string
}

/** What Helm pushes for a chart. */
export function pushOf (name: string, version: string, { chart, config = configOf(name, version), provenance, created = '2026-01-01T00:00:00Z' }: PushParts): OciPush {
  const signed = provenance === undefined ? [] : [Buffer.from(provenance)]
  const layers = [descriptorOf(ARCHIVE_TYPE, chart), ...signed.map(bytes => descriptorOf(PROVENANCE_TYPE, bytes))].sort((one, other) => one.digest < other.digest ? -1 : 1)
  const annotations = { 'org.opencontainers.image.created': created, 'org.opencontainers.image.title': name, 'org.opencontainers.image.version': version }
  const manifest = Buffer.from(JSON.stringify({ schemaVersion: 2, config: descriptorOf(CONFIG_TYPE, config), layers, annotations }))
  return { manifest, blobs: [config, chart, ...signed], digest: digestOfBytes(manifest) }
}

/** Pushes a blob as Helm does, and gives the last answer. */
export async function pushBlob (ask: AskOci, name: string, bytes: Buffer): Promise<OciAnswer> {
  const begun = await ask(`${name}/blobs/uploads/`, { method: 'POST' })
  if (begun.status !== 202) return begun
  return await ask(`${placeOf(begun)}&digest=${digestOfBytes(bytes)}`, { method: 'PUT', body: bytes, headers: { 'content-type': 'application/octet-stream' } })
}

/** Where an upload goes on, below /v2/. */
export function placeOf ({ headers }: OciAnswer): string {
  return String(headers['location']).replace(/^\/v2\//, '')
}

export async function putManifest (ask: AskOci, name: string, reference: string, bytes: Buffer | string, type = MANIFEST_TYPE): Promise<OciAnswer> {
  return await ask(`${name}/manifests/${reference}`, { method: 'PUT', body: bytes, headers: { 'content-type': type } })
}

/** Pushes blobs that are missing, and the manifest by its digest and its tag, as Helm does; gives the last answer. */
export async function pushOci (ask: AskOci, name: string, tag: string, { manifest, blobs, digest }: OciPush): Promise<OciAnswer> {
  for (const bytes of blobs) {
    if ((await ask(`${name}/blobs/${digestOfBytes(bytes)}`, { method: 'HEAD' })).status === 200) continue
    const pushed = await pushBlob(ask, name, bytes)
    if (pushed.status !== 201) return pushed
  }
  const waits = await putManifest(ask, name, digest, manifest)
  if (waits.status !== 201) return waits
  const read = await ask(`${name}/manifests/${digest}`)
  if (read.status !== 200) return read
  return await putManifest(ask, name, tag, manifest)
}
