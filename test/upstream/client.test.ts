import { createServer } from 'node:http'
import { join } from 'node:path'
import t from 'tap'
import type { RefusalError } from '../../src/http/errors.ts'
import { ROUTES } from '../../src/chartmuseum/routes.ts'
import type { Access } from '../../src/words/access.ts'
import { MOST_UNANSWERED } from '../../src/upstream/breaker.ts'
import { createUpstream, type Question, type Upstream, type UpstreamAuth, type UpstreamOptions } from '../../src/upstream/client.ts'
import { somebody } from '../helpers/askers.ts'
import { temporaryFolder } from '../helpers/processes.ts'
import { startStubUpstream } from '../helpers/stub-upstream.ts'
import { untilTrue } from '../helpers/until.ts'

interface TestLike { teardown (fn: () => unknown): unknown }

function open (t: TestLike, options: Partial<UpstreamOptions> & Pick<UpstreamOptions, 'origin'>): Upstream {
  const upstream = createUpstream({ contextPath: '', auth: { kind: 'none' }, ...options })
  t.teardown(async () => { await upstream.close() })
  return upstream
}

const AWAY = 'the chart repository cannot be reached'

const INDEX: Pick<Question, 'method' | 'target' | 'named' | 'most' | 'longer'> = { method: 'GET', target: { route: 'index', tenant: 'org1/repo1', tenantPath: 'org1/repo1', query: {} }, named: true, most: 1_000, longer: 'left' }

await t.test('the credential is what the configuration says', async t => {
  const stub = await startStubUpstream(t)
  const asked: Access[] = []
  const mint = async (access: Access): Promise<string> => { asked.push(access); return 'minted' }
  const cases: [auth: UpstreamAuth, authorization: string | undefined][] = [
    [{ kind: 'none' }, undefined],
    [{ kind: 'basic', account: () => ({ username: 'gate', password: 'p\u00e4:ss' }) }, `Basic ${Buffer.from('gate:p\u00e4:ss').toString('base64')}`],
    [{ kind: 'bearer', mint }, 'Bearer minted']
  ]
  for (const [auth, authorization] of cases) {
    t.strictSame(asked, [])
    await open(t, { origin: stub.origin, auth }).ask({ ...INDEX, company: somebody() })
    t.equal(stub.seen.at(-1)?.headers.authorization, authorization)
  }
  t.strictSame(asked, [{ type: 'artifact-repository', name: 'org1/repo1', action: 'pull' }])
})

await t.test('a minted credential is for the tenant and for what ChartMuseum demands there, pull or push', async t => {
  const stub = await startStubUpstream(t)
  const upstream = open(t, { origin: stub.origin, auth: { kind: 'bearer', mint: async ({ type, name, action }) => `${type}:${name}:${action}` } })
  for (const { id, methods } of ROUTES) {
    const action = methods.includes('POST') || methods.includes('DELETE') ? 'push' : 'pull'
    await upstream.ask({ ...INDEX, target: { route: id, tenant: 'repo', tenantPath: '', query: {}, chart: 'a', version: '1', file: 'a-1.tgz' }, company: somebody() })
    t.equal(stub.seen.at(-1)?.headers.authorization, `Bearer artifact-repository:repo:${action}`, id)
  }
})

await t.test('it is healthy when it says so', async t => {
  const stub = await startStubUpstream(t)
  const upstream = open(t, { origin: stub.origin, contextPath: '/cm', auth: { kind: 'basic', account: () => ({ username: 'a', password: 'b' }) } })
  t.strictSame([upstream.origin, upstream.contextPath], [stub.origin, '/cm'])
  for (const [status, healthy] of [[200, true], [503, false], [404, false], [401, false], [204, false], [302, false], [200, true]] as const) {
    stub.answer = () => ({ status, body: status === 204 ? '' : '{"healthy":true}' })
    t.equal(await upstream.ailment(), healthy ? undefined : `the chart repository does not say that it is healthy (${status} for /cm/health)`, String(status))
  }
  t.strictSame(stub.seen.map(({ method, target, headers: { authorization } }) => [method, target, authorization]), Array.from({ length: 7 }, () => ['GET', '/cm/health', undefined]))
})

await t.test('it is not healthy when nobody is there, or the connection ends without an answer', async t => {
  const stub = await startStubUpstream(t)
  stub.answer = () => { throw new Error('no answer') }
  t.equal(await open(t, { origin: stub.origin }).ailment(), AWAY)
  stub.server.closeAllConnections()
  await new Promise(resolve => { stub.server.close(resolve) })
  const away = open(t, { origin: stub.origin })
  t.equal(await away.ailment(), AWAY)
  for (let i = 0; i < MOST_UNANSWERED; i++) await t.rejects(away.ask({ ...INDEX, company: somebody() }), /cannot be reached/)
  await untilTrue(() => away.breaker.state() === 'open')
})

