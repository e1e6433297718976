import { createServer, type Server } from 'node:http'
import { join } from 'node:path'
import t from 'tap'
import type { ChartRequest } from '../../src/chartmuseum/chart-request.ts'
import { parseRequestTarget } from '../../src/doors/request-target.ts'
import { onlyUpstream } from '../../src/upstream/upstreams.ts'
import { createUpstream, type UpstreamAuth } from '../../src/upstream/client.ts'
import { createIndexReader, INDEX_CONTENT_TYPE, type IndexAnswer, type IndexReader } from '../../src/upstream/index-reader.ts'
import { somebody } from '../helpers/askers.ts'
import { temporaryFolder } from '../helpers/processes.ts'
import { startStubUpstream } from '../helpers/stub-upstream.ts'

interface TestLike { teardown (fn: () => unknown): unknown }
interface Options { readonly maxBytes?: number, readonly auth?: UpstreamAuth, readonly contextPath?: string, readonly socketPath?: string }

const INDEX = 'apiVersion: v1\nentries: {}\n'

function readerOf (t: TestLike, origin: string, { maxBytes = 1000, auth = { kind: 'none' }, contextPath = '', socketPath }: Options = {}): IndexReader {
  const upstream = createUpstream({ origin, contextPath, auth, ...(socketPath === undefined ? {} : { socketPath }) })
  t.teardown(async () => { await upstream.close() })
  return createIndexReader(onlyUpstream(upstream), () => maxBytes)
}

function indexOf (target: string, method = 'GET'): ChartRequest {
  const parsed = parseRequestTarget(method, target, { depth: 'dynamic', basePath: '' })
  if (parsed.kind !== 'chart') throw new Error(`${target} is refused`)
  return parsed.request
}

const inWords = (answer: IndexAnswer): unknown => answer.ok ? answer.body.toString() : answer.refusal

await t.test('the index is read whole, with the credential of the gateway', async t => {
  const stub = await startStubUpstream(t)
  stub.answer = () => ({ headers: { 'content-type': INDEX_CONTENT_TYPE }, body: INDEX })
  const auths: [auth: UpstreamAuth, authorization: string | undefined][] = [
    [{ kind: 'none' }, undefined],
    [{ kind: 'basic', account: () => ({ username: 'a', password: 'b' }) }, 'Basic YTpi'],
    [{ kind: 'bearer', mint: async ({ name, action }) => `${name}:${action}` }, 'Bearer org1/repo1:pull']
  ]
  for (const [auth, authorization] of auths) {
    for (const method of ['GET', 'HEAD']) {
      stub.seen.length = 0
      const answer = await readerOf(t, stub.origin, { auth, contextPath: '/cm' }).read(indexOf('/org1/repo1/index.yaml?x=1', method), somebody())
      t.equal(inWords(answer), INDEX)
      // ChartMuseum answers every HEAD with 200 and nothing (handlers.go): only a GET says what is there.
      t.match(stub.seen, [{ method: 'GET', target: '/cm/org1/repo1/index.yaml', headers: { authorization } }], `${auth.kind} ${method}`)
    }
  }
})

await t.test('the index of the repository without tenants is at the root', async t => {
  const stub = await startStubUpstream(t)
  stub.answer = () => ({ body: INDEX })
  t.equal(inWords(await readerOf(t, stub.origin).read(indexOf('/index.yaml'), somebody())), INDEX)
  t.match(stub.seen, [{ target: '/index.yaml' }])
})

await t.test('an index may be as long as it may, and not a byte longer', async t => {
  const stub = await startStubUpstream(t)
  const reader = readerOf(t, stub.origin, { maxBytes: 100_000 })
  for (const length of [0, 1, 99_999, 100_000]) {
    stub.answer = () => ({ body: 'x'.repeat(length) })
    const answer = await reader.read(indexOf('/a/index.yaml'), somebody())
    t.ok(answer.ok && answer.body.length === length, String(length))
  }
  for (const length of [100_001, 5_000_000]) {
    stub.answer = () => ({ body: 'x'.repeat(length) })
    t.match(await reader.read(indexOf('/a/index.yaml'), somebody()), { ok: false, refusal: { code: 'upstream_bad_answer' }, cause: 'the index is longer than charts.index.maxBytes (100000)' }, String(length))
  }
  stub.answer = () => ({ body: INDEX })
  t.equal(inWords(await reader.read(indexOf('/a/index.yaml'), somebody())), INDEX, 'and the next one is read')
})

