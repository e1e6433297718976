import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import t from 'tap'
import { isChartName } from '../../src/words/chart-names.ts'
import type { ChartRequest } from '../../src/chartmuseum/chart-request.ts'
import { OWN_ENDPOINTS } from '../../src/doors/own-endpoints.ts'
import { parseRequestTarget, rememberTargets, type Layout, type ParsedTarget } from '../../src/doors/request-target.ts'
import { ROUTES, routeOf } from '../../src/chartmuseum/routes.ts'
import { isTenantName, type Depth } from '../../src/words/tenant.ts'
import { upstreamTarget } from '../../src/chartmuseum/upstream-target.ts'

const DEPTHS: readonly Depth[] = [0, 1, 2, 3, 'dynamic']
const parse = (method: string, target: string, depth: Depth = 2, basePath = ''): ParsedTarget => parseRequestTarget(method, target, { depth, basePath })
const codeOf = (parsed: ParsedTarget): string => parsed.kind === 'refused' ? parsed.refusal.code : parsed.kind
const inWords = ({ method, route, access, chart = '', version = '', file = '', query }: ChartRequest): string =>
  `${method} ${route} ${access.name} ${access.action} ${[chart, version, file].filter(part => part !== '').join(' ')} ${new URLSearchParams(query).toString()}`.trim().replace(/ +/g, ' ')

await t.test('every route is understood, with the right that it needs', async t => {
  const cases: [method: string, target: string, expected: string][] = [
    ['GET', '/org1/repo1/index.yaml', 'GET index org1/repo1 pull'],
    ['HEAD', '/org1/repo1/index.yaml', 'HEAD index org1/repo1 pull'],
    ['GET', '/org1/repo1/charts/mychart-0.1.0.tgz', 'GET chart-file org1/repo1 pull mychart-0.1.0.tgz'],
    ['GET', '/org1/repo1/charts/mychart-0.1.0.tgz.prov', 'GET prov-file org1/repo1 pull mychart-0.1.0.tgz.prov'],
    ['GET', '/org1/repo1/charts/mychart-0.1.0%2Bb1.tgz', 'GET chart-file org1/repo1 pull mychart-0.1.0+b1.tgz'],
    ['GET', '/org1/repo1/charts/mychart-0.1.0+b1.tgz', 'GET chart-file org1/repo1 pull mychart-0.1.0+b1.tgz'],
    ['GET', '/org1/repo1/artifacthub-repo.yml', 'GET artifact-hub org1/repo1 pull'],
    ['GET', '/api/org1/repo1/charts', 'GET list org1/repo1 pull'],
    ['GET', '/api/org1/repo1/charts?offset=2&limit=10&x=1', 'GET list org1/repo1 pull offset=2&limit=10'],
    ['GET', '/api/org1/repo1/charts/mychart', 'GET chart org1/repo1 pull mychart'],
    ['HEAD', '/api/org1/repo1/charts/mychart', 'HEAD chart org1/repo1 pull mychart'],
    ['GET', '/api/org1/repo1/charts/mychart/0.1.0', 'GET version org1/repo1 pull mychart 0.1.0'],
    ['HEAD', '/api/org1/repo1/charts/mychart/0.1.0%2bb1', 'HEAD version org1/repo1 pull mychart 0.1.0+b1'],
    ['GET', '/api/org1/repo1/charts/mychart/latest', 'GET version org1/repo1 pull mychart latest'],
    ['GET', '/api/org1/repo1/charts/mychart/~1.2', 'GET version org1/repo1 pull mychart ~1.2'],
    ['GET', '/api/org1/repo1/charts/mychart/%5E1', 'GET version org1/repo1 pull mychart ^1'],
    ['GET', '/api/org1/repo1/charts/mychart/^1', 'GET version org1/repo1 pull mychart ^1'],
    ['GET', '/api/org1/repo1/charts/mychart/0.1.0/templates', 'GET templates org1/repo1 pull mychart 0.1.0'],
    ['GET', '/api/org1/repo1/charts/mychart/0.1.0/values', 'GET values org1/repo1 pull mychart 0.1.0'],
    ['POST', '/api/org1/repo1/charts', 'POST upload-chart org1/repo1 push'],
    ['POST', '/api/org1/repo1/charts?x=1&limit=3', 'POST upload-chart org1/repo1 push'],
    ['POST', '/api/org1/repo1/charts?a&%66orce=1', 'POST upload-chart org1/repo1 overwrite force='],
    ['POST', '/api/org1/repo1/charts?FORCE', 'POST upload-chart org1/repo1 push'],
    ['POST', '/api/org1/repo1/prov', 'POST upload-prov org1/repo1 push'],
    ['POST', '/api/org1/repo1/prov?force=false', 'POST upload-prov org1/repo1 overwrite force='],
    ['DELETE', '/api/org1/repo1/charts/mychart/0.1.0', 'DELETE delete-version org1/repo1 delete mychart 0.1.0'],
    ['DELETE', '/api/org1/repo1/charts/mychart/0.1.0?force', 'DELETE delete-version org1/repo1 delete mychart 0.1.0'],
    ['GET', '/org1/repo1/index.yaml?x=/health', 'GET index org1/repo1 pull'],
    ['GET', '/org1/repo1/index.yaml?', 'GET index org1/repo1 pull'],
    ['GET', '/org1/repo1/index.yaml?force&offset=1', 'GET index org1/repo1 pull'],
    ['GET', '/org1/repo1/index.yaml?a=/../b?c', 'GET index org1/repo1 pull'],
    // chart names that are words of other routes
    ['GET', '/api/org1/repo1/charts/charts', 'GET chart org1/repo1 pull charts'],
    ['GET', '/api/org1/repo1/charts/prov/values', 'refused bad_target'],
    ['GET', '/api/org1/charts/charts', 'GET list org1/charts pull']
  ]
  for (const [method, target, expected] of cases) {
    const parsed = parse(method, target)
    t.equal(parsed.kind === 'chart' ? inWords(parsed.request) : `refused ${codeOf(parsed)}`, expected, `${method} ${target}`)
  }
})

