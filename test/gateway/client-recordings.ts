// The recorded exchanges of the clients (test/data/clients), as requests that can be sent
// again to a gateway: the recorded bytes, with a credential of the gateway in place of
// each recorded one.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { issueToken } from '../../src/tokens/issue.ts'
import { grant, type TestGateway } from '../helpers/app.ts'
import { chartOf } from '../helpers/packages.ts'
import type { RawRequest } from '../helpers/raw.ts'
import { fixture } from '../repository/recordings.ts'
import { dataUrl } from '../helpers/data.ts'

interface Body { readonly text?: string, readonly file?: string, /** the text that was sent under gzip */ readonly gzip?: string }
interface Part { readonly headers: readonly string[], readonly file: string }

interface RecordedRequest extends Body {
  readonly method: string
  readonly target: string
  /** Lines, in order. */
  readonly headers: readonly string[]
  /** Of a multipart/form-data body. */
  readonly parts?: readonly Part[]
}

interface RecordedResponse extends Body {
  readonly status: number
  readonly headers: readonly string[]
  /** The recording proxy answered, not ChartMuseum. */
  readonly madeUp?: true
}

/** Where the recorded server stood, if not at the root with the usual limits. */
export interface Own { readonly basePath?: string, readonly contextPath?: string, readonly maxUploadSize?: number }

export interface Exchange {
  /** Of its scenario. */
  readonly id: string
  readonly own: Own
  readonly client: 'helm3' | 'helm4' | 'curl' | 'cm-push'
  readonly request: RecordedRequest
  readonly response: RecordedResponse
}

interface Recorded {
  readonly requests: readonly RecordedRequest[]
  readonly responses: readonly RecordedResponse[]
  readonly scenarios: readonly (Pick<Exchange, 'id' | 'client'> & { readonly own?: Own, readonly exchanges: readonly (readonly [number, number])[] })[]
}

const recorded = JSON.parse(readFileSync(dataUrl('clients/clients.json'), 'utf8')) as Recorded

/** How many scenarios they are. */
export const SCENARIOS = recorded.scenarios.length

/** All of them, in order. */
export const EXCHANGES: readonly Exchange[] = recorded.scenarios.flatMap(({ id, client, own = {}, exchanges }) =>
  exchanges.map(([request, response]) => ({ id, client, own, request: recorded.requests[request] as RecordedRequest, response: recorded.responses[response] as RecordedResponse })))

export const HOST = 'charts.example.test'
const OTHER_HOST = 'other.example.test'
const BOUNDARY = '5d2c6f1e0b7a49388e3f'.repeat(3)

/** The bytes of a recorded body. */
export async function bytesOf ({ text, file, gzip }: Body): Promise<Buffer> {
  if (gzip !== undefined) return gzipSync(gzip)
  return file === undefined ? Buffer.from(text ?? '') : await fileOf(file)
}

const packed = new Map<string, Promise<Buffer>>()

/** A chart or provenance file: of the recordings, or made with that name and version. */
async function fileOf (name: string): Promise<Buffer> {
  if (name.includes('/')) return fixture(name)
  const known = packed.get(name)
  if (known !== undefined) return await known
  const [, chart = '', version = ''] = /^(.+)-(\d+\.\d+\.\d+)\.tgz$/.exec(name) ?? []
  const padding = name.startsWith('big') ? 2_200_000 : name.startsWith('padded') ? 6_000 : 0
  const made = chartOf(chart, version, padding === 0 ? [] : [{ name: `${chart}/padding`, body: noise(padding) }])
  packed.set(name, made)
  return await made
}

/** Bytes that gzip makes no smaller, always the same ones. */
function noise (length: number): Buffer {
  const blocks = Array.from({ length: Math.ceil(length / 32) }, (_, i) => createHash('sha256').update(String(i)).digest())
  return Buffer.concat(blocks).subarray(0, length)
}

/** What a recorded upload consists of: the files, in the order in which they were sent. */
export async function filesOf ({ parts, ...request }: RecordedRequest): Promise<Buffer[]> {
  return await Promise.all(parts === undefined ? [bytesOf(request)] : parts.map(async ({ file }) => await fileOf(file)))
}

