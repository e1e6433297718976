// What did the upstream see? A chart repository as sloppy as ChartMuseum, in which every
// folder but the principal's answers with the canary; and a strict reader, who knows
// nothing of our parser, of every request that came. With a real ChartMuseum behind it
// the reading is the same and the answers are ChartMuseum's.
import { posix } from 'node:path'
import { gunzipSync } from 'node:zlib'
import type { Dispatcher } from 'undici'
import { startStubUpstream, type SeenRequest, type StubAnswer } from '../../helpers/stub-upstream.ts'
import { namesIn } from './bodies.ts'
import { CANARY, type World } from './worlds.ts'

export interface Witness {
  readonly origin: string
  /** Everything that should not have been seen since the last time that somebody asked. */
  complaints (): string[]
  /** True when a request with this id was seen; asks once. */
  saw (requestId: string): boolean
  /** When the first request came: a built gateway's own, which asks once at its start whether anybody is there. */
  readonly contacted: Promise<void>
}

interface Teardown { teardown (fn: () => unknown): unknown }

/** @param relay a real ChartMuseum that answers instead */
export async function startWitness (t: Teardown, world: World, relay?: Dispatcher): Promise<Witness> {
  const stub = await startStubUpstream(t)
  const read = strictReader(world)
  const complaints: string[] = []
  const ids = new Set<string>()
  let contact = (): void => {}
  const contacted = new Promise<void>(resolve => { contact = resolve })
  stub.answer = async seen => {
    stub.seen.length = 0
    contact()
    complaints.push(...read(seen), ...(relay === undefined ? credentialFaults(seen, world) : []))
    const id = seen.headers['x-request-id']
    if (typeof id === 'string') ids.add(id)
    return relay === undefined ? sloppyAnswer(seen, world) : await pass(seen, relay)
  }
  return {
    origin: stub.origin,
    complaints: () => complaints.splice(0),
    saw: id => ids.delete(id),
    contacted
  }
}

/** What a request to this upstream may be, written down again and narrower than ChartMuseum reads it. */
function strictReader ({ folder, contextPath, depth }: World): (seen: SeenRequest) => string[] {
  const tenant = folder === '' ? '' : '/' + folder
  const version = '(?:latest|(?:~|%5E)?v?[0-9][0-9A-Za-z.+-]*)'
  // At dynamic depth /api/a/charts/charts is the list of `a/charts`, and so on with more behind it.
  const apart = `${depth === 'dynamic' ? '(?!charts(?:/|$))' : ''}(?!\\.{1,2}(?:/|$))`
  const chart = `${apart}[A-Za-z0-9._-]+`
  // The name of a stored file: what needs it is encoded, and no separator, control character or second encoding.
  const stored = '(?:[A-Za-z0-9._~+-]|%(?:2[0-46-9AC]|25(?![0-9A-Fa-f]{2})|3[A-F]|40|5[BDE]|60|7[B-D]|(?!C2%[89])[89A-F][0-9A-F]))+'
  const shapes: readonly (readonly [methods: string, target: string])[] = [
    ['GET', `${tenant}/(?:index\\.yaml|artifacthub-repo\\.yml|charts/${stored}\\.tgz(?:\\.prov)?)`],
    ['GET', `/api${tenant}/charts(?:\\?(?:(?:offset|limit)(?:=[A-Za-z0-9%._~!*'()-]*)?&?)+)?`],
    ['GET|HEAD', `/api${tenant}/charts/${chart}(?:/${version})?`],
    ['GET', `/api${tenant}/charts/${chart}/${version}/(?:templates|values)`],
    ['POST', `/api${tenant}/(?:charts|prov)(?:\\?force)?`],
    ['DELETE', `/api${tenant}/charts/${apart}${stored}/(?!~|%5E)(?=[^/]*[0-9])${stored}`]
  ]
  const allowed = new RegExp(shapes.map(([methods, target]) => `^(?:${methods}) ${contextPath}${target}$`).join('|'))
  return ({ method, target, rawHeaders, body }) => {
    const faults: string[] = []
    if (!allowed.test(`${method} ${target}`)) faults.push(`the upstream was asked for ${method} ${target}`)
    for (let i = 0; i < rawHeaders.length; i += 2) {
      const name = (rawHeaders[i] as string).toLowerCase()
      const ours = FORWARDED.get(name)
      if (!HEADERS.has(name) && ours === undefined) faults.push(`the upstream was sent a header ${name}`)
      else if (ours !== undefined && rawHeaders[i + 1] !== ours) faults.push(`the upstream was told ${name}: ${String(rawHeaders[i + 1])}`)
    }
    if (method === 'POST') for (const name of namesOf(body)) if (!/^[A-Za-z0-9._+-]*$/.test(name) || name === '.' || name === '..') faults.push(`the upstream was sent a chart called ${name}`)
    return faults
  }
}

