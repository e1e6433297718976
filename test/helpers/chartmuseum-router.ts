// What does ChartMuseum make of a request target? A model of its matcher, accidents and
// all: a port of helm/chartmuseum v0.16.5, pkg/chartmuseum/router/match.go (match,
// getDepth) and router.go (rootHandler), with the routes of
// pkg/chartmuseum/server/multitenant/routes.go. An oracle for tests and nothing else:
// what the gateway authorised must be what this finds in the target that it sent on.
// Paths are strings of bytes, one character each, as Go has them.
import type { Depth } from '../../src/words/tenant.ts'

interface ModelRoute {
  readonly method: string
  readonly path: string
  /** What ChartMuseum demands of a token; '' is open to everybody. */
  readonly action: 'pull' | 'push' | ''
}

const route = (method: string, path: string, action: ModelRoute['action']): ModelRoute => ({ method, path, action })
const STATIC = route('GET', '/static', 'pull')
const ARTIFACT_HUB = route('GET', '/artifacthub-repo.yml', 'pull')

/** In ChartMuseum's order, with the API and deletes enabled. */
const ROUTES: readonly ModelRoute[] = [
  route('GET', '/', 'pull'),
  route('GET', '/info', ''),
  route('GET', '/health', ''),
  route('GET', '/:repo/index.yaml', 'pull'),
  route('HEAD', '/:repo/index.yaml', 'pull'),
  route('GET', '/:repo/charts/:filename', 'pull'),
  route('GET', '/api/:repo/charts', 'pull'),
  route('HEAD', '/api/:repo/charts/:name', 'pull'),
  route('GET', '/api/:repo/charts/:name', 'pull'),
  route('HEAD', '/api/:repo/charts/:name/:version', 'pull'),
  route('GET', '/api/:repo/charts/:name/:version', 'pull'),
  route('GET', '/api/:repo/charts/:name/:version/templates', 'pull'),
  route('GET', '/api/:repo/charts/:name/:version/values', 'pull'),
  route('POST', '/api/:repo/charts', 'push'),
  route('POST', '/api/:repo/prov', 'push'),
  route('DELETE', '/api/:repo/charts/:name/:version', 'push')
]

export interface ModelOptions {
  readonly depth: Depth
  readonly contextPath?: string
  /** ChartMuseum with --artifact-hub-repo-id and --web-template-path: a route more for each, and the second takes everything that begins with /static. */
  readonly allRoutes?: boolean
}

export type ModelVerdict =
  | { readonly kind: 'demands', /** of a token, as ChartMuseum's authoriser writes it */ readonly namespace: string, readonly action: 'pull' | 'push' }
  | { readonly kind: 'open', /** the route that answers anybody */ readonly path: string }
  | { readonly kind: 'not found' }
  | { readonly kind: 'bad request' }

/** @param target the request target as received */
export function chartMuseumReads (method: string, target: string, { depth, contextPath = '', allRoutes = false }: ModelOptions): ModelVerdict {
  // an absolute form (RFC 9112 section 3.2.2) names a host, which nobody looks at
  const raw = target.replace(/^http:\/\/[^/?]*/, '').split('?', 1)[0] as string
  // net/url refuses these before the router sees anything
  // eslint-disable-next-line no-control-regex
  if (!raw.startsWith('/') || /[\x00-\x1f\x7f]/.test(target) || /%(?![0-9A-Fa-f]{2})/.test(raw)) return { kind: 'bad request' }
  const url = raw.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)))
  const found = match(method, url, contextPath, depth, allRoutes ? [...ROUTES.slice(0, 6), ARTIFACT_HUB, STATIC, ...ROUTES.slice(6)] : ROUTES)
  if (found === undefined) return { kind: 'not found' }
  const { route: { action, path }, repo } = found
  return action === '' ? { kind: 'open', path } : { kind: 'demands', namespace: repo === '' ? 'repo' : repo, action }
}

interface Found { readonly route: ModelRoute, readonly repo: string }

function match (method: string, received: string, contextPath: string, depth: Depth, routes: readonly ModelRoute[]): Found | undefined {
  let url = received
  if (contextPath !== '') {
    if (url === contextPath) url = '/'
    else if (url.startsWith(contextPath)) url = url.slice(contextPath.length)
    else return undefined
  }
  if (url === '/health' && method === 'GET') return { route: ROUTES[2] as ModelRoute, repo: '' }
  if (url.startsWith('/static') && method === 'GET' && routes.includes(STATIC)) return { route: STATIC, repo: '' }

  const api = url.startsWith('/api/') && !/^[^\n]*\.(?:yaml|tgz|prov)$/.test(url)
  const start = api ? 2 : 1
  const segments = url.split('/')
  const length = depth === 'dynamic' ? dynamicDepth(url, api, routes) : depth
  if (length < 0) return undefined
  const repoParts = segments.slice(start, start + length)
  const repo = segments.length >= length + start && repoParts.length === length ? repoParts.join('/') : undefined
  const rest = '/' + segments.slice(start + length).join('/')

  for (const route of routes) {
    if (route.method !== method) continue
    if (route.path === url) return { route, repo: '' }
    if (repo === undefined) continue
    if (route.path === (api ? '/api' : '') + '/:repo' + rest) return { route, repo }
    const shape = route.path.replace('/:repo', '').split('/')
    const parts = ((api ? '/api' : '') + rest).split('/')
    if (shape.length === parts.length && shape.every((part, i) => part.includes(':') || part === parts[i])) return { route, repo }
  }
  return undefined
}

/** The depth of the first route, of whatever method, whose pattern the URL has; -1 when there is none. */
function dynamicDepth (url: string, api: boolean, routes: readonly ModelRoute[]): number {
  for (const { path } of routes) {
    if (path.startsWith('/api') !== api || !patternOf(path).test(url)) continue
    const depth = url.split('/').length - path.split('/').length + 1
    if (depth >= 0) return depth
  }
  return -1
}

/** url2pattern; `.` is any byte but a line feed, in Go as here. */
function patternOf (path: string): RegExp {
  const items = path.split('/').filter(item => item !== '').map(item => item === ':repo' ? '.*' : item.startsWith(':') ? '[^/]+' : item)
  return new RegExp(('^/' + items.join('/') + '$').replaceAll('/.*', '(/.*){0,1}').replace(/\.(?!\*)/g, '[^\\n]').replaceAll('.*', '[^\\n]*'))
}
