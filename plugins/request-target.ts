// Puts the parser before the router: Fastify's rewriteUrl hands the raw target over,
// the result stays with the request, and the URL becomes one of a few internal doors.
import { METHODS, type IncomingMessage } from 'node:http'
import fp from 'fastify-plugin'
import type { FastifyRequest } from 'fastify'
import type { ChartRequest } from '../src/chartmuseum/chart-request.ts'
import { ociFactsOf, type OciFacts, type OciRequest } from '../src/doors/oci/request.ts'
import {
  rememberTargets, type Layout, type ParsedTarget
} from '../src/doors/request-target.ts'
import { AUTHZ_PATH } from '../src/doors/authz/sub-request.ts'
import type { OwnEndpoint } from '../src/doors/own-endpoints.ts'
import { routeOf, type Door } from '../src/chartmuseum/routes.ts'

const TARGET = Symbol('target')

declare module 'node:http' {
  interface IncomingMessage {
    /** What the parser made of it, on its way to Fastify's request. */
    [TARGET]?: ParsedTarget
  }
}

declare module 'fastify' {
  interface FastifyRequest {
    /** What is asked, as the parser understood it. */
    target: ParsedTarget
  }
}

const DOORS: Readonly<Record<Door, string>> = {
  index: '/index',
  file: '/file',
  upload: '/upload',
  delete: '/delete',
  forward: '/forward'
}
const ENDPOINTS: Readonly<Record<OwnEndpoint, string>> = {
  home: '/',
  token: '/oauth/token',
  jwks: '/.well-known/jwks.json',
  health: '/health',
  info: '/info'
}
/** Behind it one door tells its endpoints apart: each of them has methods that Fastify need not know. */
export const OCI_DOOR = '/oci'
const REFUSED = '/refused'
const REFUSED_TARGET: ParsedTarget = { kind: 'refused', refusal: { code: 'bad_target' } }
const NOT_HTTP: ParsedTarget = {
  kind: 'refused',
  refusal: { code: 'bad_request', detail: 'only HTTP/1.1 and HTTP/1.0 are spoken here' }
}
const HTTP_METHODS: ReadonlySet<string> = new Set(METHODS)

/** For Fastify's `rewriteUrl`: parses once, and names the door. */
export function createRewriteUrl (layout: Layout): (request: IncomingMessage) => string {
  const parse = rememberTargets(layout)
  return rewriteBy(({ method, url }) => parse(method as string, url as string))
}

/** The same, with another reader of requests. */
export function rewriteBy (read: (request: IncomingMessage) => ParsedTarget): (request: IncomingMessage) => string {
  return (request) => {
    const target = isHttp(request) ? read(request) : NOT_HTTP
    request[TARGET] = target
    // The router has no place for such a method, not even for its refusal; and by which one a proxy asks says nothing.
    if (target === NOT_HTTP || target.kind === 'authz') request.method = 'GET'
    switch (target.kind) {
      case 'authz': return AUTHZ_PATH
      case 'chart': return DOORS[routeOf(target.request.route).door]
      case 'own': return ENDPOINTS[target.endpoint]
      case 'oci': return OCI_DOOR
      case 'refused': return REFUSED
    }
  }
}

/**
 * Node's parser also takes HTTP/0.9 and HTTP/2.0 for requests like any other, and the
 * methods of RTSP; Go's, behind us, and proxies before us do not (RFC 9112 section 2.3).
 */
function isHttp ({ httpVersion, method }: IncomingMessage): boolean {
  return (httpVersion === '1.1' || httpVersion === '1.0') && HTTP_METHODS.has(method as string)
}

/** What is asked, behind the doors of chart routes: no other request comes there. */
export function chartRequestOf ({ target }: FastifyRequest): ChartRequest {
  /* c8 ignore next -- a door that was registered for another kind of target */
  if (target.kind !== 'chart') throw new Error(`chart requests come here, and no ${target.kind}`)
  return target.request
}

/** What is asked of the registry, behind its door. */
export function ociRequestOf ({ target }: FastifyRequest): OciRequest {
  /* c8 ignore next -- a door that was registered for another kind of target */
  if (target.kind !== 'oci') throw new Error(`requests of the registry come here, and no ${target.kind}`)
  return target.request
}

/** Of which tenant; behind the doors that ask the upstream, for charts alone. */
export function tenantAskedOf (request: FastifyRequest): string {
  return (askedOfCharts(request) as AskedOfCharts).tenant
}

/** What every way to ask about charts says of it. */
export interface AskedOfCharts
  extends Partial<Pick<ChartRequest, 'chart' | 'version' | 'file'>>, Pick<OciFacts, 'tenant' | 'access' | 'digest'> {
  readonly route: ChartRequest['route'] | OciFacts['route']
}

/** What is asked about charts, whichever way; undefined: it is about none. */
export function askedOfCharts ({ target }: FastifyRequest): AskedOfCharts | undefined {
  switch (target.kind) {
    case 'chart':
    case 'authz': return target.request
    case 'oci': return target.request.route === 'oci-base' ? undefined : ociFactsOf(target.request)
    default: return undefined
  }
}

export default fp(async (app) => {
  app.decorateRequest('target', {
    getter () { return this.raw[TARGET] ?? /* c8 ignore next -- every request passes rewriteUrl */ REFUSED_TARGET }
  })
}, { name: 'request-target', fastify: '5.x' })
