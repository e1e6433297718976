// What Helm 3, Helm 4 and oras were recorded to send a registry and its token endpoint
// (test/data/clients/oci.json), as requests that can be sent again to a gateway in their
// order: with the tokens, and to the uploads, that the gateway itself has given.
import { readFileSync } from 'node:fs'
import { request } from 'undici'
import { digestOfBytes } from '../helpers/oci.ts'
import { dataUrl } from '../helpers/data.ts'
import { recordToken } from '../helpers/secrets.ts'
import { basic } from '../helpers/team.ts'
import { fixture } from '../repository/recordings.ts'

export interface RecordedRequest {
  readonly method: string
  readonly target: string
  /** Lines, in order. */
  readonly headers: readonly string[]
  readonly body?: string
  /** Of an archive, which is a file of the recordings. */
  readonly bodySha256?: string
}

export interface RecordedResponse {
  readonly status: number
  readonly headers: readonly string[]
  readonly body?: string
  readonly bodySha256?: string
}

export interface Exchange { readonly request: RecordedRequest, readonly response: RecordedResponse }

export interface Scenario {
  readonly id: string
  readonly command: string
  /** Who had pushed mychart 0.2.0 before. */
  readonly pushed?: 'helm' | 'oras'
  readonly exchanges: readonly Exchange[]
}

interface Recorded {
  readonly requests: readonly RecordedRequest[]
  readonly responses: readonly RecordedResponse[]
  readonly scenarios: readonly (Omit<Scenario, 'exchanges'> & { readonly exchanges: readonly (readonly [number, number])[] })[]
}

const recorded = JSON.parse(readFileSync(dataUrl('clients/oci.json'), 'utf8')) as Recorded

/** All of them, in order. */
export const SCENARIOS: readonly Scenario[] = recorded.scenarios.map(scenario => ({
  ...scenario,
  exchanges: scenario.exchanges.map(([request, response]) => ({ request: recorded.requests[request] as RecordedRequest, response: recorded.responses[response] as RecordedResponse })).map(exchange => scenario.id.endsWith('/repush-same-file') ? repushed(exchange) : exchange)
}))

const ARCHIVES = new Map(['upload/mychart-0.2.0.tgz', 'upload-signed/mychart-0.2.0.tgz', 'org1/plus/plus-1.0.0+build.5.tgz'].map(name => [digestOfBytes(fixture(name)), fixture(name)]))
const ACCEPT = 'application/vnd.docker.distribution.manifest.v2+json, application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, application/vnd.oci.artifact.manifest.v1+json'

/** Of a file that was packed again a second later the digest of the manifest was recorded, and its text was not. */
function repushed ({ request, response }: Exchange): Exchange {
  const again = (text: string): string => text.replace('2026-01-02T03:04:05Z', '2026-01-02T03:04:06Z')
  const manifest = recorded.requests.find(({ target, body }) => target.endsWith('/mychart/manifests/0.2.0') && body?.includes('03:04:05Z') === true && !body.includes('provenance'))?.body as string
  const digest = digestOfBytes(Buffer.from(again(manifest)))
  const target = request.target.replace(/(?<=\/manifests\/)sha256:[0-9a-f]{64}/, digest)
  return {
    request: { ...request, target, ...(request.body === undefined ? {} : { body: again(request.body) }) },
    response: { ...response, ...(response.body === undefined ? {} : { body: again(response.body) }) }
  }
}

export interface Answer {
  readonly status: number
  readonly challenges: readonly string[]
  readonly bytes: Buffer
}

export interface ReplayOptions {
  /** Of the gateway. */
  readonly origin: string
  /** A robot's, in place of the recorded `sometoken`. */
  readonly secret: string
  /** Puts other tenants into the place of the recorded ones. */
  readonly place: (text: string) => string
}

/** Who sends the exchanges of one scenario to a gateway, one after the other. */
export function createReplay ({ origin, secret, place }: ReplayOptions): (exchange: Exchange) => Promise<Answer> {
  /** Tokens of the gateway, by the name of the recorded one. */
  const tokens = new Map<string, string>()
  /** Where uploads go on that were begun. */
  const uploads: string[] = []

  function authorizationOf (line: string): string {
    const [, scheme, what = ''] = /^Authorization: \{(BASIC|BEARER) (.*)\}$/.exec(line) ?? []
    if (scheme === 'BEARER') return `Bearer ${tokens.get(what) ?? 'none was given'}`
    const [user = '', password = ''] = what.split(/:(.*)/s)
    return basic(user, password.replace('sometoken', secret))
  }

  function headersOf (lines: readonly string[]): Record<string, string> {
    const passed = lines.filter(line => !/^(?:Host|Content-Length): /.test(line)).map((line): [string, string] => {
      const [name, value] = [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]
      return [name, name === 'Authorization' ? authorizationOf(line) : value.replace('{OCI-MANIFEST-ACCEPT}', ACCEPT)]
    })
    return Object.fromEntries(passed)
  }

  function targetOf (target: string): string {
    const [, digest] = /\/blobs\/uploads\/.*&(digest=.*)/.exec(target) ?? []
    return digest === undefined ? place(target.replace(/^\/token/, '/oauth/token')) : `${uploads.shift() ?? target}&${digest}`
  }

  return async ({ request: { method, target, headers, body, bodySha256 }, response }) => {
    const sent = bodySha256 === undefined ? body?.replace('sometoken', secret) : ARCHIVES.get(`sha256:${bodySha256}`)
    const answer = await request(origin + targetOf(target), { method: method as 'GET', headers: headersOf(headers), ...(sent === undefined ? {} : { body: sent }) })
    const bytes = Buffer.from(await answer.body.arrayBuffer())
    if (answer.statusCode === 202 && method === 'POST') uploads.push(String(answer.headers['location']))
    const [, name] = /"(?:access_)?token":"\{TOKEN (.*?)\}"/.exec(response.body ?? '') ?? []
    if (name !== undefined && answer.statusCode === 200) tokens.set(name, recordToken((JSON.parse(bytes.toString()) as { access_token: string }).access_token))
    return { status: answer.statusCode, challenges: [answer.headers['www-authenticate'] ?? []].flat(), bytes }
  }
}