await t.test('the depth says which segments are the tenant', async t => {
  // tenant at depth 0, 1, 2, 3 and dynamic; '' is refused (the table of ChartMuseum's matcher, less what it should not have answered)
  const cases: [method: string, target: string, tenants: [string, string, string, string, string]][] = [
    ['GET', '/index.yaml', ['repo', '', '', '', 'repo']],
    ['GET', '/a/index.yaml', ['', 'a', '', '', 'a']],
    ['GET', '/a/b/index.yaml', ['', '', 'a/b', '', 'a/b']],
    ['GET', '/a/b/c/index.yaml', ['', '', '', 'a/b/c', 'a/b/c']],
    ['GET', '/a/b/c/d/index.yaml', ['', '', '', '', 'a/b/c/d']],
    ['GET', '/repo/index.yaml', ['', 'repo', '', '', '']],
    ['GET', '/repo/a/index.yaml', ['', '', 'repo/a', '', 'repo/a']],
    ['GET', '/charts/x.tgz', ['repo', '', '', '', 'repo']],
    ['GET', '/a/charts/x.tgz', ['', 'a', '', '', 'a']],
    ['GET', '/charts/charts/x.tgz', ['', 'charts', '', '', '']],
    ['GET', '/charts/a/index.yaml', ['', '', 'charts/a', '', '']],
    ['GET', '/api/charts', ['repo', '', '', '', 'repo']],
    ['GET', '/api/a/charts', ['', 'a', '', '', 'a']],
    ['GET', '/api/a/charts/charts', ['', 'a', 'a/charts', '', 'a/charts']],
    ['GET', '/api/charts/charts', ['repo', 'charts', '', '', '']],
    ['GET', '/api/charts/x', ['repo', '', '', '', 'repo']],
    ['GET', '/api/a/b/charts/x', ['', '', 'a/b', '', 'a/b']],
    ['POST', '/api/prov', ['repo', '', '', '', 'repo']],
    ['POST', '/api/a/b/c/charts', ['', '', '', 'a/b/c', 'a/b/c']],
    ['DELETE', '/api/a/charts/x/1.0.0', ['', 'a', '', '', 'a']],
    ['GET', '/artifacthub-repo.yml', ['repo', '', '', '', '']],
    ['GET', '/a/artifacthub-repo.yml', ['', 'a', '', '', '']],
    ['GET', '/api/index.yaml', ['', '', '', '', '']],
    ['GET', '/api/a/index.yaml', ['', '', '', '', '']],
    ['GET', '/static/a/index.yaml', ['', '', '', '', '']]
  ]
  for (const [method, target, tenants] of cases) {
    for (const [i, depth] of DEPTHS.entries()) {
      const parsed = parse(method, target, depth)
      t.equal(parsed.kind === 'chart' ? parsed.request.tenant : '', tenants[i], `${method} ${target} at depth ${depth}`)
    }
  }
})

await t.test('the repository without tenants is named repo, and has no segment', async t => {
  const parsed = parse('POST', '/api/charts?force', 0)
  t.strictSame(parsed, {
    kind: 'chart',
    request: { route: 'upload-chart', method: 'POST', tenant: 'repo', tenantPath: '', query: { force: '' }, access: { type: 'artifact-repository', name: 'repo', action: 'overwrite' } }
  })
})