/** The request as bytes for this gateway. */
export async function requestFor (exchange: Exchange, gateway: TestGateway, rights: Rights = ALL_THAT_PUSH_MEANS): Promise<RawRequest> {
  const { method, target, headers } = exchange.request
  const content = await contentOf(exchange.request)
  const chunked = headers.includes('Transfer-Encoding: chunked')
  const lines: string[] = []
  for (const line of headers) lines.push(await filledIn(line, exchange, gateway, { length: content.length, rights }))
  return { head: [`${method} ${target} HTTP/1.1`, ...lines, '', ''].join('\r\n'), body: chunked ? inChunks(content) : content }
}

async function contentOf ({ parts, ...request }: RecordedRequest): Promise<Buffer> {
  if (parts === undefined) return await bytesOf(request)
  const pieces: Buffer[] = []
  for (const { headers, file } of parts) pieces.push(Buffer.from(`--${BOUNDARY}\r\n${headers.join('\r\n')}\r\n\r\n`), await fileOf(file), Buffer.from('\r\n'))
  return Buffer.concat([...pieces, Buffer.from(`--${BOUNDARY}--\r\n`)])
}

/** As Go's transport writes them: pieces of 32 KiB. */
function inChunks (content: Buffer): Buffer {
  const pieces: Buffer[] = []
  for (let i = 0; i < content.length; i += 32_768) {
    const piece = content.subarray(i, i + 32_768)
    pieces.push(Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n'))
  }
  return Buffer.concat([...pieces, Buffer.from('0\r\n\r\n')])
}

type Actions = Parameters<typeof grant>[1][]
/** What the recorded rights mean here. */
export type Rights = (recorded: readonly string[]) => Actions

/** In ChartMuseum `push` also overwrites and deletes. */
export const ALL_THAT_PUSH_MEANS: Rights = recorded => (recorded as Actions).flatMap((action): Actions => action === 'push' ? ['push', 'overwrite', 'delete'] : [action])
/** As they are called. */
export const BY_NAME: Rights = recorded => recorded as Actions

async function filledIn (line: string, exchange: Exchange, gateway: TestGateway, { length, rights }: { length: number, rights: Rights }): Promise<string> {
  const filled = line
    .replace('{HOST}', HOST).replace('{HOST-ALT}', OTHER_HOST)
    .replace('{HELM}', exchange.client === 'helm4' ? 'Helm/4.2' : 'Helm/3.21')
    .replace('{BOUNDARY}', BOUNDARY).replace('{LENGTH}', String(length))
  const [placeholder, scheme, what = ''] = /\{(BASIC|BEARER|RAW) (.*)\}$/.exec(filled) ?? []
  if (placeholder === undefined) return filled
  const value = scheme === 'BASIC' ? await basicFor(what, exchange, gateway) : await tokenFor(what, gateway, rights)
  return filled.replace(placeholder, () => scheme === 'BEARER' ? `Bearer ${value}` : value)
}

/** The one user of the recorded servers could do everything, until their password was changed. */
async function basicFor (recorded: string, { response }: Exchange, gateway: TestGateway): Promise<string> {
  const changed = response.madeUp === undefined && response.headers.includes('Www-Authenticate: Basic realm="ChartMuseum"')
  const rights = changed ? 'changed' : await tokenFor('pull,push {org1/repo1,org1/repo2,org1/signed,org1/plus,org1/padded,org9/none}', gateway, ALL_THAT_PUSH_MEANS)
  const [user = '', ...password] = recorded.split(':')
  const ours = recorded === 'u:p' ? rights : recorded === 'client:secret' ? gateway.masterKey : password.join(':')
  return `Basic ${Buffer.from(`${user}:${ours}`).toString('base64')}`
}

/** @param what for example `pull,push org1/{repo1,repo2}` */
async function tokenFor (what: string, gateway: TestGateway, rights: Rights): Promise<string> {
  if (what === 'MASTERKEY') return gateway.masterKey
  if (what === 'wrong signature') return (await gateway.token([])).replace(/.{6}$/, 'AAAAAA')
  const [, expired, actions = '', tenants = ''] = /^(expired )?([a-z,]+) (.+)$/.exec(what) ?? []
  const [, before = '', several = '', after = ''] = /^(.*)\{(.*)\}(.*)$/.exec(tenants) ?? []
  const names = several === '' ? [tenants] : several.split(',').map(each => before + each + after)
  const grants = names.map(name => grant(name, ...rights(actions.split(','))))
  if (expired === undefined) return await gateway.token(grants)
  const { issuer, service: audience, ttl } = gateway.config.tokens
  const now = Math.floor(Date.now() / 1000)
  return (await issueToken(gateway.keys.current.ring.signing(now), { issuer, audience, ttl }, 'key:master', grants, now - 3600)).token
}