/** All that the gateway itself has to say. */
const HEADERS = new Set(['host', 'connection', 'x-request-id', 'authorization', 'content-type', 'content-length'])

/** Who asked, as the gateway itself knows it, whatever the client said. */
const FORWARDED = new Map([['x-forwarded-for', '127.0.0.1'], ['x-forwarded-proto', 'http'], ['x-forwarded-host', 'charts.example.test']])

function namesOf (body: Buffer): string[] {
  const start = body.indexOf(Buffer.from([0x1f, 0x8b]))
  const names = namesIn(body.toString('latin1'))
  try {
    return start < 0 ? names : [...names, ...namesIn(gunzipSync(body.subarray(start)).toString('latin1'))]
  } catch {
    return names // a form has text behind the archive: the text was read
  }
}

/** The credential is one of the gateway's own, for this tenant alone. */
function credentialFaults ({ headers: { authorization = '' } }: SeenRequest, { tenant }: World): string[] {
  try {
    const { sub, access } = JSON.parse(Buffer.from(authorization.split('.')[1] ?? '', 'base64url').toString()) as { sub: string, access: { name: string }[] }
    return sub === 'chartgate' && access.length === 1 && access[0]?.name === tenant ? [] : [`the upstream was shown a token of ${sub} for ${JSON.stringify(access)}`]
  } catch {
    return ['the upstream was shown a credential that is not the gateway\'s']
  }
}

/** ChartMuseum at its worst: decoded once, cleaned at the end or at the beginning, junk behind the context path eaten. */
function sloppyAnswer ({ method, target }: SeenRequest, world: World): StubAnswer {
  const path = decoded(target.replace(/\?.*$/s, '')).replace(world.contextPath, '')
  const places = new Set([posix.join('/', folderOf(path, world)), folderOf(posix.join('/', path), world)])
  const own = world.folder === '' ? '/' : `/${world.folder}`
  if ([...places].some(place => place !== own) || /\/:repo|^\/static/.test(path)) return { headers: { 'content-type': 'application/json', etag: CANARY }, body: `{"entries":{},"name":"${CANARY}"}` }
  if (method === 'POST') return { status: 201, body: '{"saved":true}' }
  if (method === 'DELETE') return { body: '{"deleted":true}' }
  if (/\/charts\/[^/]*\.(?:tgz|prov)$/.test(path) && !path.includes('mychart-0.1.0')) return { status: 404, headers: { 'content-type': 'application/json' }, body: '{"error":"object not found"}' }
  return { headers: { 'content-type': 'application/json' }, body: '{"entries":{},"name":"mychart"}' }
}

function decoded (path: string): string {
  return Buffer.from(path.replace(/%([0-9A-Fa-f]{2})/g, (_all, hex: string) => String.fromCharCode(parseInt(hex, 16))), 'latin1').toString('latin1')
}

/** The segments that ChartMuseum would take for the tenant, dot segments included. */
function folderOf (path: string, { depth }: World): string {
  const api = path.startsWith('/api/') && !/\.(?:yaml|tgz|prov)$/.test(path)
  const rest = api ? path.slice(4) : path
  if (depth !== 'dynamic') return '/' + rest.split('/').slice(1, 1 + depth).join('/')
  const tails = api ? [/\/charts$/, /\/charts\/[^/]+$/, /\/charts\/[^/]+\/[^/]+$/, /\/charts\/[^/]+\/[^/]+\/(?:templates|values)$/, /\/prov$/] : [/\/index\.yaml$/, /\/charts\/[^/]+$/]
  const tail = tails.find(each => each.test(rest))
  return tail === undefined ? '/nowhere' : '/' + rest.replace(tail, '').replace(/^\//, '')
}

async function pass ({ method, target, headers, body }: SeenRequest, relay: Dispatcher): Promise<StubAnswer> {
  const contentType = headers['content-type']
  const answer = await relay.request({
    method: method as Dispatcher.HttpMethod,
    path: target,
    ...(body.length > 0 ? { body } : {}),
    headers: { ...(contentType === undefined ? {} : { 'content-type': contentType }) }
  })
  return {
    status: answer.statusCode,
    headers: { 'content-type': String(answer.headers['content-type'] ?? 'text/plain') },
    body: Buffer.from(await answer.body.arrayBuffer())
  }
}