await t.test('a shape that is not in the table is not found, whatever the method and the depth', async t => {
  const cases: [method: string, target: string][] = [
    ['GET', '/org1'],
    ['GET', '/org1/repo1'],
    ['GET', '/api'],
    ['GET', '/api/org1/repo1'],
    ['GET', '/metrics'],
    ['GET', '/static/x.js'],
    ['GET', '/artifacthub-repo.yml'],
    ['GET', '/org1/repo1/sub/index.yaml'],
    ['GET', '/org1/index.yaml'],
    ['GET', '/org1/repo1/INDEX.yaml'],
    ['GET', '/org1/repo1/index.yml'],
    ['GET', '/org1/repo1/indexxyaml'],
    ['GET', '/API/org1/repo1/charts'],
    ['GET', '/org1/repo1/Charts/x-1.tgz'],
    ['GET', '/org1/repo1/charts/x-1.zip'],
    ['GET', '/org1/repo1/charts/.tgz'],
    ['GET', '/org1/repo1/health'],
    ['GET', '/org1/repo1/info'],
    ['GET', '/index'],
    ['GET', '/upload'],
    ['DELETE', '/delete'],
    ['GET', '/forward'],
    ['GET', '/refused'],
    // what a file's ending does to the API
    ['DELETE', '/api/repo1/api/charts/x/1.0.prov'],
    ['GET', '/api/org1/repo1/charts/x/1.0.tgz'],
    ['GET', '/api/org1/repo1/charts/x.yaml'],
    ['GET', '/api/org1/index.yaml'],
    // reserved first segments
    ['GET', '/oauth/repo1/index.yaml'],
    ['GET', '/v2/repo1/index.yaml'],
    ['GET', '/authz/repo1/index.yaml'],
    ['GET', '/staticx/repo1/index.yaml'],
    ['GET', '/api/health/repo1/charts'],
  ]
  for (const [method, target] of cases) t.equal(codeOf(parse(method, target)), 'no_such_route', `${method} ${target}`)
})

await t.test('a method that a known path does not have is told which it has, and a path that is none by any method is not', t => {
  const cases: [string, string, readonly string[] | undefined][] = [
    ['POST', '/org1/repo1/index.yaml', ['GET', 'HEAD']],
    ['OPTIONS', '/org1/repo1/index.yaml', ['GET', 'HEAD']],
    ['TRACE', '/org1/repo1/index.yaml', ['GET', 'HEAD']],
    ['get', '/org1/repo1/index.yaml', ['GET', 'HEAD']],
    ['', '/org1/repo1/index.yaml', ['GET', 'HEAD']],
    ['PUT', '/api/org1/repo1/charts', ['GET', 'HEAD', 'POST']],
    ['DELETE', '/api/org1/repo1/charts', ['GET', 'HEAD', 'POST']],
    ['DELETE', '/api/org1/repo1/charts/x', ['GET', 'HEAD']],
    ['POST', '/api/org1/repo1/charts/x/1.0.0', ['GET', 'HEAD', 'DELETE']],
    ['DELETE', '/org1/repo1/charts/x-1.tgz', ['GET', 'HEAD']],
    ['PUT', '/org1/repo1/charts/x-1.tgz.prov', ['GET', 'HEAD']],
    ['GET', '/api/org1/repo1/prov', ['POST']],
    ['PUT', '/org1/repo1/api/prov', ['POST']],
    ['POST', '/org1/repo1/charts/x-1.zip', undefined],
    ['PUT', '/nowhere', undefined]
  ]
  for (const [method, target, allow] of cases) {
    t.strictSame(parse(method, target), { kind: 'refused', refusal: allow === undefined ? { code: 'no_such_route' } : { code: 'method_not_allowed', allow } }, `${method} ${target}`)
  }
  t.equal(codeOf(parse('PUT', '/-x/repo1/index.yaml')), 'no_such_route', 'what is no tenant has no methods')
  t.end()
})

await t.test('HEAD is understood wherever GET is', t => {
  for (const target of ['/org1/repo1/charts/x-1.tgz', '/org1/repo1/charts/x-1.tgz.prov', '/api/org1/repo1/charts', '/api/org1/repo1/charts/x/1.0.0/values', '/api/org1/repo1/charts/x/1.0.0/templates', '/org1/repo1/artifacthub-repo.yml']) {
    t.match(parse('HEAD', target), { kind: 'chart', request: { method: 'HEAD', access: { action: 'pull' } } }, target)
  }
  t.end()
})

await t.test('the second spelling of the API is the same request, at a fixed depth', t => {
  const pairs: [method: string, first: string, second: string, depth: Depth][] = [
    ['POST', '/api/org1/repo1/charts?force', '/org1/repo1/api/charts?force', 2],
    ['POST', '/api/org1/repo1/prov', '/org1/repo1/api/prov', 2],
    ['GET', '/api/org1/repo1/charts?offset=1', '/org1/repo1/api/charts?offset=1', 2],
    ['GET', '/api/org1/charts/x/1.0.0/values', '/org1/api/charts/x/1.0.0/values', 1],
    ['HEAD', '/api/a/b/c/charts/x', '/a/b/c/api/charts/x', 3],
    ['DELETE', '/api/org1/repo1/charts/x%20y/1.0', '/org1/repo1/api/charts/x%20y/1.0', 2]
  ]
  for (const [method, first, second, depth] of pairs) {
    const expected = parse(method, first, depth)
    t.equal(expected.kind, 'chart', first)
    t.strictSame(parse(method, second, depth), expected, second)
    t.equal(codeOf(parse(method, second, 'dynamic')) === 'chart' && (parse(method, second, 'dynamic') as { request: ChartRequest }).request.tenant === (expected as { request: ChartRequest }).request.tenant, false, `${second}, at depth dynamic`)
  }
  for (const target of ['/org1/repo1/api/charts/x.yaml', '/org1/repo1/api/charts/x/1.0.tgz', '/org1/repo1/api', '/org1/api/repo1/charts', '/org1/repo1/api/api/charts', '/org1/repo1/api/index.yaml', '/org1/repo1/api/charts/x-1.0.0.tgz']) t.equal(codeOf(parse('GET', target)), 'no_such_route', target)
  t.equal(codeOf(parse('GET', '/oauth/repo1/api/charts')), 'no_such_route', 'a reserved name is reserved here too')
  t.end()
})

