// What does the first contact say of each chart repository that somebody may have put
// there? ChartMuseum's part is played by a port of its matcher.
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { CLOCK } from '../../src/lib/clock.ts'
import { RefusalError } from '../../src/http/errors.ts'
import { createUpstream, type UpstreamAuth } from '../../src/upstream/client.ts'
import { firstContact, unreached, type Contact } from '../../src/upstream/first-contact.ts'
import type { Depth } from '../../src/words/tenant.ts'
import { chartMuseumReads } from '../helpers/chartmuseum-router.ts'
import { freePorts } from '../helpers/processes.ts'
import { startStubUpstream, type SeenRequest, type StubAnswer } from '../helpers/stub-upstream.ts'

const BEARER: UpstreamAuth = { kind: 'bearer', mint: async ({ type, name, action }) => `${type}:${name}:${action}` }
const BASIC: UpstreamAuth = { kind: 'basic', account: () => ({ username: 'u', password: 'p' }) }
const JSON_TYPE = { 'content-type': 'application/json; charset=utf-8' }
const fault = (status: number, error: string, headers = {}): StubAnswer => ({ status, headers: { ...JSON_TYPE, ...headers }, body: JSON.stringify({ error }) })

/** ChartMuseum 0.16.5 without a chart, asked in the way that it is run. */
function chartMuseum (run: { depth: Depth, contextPath?: string, auth?: 'none' | 'basic' | 'bearer' }) {
  return ({ method, target, headers: { authorization } }: SeenRequest): StubAnswer => {
    const read = chartMuseumReads(method, target, run)
    if (read.kind === 'open') return { body: read.path === '/health' ? '{"healthy":true}' : '{"version":"0.16.5"}' }
    if (read.kind !== 'demands') return fault(404, 'not found')
    const scope = `artifact-repository:${read.namespace}:pull`
    if (run.auth === 'bearer' && authorization !== `Bearer ${scope}`) return fault(401, 'unauthorized', { 'www-authenticate': `Bearer realm="http://x/oauth/token",service="x",scope="${scope}"` })
    if (run.auth === 'basic' && authorization !== `Basic ${Buffer.from('u:p').toString('base64')}`) return fault(401, 'unauthorized', { 'www-authenticate': 'Basic realm="ChartMuseum"' })
    return /\/charts\/[^/]+$/.test(target) && target.split('/').length - 3 - (run.contextPath ?? '').split('/').length + 1 === (run.depth === 'dynamic' ? target.split('/').length - 3 - (run.contextPath ?? '').split('/').length + 1 : run.depth)
      ? fault(404, 'object not found')
      : { headers: { 'content-type': 'text/html' }, body: '<title>Welcome to ChartMuseum!</title>' }
  }
}

async function contactWith (origin: string, { depth = 2, contextPath = '', auth = BEARER, now = CLOCK.wall }: { depth?: Depth, contextPath?: string, auth?: UpstreamAuth, now?: () => number } = {}): Promise<Contact> {
  const upstream = createUpstream({ origin, contextPath, auth })
  try {
    return await firstContact(upstream, depth, now)
  } finally {
    await upstream.close()
  }
}

await t.test('one file of nobody is asked for, with the credential that clients\' requests are sent with', async t => {
  const stub = await startStubUpstream(t)
  stub.answer = () => fault(404, 'object not found')
  const cases: [depth: Depth, auth: UpstreamAuth, target: string, authorization: string | undefined][] = [
    [2, BEARER, '/cm/nobody/nobody/charts/nothing-0.0.0.tgz', 'Bearer artifact-repository:nobody/nobody:pull'],
    [0, BEARER, '/cm/charts/nothing-0.0.0.tgz', 'Bearer artifact-repository:repo:pull'],
    ['dynamic', { kind: 'none' }, '/cm/nobody/charts/nothing-0.0.0.tgz', undefined]
  ]
  for (const [depth, auth, target, authorization] of cases) {
    t.strictSame(await contactWith(stub.origin, { depth, auth, contextPath: '/cm' }), { ok: true })
    const [seen] = stub.seen.splice(0)
    t.same([seen?.method, seen?.target, seen?.headers.authorization], ['GET', target, authorization])
  }
})

await t.test('a ChartMuseum that is run as the configuration says is good, whatever it asks for', async t => {
  const stub = await startStubUpstream(t)
  const auths = [[{ kind: 'none' }, 'none'], [BASIC, 'basic'], [BEARER, 'bearer']] as const
  for (const depth of [0, 1, 2, 3, 'dynamic'] as const) {
    for (const contextPath of ['', '/cm']) {
      for (const [auth, asks] of auths) {
        stub.answer = chartMuseum({ depth, contextPath, auth: asks })
        t.strictSame(await contactWith(stub.origin, { depth, contextPath, auth }), { ok: true }, `${depth} ${contextPath} ${asks}`)
      }
    }
  }
  stub.answer = chartMuseum({ depth: 'dynamic', auth: 'bearer' })
  t.strictSame(await contactWith(stub.origin), { ok: true }, 'dynamic depth has every tenant of a fixed one')
})

