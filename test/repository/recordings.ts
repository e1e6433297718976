// The recorded exchanges with ChartMuseum 0.16.5 (test/data/chartmuseum), as requests
// that can be sent again: bodies built from what the recordings say of them, tokens
// minted with a key of the test, ids and dates made the same.
import { createHash, generateKeyPairSync, sign } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { request, type IncomingMessage } from 'node:http'
import { gzipSync } from 'node:zlib'
import { pack } from 'tar-stream'
import { buffer } from 'node:stream/consumers'
import { dataUrl } from '../helpers/data.ts'

export interface Recording {
  readonly id: string
  readonly server: string
  readonly request: { readonly method: string, readonly target: string, readonly headers: readonly string[], readonly body?: string, readonly bodyIs?: string }
  readonly response: { readonly statusLine: string, readonly headers: readonly string[], readonly body?: string | null, readonly bodyLength?: number, readonly bodySha256?: string }
}

interface Fixture { readonly base64: string }

const data = dataUrl('chartmuseum/')
const load = (name: string): unknown => JSON.parse(readFileSync(new URL(name, data), 'utf8'))
const fixtures = load('fixtures.json') as Readonly<Record<string, Fixture>>

/** Flags that the embedded repository does not have. */
const OTHER_FLAGS = /basic|--max-storage|--per-chart|--disable|anonymous|--chart-url|--json-index|--cors|--enable-metrics|--artifact-hub/
export const RECORDINGS = (load('responses.json') as Recording[]).filter(({ server }) => !OTHER_FLAGS.test(server))

export function fixture (name: string): Buffer {
  return Buffer.from((fixtures[name] as Fixture).base64, 'base64')
}

/** The files that every recorded server began with. */
export const SEEDS: readonly string[] = Object.keys(fixtures).filter(name => name.startsWith('org1/'))

export const REALM = 'http://charts.example.test/oauth/token'
export const SERVICE = 'charts.example.test'
export const KEYS = generateKeyPairSync('rsa', { modulusLength: 2048 })
const TENANTS = ['repo', 'org1/repo1', 'org1/repo2', 'org1/signed', 'org1/padded', 'org1/plus', 'org1/new', 'org9/empty']

/** A token with these actions on the tenants of the recordings. */
export function mint (actions: readonly string[], claims: Readonly<Record<string, unknown>> = {}): string {
  const now = Math.floor(Date.now() / 1000)
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const access = TENANTS.map(name => ({ type: 'artifact-repository', name, actions }))
  const text = `${part({ alg: 'RS256', typ: 'JWT' })}.${part({ exp: now + 600, iat: now - 10, nbf: now - 10, access, ...claims })}`
  return `${text}.${sign('sha256', Buffer.from(text), KEYS.privateKey).toString('base64url')}`
}

function credential (placeholder: string): string {
  if (placeholder.startsWith('{BASIC')) return `Basic ${Buffer.from('u:p').toString('base64')}`
  switch (placeholder) {
    case '{BEARER garbage}': return 'Bearer garbage'
    case '{BEARER }': return 'Bearer '
    case '{BEARER expired}': return `Bearer ${mint(['pull', 'push'], { exp: Math.floor(Date.now() / 1000) - 60 })}`
    default: return `Bearer ${mint(placeholder.slice('{BEARER '.length, -1).split(','))}`
  }
}

const BOUNDARY = 'BOUNDARY'

function part (name: string, data: Buffer | string, fileName: string | undefined): Buffer {
  const file = fileName === undefined ? '' : `; filename="${fileName}"\r\nContent-Type: application/octet-stream`
  return Buffer.concat([Buffer.from(`--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"${file}\r\n\r\n`), Buffer.from(data), Buffer.from('\r\n')])
}

function multipart (...parts: Buffer[]): Buffer {
  return Buffer.concat([...parts, Buffer.from(`--${BOUNDARY}--\r\n`)])
}

/** A gzipped tar with one file. */
export async function archive (name: string, text: string): Promise<Buffer> {
  const tar = pack()
  tar.entry({ name }, text)
  tar.finalize()
  return gzipSync(await buffer(tar))
}

export async function chartArchive (chartYaml: string): Promise<Buffer> {
  return await archive('x/Chart.yaml', chartYaml)
}