await t.test('a path of another depth is told both depths, and a client of a registry what this is', t => {
  const depths: [string, number, RegExp][] = [
    ['/org1/repo1/sub/index.yaml', 2, /a tenant of 3 parts, and a tenant has 2 parts here \(charts\.depth\)/],
    ['/org1/index.yaml', 2, /a tenant of 1 part, and a tenant has 2 parts here/],
    ['/index.yaml', 1, /a tenant of 0 parts, and a tenant has 1 part here/],
    ['/api/org1/repo1/charts', 0, /a tenant of 2 parts, and a tenant has 0 parts here/]
  ]
  for (const [target, depth, detail] of depths) t.match(parse('GET', target, depth), { kind: 'refused', refusal: { code: 'no_such_route', detail } }, target)
  for (const target of ['/v2', '/v2/', '/v2/_catalog', '/v2/org1/repo1/manifests/1.0.0', '/v2/repo1/index.yaml']) {
    for (const depth of [0, 2]) t.match(parse('GET', target, depth), { kind: 'refused', refusal: { code: 'no_such_route', detail: /helm repo add/ } }, target)
  }
  t.strictSame(parse('GET', '/v2x/nowhere'), { kind: 'refused', refusal: { code: 'no_such_route' } })
  t.end()
})

await t.test('the file of every chart that can be stored can be asked for', async () => {
  const version = fc.constantFrom('1.0.0', 'v1.2', '1', '1.2.3-rc.1', '1.0.0+build.5', '1.0.0%2Bbuild.5')
  const name = fc.stringMatching(/^[A-Za-z0-9._-]{1,12}$/).filter(isChartName)
  fc.assert(fc.property(name, version, fc.constantFrom('.tgz', '.tgz.prov'), (name, version, end) =>
    codeOf(parse('GET', `/org1/repo1/charts/${name}-${version}${end}`)) === 'chart'))
})

await t.test('a shape of the table with a name that cannot be is a bad request, and says why', async t => {
  const long = 'x'.repeat(251)
  const cases: [method: string, target: string, detail: RegExp][] = [
    ['DELETE', '/api/org1/repo1/charts/x/latest', /exact version/],
    ['DELETE', '/api/org1/repo1/charts/x/~1', /exact version/],
    ['DELETE', '/api/org1/repo1/charts/x/%5E1', /exact version/],
    ['DELETE', '/api/org1/repo1/charts/x/dev', /exact version/],
    ['DELETE', '/api/org1/repo1/charts/x%20y/latest', /exact version/],
    ['DELETE', '/api/org1/repo1/charts/x/^1', /another spelling/],
    ['DELETE', '/api/org1/repo1/charts/x%2Fy/1.0.0', /exact version/],
    ['DELETE', '/api/org1/repo1/charts/x/1.0.0%5C', /exact version/],
    ['DELETE', '/api/org1/repo1/charts/x%252Fy/1.0.0', /exact version/],
    ['GET', '/org1/repo1/charts/a^1.tgz', /another spelling/],
    ['GET', '/org1/repo1/charts/a%5e1.tgz', /another spelling/],
    ['GET', '/api/org1/repo1/charts/a%20b', /percent-encoding/],
    ['GET', '/api/org1/repo1/charts/a/1.0.0%20b', /percent-encoding/],
    ['GET', '/org1/repo%201/charts/a.tgz', /percent-encoding/],
    ['POST', '/api/org1/repo%201/charts', /percent-encoding/],
    ['GET', '/org1/repo1/index%20.yaml', /percent-encoding/],
    ['GET', '/org1/repo1/charts/a%20b.zip', /percent-encoding/],
    ['GET', '/org1/repo1/charts/a%20(1).tgz', /another spelling/],
    ['GET', '/org1/repo1/charts/a%2d1.tgz', /another spelling/],
    ['GET', '/org1/repo%zz/charts/a%2d1.tgz', /percent-encoding/],
    ['GET', '/org1/repo1/x y%20', /./],
    ['GET', '/%C3%B6rg1/repo1/index.yaml', /percent-encoding/],
    ['GET', '/api/org1/repo1/charts/x/~', /chart name or version/],
    ['GET', '/api/org1/repo1/charts/x/1.2.3.4', /chart name or version/],
    ['GET', `/api/org1/repo1/charts/${long}`, /chart name or version/],
    ['GET', `/api/org1/repo1/charts/${long}/1.0.0/templates`, /chart name or version/],
    ['GET', '/api/org1/repo1/charts/x/y/values', /chart name or version/],
    ['GET', '/-org1/repo1/index.yaml', /tenant name/],
    ['GET', '/org1/.repo1/index.yaml', /tenant name/],
    ['GET', '/org1/re+po/index.yaml', /tenant name/],
    ['GET', '/org1/repo~1/index.yaml', /tenant name/],
    ['POST', '/api/org1/_repo1/charts', /tenant name/]
  ]
  for (const [method, target, detail] of cases) t.match(parse(method, target), { kind: 'refused', refusal: { code: 'bad_target', detail } }, `${method} ${target}`.slice(0, 80))
})

