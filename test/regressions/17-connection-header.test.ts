// Class 17, the Connection header takes away what the gateway adds: a proxy removes the
// headers that a client's `Connection` names after it has set its own of these names.
// Fabio CVE-2025-48865; @fastify/reply-from GHSA-gwhp-pf74-vj37 (CVE-2026-33805).
import t from 'tap'
import { startApp } from '../helpers/app.ts'
import { provenanceOf } from '../helpers/packages.ts'
import { answersIn, askRaw } from '../helpers/raw.ts'
import { startStubUpstream, type SeenRequest } from '../helpers/stub-upstream.ts'

const stub = await startStubUpstream(t)
stub.answer = ({ method }) => method === 'POST' ? { status: 201 } : { status: 200, body: 'hello' }
const gateway = await startApp(t, { origin: stub.origin })
const body = provenanceOf('a', '1.0.0')

const CONNECTIONS = [
  'authorization, x-request-id, x-forwarded-for, x-forwarded-proto, x-forwarded-host',
  'Authorization', 'AUTHORIZATION,X-REQUEST-ID', 'close, authorization', 'keep-alive, authorization', 'host, content-length, content-type, authorization', ' , ,authorization,, ', 'x'.repeat(5_000) + ', authorization'
]

function isWhole (seen: SeenRequest | undefined): boolean {
  const { headers = {} } = seen ?? {}
  return /^Bearer eyJ/.test(String(headers.authorization)) && /^[0-9a-f-]{36}$/.test(String(headers['x-request-id'])) && headers['x-forwarded-for'] === '127.0.0.1' &&
    headers['x-forwarded-proto'] === 'http' && headers['x-forwarded-host'] === 'charts.example.test' && headers.host === stub.origin.slice('http://'.length)
}

await t.test('what the gateway sends is whole, whatever Connection names', async t => {
  for (const connection of [...CONNECTIONS, `${CONNECTIONS[0] as string}\r\nConnection: authorization`]) {
    stub.seen.length = 0
    const head = `HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${gateway.masterKey}\r\nConnection: ${connection}\r\nKeep-Alive: authorization\r\nTE: authorization\r\nTrailer: authorization\r\nProxy-Connection: authorization\r\n`
    const requests = [`GET /org1/repo1/charts/a-1.0.0.tgz ${head}\r\n`, `DELETE /api/org1/repo1/charts/a/1.0.0 ${head}\r\n`, `POST /api/org1/repo1/prov?force ${head}Content-Length: ${body.length}\r\n\r\n${body}`]
    for (const request of requests) await askRaw(gateway.port, request)
    // With what is asked before a delete and an overwrite.
    t.same(stub.seen.filter(({ method }) => method !== 'GET').map(({ method }) => method), ['DELETE', 'POST'], connection.slice(0, 80))
    for (const seen of stub.seen) {
      t.ok(isWhole(seen), `${seen.method} ${connection.slice(0, 80)}`, { headers: seen.headers })
      for (const name of ['keep-alive', 'te', 'trailer', 'proxy-connection']) t.notOk(seen.headers[name], name)
    }
    t.equal(stub.seen.at(-1)?.body.toString(), body)
  }
})

await t.test('an index is asked for with the gateway\'s credential, whatever Connection names', async t => {
  for (const connection of CONNECTIONS) {
    stub.seen.length = 0
    await askRaw(gateway.port, `GET /org1/repo1/index.yaml HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${gateway.masterKey}\r\nConnection: ${connection}\r\n\r\n`)
    t.match(stub.seen[0]?.headers.authorization, /^Bearer eyJ/)
  }
})

await t.test('what the upstream\'s Connection names does not reach the client, and what the gateway answers stays whole', async t => {
  stub.answer = () => ({ body: 'hello', headers: { connection: 'x-request-id, etag, keep-alive', etag: '"x"', 'x-request-id': 'evil', 'keep-alive': 'timeout=1', 'proxy-authenticate': 'Basic', trailer: 'x', server: 'secret/1', 'content-type': 'application/x-tar' } })
  const answer = await askRaw(gateway.port, `GET /org1/repo1/charts/a-1.0.0.tgz HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${gateway.masterKey}\r\n\r\n`)
  t.match(answer.headers['x-request-id']?.[0], /^[0-9a-f-]{36}$/)
  t.same(answer.headers['content-type'], ['application/x-tar'])
  for (const name of ['proxy-authenticate', 'trailer', 'server']) t.notOk(answer.headers[name], name)
  t.match(answer.headers['etag']?.[0], /^"[0-9a-f]{64}"$/, 'our own, of the bytes')
  t.same(answer.headers['keep-alive'], ['timeout=75'], 'our own')
  t.equal(answersIn(answer.text).length, 1)
})