await t.test('a wrong depth is said with the right one, whether tokens are asked for or not', async t => {
  const stub = await startStubUpstream(t)
  for (const asks of ['none', 'bearer', 'basic'] as const) {
    const auth = asks === 'none' ? { kind: 'none' } as const : asks === 'basic' ? BASIC : BEARER
    for (const is of [0, 1, 2, 3, 4]) {
      for (const depth of [0, 1, 2, 'dynamic'] as const) {
        if (depth === is) continue
        stub.answer = chartMuseum({ depth: is, auth: asks })
        t.strictSame(await contactWith(stub.origin, { depth, auth }), {
          ok: false, trouble: 'wrong depth', sentence: `the chart repository is run with depth ${is}, and charts.depth is ${depth}: set charts.depth to ${is}`
        }, `${asks}: ${is}, not ${depth}`)
      }
    }
  }
  stub.answer = ({ target }) => target.endsWith('/health') ? { body: '{"healthy":true}' } : fault(404, 'not found')
  t.match(await contactWith(stub.origin), { trouble: 'wrong depth', sentence: /is run not as charts\.depth says, and charts\.depth is 2: set charts\.depth as it is run \(--depth\)$/ })
})

await t.test('a wrong context path is told from a wrong depth', async t => {
  const stub = await startStubUpstream(t)
  for (const asks of ['none', 'bearer'] as const) {
    const auth = asks === 'none' ? { kind: 'none' } as const : BEARER
    stub.answer = chartMuseum({ depth: 2, auth: asks })
    t.match(await contactWith(stub.origin, { contextPath: '/cm', auth }), { trouble: 'wrong context path', sentence: /run without a context path, and charts\.contextPath is \/cm: set charts\.contextPath to ""$/ })
    for (const [contextPath, shown] of [['', '""'], ['/charts', '/charts']]) {
      stub.answer = chartMuseum({ depth: 2, contextPath: '/cm', auth: asks })
      t.match(await contactWith(stub.origin, { contextPath: contextPath as string, auth }), { trouble: 'wrong context path', sentence: `the chart repository answers, and has nothing below charts.contextPath ${shown}: set it as ChartMuseum is run (--context-path)` })
    }
  }
  stub.answer = chartMuseum({ depth: 'dynamic', auth: 'bearer' })
  t.match(await contactWith(stub.origin, { depth: 3, contextPath: '/cm' }), { trouble: 'wrong context path' }, 'also where every path is a tenant')
})

await t.test('credentials that are refused are said with the keys that they are of', async t => {
  const stub = await startStubUpstream(t)
  const cases: [auth: UpstreamAuth, answer: StubAnswer, expected: RegExp][] = [
    [BEARER, fault(401, 'unauthorized'), /^the chart repository does not accept the gateway \(401\): is upstream\.auth right, and for bearer, does it run with the key of `keys export`\?$/],
    [BEARER, fault(401, 'unauthorized', { 'www-authenticate': 'Bearer realm="x",scope="artifact-repository:nobody/nobody:pull"' }), /\(401\): does it run with the key of `keys export` \(--auth-cert-path\)\?$/],
    [BEARER, fault(403, 'forbidden'), /\(403\): is upstream\.auth right/],
    [BEARER, fault(401, 'unauthorized', { 'www-authenticate': 'Basic realm="ChartMuseum"' }), /it asks for Basic, and upstream\.auth is bearer: set upstream\.auth to basic$/],
    [{ kind: 'none' }, fault(401, 'unauthorized', { 'www-authenticate': 'Bearer realm="x"' }), /it asks for Bearer, and upstream\.auth is none: set upstream\.auth to bearer$/],
    [{ kind: 'none' }, fault(401, 'unauthorized'), /\(401\): is upstream\.auth right/],
    [BASIC, fault(401, 'unauthorized', { 'www-authenticate': 'Basic realm="ChartMuseum"' }), /are upstream\.username and upstream\.password those that it is run with \(--basic-auth-user, --basic-auth-pass\)\?$/]
  ]
  for (const [auth, answer, sentence] of cases) {
    stub.answer = () => answer
    t.match(await contactWith(stub.origin, { auth }), { ok: false, trouble: 'wrong credentials', sentence }, String(sentence))
  }
})