await t.test('targets that two readers could read differently are refused before anything else', async t => {
  const secret = 'org2/repo2/charts/secret-1.0.0.tgz'
  const targets = [
    // not origin-form
    '', '*', 'org1/repo1/index.yaml', 'http://x/org1/repo1/index.yaml', 'localhost:5001', '?x', '#',
    // empty and dot segments
    '//', '//index.yaml', '///index.yaml', '/org1//index.yaml', '//org1/repo1/index.yaml', '/org1/repo1//index.yaml', '/org1/repo1/index.yaml/', '/health/', '/oauth/token/',
    '/org1/repo1/../../org2/repo2/index.yaml', '/org1/./index.yaml', '/../index.yaml', '/./org1/repo1/index.yaml', '/org1/repo1/..', '/.', '/..', '/health/../org2/repo2/index.yaml', `/org1/repo1/charts/../../../${secret}`,
    // dot segments and separators in encodings
    '/org1/repo1/%2e%2e/%2E%2E/org2/repo2/index.yaml', '/org1/.%2e/index.yaml', '/org1/%2e/index.yaml', '/org1/%252e%252e/index.yaml', '/org1/%25 2e/index.yaml',
    `/org1/repo1/charts/..%2f..%2f..%2f${secret}`, '/org1%2Frepo1/index.yaml', '/org1%2frepo1/index.yaml', '/org1%5crepo1/index.yaml', '/org1/repo1%2findex.yaml',
    '/org1/repo1/index%2Eyaml', '/%6frg1/repo1/index.yaml', '/org1/repo1/charts/secret%2d1.0.0.tgz',
    '/org1/..;/org2/repo2/index.yaml', '/org1/repo1;a=b/index.yaml', '/org1/..;x/index.yaml',
    '/org1\\repo1/index.yaml', '/\\org1/repo1/index.yaml', '/org1/..\\..\\org2/index.yaml',
    // ends of the path
    '/org2/repo2/index.yaml#/health', '/org2/repo2/index.yaml%23/health', '/health#/../org2/repo2/index.yaml', '/org1/repo1/index.yaml?x#y', '/org1/repo1/index.yaml%3Fx', '/org1/repo1/index.yaml%00', '/org1/repo1/index.yaml%0a', '/org1/repo1/index.yaml%20',
    // broken and overlong encodings
    '/org1/%zz/index.yaml', '/org1/%/index.yaml', '/org1/%2/index.yaml', '/org1/%ff/index.yaml', '/org1/%c0%ae%c0%ae/index.yaml', '/org1/%c0%af/index.yaml', '/org1/%e0%80%ae/index.yaml', '/org1/%u002e/index.yaml',
    // bytes
    '/org1/repo 1/index.yaml', '/org1/repo1/index.yaml ', '/org1/repo1/index.yaml\t', '/org1/repo1/index.yaml\r\nX: y', '/org1/repo1\0/index.yaml', '/org1/repo1/index.yaml\x7f', '/org1/caf\u00e9/index.yaml', '/org1/\u0430/index.yaml', '/org1/repo1/index.yaml?x=\u00e4', '/org1/\u2024\u2024/index.yaml', '/org1/\uff0e\uff0e/index.yaml',
    // templates, quotes and query languages (chartmuseum/auth puts the name into a JMESPath)
    '/:repo/index.yaml', '/api/:repo/charts', '/org1/:repo/index.yaml', '/org1/*/index.yaml', "/org1/r'||'1/index.yaml", '/org1/r"/index.yaml', '/org1/r`1`/index.yaml', '/org1/r&a/index.yaml', '/org1/r|a/index.yaml', '/org1/*)(uid=*/index.yaml', '/org1/{a}/index.yaml', '/org1/$(a)/index.yaml', '/org1/r@b/index.yaml', '/org1/a,b/index.yaml', '/org1/<script>/index.yaml', '/org1/[a]/index.yaml', '/org1/a!/index.yaml', '/org1/a=b/index.yaml'
  ]
  for (const depth of DEPTHS) {
    for (const target of targets) t.equal(codeOf(parse('GET', target, depth)), 'bad_target', `${JSON.stringify(target)} at depth ${depth}`)
  }
})

