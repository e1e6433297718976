// Every recorded routing decision of ChartMuseum, sent through real proxies that ask the
// gateway, by who has every right in one tenant: what comes to the chart repository carries a
// token for the tenant and the action that ChartMuseum finds in what came, and that tenant is
// the one. The proxies are as examples/forward-auth/ has them, and with what some
// configurations do to a path before it goes on.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { ACTIONS } from '../../src/words/access.ts'
import type { Depth } from '../../src/words/tenant.ts'
import { grant } from '../helpers/app.ts'
import { dialectOf, lacked, startAskingProxy, type AskingProxyName } from '../helpers/asking-proxies.ts'
import { askedBy, startAsked } from '../helpers/authz.ts'
import { chartMuseumReads, type ModelOptions } from '../helpers/chartmuseum-router.ts'
import { ROOT } from '../helpers/processes.ts'
import type { Edit } from '../helpers/proxies.ts'
import { rawClient } from '../helpers/raw.ts'
import { startStubUpstream, type SeenRequest } from '../helpers/stub-upstream.ts'
import { authorisedFor, differenceOf } from '../helpers/two-tenants.ts'

interface Row { readonly config: string, readonly kind: string, readonly method: string, readonly target: string, readonly tenant?: string }

/** Whose rights they are that ask. */
const TENANTS: Readonly<Record<string, string>> = {
  'depth-0': 'repo', 'depth-1': 'org1', 'depth-2': 'org1/repo1', 'depth-2-context-path': 'org1/repo1', 'depth-3': 'org1/repo1/x', 'depth-dynamic': 'org1/repo1'
}

interface Variant { readonly name: string, readonly proxy: AskingProxyName, readonly edits: readonly Edit[] }

const PASS = 'proxy_pass http://127.0.0.1:8080;'
const VARIANTS: readonly Variant[] = [
  { name: 'nginx', proxy: 'nginx', edits: [] },
  { name: 'nginx with merge_slashes off', proxy: 'nginx', edits: [['client_max_body_size 21m;', 'client_max_body_size 21m; merge_slashes off;']] },
  { name: 'nginx with a path in proxy_pass, which sends on a normalised one', proxy: 'nginx', edits: [[PASS, 'proxy_pass http://127.0.0.1:8080/;']] },
  { name: 'haproxy', proxy: 'haproxy', edits: [] },
  { name: 'caddy', proxy: 'caddy', edits: [] },
  { name: 'envoy', proxy: 'envoy', edits: [] },
  { name: 'envoy that normalises', proxy: 'envoy', edits: [['use_remote_address: true', 'use_remote_address: true\n                normalize_path: true\n                merge_slashes: true\n                path_with_escaped_slashes_action: UNESCAPE_AND_FORWARD']] }
]

/** What nobody recorded: readings of a path that differ between programs, with another tenant at the end of each. */
const HOSTILE = [
  '//org2/repo2/index.yaml', '/org1/repo1//../../org2/repo2/index.yaml', '/org1/repo1/%2e%2e/%2e%2e/org2/repo2/index.yaml', '/org1/repo1/..%2f..%2forg2/repo2/index.yaml',
  '/org1/repo1/..;/..;/org2/repo2/index.yaml', '/org1/repo1/.%2e/.%2E/org2/repo2/index.yaml', '/org1/repo1/..\\..\\org2\\repo2\\index.yaml', '/org1/repo1/%5c..%5c..%5corg2/repo2/index.yaml',
  '/org1%2frepo1/index.yaml', '/org2%2Frepo2/index.yaml', '/org1/repo1/index.yaml%00/org2', '/org1/repo1/index.yaml%23/../../../org2/repo2/index.yaml', '/org1/repo1/index.yaml?/../../org2/repo2/index.yaml',
  '/org1/repo1/index.yaml%3f/../../../org2/repo2/index.yaml', '/org1/repo1/charts/..%252f..%252f..%252forg2/repo2/charts/secret-1.0.0.tgz', '/org1/repo1/charts/%2e%2e%2f%2e%2e%2f%2e%2e%2forg2/repo2/charts/secret-1.0.0.tgz',
  'http://charts.example.test/org2/repo2/index.yaml', 'http://org1/repo1/../../org2/repo2/index.yaml', 'https://charts.example.test:1/org1/repo1/../../org2/repo2/index.yaml', '/org1/repo1/%c0%ae%c0%ae/%c0%ae%c0%ae/org2/repo2/index.yaml',
  '/org1/repo1/index.yaml;/../../../org2/repo2/index.yaml', '/health/../org2/repo2/index.yaml', '/oauth/../org2/repo2/index.yaml', '/oauth/..%2forg2/repo2/index.yaml', '/oauth/%2e%2e/org2/repo2/index.yaml', '/.well-known/../org2/repo2/index.yaml', '/v2/../org2/repo2/index.yaml',
  '/authz/org2/repo2/index.yaml', '/authz/../org2/repo2/index.yaml', '/_authz', '/api/org1/repo1/charts/../../../org2/repo2/charts', '/api/org1/repo1/charts/%2e%2e/charts', '/./org2/repo2/index.yaml', '/org1/repo1/./../repo2/index.yaml',
  '/ORG2/repo2/index.yaml', '/org2/repo2/index.yaml', '/org2/repo2/charts/secret-1.0.0.tgz', '/api/org2/repo2/charts', '*'
]

