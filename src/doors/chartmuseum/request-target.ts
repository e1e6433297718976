// What is asked? The one parser of request targets, before any router: from the method and
// the raw target to a ChartRequest, one of our own endpoints, or a refusal. Everything
// later (rights, upstream path, log) is built from its result and never from the received
// bytes.
import type { Refusal } from '../../http/errors.ts'
import { isNamedLikeAFile } from '../../lib/tenant-segment.ts'
import { putBounded } from '../../lib/put-bounded.ts'
import { readQuery } from './query.ts'
import type { ChartRequest } from '../../chartmuseum/chart-request.ts'
import { ROUTES, routesWith, type Method, type Parameter, type Route } from '../../chartmuseum/routes.ts'
import { decodeSegment } from '../../words/segment.ts'
import { ROOT_TENANT, isReservedFirstSegment, isTenantSegment, type Depth } from '../../words/tenant.ts'

/** Where the charts are: how many segments name a tenant, and the path in front of everything ('' or '/helm'). */
export interface Layout {
  readonly depth: Depth
  readonly basePath: string
}

export type OwnEndpoint = 'token' | 'jwks' | 'health' | 'info'

export type ParsedTarget =
  | { readonly kind: 'chart', readonly request: ChartRequest }
  | { readonly kind: 'own', readonly endpoint: OwnEndpoint, readonly query: string }
  | { readonly kind: 'refused', readonly refusal: Refusal }

/** Paths that chartgate answers itself, below the base path. */
export const OWN_ENDPOINTS: Readonly<Record<string, OwnEndpoint>> = {
  '/oauth/token': 'token',
  '/.well-known/jwks.json': 'jwks',
  '/health': 'health',
  '/info': 'info'
}

/**
 * Reads a request target (RFC 9112 section 3.2; origin-form only).
 * @param method the request method, as received
 * @param target the raw target: path and query, undecoded
 */
export function parseRequestTarget (method: string, target: string, layout: Layout): ParsedTarget {
  const fault = characterFault(target)
  if (fault !== undefined) return refused('bad_target', fault)
  const mark = target.indexOf('?')
  const path = mark < 0 ? target : target.slice(0, mark)
  const query = mark < 0 ? '' : target.slice(mark + 1)
  const { basePath, depth } = layout
  const inside = belowBase(path, basePath)
  if (inside === undefined) {
    return refused('no_such_route', `the path does not begin with ${basePath}, the path of publicUrl: ` +
      'does a proxy in front take it off?')
  }
  const parsed = parseInside(method, inside, query, depth)
  return isNoRoute(parsed) && isDoubled(method, inside, layout)
    ? refused('no_such_route', `the path begins twice with ${basePath}, the path of publicUrl: ` +
      'does a proxy in front add it?')
    : parsed
}

/** What is asked, by a path without the base path. */
function parseInside (method: string, inside: string, query: string, depth: Depth): ParsedTarget {
  if (inside === '/') return refused('no_such_route')
  const path = decodePath(inside)
  if (path === undefined) return refused('bad_target', pathFault(inside))
  const endpoint = Object.hasOwn(OWN_ENDPOINTS, inside) ? OWN_ENDPOINTS[inside] : undefined
  if (endpoint !== undefined) return { kind: 'own', endpoint, query }
  const parsed = matchRoutes(method, path, query, depth)
  return path.encoded.length > 0 && isNoRoute(parsed) ? { kind: 'refused', refusal: ENCODING } : parsed
}

/** True when what is no route would be one without a second base path. */
function isDoubled (method: string, inside: string, { basePath, depth }: Layout): boolean {
  const once = basePath === '' ? undefined : belowBase(inside, basePath)
  return once !== undefined && !isNoRoute(parseInside(method, once, '', depth))
}

function isNoRoute (parsed: ParsedTarget): boolean {
  return parsed.kind === 'refused' && parsed.refusal.code === 'no_such_route'
}

/** Clients ask for the same few targets over and over. */
const MOST_TARGETS = 1000
const LONGEST_REMEMBERED = 256

/**
 * The same parser, which remembers the last targets of chart requests: a result depends on
 * the method and the target alone.
 */
export function rememberTargets (layout: Layout): (method: string, target: string) => ParsedTarget {
  const remembered = new Map<string, ParsedTarget>()
  return (method, target) => {
    const name = `${method} ${target}`
    const known = remembered.get(name)
    if (known !== undefined) return known
    const parsed = parseRequestTarget(method, target, layout)
    if (parsed.kind !== 'chart' || name.length > LONGEST_REMEMBERED) return parsed
    putBounded(remembered, name, parsed, MOST_TARGETS)
    return parsed
  }
}