await t.test('a body without an end is left when it is too long', async t => {
  let closed: Promise<unknown> | undefined
  const server = createServer((_request, response) => {
    closed = new Promise(resolve => { response.once('close', resolve) })
    const more = (): void => { while (!response.destroyed && response.write('x'.repeat(10_000))); }
    response.on('drain', more)
    more()
  })
  const origin = await listen(t, server)
  t.match(await readerOf(t, origin, { maxBytes: 50_000 }).read(indexOf('/a/index.yaml'), somebody()), { ok: false, refusal: { code: 'upstream_bad_answer' } })
  await closed
  t.pass('and the connection is closed')
})

await t.test('a refusal of the upstream becomes one of ours, and the log knows its status', async t => {
  const stub = await startStubUpstream(t)
  const reader = readerOf(t, stub.origin)
  const cases: [status: number, body: string, refusal: Record<string, unknown>][] = [
    [404, '{"error":"not found"}', { code: 'not_in_upstream', detail: 'not found' }],
    [401, '{"error":"unauthorized"}', { code: 'upstream_refused_us' }],
    [400, '{"error":"open /charts/a"}', { code: 'upstream_rejected' }],
    [500, '', { code: 'upstream_bad_answer' }],
    [302, '', { code: 'upstream_bad_answer' }],
    [204, '', { code: 'upstream_bad_answer' }],
    [404, `{"error":"${'x'.repeat(20_000)}"}`, { code: 'not_in_upstream' }],
    [401, '<p>'.repeat(20_000), { code: 'upstream_refused_us' }]
  ]
  for (const [status, body, refusal] of cases) {
    stub.answer = () => ({ status, headers: { location: 'http://127.0.0.1:1/' }, body })
    t.strictSame(await reader.read(indexOf('/a/index.yaml'), somebody()), { ok: false, refusal, cause: `the upstream answered ${status}` }, `${status} ${body.slice(0, 30)}`)
  }
  t.equal(stub.seen.length, cases.length, 'no redirect is followed')
})

await t.test('nobody there, and an answer that breaks off, are refusals with their cause', async t => {
  const stub = await startStubUpstream(t)
  const reader = readerOf(t, stub.origin)
  const half = createServer((request, response) => { response.writeHead(200, { 'content-length': 100 }).write('short', () => { request.socket.destroy() }) })
  t.match(await readerOf(t, await listen(t, half)).read(indexOf('/a/index.yaml'), somebody()), { ok: false, refusal: { code: 'upstream_unreachable' }, cause: Error })
  stub.answer = () => { throw new Error('the connection ends without an answer') }
  t.match(await reader.read(indexOf('/a/index.yaml'), somebody()), { ok: false, refusal: { code: 'upstream_unreachable' }, cause: Error })
  stub.server.closeAllConnections()
  await new Promise(resolve => { stub.server.close(resolve) })
  t.match(await reader.read(indexOf('/a/index.yaml'), somebody()), { ok: false, refusal: { code: 'upstream_unreachable' }, cause: { code: 'ECONNREFUSED' } })
})

await t.test('a credential that cannot be minted sends nothing, and is no failure of the upstream', async t => {
  const stub = await startStubUpstream(t)
  const auth: UpstreamAuth = { kind: 'bearer', mint: async () => { throw new Error('no key') } }
  await t.rejects(readerOf(t, stub.origin, { auth }).read(indexOf('/a/index.yaml'), somebody()), /no key/)
  t.strictSame(stub.seen, [])
})

await t.test('the embedded repository is read over its Unix socket', async t => {
  const socketPath = join(await temporaryFolder(t), 'charts.sock')
  const reader = readerOf(t, 'http://embedded', { socketPath })
  t.match(await reader.read(indexOf('/a/index.yaml'), somebody()), { ok: false, refusal: { code: 'upstream_unreachable' }, cause: { code: 'ENOENT' } })
  const server = createServer((request, response) => { response.end(`${request.method} ${request.url}`) })
  await listen(t, server, socketPath)
  t.equal(inWords(await reader.read(indexOf('/a/index.yaml'), somebody())), 'GET /a/index.yaml')
})

async function listen (t: TestLike, server: Server, path?: string): Promise<string> {
  await new Promise<void>(resolve => { if (path === undefined) server.listen(0, '127.0.0.1', resolve); else server.listen(path, resolve) })
  t.teardown(() => { server.close(); server.closeAllConnections() })
  const address = server.address()
  return typeof address === 'object' && address !== null ? `http://127.0.0.1:${address.port}` : ''
}