const ROWS = (await readFile(join(ROOT, 'test/data/chartmuseum/routing.jsonl'), 'utf8')).trimEnd().split('\n').map(line => JSON.parse(line) as Row)
const AT_ONCE = 6

function layoutOf (config: string): { readonly depth: Depth, readonly base: string } {
  return { depth: config === 'depth-dynamic' ? 'dynamic' : Number(config.split('-')[1]), base: config.endsWith('context-path') ? '/helm' : '' }
}

/** What somebody else's rights were asked for, or others than were judged; where ChartMuseum has nothing there is nothing to leak. */
function isLeak (seen: SeenRequest, own: string, options: ModelOptions): boolean {
  if (authorisedFor(seen).name !== own) return true
  const model = chartMuseumReads(seen.method, seen.target, options)
  return model.kind === 'open' || (model.kind === 'demands' && differenceOf(seen, options) !== '')
}

/** Sends all of them, some at a time. */
async function sendAll (port: number, rows: readonly Pick<Row, 'method' | 'target'>[], authorization: string): Promise<void> {
  const left = rows.values()
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    const client = rawClient(port)
    for (const { method, target } of left) {
      const length = method === 'POST' || method === 'PUT' ? 'Content-Length: 0\r\n' : ''
      await client.send(Buffer.from(`${method} ${target} HTTP/1.1\r\nHost: charts.example.test\r\nAuthorization: ${authorization}\r\n${length}\r\n`, 'latin1'), { head: method === 'HEAD' })
    }
    client.close()
  }))
}

async function tryRows (t: Test, { proxy: name, edits }: Variant, config: string): Promise<void> {
  const { depth, base } = layoutOf(config)
  const own = TENANTS[config] as string
  const repository = await startStubUpstream(t)
  repository.answer = () => ({ headers: { 'content-length': '2' }, body: 'up' })
  const dialect = dialectOf(name)
  const { gateway, stub } = await startAsked(t, dialect, {
    config: config => ({ ...config, authz: askedBy(dialect, { push: true }), publicUrl: config.publicUrl + base, basePath: base, charts: { ...config.charts, depth, contextPath: base }, log: { level: 'silent', reads: false } })
  })
  const proxy = await startAskingProxy(t, name, { authz: gateway.authzPort, gateway: gateway.port, repository: Number(new URL(repository.origin).port) }, { edits, changesPass: true })
  const rows = ROWS.filter(row => row.config === config)
  const hostile = HOSTILE.flatMap(target => ['GET', 'DELETE'].map(method => ({ method, target: target.startsWith('/') ? base + target : target })))
  await sendAll(proxy.port, [...rows, ...hostile], `Bearer ${await gateway.token([grant(own, ...ACTIONS)])}`)

  t.same(repository.seen.filter(seen => isLeak(seen, own, { depth, contextPath: base, allRoutes: true })).map(({ method, target }) => `${method} ${target}`), [], '0 leaks')
  t.same(repository.seen.flatMap(({ rawHeaders }) => rawHeaders.filter((value, i) => i % 2 === 1 && rawHeaders[i - 1]?.toLowerCase() === 'x-auth-tenant' && value !== own)), [])
  t.ok(repository.seen.length >= rows.filter(({ tenant, kind, method }) => tenant === own && kind === 'canonical' && method === 'GET').length, `${repository.seen.length} of ${rows.length + hostile.length} passed`)
  t.ok(repository.seen.length > 5, 'some passed')
  t.same(stub.seen, [], 'the gateway itself was asked for nothing that it forwards')
}

for (const variant of VARIANTS) {
  await t.test(variant.name, async t => {
    if (await lacked(t, variant.proxy)) return
    for (const config of Object.keys(TENANTS)) await t.test(config, async t => { await tryRows(t, variant, config) })
  })
}
