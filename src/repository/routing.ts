// Which of ChartMuseum's routes does a request target name, and in whose folder? A port
// of helm/chartmuseum v0.16.5, pkg/chartmuseum/router/match.go, without what it takes
// by accident: every path has one spelling here (no dot or empty segments, no encoded
// separators, no `/<tenant>/api/…`, no `/<tenant>/health`, no junk behind the context path),
// and no tenant is named like a file.
import { isTenantSegment } from '../lib/tenant-segment.ts'

export type Depth = number | 'dynamic'
export type Handler =
  | 'welcome' | 'info' | 'health' | 'index' | 'object' | 'list' | 'chart' | 'version' | 'templates' | 'values'
  | 'upload' | 'upload-prov' | 'delete'

interface RouteRow {
  readonly handler: Handler
  readonly methods: readonly string[]
  readonly api: boolean
  /** The segments behind the tenant; one that begins with `:` is a parameter. */
  readonly tail: readonly string[]
  readonly action: 'pull' | 'push'
}

/** In ChartMuseum's order: at dynamic depth the first shape that fits says how long the tenant's name is. */
const ROUTES: readonly RouteRow[] = [
  { handler: 'index', methods: ['GET', 'HEAD'], api: false, tail: ['index.yaml'], action: 'pull' },
  { handler: 'object', methods: ['GET', 'HEAD'], api: false, tail: ['charts', ':file'], action: 'pull' },
  { handler: 'list', methods: ['GET', 'HEAD'], api: true, tail: ['charts'], action: 'pull' },
  { handler: 'chart', methods: ['GET', 'HEAD'], api: true, tail: ['charts', ':name'], action: 'pull' },
  { handler: 'version', methods: ['GET', 'HEAD'], api: true, tail: ['charts', ':name', ':version'], action: 'pull' },
  {
    handler: 'templates',
    methods: ['GET', 'HEAD'],
    api: true,
    tail: ['charts', ':name', ':version', 'templates'],
    action: 'pull'
  },
  {
    handler: 'values',
    methods: ['GET', 'HEAD'],
    api: true,
    tail: ['charts', ':name', ':version', 'values'],
    action: 'pull'
  },
  { handler: 'upload', methods: ['POST'], api: true, tail: ['charts'], action: 'push' },
  { handler: 'upload-prov', methods: ['POST'], api: true, tail: ['prov'], action: 'push' },
  { handler: 'delete', methods: ['DELETE'], api: true, tail: ['charts', ':name', ':version'], action: 'push' }
]

export interface Match {
  readonly handler: Handler
  /** What a token must allow; undefined: open to everybody. */
  readonly action?: 'pull' | 'push'
  /** The tenant's folder below the root: '' or 'org1/repo1'. */
  readonly tenant: string
  readonly name: string
  readonly version: string
  readonly file: string
  readonly query: URLSearchParams
}

export type Routing = Match | 'not found' | 'bad request'

/** @param target the request target as received (origin-form) */
export function route (method: string, target: string, depth: Depth, contextPath: string): Routing {
  const mark = target.indexOf('?')
  const path = mark < 0 ? target : target.slice(0, mark)
  if (/%(?![0-9A-Fa-f]{2})/.test(path)) return 'bad request' // so says Go's net/http
  const segments = readSegments(path, contextPath)
  if (segments === undefined) return 'not found'
  const found = matchOwn(method, segments, depth) ?? matchTenant(method, segments, depth)
  if (found === undefined) return 'not found'
  const query = new URLSearchParams(mark < 0 ? '' : target.slice(mark + 1))
  return { name: '', version: '', file: '', ...found, query }
}

/** The decoded segments below the context path; undefined for what has none. */
function readSegments (path: string, contextPath: string): string[] | undefined {
  if (path !== contextPath && !path.startsWith(contextPath + '/')) return undefined
  const segments: string[] = []
  for (const raw of path.slice(contextPath.length + 1).split('/')) {
    let segment: string
    try {
      segment = decodeURIComponent(raw)
    } catch {
      return undefined // not UTF-8
    }
    // eslint-disable-next-line no-control-regex
    if (segment === '.' || segment === '..' || /[\\/\x00-\x1f\x7f]/.test(segment)) return undefined
    segments.push(segment)
  }
  return segments
}

type FoundRoute = Pick<Match, 'handler' | 'tenant'> & Partial<Match>

/** The pages that are not a tenant's. */
function matchOwn (method: string, segments: readonly string[], depth: Depth): FoundRoute | undefined {
  if (method !== 'GET' && method !== 'HEAD') return undefined
  const [first = '', second] = segments
  if (first === 'health' && segments.length === 1) return { handler: 'health', tenant: '' }
  if (first === '' && segments.length === 1) return { handler: 'welcome', tenant: '', action: 'pull' }
  const single = segments.length === 1 || (segments.length === 2 && second === '')
  // At depth 1, and so at dynamic depth, /info is the tenant `info`.
  if (first === 'info' && segments.length === 1 && depth !== 1 && depth !== 'dynamic') {
    return { handler: 'info', tenant: '' }
  }
  const length = depth === 'dynamic' ? (single && first === 'info' ? 1 : -1) : depth
  const names = segments.at(-1) === '' ? segments.slice(0, -1) : segments
  if (length < 1 || names.length !== length || !names.every(isTenantSegment)) return undefined
  return { handler: 'welcome', tenant: names.join('/'), action: 'pull' }
}

function matchTenant (method: string, segments: readonly string[], depth: Depth): FoundRoute | undefined {
  const api = segments[0] === 'api' && segments.length > 1 && !/\.(?:yaml|tgz|prov)$/.test(segments.at(-1) as string)
  const rest = api ? segments.slice(1) : segments
  const length = depth === 'dynamic' ? dynamicDepth(rest, api) : depth
  if (length === undefined || rest.length < length) return undefined
  const names = rest.slice(0, length)
  const tail = rest.slice(length)
  if (!names.every(isTenantSegment)) return undefined
  const row = ROUTES.find(row => row.api === api && row.methods.includes(method) && fitsRow(row, tail))
  if (row === undefined) return undefined
  const parameters = Object.fromEntries(row.tail.flatMap((part, i) => {
    return part.startsWith(':') ? [[part.slice(1), tail[i] as string]] : []
  }))
  return { handler: row.handler, action: row.action, tenant: names.join('/'), ...parameters }
}

function dynamicDepth (segments: readonly string[], api: boolean): number | undefined {
  for (const row of ROUTES) {
    const length = segments.length - row.tail.length
    // A parameter may be empty at a fixed depth only.
    const tail = segments.slice(length)
    if (row.api === api && length >= 0 && fitsRow(row, tail) && !tail.includes('')) return length
  }
  return undefined
}

function fitsRow (row: RouteRow, tail: readonly string[]): boolean {
  return row.tail.length === tail.length && row.tail.every((part, i) => part.startsWith(':') || part === tail[i])
}