await t.test('of all encodings of one byte, each place takes those that it must have', async t => {
  // What a path can hold as it is needs no encoding; a separator, a control character and what is no UTF-8 alone is no part of a name.
  const isTaken = (byte: number): boolean => byte >= 0x20 && byte < 0x7f && !/[A-Za-z0-9._~/\\-]/.test(String.fromCharCode(byte))
  for (let byte = 0; byte < 256; byte++) {
    const hex = byte.toString(16).padStart(2, '0')
    for (const encoding of [`%${hex}`, `%${hex.toUpperCase()}`]) {
      const codes = [`GET /org1/repo${encoding}/index.yaml`, `GET /org1/repo1/charts/x-1${encoding}.tgz`, `GET /org1/repo1/charts/x-1${encoding}.tgz.prov`, `GET /api/org1/repo1/charts/x/${encoding}1`, `GET /api/org1/repo1/charts/x${encoding}`, `DELETE /api/org1/repo1/charts/x${encoding}/1.0.0`, `DELETE /api/org1/repo1/charts/x/1.0.0${encoding}`]
        .map(line => line.split(' ') as [string, string]).map(([method, target]) => codeOf(parse(method, target)))
      const stored = isTaken(byte) && (encoding === encoding.toUpperCase() || hex === '2b') ? 'chart' : 'bad_target'
      t.strictSame(codes, ['bad_target', stored, stored, hex === '5e' ? 'chart' : 'bad_target', 'bad_target', stored, stored], encoding)
    }
  }
})

await t.test('the name of a stored file is decoded once, and sent in its one spelling', async t => {
  const cases: [method: string, target: string, words: string, sent: string][] = [
    ['GET', '/org1/repo1/charts/mychart-0.1.0%20%281%29.tgz', 'GET chart-file org1/repo1 pull mychart-0.1.0 (1).tgz', '/org1/repo1/charts/mychart-0.1.0%20%281%29.tgz'],
    ['GET', '/org1/repo1/charts/gr%C3%B6%C3%9Fe-0.1.0%2bb.tgz.prov', 'GET prov-file org1/repo1 pull größe-0.1.0+b.tgz.prov', '/org1/repo1/charts/gr%C3%B6%C3%9Fe-0.1.0+b.tgz.prov'],
    ['GET', '/org1/repo1/charts/100%25-0.1.0.tgz', 'GET chart-file org1/repo1 pull 100%-0.1.0.tgz', '/org1/repo1/charts/100%25-0.1.0.tgz'],
    ['GET', '/org1/repo1/charts/a~b.tgz', 'GET chart-file org1/repo1 pull a~b.tgz', '/org1/repo1/charts/a~b.tgz'],
    ['GET', '/org1/repo1/charts/+x-1.tgz', 'GET chart-file org1/repo1 pull +x-1.tgz', '/org1/repo1/charts/+x-1.tgz'],
    ['DELETE', '/api/org1/repo1/charts/mychart/0.1.0%20%281%29', 'DELETE delete-version org1/repo1 delete mychart 0.1.0 (1)', '/api/org1/repo1/charts/mychart/0.1.0%20%281%29'],
    ['DELETE', '/api/org1/repo1/charts/%3C%3C/0.1.0', 'DELETE delete-version org1/repo1 delete << 0.1.0', '/api/org1/repo1/charts/%3C%3C/0.1.0'],
    ['DELETE', '/api/org1/repo1/charts/x+y/1.0.0', 'DELETE delete-version org1/repo1 delete x+y 1.0.0', '/api/org1/repo1/charts/x+y/1.0.0'],
    ['DELETE', '/api/org1/repo1/charts/foo/1.2.3.4', 'DELETE delete-version org1/repo1 delete foo 1.2.3.4', '/api/org1/repo1/charts/foo/1.2.3.4'],
    ['DELETE', '/api/org1/repo1/charts/foo/release-1.61.0', 'DELETE delete-version org1/repo1 delete foo release-1.61.0', '/api/org1/repo1/charts/foo/release-1.61.0']
  ]
  for (const [method, target, words, sent] of cases) {
    const parsed = parse(method, target)
    if (parsed.kind !== 'chart') t.fail(`${target} is refused: ${codeOf(parsed)}`)
    else t.strictSame([inWords(parsed.request), upstreamTarget(parsed.request, '').path], [words, sent])
  }
})

await t.test('a refusal repeats nothing of the target', async t => {
  for (const target of ['/marker%00/b/index.yaml', '/marker!/b/index.yaml', '/marker//index.yaml', '/marker/../index.yaml', '/-marker/b/index.yaml', '/marker\\/index.yaml', '/a/b/index.yaml#marker', '/api/a/b/charts/marker+/1']) {
    const parsed = parse('GET', target)
    t.match(parsed, { kind: 'refused', refusal: { code: 'bad_target', detail: /^(?!.*marker).+$/ } }, target)
  }
})

await t.test('own endpoints are known by their exact path, with their raw query', async t => {
  for (const depth of DEPTHS) {
    for (const [path, { endpoint, methods }] of OWN_ENDPOINTS) {
      t.strictSame(parse('GET', path, depth), { kind: 'own', endpoint, query: '' }, path)
      t.strictSame(parse('GET', `${path}?scope=a%20b&x=%zz?`, depth), { kind: 'own', endpoint, query: 'scope=a%20b&x=%zz?' })
      for (const method of ['POST', 'PUT', 'DELETE', 'BREW']) {
        t.strictSame(parse(method, path, depth), methods === 'asks itself' ? { kind: 'own', endpoint, query: '' } : { kind: 'refused', refusal: { code: 'method_not_allowed', allow: ['GET', 'HEAD'] } }, `${method} ${path}`)
      }
      if (path === '/') continue
      for (const other of [`${path}/`, `/a${path}`, `${path}x`, path.toUpperCase(), `/${path}`, path.replace('o', '%6f'), path.replace('h', '%68')]) {
        if (other !== path) t.not(parse('GET', other, depth).kind, 'own', other)
      }
    }
  }
  t.equal(codeOf(parse('GET', '/constructor')), 'no_such_route')
  t.equal(codeOf(parse('GET', '/__proto__')), 'no_such_route')
})