await t.test('a refusal names the clock, when that is not ours and tokens depend on it', async t => {
  const stub = await startStubUpstream(t)
  const now = Date.parse('2026-11-28T12:00:00Z') / 1000
  const cases: [date: string, auth: UpstreamAuth, trouble: string, sentence: RegExp][] = [
    ['Sat, 28 Nov 2026 12:01:15 GMT', BEARER, 'clocks differ', /^the chart repository does not accept the gateway \(401\): its clock is 75 s ahead of ours, and a token counts with up to 60 s: set both clocks right \(NTP\); if they are, is upstream\.auth right/],
    ['Sat, 28 Nov 2026 11:00:00 GMT', BEARER, 'clocks differ', /\(401\): its clock is 3600 s behind ours, /],
    ['Sat, 28 Nov 2026 12:00:05 GMT', BEARER, 'wrong credentials', /\(401\): is upstream\.auth right/],
    ['Sat, 28 Nov 2026 11:59:55 GMT', BEARER, 'wrong credentials', /\(401\): is upstream\.auth right/],
    ['today', BEARER, 'wrong credentials', /\(401\): is upstream\.auth right/],
    ['Sat, 28 Nov 2026 11:00:00 GMT', { kind: 'none' }, 'wrong credentials', /\(401\): is upstream\.auth right/],
    ['Sat, 28 Nov 2026 11:00:00 GMT', BASIC, 'wrong credentials', /\(401\): are upstream\.username/]
  ]
  for (const [date, auth, trouble, sentence] of cases) {
    stub.answer = () => ({ status: 401, headers: { date } })
    t.match(await contactWith(stub.origin, { auth, now: () => now }), { trouble, sentence }, date)
  }
})

await t.test('another server, and one that is not well, are told by what they answer', async t => {
  const stub = await startStubUpstream(t)
  const cases: [answer: StubAnswer, trouble: string, sentence: RegExp][] = [
    [{ status: 200, body: 'hello' }, 'another server', /^the chart repository gives an odd answer \(200\): is there a ChartMuseum at upstream\.url\?$/],
    [{ status: 404, body: '<html>nginx</html>' }, 'another server', /\(404\)/],
    [{ status: 404, body: '{"error":5}' }, 'another server', /\(404\)/],
    [{ status: 301, headers: { location: 'https://u:secret@charts.example.test/x?y=secret' } }, 'another server', /\(301 to https:\/\/charts\.example\.test\)/],
    [{ status: 302, headers: { location: '/login' } }, 'another server', /\(302\)/],
    [{ status: 503, body: 'x' }, 'unwell', /^the chart repository answers 503, and serves nobody: its own log may say why, or that of a proxy in front of it$/]
  ]
  for (const [answer, trouble, sentence] of cases) {
    stub.answer = () => answer
    t.match(await contactWith(stub.origin), { ok: false, trouble, sentence }, String(sentence))
  }
})

await t.test('a login in between, which answers everything but the page of its health, is another server', async t => {
  const stub = await startStubUpstream(t)
  stub.answer = ({ target }) => target === '/health' ? { body: '{"healthy":true}' } : { status: 302, headers: { location: 'https://login.example.test/' } }
  t.match(await contactWith(stub.origin), { trouble: 'another server', sentence: /\(302 to https:\/\/login\.example\.test\)/ })
})

await t.test('no answer is told by what the system says', async t => {
  const [nobody] = await freePorts(1)
  t.match(await contactWith(`http://127.0.0.1:${nobody}`), { trouble: 'unreachable', sentence: /^the chart repository cannot be reached \(ECONNREFUSED\): is upstream\.url right, and does it run\? Clients are answered 502 or 503 until it does$/ })
  t.match(await contactWith('http://127.0.0.1:1', { auth: { kind: 'bearer', mint: async () => { throw new Error('no key') } } }), { trouble: 'unreachable', sentence: /cannot be reached \(no key\)/ })
  const other = createServer(socket => { socket.end('220 mail.example.test ESMTP\r\n') })
  await new Promise<void>(resolve => { other.listen(0, '127.0.0.1', resolve) })
  t.teardown(() => { other.close() })
  t.match(await contactWith(`http://127.0.0.1:${(other.address() as AddressInfo).port}`), { trouble: 'another server', sentence: /\((?:HTTPParserError|HPE_\w+)\): what answers speaks something else: are scheme/ })
  const cases: [code: string, trouble: string, sentence: RegExp][] = [
    ['ENOTFOUND', 'no route', /its name cannot be looked up: is the host in upstream\.url right\?$/],
    ['EHOSTUNREACH', 'no route', /there is no way to the host in upstream\.url$/],
    ['UND_ERR_CONNECT_TIMEOUT', 'no route', /firewall/],
    ['UND_ERR_HEADERS_TIMEOUT', 'unreachable', /nothing answered within 2 s$/],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'another server', /its certificate is not trusted: .*upstream\.tls\.ca/],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'another server', /its certificate is not trusted/],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'another server', /speaks something else/]
  ]
  for (const [code, trouble, sentence] of cases) t.match(unreached(Object.assign(new Error('x'), { code })), { ok: false, trouble, sentence }, code)
  t.match(unreached(new DOMException('x', 'TimeoutError')), { trouble: 'unreachable', sentence: /\(TimeoutError\): a connection is taken/ }, 'of a page')
  t.strictSame(unreached(new RefusalError({ code: 'upstream_no_room' })), { ok: true }, 'that clients have all connections says nothing of it')
})