/** Printable ASCII alone, and none of those that another reader could take for the end of the path or a separator. */
const ODD_CHARACTER = /[^\x21-\x7e]|[#\\]/

/** Characters that no target may have, anywhere. */
function characterFault (target: string): string | undefined {
  if (!target.startsWith('/')) return 'the request target must begin with /'
  switch (ODD_CHARACTER.exec(target)?.[0]) {
    case undefined: return undefined
    case '#': return 'the request target has a fragment'
    case '\\': return 'the request target has a backslash'
    default: return 'the request target has a character that is not printable ASCII'
  }
}

/** The path below the base path, or undefined outside of it. */
function belowBase (path: string, basePath: string): string | undefined {
  if (basePath === '') return path
  if (path === basePath) return '/'
  return path.startsWith(basePath + '/') ? path.slice(basePath.length) : undefined
}

const EMPTY_OR_DOT_SEGMENT = /\/\.{0,2}(?:\/|$)/
const NO_PATH_CHARACTER = /[^A-Za-z0-9._+~^/-]/

/** The segments of a path: as they came, and decoded once. */
interface Path {
  readonly raw: readonly string[]
  readonly text: readonly string[]
  /** Those with an encoding that only the name of a stored file may have. */
  readonly encoded: readonly number[]
}

/**
 * The path, decoded once: `%2B` is `+`, `%5E` is `^`, and another encoding is taken only in
 * its one spelling, for those who read the name of a stored file. So no reader behind us
 * can find a separator or a dot segment in it.
 */
function decodePath (path: string): Path | undefined {
  if (EMPTY_OR_DOT_SEGMENT.test(path)) return undefined
  const raw = path.split('/').slice(1)
  if (!path.includes('%')) return NO_PATH_CHARACTER.test(path) ? undefined : { raw, text: raw, encoded: [] }
  const encoded: number[] = []
  const text: string[] = []
  for (const [i, segment] of raw.entries()) {
    const plain = segment.replace(/%2B/gi, '+').replace(/%5E/gi, '^')
    if (!NO_PATH_CHARACTER.test(plain)) text.push(plain)
    else if (!segment.includes('%')) return undefined
    else {
      encoded.push(i)
      text.push(decodeSegment(segment) ?? '')
    }
  }
  return { raw, text, encoded }
}

const ENCODING: Refusal = { code: 'bad_target', detail: 'the path has a percent-encoding: only %2B is taken' }
const SPELLING: Refusal = {
  code: 'bad_target',
  detail: 'the path has a name in another spelling than its one: letters, digits and ._~+- as they are, ' +
    'everything else as the percent-encoding of its UTF-8, in capitals'
}

/** What is wrong with a path; its bytes are not repeated, they may be anything. */
function pathFault (raw: string): string {
  const found = EMPTY_OR_DOT_SEGMENT.exec(raw)?.[0]
  if (found !== undefined) {
    return found.includes('.')
      ? 'the path has a dot segment'
      : 'the path has an empty segment: it must not end with / or have two in a row'
  }
  return 'the path has a character that is not allowed'
}

function refused (code: Refusal['code'], detail?: string): ParsedTarget {
  return { kind: 'refused', refusal: detail === undefined ? { code } : { code, detail } }
}

/** ChartMuseum takes a path for the API's only when it has no file's ending (router/match.go, isApiRoute). */
function isApiPath (segments: readonly string[]): boolean {
  return segments[0] === 'api' && !/\.(?:yaml|tgz|prov)$/.test(segments.at(-1) as string)
}

function matchRoutes (
  method: string,
  { raw, text: segments, encoded }: Path,
  query: string,
  depth: Depth
): ParsedTarget {
  const api = isApiPath(segments)
  const start = api ? 1 : 0
  const tenantLength = depth === 'dynamic' ? dynamicDepth(segments, start, api) : depth
  if (tenantLength === undefined) return refused('no_such_route')
  const tenantSegments = segments.slice(start, start + tenantLength)
  const tail = segments.slice(start + tenantLength)

  // Every row has a tail, so where the tenant is too short no row fits.
  let refusal: Refusal = { code: 'no_such_route' }
  for (const route of routesWith(api, tail.length)) {
    if (!fitsShape(route, tail) || !allowsDepth(route, depth)) continue
    if (!(route.methods as readonly string[]).includes(method)) continue
    const isTaken = encoded.every(i => takesEncoding(route, i - start - tenantLength))
    const parameters = isTaken ? readParameters(route, tail, raw.slice(start + tenantLength)) : ENCODING
    if ('code' in parameters) {
      // Another row may take it (.tgz and .tgz.prov share a shape); if none does, this is why.
      refusal = parameters
      continue
    }
    const tenant = readTenant(tenantSegments, depth)
    if ('code' in tenant) return { kind: 'refused', refusal: tenant }
    return { kind: 'chart', request: chartRequest(route, method as Method, tenant, parameters, query) }
  }
  return { kind: 'refused', refusal }
}

/** The number of tenant segments that ChartMuseum finds at dynamic depth: what the first fitting shape leaves. */
function dynamicDepth (segments: readonly string[], start: number, api: boolean): number | undefined {
  for (const route of ROUTES) {
    const length = segments.length - start - route.tail.length
    if (route.api !== api || route.fixedDepthOnly || length < 0) continue
    if (fitsShape(route, segments.slice(start + length))) return length
  }
  return undefined
}

function allowsDepth (route: Route, depth: Depth): boolean {
  return !(depth === 'dynamic' && route.fixedDepthOnly)
}

function fitsShape (route: Route, tail: readonly string[]): boolean {
  return tail.length === route.tail.length &&
    route.tail.every((part, i) => typeof part !== 'string' || part === tail[i])
}

/** @param i a place in what follows the tenant; negative: in the tenant itself */
function takesEncoding ({ tail }: Route, i: number): boolean {
  const part = tail[i]
  return typeof part === 'object' && part.encoded === true
}

type Parameters = Partial<Record<Parameter, string>>

/** The parameters, or what is wrong with one of them. */
function readParameters (route: Route, tail: readonly string[], raw: readonly string[]): Parameters | Refusal {
  const parameters: Parameters = {}
  for (const [i, part] of route.tail.entries()) {
    if (typeof part === 'string') continue
    const value = part.encoded === true ? decodeSegment(raw[i] as string) : tail[i] as string
    if (value === undefined) return SPELLING
    if (!part.accepts(value)) return wordsRefusal(route)
    parameters[part.parameter] = value
  }
  return parameters
}

function wordsRefusal (route: Route): Refusal {
  if (route.id === 'chart-file' || route.id === 'prov-file') return { code: 'no_such_route' }
  return route.id === 'delete-version'
    ? { code: 'bad_target', detail: 'a delete needs a chart name and an exact version' }
    : { code: 'bad_target', detail: 'the path has a chart name or version that no chart can have' }
}

interface NamedTenant { name: string, path: string }

function readTenant (segments: readonly string[], depth: Depth): NamedTenant | Refusal {
  if (segments.length === 0) return { name: ROOT_TENANT, path: '' }
  if (!segments.every(segment => isTenantSegment(segment) || isNamedLikeAFile(segment))) {
    return {
      code: 'bad_target',
      detail: 'a tenant name has letters, digits, ".", "_" and "-", and every part begins with a letter or digit'
    }
  }
  const path = segments.join('/')
  // At dynamic depth the root's name is "repo"; a folder of that name would share its rights.
  if (isReservedFirstSegment(segments[0] as string, depth) || (depth === 'dynamic' && path === ROOT_TENANT)) {
    return { code: 'no_such_route' }
  }
  if (segments.some(isNamedLikeAFile)) {
    return {
      code: 'bad_target',
      detail: 'no part of a tenant name is named like a file of a repository: ….tgz, ….tgz.prov or index-cache.yaml'
    }
  }
  return { name: path, path }
}

function chartRequest (
  route: Route,
  method: Method,
  tenant: NamedTenant,
  parameters: Parameters,
  rawQuery: string
): ChartRequest {
  const query = readQuery(rawQuery, route.query)
  // The mere presence of `force` overwrites, whatever its value (pkg/chartmuseum/server/multitenant/handlers.go).
  const action = route.query.includes('force') && query['force'] !== undefined ? 'overwrite' : route.action
  return {
    route: route.id,
    method,
    tenant: tenant.name,
    tenantPath: tenant.path,
    ...parameters,
    query: action === 'overwrite' ? { force: '' } : query,
    access: { type: 'artifact-repository', name: tenant.name, action }
  }
}
