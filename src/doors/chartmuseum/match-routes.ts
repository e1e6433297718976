// Which route of the table is a path, of which tenant, and with which parameters? What
// fits no row is no route; what fits one by another method is told the methods.
import type { ChartRequest } from '../../chartmuseum/chart-request.ts'
import { ROUTES, routesWith, type Method, type Parameter, type Route } from '../../chartmuseum/routes.ts'
import type { Refusal } from '../../http/errors.ts'
import { isNamedLikeAFile } from '../../lib/tenant-segment.ts'
import { decodeSegment } from '../../words/segment.ts'
import { ROOT_TENANT, isReservedFirstSegment, isTenantSegment, type Depth } from '../../words/tenant.ts'
import type { Path } from './path.ts'
import { readQuery } from './query.ts'

export const ENCODING: Refusal = { code: 'bad_target', detail: 'the path has a percent-encoding: only %2B is taken' }
const SPELLING: Refusal = {
  code: 'bad_target',
  detail: 'the path has a name in another spelling than its one: letters, digits and ._~+- as they are, ' +
    'everything else as the percent-encoding of its UTF-8, in capitals'
}

/** A path of the API is taken for one only when it has no file's ending (router/match.go, isApiRoute). */
function hasFileEnding (segments: readonly string[]): boolean {
  return /\.(?:yaml|tgz|prov)$/.test(segments.at(-1) as string)
}

/** How a path is divided: what names the tenant, and what follows. */
interface Division {
  readonly api: boolean
  readonly tenant: readonly string[]
  /** Where the tail begins. */
  readonly from: number
}

/**
 * `/api/<tenant>/<tail>`, `/<tenant>/<tail>`, and at a fixed depth ChartMuseum's second
 * spelling of the first one, `/<tenant>/api/<tail>`, in which charts-syncer and scripts
 * write it (router/match.go).
 */
function divide (segments: readonly string[], depth: Depth): Division | undefined {
  const api = segments[0] === 'api' && !hasFileEnding(segments)
  const start = api ? 1 : 0
  if (!api && depth !== 'dynamic' && segments[depth] === 'api' && !hasFileEnding(segments)) {
    return { api: true, tenant: segments.slice(0, depth), from: depth + 1 }
  }
  const length = depth === 'dynamic' ? dynamicDepth(segments, start, api) : depth
  return length === undefined
    ? undefined
    : { api, tenant: segments.slice(start, start + length), from: start + length }
}

export type Match =
  | { readonly kind: 'chart', readonly request: ChartRequest }
  | { readonly kind: 'refused', readonly refusal: Refusal }

/** Which route of the table is it, and of which tenant? */
export function matchRoutes (
  method: string,
  { raw, text: segments, encoded }: Path,
  query: string,
  depth: Depth
): Match {
  const divided = divide(segments, depth)
  if (divided === undefined) return { kind: 'refused', refusal: { code: 'no_such_route' } }
  const { api, from } = divided
  const tail = segments.slice(from)

  // Every row has a tail, so where the tenant is too short no row fits. A row that fits by
  // this method says best why it is none; if there is none, another one's methods do.
  let refusal: Refusal | undefined
  const allow: string[] = []
  for (const route of routesWith(api, tail.length)) {
    if (!fitsShape(route, tail) || !allowsDepth(route, depth)) continue
    const isTaken = encoded.every(i => takesEncoding(route, i - from))
    const parameters = isTaken ? readParameters(route, tail, raw.slice(from)) : ENCODING
    const isMethod = (route.methods as readonly string[]).includes(method)
    if ('code' in parameters) {
      // Another row may take it (.tgz and .tgz.prov share a shape); if none does, this is why.
      if (isMethod) refusal = parameters
      continue
    }
    const tenant = readTenant(divided.tenant, depth)
    if (!isMethod) {
      if (!('code' in tenant)) allow.push(...route.methods)
    } else if ('code' in tenant) return { kind: 'refused', refusal: tenant }
    else return { kind: 'chart', request: chartRequest(route, method as Method, tenant, parameters, query) }
  }
  const otherwise: Refusal = allow.length === 0 ? { code: 'no_such_route' } : { code: 'method_not_allowed', allow }
  return { kind: 'refused', refusal: refusal ?? otherwise }
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
