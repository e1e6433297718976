// What is asked? The one parser of request targets, before any router: from the method and
// the raw target to a ChartRequest, a request of the registry, one of our own endpoints, or
// a refusal. Everything later (rights, upstream path, log) is built from its result and never
// from the received bytes.
import type { ChartRequest } from '../chartmuseum/chart-request.ts'
import type { Refusal } from '../http/errors.ts'
import { putBounded } from '../lib/put-bounded.ts'
import type { Depth } from '../words/tenant.ts'
import { HEALTH_PATH, OWN_ENDPOINTS, type OwnEndpoint } from './own-endpoints.ts'
import { ENCODING, matchRoutes } from './chartmuseum/match-routes.ts'
import { decodePath, pathFault } from './chartmuseum/path.ts'
import { OCI_ROOT, isOciPath, parseOciTarget, type OciRequest } from './oci/request.ts'

/** Where the charts are: how many segments name a tenant, and the path in front of everything ('' or '/helm'). */
export interface Layout {
  readonly depth: Depth
  readonly basePath: string
  /** There is a registry at /v2/, which is the root of the host, whatever the base path is. */
  readonly oci?: boolean
}

/** What was received. */
export type ReceivedTarget =
  | { readonly kind: 'chart', readonly request: ChartRequest }
  | { readonly kind: 'own', readonly endpoint: OwnEndpoint, readonly query: string }
  | { readonly kind: 'oci', readonly request: OciRequest }
  | { readonly kind: 'refused', readonly refusal: Refusal, /** whose form its answer has */ readonly form?: 'oci' }

export type ParsedTarget =
  | Exclude<ReceivedTarget, { kind: 'refused' }>
  /** A proxy asks whether this may pass (authz/authz-target.ts). */
  | { readonly kind: 'authz', readonly request: ChartRequest }
  | {
    readonly kind: 'refused'
    readonly refusal: Refusal
    readonly form?: 'oci'
    /** What a proxy asked about, where that could be read. */
    readonly asked?: { readonly method: string, readonly target: string }
  }

/**
 * Reads a request target (RFC 9112 section 3.2; origin-form only).
 * @param method the request method, as received
 * @param target the raw target: path and query, undecoded
 */
export function parseRequestTarget (method: string, target: string, layout: Layout): ReceivedTarget {
  const fault = characterFault(target)
  const mark = target.indexOf('?')
  const path = mark < 0 ? target : target.slice(0, mark)
  const query = mark < 0 ? '' : target.slice(mark + 1)
  const { basePath, depth } = layout
  if (layout.oci === true && isOciPath(path)) return ociTarget(fault, () => parseOciTarget(method, path, query, depth))
  if (fault !== undefined) return refused('bad_target', fault)
  const inside = path === HEALTH_PATH ? path : belowBase(path, basePath)
  if (inside === undefined) {
    return refused('no_such_route', `the path does not begin with ${basePath}, the path of publicUrl: ` +
      'does a proxy in front take it off?')
  }
  const parsed = parseInside(method, inside, query, depth)
  return isNoRoute(parsed) ? { kind: 'refused', refusal: whyNoRoute(method, inside, layout) } : parsed
}

/** What is asked of the registry, whose clients understand refusals in its own form alone. */
function ociTarget (fault: string | undefined, parse: () => OciRequest | Refusal): ReceivedTarget {
  const read = fault === undefined ? parse() : { code: 'bad_target', detail: fault } as const
  return 'code' in read ? { kind: 'refused', refusal: read, form: 'oci' } : { kind: 'oci', request: read }
}

/** What is asked, by a path without the base path. */
function parseInside (method: string, inside: string, query: string, depth: Depth): ReceivedTarget {
  const own = OWN_ENDPOINTS.get(inside)
  if (own !== undefined) {
    const { endpoint, methods } = own
    return methods === 'asks itself' || methods.includes(method)
      ? { kind: 'own', endpoint, query }
      : { kind: 'refused', refusal: { code: 'method_not_allowed', allow: methods } }
  }
  if (inside === OCI_ROOT) return refused('no_such_route') // where it is off
  const path = decodePath(inside)
  if (path === undefined) return refused('bad_target', pathFault(inside))
  const parsed = matchRoutes(method, path, query, depth)
  return path.encoded.length > 0 && isNoRoute(parsed) ? { kind: 'refused', refusal: ENCODING } : parsed
}

const NO_OCI: Refusal = {
  code: 'no_such_route',
  detail: 'this is a chart repository and no OCI registry: helm repo add NAME URL, ' +
    'with the URL of this gateway and the name of a tenant behind it'
}

/** What a person can do about a path that is no route, where that can be told. */
function whyNoRoute (method: string, inside: string, layout: Layout): Refusal {
  const { basePath, depth } = layout
  if (isDoubled(method, inside, layout)) {
    return {
      code: 'no_such_route',
      detail: `the path begins twice with ${basePath}, the path of publicUrl: does a proxy in front add it?`
    }
  }
  if (`${inside}/`.startsWith(OCI_ROOT)) return NO_OCI
  const other = depth === 'dynamic' ? undefined : otherDepth(method, inside, depth)
  return other === undefined
    ? { code: 'no_such_route' }
    : {
        code: 'no_such_route',
        detail: `not found: this path names a tenant of ${inParts(other)}, ` +
          `and a tenant has ${inParts(depth as number)} here (charts.depth)`
      }
}

/** More than tenants have anywhere. */
const DEEPEST_TENANT = 6

/** The depth at which the path would be a route. */
function otherDepth (method: string, inside: string, depth: number): number | undefined {
  return Array.from({ length: DEEPEST_TENANT + 1 }, (_, other) => other)
    .find(other => other !== depth && parseInside(method, inside, '', other).kind === 'chart')
}

function inParts (count: number): string {
  return count === 1 ? '1 part' : `${count} parts`
}

/** True when what is no route would be one without a second base path. */
function isDoubled (method: string, inside: string, { basePath, depth }: Layout): boolean {
  const once = basePath === '' ? undefined : belowBase(inside, basePath)
  return once !== undefined && !isNoRoute(parseInside(method, once, '', depth))
}

function isNoRoute (parsed: ReceivedTarget): boolean {
  return parsed.kind === 'refused' && parsed.refusal.code === 'no_such_route'
}

/** Clients ask for the same few targets over and over. */
const MOST_TARGETS = 1000
const LONGEST_REMEMBERED = 256
/** The id of an upload is in no other one's path. */
const READS: ReadonlySet<string> = new Set(['GET', 'HEAD'])

/**
 * The same parser, which remembers the last targets of charts and of the registry: a result depends on
 * the method and the target alone.
 */
export function rememberTargets (layout: Layout): (method: string, target: string) => ReceivedTarget {
  const remembered = new Map<string, ReceivedTarget>()
  return (method, target) => {
    const name = `${method} ${target}`
    const known = remembered.get(name)
    if (known !== undefined) return known
    const parsed = parseRequestTarget(method, target, layout)
    const mayComeAgain = parsed.kind === 'chart' || (parsed.kind === 'oci' && READS.has(method))
    if (!mayComeAgain || name.length > LONGEST_REMEMBERED) return parsed
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

function refused (code: Refusal['code'], detail?: string): ReceivedTarget {
  return { kind: 'refused', refusal: detail === undefined ? { code } : { code, detail } }
}