await t.test('everything lies below the base path, and nothing beside it', async t => {
  const layout: Layout = { depth: 2, basePath: '/helm' }
  const cases: [target: string, expected: string][] = [
    ['/helm/org1/repo1/index.yaml', 'chart'],
    ['/helm/api/org1/repo1/charts', 'chart'],
    ['/helm/oauth/token?x=1', 'own'],
    ['/helm/health', 'own'],
    ['/helm', 'own'],
    ['/helm/', 'own'],
    ['/helm?x', 'own'],
    ['/helm//org1/repo1/index.yaml', 'bad_target'],
    ['/helm/../helm/org1/repo1/index.yaml', 'bad_target'],
    ['/helmorg1/repo1/index.yaml', 'no_such_route'],
    ['/helmx/org1/repo1/index.yaml', 'no_such_route'],
    ['/HELM/org1/repo1/index.yaml', 'no_such_route'],
    ['/%68elm/org1/repo1/index.yaml', 'no_such_route'],
    ['/org1/repo1/index.yaml', 'no_such_route'],
    ['/health', 'own'],
    ['/info', 'no_such_route'],
    ['/', 'no_such_route'],
    ['/oauth/token', 'no_such_route']
  ]
  for (const [target, expected] of cases) t.equal(codeOf(parseRequestTarget('GET', target, layout)), expected, target)
})

// --- properties ---------------------------------------------------------------

const depth = fc.constantFrom<Depth>(...DEPTHS)
const method = fc.constantFrom('GET', 'HEAD', 'POST', 'DELETE', 'PUT')
const word = fc.constantFrom('api', 'charts', 'prov', 'index.yaml', 'artifacthub-repo.yml', 'org1', 'repo', 'a', 'B-2', 'templates', 'values', 'x-1.0.0.tgz', 'x-1.0.0%2bb.tgz.prov', '1.0.0', '1.0.0+b', '%5e1.2', '^1', '~1', 'latest', '..', '', 'static', 'v2')
const query = fc.constantFrom('', '?', '?force', '?%66orce=1', '?force=%ff', '?offset=3&limit=a%20b', '?limit=&x=%26force', '?limit=%ff')
const plausible = fc.tuple(fc.array(fc.oneof({ weight: 9, arbitrary: word }, fc.string({ unit: 'binary-ascii', maxLength: 4 })), { maxLength: 8 }), query).map(([segments, query]) => '/' + segments.join('/') + query)
// one that fits the table, for every row and depth
const fitting = fc.record({
  depth,
  row: fc.constantFrom(...ROUTES),
  tenant: fc.array(fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,5}$/), { minLength: 4, maxLength: 4 }),
  chart: fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,6}$/),
  version: fc.constantFrom('1.0.0', 'v1.2', '1.0.0+b.1', '1.0.0%2Bb.1', '~1', '^1.2', '%5E1.2.3', 'latest'),
  odd: fc.constantFrom('', '', '%20%281%29', '%C3%B6', '%25', '%2F', '%2e', '%41', '%2Bx', '%0A'),
  query
}).map(({ depth, row, tenant, chart, version, odd, query }) => {
  const count = depth === 'dynamic' ? tenant.length : depth
  const tail = row.tail.map(part => typeof part === 'string' ? part : { chart: chart + odd, version: version + odd, file: `${chart}-1.0.0${odd}${row.id === 'prov-file' ? '.tgz.prov' : '.tgz'}` }[part.parameter])
  return { depth, method: row.methods[0] as string, target: '/' + [...(row.api ? ['api'] : []), ...tenant.slice(0, count), ...tail].join('/') + query }
})
const any = fc.oneof(fitting, fc.record({ depth, method, target: plausible }), fc.record({ depth, method, target: fc.string({ unit: 'binary' }).map(text => '/' + text) }))

await t.test('a path outside of the base path, or with two of it, is told so', t => {
  const missing = 'the path does not begin with /helm, the path of publicUrl: does a proxy in front take it off?'
  const doubled = 'the path begins twice with /helm, the path of publicUrl: does a proxy in front add it?'
  const cases: [method: string, target: string, detail: string | undefined][] = [
    ['GET', '/org1/repo1/index.yaml', missing],
    ['GET', '/helm/helm/org1/repo1/index.yaml', doubled],
    ['GET', '/helm/helm/org1/repo1/charts/a-1.0.0.tgz?x', doubled],
    ['POST', '/helm/helm/api/org1/repo1/charts', doubled],
    ['POST', '/helm/helm/oauth/token', doubled],
    ['GET', '/helm/helm/org1/index.yaml/x', undefined],
    ['GET', '/helm/helm', doubled],
    ['GET', '/helm/helmorg1/repo1/index.yaml/x', undefined]
  ]
  for (const [method, target, detail] of cases) {
    const refusal = { code: 'no_such_route', ...(detail === undefined ? {} : { detail }) }
    t.strictSame(parseRequestTarget(method, target, { depth: 2, basePath: '/helm' }), { kind: 'refused', refusal }, target)
  }
  t.equal(codeOf(parseRequestTarget('GET', '/helm/helm/repo1/index.yaml', { depth: 2, basePath: '/helm' })), 'chart', 'a tenant may have the same name')
  t.equal(codeOf(parseRequestTarget('GET', '/helm/helm/org1/repo1/index.yaml', { depth: 'dynamic', basePath: '/helm' })), 'chart', 'also with more segments')
  t.end()
})

