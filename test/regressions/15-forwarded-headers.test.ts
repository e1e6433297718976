// Class 15, forwarded-header spoofing: a client writes the headers in which a proxy says
// what it saw, and is believed. oauth2-proxy CVE-2026-40575 (X-Forwarded-Uri), Traefik
// GHSA-6384-m2mw-rf54 (X-Forwarded-Prefix), Fastify CVE-2026-3635 (host and protocol
// from anyone), Oathkeeper e9acca14 and 36a676e4.
import t, { type Test } from 'tap'
import { startApp, type TestGateway } from '../helpers/app.ts'
import { provenanceOf } from '../helpers/packages.ts'
import { askRaw } from '../helpers/raw.ts'
import { startStubUpstream } from '../helpers/stub-upstream.ts'

const SPOOFED: readonly [name: string, value: string][] = [
  ['X-Forwarded-For', '6.6.6.6'], ['X-Forwarded-Host', 'evil.example'], ['X-Forwarded-Proto', 'ftp'], ['X-Forwarded-Port', '666'], ['X-Forwarded-Server', 'evil.example'],
  ['X-Forwarded-Uri', '/org2/repo2/index.yaml'], ['X-Forwarded-Prefix', '/evil'], ['X-Forwarded-Method', 'GET'], ['X-Forwarded-User', 'admin'], ['X-Forwarded-Groups', 'admins'], ['X-Forwarded-Access-Token', 'x'],
  ['X-Original-URL', '/health'], ['X-Original-URI', '/health'], ['X-Original-Method', 'GET'], ['X-Rewrite-URL', '/health'], ['X-Real-IP', '6.6.6.6'], ['X-Client-IP', '6.6.6.6'], ['CF-Connecting-IP', '6.6.6.6'], ['True-Client-IP', '6.6.6.6'],
  ['X-HTTP-Method-Override', 'GET'], ['X-Host', 'evil.example'], ['X-Auth-Request-User', 'admin'], ['X-Remote-User', 'admin'], ['Remote-User', 'admin'], ['X-Request-Id', 'evil'],
  ['Forwarded', 'for=6.6.6.6;host=evil.example;proto=ftp;by=6.6.6.6'], ['Via', '1.1 evil.example'], ['Origin', 'http://evil.example'], ['Referer', 'http://evil.example/'], ['Cookie', 'a=evil']
]
const OURS = { 'x-forwarded-for': '127.0.0.1', 'x-forwarded-proto': 'http', 'x-forwarded-host': 'charts.example.test' }
const REFUSED: readonly string[] = ['GET /org1/repo1/index.yaml', 'GET /org1/repo1/charts/a-1.0.0.tgz', 'POST /api/org1/repo1/prov', 'DELETE /api/org1/repo1/charts/a/1.0.0', 'GET /nowhere', 'GET /oauth/token?scope=x']

const stub = await startStubUpstream(t)
stub.answer = ({ method }) => method === 'POST' ? { status: 201 } : { status: 200, body: 'hello' }
const untrusting = await startApp(t, { origin: stub.origin })
const trusting = await startApp(t, { origin: stub.origin, config: config => ({ ...config, trustedProxies: ['127.0.0.0/8'] }) })

/** What a client sees that may not depend on the headers. */
async function outcome (gateway: TestGateway, line: string, headers: readonly [string, string][]): Promise<unknown> {
  const answer = await askRaw(gateway.port, `${line} HTTP/1.1\r\nHost: x\r\n${headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`)
  const { date, 'x-request-id': id, ...rest } = answer.headers
  return { status: answer.status, body: answer.body, rest }
}

/** A read, a download, an upload and a delete with these headers; what the upstream got of each, and of what is asked before the last two. */
async function served (gateway: TestGateway, headers: readonly [string, string][]): Promise<Record<string, unknown>[]> {
  stub.seen.length = 0
  const head = `HTTP/1.1\r\nHost: evil.example\r\nAuthorization: Bearer ${gateway.masterKey}\r\n${headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')}`
  const body = provenanceOf('a', '1.0.0')
  for (const request of [`GET /org1/repo1/index.yaml ${head}\r\n`, `GET /org1/repo1/charts/a-1.0.0.tgz ${head}\r\n`, `POST /api/org1/repo1/prov?force ${head}Content-Length: ${body.length}\r\n\r\n${body}`, `DELETE /api/org1/repo1/charts/a/1.0.0 ${head}\r\n`]) await askRaw(gateway.port, request)
  return stub.seen.map(({ headers: { authorization, 'x-request-id': id, host, connection, 'content-length': length, 'content-type': type, ...rest } }) => ({ ...rest, idIsOurs: id === undefined || /^[0-9a-f-]{36}$/.test(String(id)) }))
}

await t.test('no such header changes an answer or a challenge, whoever sends it', async t => {
  for (const gateway of [untrusting, trusting]) {
    for (const line of REFUSED) {
      const plain = await outcome(gateway, line, [])
      for (const header of [...SPOOFED.map(each => [each]), SPOOFED]) t.same(await outcome(gateway, line, header as [string, string][]), plain, `${line}: ${String(header[0])}`)
    }
  }
})

await t.test('the upstream gets what the gateway knows, and nothing of it from an untrusted client', async t => {
  for (const headers of [[], ...SPOOFED.map(each => [each]), SPOOFED]) {
    const [index, ...others] = await served(untrusting, headers)
    t.same([index, ...new Set(others.map(each => JSON.stringify(each)))], [{ idIsOurs: true }, JSON.stringify({ ...OURS, idIsOurs: true })], String(headers[0]))
    t.ok(others.length >= 3)
  }
})

await t.test('a trusted proxy is believed about address, scheme and host, and about nothing else', async t => {
  const believed = { 'x-forwarded-for': '6.6.6.6', 'x-forwarded-proto': 'http', 'x-forwarded-host': 'evil.example', idIsOurs: true }
  const [index, ...others] = await served(trusting, SPOOFED)
  t.same(index, { idIsOurs: true })
  t.ok(others.length >= 3)
  t.same(others, others.map(() => believed))
})

await t.test('the log has the address of the connection, or the one that a trusted proxy vouches for', async t => {
  const cases: [TestGateway, string, string][] = [
    [untrusting, '6.6.6.6', '127.0.0.1'], [trusting, '6.6.6.6', '6.6.6.6'], [trusting, '1.1.1.1, 6.6.6.6', '6.6.6.6'], [trusting, '1.1.1.1, 6.6.6.6, 127.0.0.9', '6.6.6.6'], [trusting, '2001:db8::6', '2001:db8::6'],
    [trusting, 'unknown', '127.0.0.1'], [trusting, '<script>', '127.0.0.1'], [trusting, '6.6.6.6, garbage', '127.0.0.1'], [trusting, 'x'.repeat(10_000), '127.0.0.1'], [trusting, '127.0.0.1,'.repeat(1_400), '127.0.0.1']
  ]
  for (const [gateway, list, ip] of cases) {
    await outcome(gateway, 'GET /org1/repo1/index.yaml', [['X-Forwarded-For', list]])
    checkLast(t, gateway, ip, list)
    await outcome(gateway, 'GET /org1/repo1/index.yaml', [['Forwarded', `for=${list.slice(0, 100)}`]])
    checkLast(t, gateway, '127.0.0.1', 'Forwarded')
  }
})

function checkLast (t: Test, gateway: TestGateway, ip: string, name: string): void {
  t.equal(gateway.log.at(-1)?.['ip'], ip, name.slice(0, 40))
}