await t.test('it comes back without a restart', async t => {
  const folder = await temporaryFolder(t)
  const socketPath = join(folder, 'charts.sock')
  const upstream = open(t, { origin: 'http://embedded', socketPath })
  t.equal(await upstream.ailment(), AWAY)
  const hosts: unknown[] = []
  const server = createServer((request, response) => { hosts.push(request.headers.host); response.end('{"healthy":true}') })
  await new Promise<void>(resolve => { server.listen(socketPath, resolve) })
  t.teardown(() => { server.close(); server.closeAllConnections() })
  t.equal(await upstream.ailment(), undefined, 'over a Unix socket')
  server.closeAllConnections()
  t.equal(await upstream.ailment(), undefined, 'and after the connection was closed')
  t.strictSame(hosts, ['embedded', 'embedded'])
})

await t.test('a closed pool answers nobody', async t => {
  const stub = await startStubUpstream(t)
  stub.answer = () => ({ body: '{}' })
  const upstream = createUpstream({ origin: stub.origin, contextPath: '', auth: { kind: 'none' } })
  t.equal(await upstream.ailment(), undefined)
  await upstream.close()
  t.equal(await upstream.ailment(), AWAY)
  await t.rejects(upstream.ask({ ...INDEX, company: somebody() }), /cannot be reached/)
  t.equal(stub.seen.length, 1)
})

await t.test('whoever keeps contact hears of a request that was not answered as it should be, and of no other', async t => {
  const stub = await startStubUpstream(t)
  let troubles = 0
  const upstream = open(t, { origin: stub.origin, onTrouble: () => { troubles++ } })
  for (const [status, heard] of [[200, 0], [404, 0], [409, 0], [413, 0], [400, 0], [401, 1], [403, 1], [500, 1], [502, 1], [503, 1], [504, 1]] as const) {
    stub.answer = () => ({ status })
    await upstream.ask({ ...INDEX, company: somebody() })
    t.equal(troubles, heard, String(status))
    troubles = 0
  }
  stub.answer = () => ({ status: 503 })
  await upstream.ailment()
  t.equal(troubles, 1)
  stub.answer = () => { throw new Error('no answer') }
  await t.rejects(upstream.ask({ ...INDEX, company: somebody() }))
  await upstream.ailment()
  t.equal(troubles, 3)
  const unminted = open(t, { origin: stub.origin, auth: { kind: 'bearer', mint: async () => { throw new Error('no key') } }, onTrouble: () => { troubles++ } })
  await t.rejects(unminted.ask({ ...INDEX, company: somebody() }), /no key/)
  t.equal(troubles, 3, 'what is ours says nothing of it')
})

await t.test('a page is had as anybody has it, and no more of it than a sentence has', async t => {
  const stub = await startStubUpstream(t)
  stub.answer = () => ({ status: 200, headers: { 'x-one': 'two' }, body: 'x'.repeat(1_000_000) })
  const page = await open(t, { origin: stub.origin, contextPath: '/cm', auth: { kind: 'basic', account: () => ({ username: 'a', password: 'b' }) } }).look('/info')
  t.match(page, { status: 200, headers: { 'x-one': 'two' }, text: /^x+$/ })
  t.ok(page.text.length >= 16_384 && page.text.length < 200_000, String(page.text.length))
  t.match(stub.seen, [{ method: 'GET', target: '/info', headers: { authorization: undefined } }])
})

await t.test('an upstream that answers nothing is asked for nothing by clients, until its page is answered', async t => {
  const stub = await startStubUpstream(t)
  let hangs = true
  let pages = 0
  stub.server.prependListener('request', ({ url }: { url: string }) => { if (url === '/cm/health') pages++ })
  stub.answer = async () => hangs ? await new Promise(() => {}) : { status: 404 }
  const changes: unknown[] = []
  const upstream = open(t, { origin: stub.origin, contextPath: '/cm', waits: { headers: 60, health: 60 }, onBreaker: ({ isOpen }) => { changes.push(isOpen) } })
  const refused = async (insists = false): Promise<unknown> => await upstream.ask({ ...INDEX, company: somebody({ insists }) }).then(({ status }) => status, (error: unknown) => (error as RefusalError).refusal.code)
  t.same(await Promise.all(Array.from({ length: MOST_UNANSWERED }, async () => await refused())), Array(MOST_UNANSWERED).fill('upstream_timeout'))
  await untilTrue(() => upstream.breaker.state() === 'open')
  t.equal(await refused(), 'upstream_away')
  t.equal(await refused(true), 'upstream_timeout', 'what was begun is done to its end')
  t.equal(upstream.connections().used, 0)
  const asked = stub.seen.length
  hangs = false
  await untilTrue(() => upstream.breaker.state() === 'closed')
  t.ok(pages >= 2)
  t.equal(stub.seen.length, asked + 1, 'one look was enough')
  t.equal(await refused(), 404)
  t.same(changes, [true, false])
})