await t.test('what is accepted is rebuilt to one canonical target, which means the same', async t => {
  let accepted = 0
  fc.assert(fc.property(any, ({ depth, method, target }) => {
    const parsed = parse(method, target, depth)
    if (parsed.kind !== 'chart') return true
    accepted++
    const { path, query } = upstreamTarget(parsed.request, '')
    const canonical = query === '' ? path : `${path}?${query}`
    return isDeepStrictEqual(parse(method, canonical, depth), parsed)
  }), { numRuns: 2000 })
  t.ok(accepted > 200, `${accepted} of 2000 were accepted`)
})

await t.test('the right that is asked for is of the tenant that is sent, and the path has no other', async () => {
  fc.assert(fc.property(any, ({ depth, method, target }) => {
    const parsed = parse(method, target, depth)
    if (parsed.kind !== 'chart') return true
    const { request } = parsed
    const row = routeOf(request.route)
    const { path } = upstreamTarget(request, '')
    const prefix = (row.api ? '/api' : '') + (request.tenantPath === '' ? '' : `/${request.tenantPath}`)
    return request.access.name === request.tenant &&
      isTenantName(request.tenant, depth) &&
      (request.tenantPath === request.tenant || (request.tenantPath === '' && request.tenant === 'repo')) &&
      path.startsWith(prefix) && path.slice(prefix.length).split('/').length === row.tail.length + 1 &&
      !prefix.includes('%') && /^(?:\/(?:[A-Za-z0-9._+~-]|%[0-9A-F]{2})+)+$/.test(path) && path.split('/').slice(1).map(decodeURIComponent).every(segment => /^[^/\\\p{Cc}]+$/u.test(segment) && segment !== '.' && segment !== '..') &&
      (request.access.action === 'overwrite') === ('force' in request.query)
  }), { numRuns: 2000 })
})

await t.test('it answers every text, and never throws', async () => {
  const unit = fc.constantFrom('/', '.', '..', '%2e', '%2f', '%', '?', '#', ';', '\\', ':', 'a', 'api', 'charts', 'index.yaml', '\0', ' ', '\u00e9', '\ud800')
  fc.assert(fc.property(fc.array(unit).map(parts => parts.join('')), fc.string(), depth, fc.constantFrom('', '/a'), (target, method, depth, basePath) => {
    const parsed = parseRequestTarget(method, target, { depth, basePath })
    return parsed.kind !== 'refused' || ['bad_target', 'no_such_route', 'method_not_allowed'].includes(parsed.refusal.code)
  }), { numRuns: 2000 })
})

await t.test('a target of any length is answered', async t => {
  t.equal(codeOf(parse('GET', '/' + 'a/'.repeat(500_000) + 'index.yaml')), 'no_such_route')
  t.equal(codeOf(parse('GET', '/' + 'a/'.repeat(500_000) + 'index.yaml', 'dynamic')), 'chart')
  t.equal(codeOf(parse('GET', '/' + '%'.repeat(1_000_000))), 'bad_target')
})

await t.test('what is remembered of a target is what the parser says of it, and no more than a thousand', t => {
  for (const depth of DEPTHS) {
    const layout = { depth, basePath: '' }
    const remembering = rememberTargets(layout)
    const targets = ['/index.yaml', '/org1/index.yaml', '/org1/repo1/index.yaml', '/a/b/c/index.yaml', '/api/org1/repo1/charts?offset=1', '/oauth/token?secret=1', '/nothing/here', '/a/../b/index.yaml', `/org1/${'r'.repeat(300)}/index.yaml`]
    for (let round = 0; round < 3; round++) {
      for (const method of ['GET', 'HEAD', 'POST', 'DELETE']) {
        for (const target of targets) t.strictSame(remembering(method, target), parseRequestTarget(method, target, layout), `${method} ${target} at depth ${depth}`)
      }
    }
  }
  const remembering = rememberTargets({ depth: 1, basePath: '' })
  const first = remembering('GET', '/t0/index.yaml')
  t.equal(remembering('GET', '/t0/index.yaml'), first)
  for (let i = 1; i <= 1000; i++) remembering('GET', `/t${i}/index.yaml`)
  const again = remembering('GET', '/t0/index.yaml')
  t.not(again, first, 'the oldest is forgotten')
  t.strictSame(again, first)
  t.end()
})
