// Two routers, two opinions: the gateway takes a path for one route, ChartMuseum for
// another. Its matcher (pkg/chartmuseum/router/match.go) does not take `/api/…` for the
// API when the path ends like a file, so that `DELETE /api/x/api/charts/n/1.0.0.prov`
// acts on the tenant `api/x`; hands every GET of `/static…` to the static files of nobody's
// tenant; and at dynamic depth lets the tail say which segments are the tenant. Of the
// same kind: @fastify/express CVE-2026-22037, Traefik CVE-2026-40912.
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import t from 'tap'
import type { Depth } from '../../src/words/tenant.ts'
import { chartMuseumReads } from '../helpers/chartmuseum-router.ts'
import { isRefused, probe, shown, startTwoTenants, type Tally } from '../helpers/two-tenants.ts'
import { inShort } from '../helpers/in-short.ts'
import { dataUrl } from '../helpers/data.ts'

const DEPTHS: Depth[] = [0, 1, 2, 3, 'dynamic']

interface Recorded { config: string, method: string, target: string, status: number, tenant?: string, action?: string, open?: string }
const recorded = readFileSync(dataUrl('chartmuseum/routing.jsonl'), 'utf8').trim().split('\n').map(line => JSON.parse(line) as Recorded)

await t.test('the model of the matcher decides as ChartMuseum 0.16.5 did, for every recorded request', async t => {
  const wrong: string[] = []
  for (const { config, method, target, status, tenant, action, open } of recorded) {
    const [, depth = '', contextPath] = /^depth-(\w+?)(-context-path)?$/.exec(config) as string[]
    const model = chartMuseumReads(method, target, { depth: depth === 'dynamic' ? depth : Number(depth), contextPath: contextPath === undefined ? '' : '/helm' })
    const expected = tenant !== undefined ? `${tenant} ${action}` : open !== undefined ? `/${open}` : { 404: 'not found', 400: 'bad request' }[status]
    // the recorded name was read in a header, where an end of line is a space
    const found = model.kind === 'demands' ? `${model.namespace.replace(/[\r\n]/g, ' ')} ${model.action}` : model.kind === 'open' ? model.path : model.kind
    if (found !== expected) wrong.push(`${config} ${method} ${target}: ${found}, recorded ${expected}`)
  }
  t.same(wrong, [])
  t.ok(recorded.length > 7000)
})

await t.test('what ChartMuseum takes for another route is refused, at every depth, with every right', async t => {
  const targets: [string, string][] = [
    ['DELETE', '/api/x/api/charts/n/1.0.0.prov'], ['DELETE', '/api/api/charts/n/1.0.0.tgz'], ['DELETE', '/org1/repo1/api/charts/n/1.0.0'], ['DELETE', '/api/org1/repo1/charts/n/1.0.0.yaml'],
    ['POST', '/org1/repo1/api/charts'], ['POST', '/org1/repo1/api/prov'], ['POST', '/api/:repo/charts'], ['POST', '/:repo/index.yaml'],
    ['GET', '/static'], ['GET', '/static/org1/index.yaml'], ['GET', '/staticx/repo1/index.yaml'], ['GET', '/static/x/y.tgz'], ['HEAD', '/static/repo1/index.yaml'], ['GET', '/api/static/x/charts'], ['GET', '/staticx/index.yaml'], ['GET', '/static/a/b/index.yaml'],
    ['GET', '/:repo/index.yaml'], ['GET', '/api/:repo/charts'], ['GET', '/:repo/charts/:filename'], ['GET', '/org1/repo1/health'], ['GET', '/org1/repo1/info'], ['GET', '/org1/health'], ['GET', '/org1/info'],
    ['GET', '/api/index.yaml'], ['GET', '/api/org1/index.yaml'], ['GET', '/api/a/b/index.yaml'], ['GET', '/api/charts/x.tgz'], ['GET', '/api/a/charts/x.tgz'], ['GET', ''], ['GET', '/metrics'],
    ...['api', 'oauth', 'v2', 'authz', 'health', 'info', 'metrics', 'static', 'statics'].flatMap((first): [string, string][] => [['GET', `/${first}/index.yaml`], ['GET', `/${first}/a/index.yaml`], ['GET', `/${first}/a/b/index.yaml`], ['GET', `/api/${first}/a/charts`], ['POST', `/api/${first}/a/charts`]])
  ]
  for (const depth of DEPTHS) {
    const tenants = await startTwoTenants(t, config => ({ ...config, charts: { ...config.charts, depth } }))
    for (const [method, target] of targets) {
      if (depth === 2 && target.startsWith('/org1/repo1/api/')) continue // the second spelling of the API
      isRefused(t, tenants, await tenants.ask(method, target, { authorization: `Bearer ${tenants.gateway.masterKey}` }), `${method} ${shown(target)} at depth ${depth}`)
    }
  }
})

// Words that mean something to one of the routers, in any order.
const word = fc.constantFrom('api', 'charts', 'prov', 'index.yaml', 'templates', 'values', 'static', 'staticx', 'health', 'info', 'artifacthub-repo.yml', 'org1', 'repo1', 'repo', 'x', 'x-1.0.0.tgz', 'x-1.0.0.tgz.prov', '1.0.0', '1.0.0.prov', '1.0.0.yaml', ':repo', ':filename', 'indexxyaml', 'latest', 'v2', '')
const name = fc.constantFrom('org1', 'repo1', 'charts', 'prov', 'x', 'index.yaml', 'values', '1.0.0', 'apix', 'repo')
const shape = fc.constantFrom(['', 'index.yaml'], ['', 'charts', 'x-1.0.0.tgz'], ['api', 'charts'], ['api', 'charts', 'charts'], ['api', 'charts', 'x', '1.0.0'], ['api', 'charts', 'charts', '1.0.0', 'values'], ['api', 'charts', 'x', '1.0.0', 'templates'], ['api', 'charts', 'index.yaml'], ['', 'charts', 'charts'], ['api', 'prov'])

/** Words alone, or names in the shape of a route: as many as the depth wants, or some more or less. */
function pathsFor (depth: Depth): fc.Arbitrary<string> {
  const right = depth === 'dynamic' ? 2 : depth
  const count = fc.oneof({ weight: 3, arbitrary: fc.constant(right) }, { weight: 1, arbitrary: fc.nat({ max: 4 }) })
  const shaped = fc.tuple(count, fc.array(name, { minLength: 4, maxLength: 4 }), shape).map(([count, names, [first, ...tail]]) => [...first === '' ? [] : ['api'], ...names.slice(0, count), ...tail])
  return fc.oneof(fc.array(word, { minLength: 1, maxLength: 8 }), shaped).map(segments => '/' + segments.join('/'))
}

for (const depth of DEPTHS) {
  await t.test(`any order of the routers' words at depth ${depth} is refused or understood alike`, async t => {
    const tenants = await startTwoTenants(t, config => ({ ...config, charts: { ...config.charts, depth } }))
    const tally: Tally = { requests: 0, refused: 0, forwarded: 0 }
    await fc.assert(fc.asyncProperty(fc.constantFrom('GET', 'GET', 'HEAD', 'DELETE', 'PUT'), pathsFor(depth), async (method, path) => {
      await probe(tenants, method, path, { depth, allRoutes: true }, tally)
    }), { numRuns: inShort(80, 250) })
    t.ok(tally.forwarded > tally.requests / 50, `${tally.forwarded} of ${tally.requests} were forwarded`)
  })
}
