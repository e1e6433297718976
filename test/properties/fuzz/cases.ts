// What is sent? A plan is a few numbers, which fast-check makes and shrinks: one valid
// request of the route table (or none), and the mutations that are done to it. The same
// plan is always the same bytes.
import fc from 'fast-check'
import { ROUTES, type Route } from '../../../src/chartmuseum/routes.ts'
import { pick, randomBytes, type Cast, type Draft } from './draft.ts'
import { MUTATORS } from './mutations.ts'
import { neighbours } from './worlds.ts'

export type Mutation = readonly [kind: number, at: number, what: number]
export type Plan = readonly [base: number, mutations: readonly Mutation[]]

export interface Case {
  readonly bytes: Buffer
  /** True: exactly one answer comes, and the connection can be used again. */
  readonly framed: boolean
  readonly head: boolean
}

const number = fc.nat(0x7fffffff)

/** One of five plans is a valid request. */
export const plans: fc.Arbitrary<Plan> = fc.tuple(number, fc.array(fc.tuple(number, number, number), { maxLength: 4 }))

/** The bytes of a plan. */
export function render ([base, mutations]: Plan, cast: Cast): Case {
  if (base % 50 === 0) return { bytes: randomBytes(base), framed: false, head: false }
  const draft = validRequest(base, cast)
  for (const [kind, at, what] of mutations) (MUTATORS[kind % MUTATORS.length] as typeof MUTATORS[number])(draft, at, what, cast)
  const head = Buffer.from(`${draft.method} ${draft.target} ${draft.version}\r\n${draft.headers.join('\r\n')}\r\n\r\n`, 'latin1')
  let bytes: Buffer = draft.body.length === 0 ? head : Buffer.concat([head, draft.body])
  for (const change of draft.late) bytes = change(bytes)
  const framed = draft.framed && draft.late.length === 0 && draft.version === 'HTTP/1.1' && /^(?:GET|HEAD|POST|DELETE)$/.test(draft.method) && /^[\x21-\x7e]+$/.test(draft.target)
  return { bytes, framed, head: draft.method === 'HEAD' }
}

const CHARTS = ['mychart', 'mychart', 'fresh', 'my-chart.v2', 'charts']
const VERSIONS = ['0.1.0', '0.1.0', '1.2.3', '1.2.3+build.5', 'latest', '^0.1', '~0.1.0', '1']
const FILES = ['mychart-0.1.0.tgz', 'mychart-0.1.0.tgz', 'fresh-1.2.3.tgz', 'mychart-0.1.0.tgz.prov', 'built-1.2.3%2Bbuild.5.tgz', 'built-1.2.3+build.5.tgz']
const QUERIES = ['', '', '', '?force', '?offset=0&limit=10', '?limit=1']
const OWN = ['/health', '/info', '/.well-known/jwks.json', '/oauth/token', '/']

/** An upload costs the gateway as much as ten reads: two of three cases are none. */
const READS = ROUTES.filter(({ door }) => door !== 'upload')

/** One of the table's routes, mostly of the principal's own tenant, sometimes of a neighbour's. */
function validRequest (seed: number, cast: Cast): Draft {
  const { world, token } = cast
  const others = neighbours(world)
  const routed = seed % 41 !== 0
  const tenant = seed % 7 === 0 ? pick(others, seed >>> 3) : world.folder
  const route = pick(seed % 3 === 0 ? ROUTES : READS, seed >>> 5)
  const method = routed ? pick(route.methods, seed >>> 9) : 'GET'
  const target = seed % 19 === 0 ? registryTarget(tenant, seed >>> 11) : world.basePath + (routed ? pathOf(route, tenant, seed >>> 11) : ownTarget(seed >>> 6, pick(others, seed >>> 13)))
  const authorization = seed % 13 < 8 ? `Bearer ${token}` : seed % 13 === 12 ? token : `Basic ${Buffer.from(`${pick(['any', '', 'org2'], seed >>> 4)}:${token}`).toString('base64')}`
  const headers = ['Host: charts.example.test', `Authorization: ${authorization}`]
  let body: Buffer = Buffer.alloc(0)
  if (method === 'POST') {
    const { contentType, bytes } = pick(cast.bodies, seed >>> 12)
    body = bytes
    headers.push(`Content-Type: ${contentType}`, `Content-Length: ${bytes.length}`)
  }
  return { method, target, version: 'HTTP/1.1', headers, body, framed: true, late: [] }
}

function pathOf (route: Route, tenant: string, seed: number): string {
  const parameters = { chart: pick(CHARTS, seed), version: pick(VERSIONS, seed >>> 3), file: pick(FILES, seed >>> 2) }
  const tail = route.tail.map(part => typeof part === 'string' ? part : parameters[part.parameter])
  const query = route.query.length > 0 ? pick(QUERIES, seed >>> 6) : ''
  return '/' + [...(route.api ? ['api'] : []), ...(tenant === '' ? [] : [tenant]), ...tail].join('/') + query
}

const DIGEST = `sha256:${'0'.repeat(64)}`
const REFERENCES = ['0.1.0', '0.1.0', '1.2.3_build.5', 'latest', DIGEST]

/** One of the registry's, which has the same tenants. */
function registryTarget (tenant: string, seed: number): string {
  const name = [...(tenant === '' ? [] : [tenant]), pick(CHARTS, seed)].join('/')
  const digest = pick([DIGEST, `sha512:${'0'.repeat(128)}`], seed >>> 2)
  return `/v2/${pick([`${name}/manifests/${pick(REFERENCES, seed >>> 3)}`, `${name}/blobs/${digest}`, `${name}/tags/list`, `${name}/tags/list?n=1&last=0`, `${name}/referrers/${digest}`, `${name}/blobs/uploads/`, ''], seed >>> 5)}`
}

function ownTarget (seed: number, other: string): string {
  const path = pick(OWN, seed)
  return path === '/oauth/token' ? `${path}?service=x&scope=artifact-repository:${other}:pull,push,overwrite,delete` : path
}