async function bodyOf ({ body, bodyIs }: Recording['request']): Promise<Buffer | undefined> {
  if (bodyIs === undefined) return body === undefined ? undefined : Buffer.from(body)
  const chart = fixture('upload/mychart-0.2.0.tgz')
  const prov = fixture('upload-signed/mychart-0.2.0.tgz.prov')
  const what = bodyIs.replace(/, sent \d+ ms after the head$/, '')
  switch (what) {
    case 'mychart-0.2.0.tgz': return chart
    case 'mychart-0.2.0.tgz.prov': return prov
    case '300 KiB': return Buffer.alloc(300 * 1024, 'x')
    case 'big-1.0.0.tgz (2.2 MB)': case 'big-1.0.0.tgz': return Buffer.alloc(2_201_338, 'x')
    case 'mychart-0.2.0.tgz, other bytes': return fixture('upload-signed/mychart-0.2.0.tgz')
    case 'gzip of "hello"': return gzipSync('hello')
    case 'first 200 bytes of mychart-0.3.0.tgz': return fixture('upload/mychart-0.3.0.tgz').subarray(0, 200)
    case 'tgz without Chart.yaml': return await archive('x/values.yaml', 'a: b\n')
    case 'Chart.yaml version notsemver': return await chartArchive('apiVersion: v2\nname: bad\nversion: notsemver\n')
    case 'Chart.yaml version v1.2.3': return await chartArchive('apiVersion: v2\nname: vprefix\nversion: v1.2.3\n')
    case 'Chart.yaml version 1.2': return await chartArchive('apiVersion: v2\nname: twoparts\nversion: "1.2"\n')
    case 'Chart.yaml name ../evil': return await chartArchive('apiVersion: v2\nname: ../evil\nversion: 1.0.0\n')
    case 'Chart.yaml without name': return await chartArchive('apiVersion: v2\nversion: 1.0.0\n')
    case 'multipart chart': case 'multipart: chart': return multipart(part('chart', chart, 'mychart.tgz'))
    case 'multipart: chart=mychart-0.2.0.tgz (file name whatever.bin)': return multipart(part('chart', chart, 'whatever.bin'))
    case 'multipart: chart+prov': return multipart(part('chart', fixture('upload-signed/mychart-0.2.0.tgz'), 'c.tgz'), part('prov', prov, 'c.prov'))
    case 'multipart: prov': return multipart(part('prov', prov, 'c.prov'))
    case 'multipart: file=mychart-0.2.0.tgz': return multipart(part('file', chart, 'c.tgz'))
    case 'multipart: chart + prov="hello"': return multipart(part('chart', chart, 'c.tgz'), part('prov', 'hello', 'c.prov'))
    case 'multipart: chart without filename': return multipart(part('chart', chart, undefined))
    case 'multipart: chart=0.2.0, chart=0.3.0': return multipart(part('chart', chart, 'a.tgz'), part('chart', fixture('upload/mychart-0.3.0.tgz'), 'b.tgz'))
    case 'padded-1.0.0.tgz': return fixture('org1/padded/padded-1.0.0.tgz')
    case 'multipart: chart=padded-1.0.0.tgz': return multipart(part('chart', fixture('org1/padded/padded-1.0.0.tgz'), 'c.tgz'))
    case '6.6 KB': return Buffer.alloc(6635, 'x')
    default: throw new Error(`no such body: ${what}`)
  }
}

export interface Answer {
  readonly status: number
  readonly contentType: string | undefined
  readonly length: string | undefined
  readonly challenge: string | undefined
  readonly body: string
  readonly sha256: string
}

/** Sends a recorded request; with another method if asked to. */
export async function send (port: number, { request: recorded }: Recording, method = recorded.method): Promise<Answer> {
  const body = await bodyOf(recorded)
  const headers: Record<string, string> = {}
  for (const line of recorded.headers) {
    const [name, value] = [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]
    if (name === 'Content-Length') headers[name] = String(body?.length ?? 0)
    else if (name === 'Authorization') headers[name] = credential(value)
    else headers[name] = value
  }
  return await exchange(port, method, recorded.target, headers, body)
}

/** One exchange on a connection of its own. */
export async function exchange (port: number, method: string, target: string, headers: Readonly<Record<string, string>> = {}, body?: Buffer): Promise<Answer> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const client = request({ port, host: '127.0.0.1', method, path: target, headers, agent: false })
    let answered = false
    client.on('response', incoming => { answered = true; resolve(incoming) })
    client.on('error', error => { if (!answered) reject(error) }) // a server may close before it has read a body
    if (headers['Expect'] === undefined) client.end(body)
    else client.on('continue', () => { client.end(body) }).flushHeaders()
  })
  const bytes = await buffer(response)
  const { statusCode = 0, headers: received } = response
  return {
    status: statusCode,
    contentType: received['content-type'],
    length: received['content-length'],
    challenge: received['www-authenticate'],
    body: bytes.toString('utf8'),
    sha256: createHash('sha256').update(bytes).digest('hex')
  }
}

/** What was recorded, in the form of an answer. */
export function recordedAnswer ({ response, request: { method } }: Recording): Omit<Answer, 'sha256' | 'length'> & { sha256: string | undefined } {
  const header = (name: string): string | undefined => response.headers.find(line => line.startsWith(`${name}: `))?.slice(name.length + 2)
  return {
    status: Number(response.statusLine.split(' ')[1]),
    contentType: header('Content-Type'),
    challenge: header('Www-Authenticate')?.replaceAll('{HOST}', SERVICE),
    body: method === 'HEAD' ? '' : sameEverywhere(response.body ?? ''),
    sha256: response.bodySha256
  }
}

/** Dates, and the folder of the charts. */
export function sameEverywhere (text: string, storage?: string): string {
  const body = storage === undefined ? text : text.replaceAll(storage, '{STORAGE}')
  return body.replace(/\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?Z/g, '{DATE}')
}
