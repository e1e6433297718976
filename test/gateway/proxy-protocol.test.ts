// What a load balancer writes in front of a connection, and other words of a proxy that
// anybody can write: none of them says who a client is.
import t from 'tap'
import { startApp } from '../helpers/app.ts'
import { openRaw, sendRaw } from '../helpers/raw.ts'
import { startStubUpstream } from '../helpers/stub-upstream.ts'

const stub = await startStubUpstream(t)
stub.answer = () => ({ headers: { 'content-type': 'application/x-yaml' }, body: 'apiVersion: v1\nentries: {}\n' })
const gateway = await startApp(t, { origin: stub.origin })
const request = (authorization = `Bearer ${gateway.masterKey}`): string => `GET /org1/repo1/index.yaml HTTP/1.1\r\nHost: x\r\nAuthorization: ${authorization}\r\n\r\n`
/** Of TCP over IPv4, 192.0.2.9 to 192.0.2.10. */
const V2 = Buffer.from([...Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1'), 0x21, 0x11, 0, 12, 192, 0, 2, 9, 192, 0, 2, 10, 0xdc, 4, 1, 0xbb])

await t.test('a PROXY protocol header is 400, the connection ends, and the log says what came and what to do', async t => {
  const headers: Record<string, Buffer> = { v1: Buffer.from('PROXY TCP4 192.0.2.9 192.0.2.10 56324 443\r\n'), v2: V2 }
  for (const [version, header] of Object.entries(headers)) {
    const answer = await sendRaw(gateway.port, Buffer.concat([header, Buffer.from(request())]))
    t.equal(answer.status, 400, version)
    t.same(answer.headers['connection'], ['close'], version)
    const detail = `a PROXY protocol header (${version}) came where a request should begin: switch it off in the load balancer`
    t.strictSame(JSON.parse(answer.body), { error: detail }, version)
    t.match(gateway.log.at(-1), { decision: 'refused', reason: 'proxy_protocol', detail, status: 400, ip: '127.0.0.1' }, version)
    t.match(gateway.audit.at(-1), { reason: 'proxy_protocol' }, version)
  }
  t.equal(stub.seen.length, 0, 'and what stood behind it was no request')
})

await t.test('behind a request it is only bytes that are none', async t => {
  const { socket, text, received, closed } = await openRaw(t, gateway.port)
  socket.write(request())
  await received(/entries/)
  socket.write('PROXY TCP4 192.0.2.9 192.0.2.10 56324 443\r\n')
  await closed
  t.match(text(), /HTTP\/1\.1 400 [^]*"error":"bad request"/)
  t.match(gateway.log.at(-1), { reason: 'bad_request' })
})

await t.test('a client certificate in a header is nobody\'s', async t => {
  const { masterKey } = gateway
  const xfcc = 'X-Forwarded-Client-Cert: Hash=468ed33be74eee6556d90c0149c1309e9ba61d6425303443c0748a02dd8de688;Subject="CN=alice";URI=spiffe://example.test/key/master;DNS=x\r\nX-SSL-Client-Verify: SUCCESS\r\nX-SSL-Client-S-DN: CN=alice\r\n'
  for (const path of ['/org1/repo1/index.yaml', '/api/org1/repo1/charts', '/oauth/token']) {
    const answer = await sendRaw(gateway.port, `GET ${path} HTTP/1.1\r\nHost: x\r\n${xfcc}\r\n`)
    t.equal(answer.status, path === '/oauth/token' ? 200 : 401, path)
    if (path === '/oauth/token') t.equal(claimsOf(answer.body)['sub'], 'anonymous', 'a token of nobody')
  }
  const before = stub.seen.length
  const answer = await sendRaw(gateway.port, `GET /org1/repo1/index.yaml HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${masterKey}\r\n${xfcc}\r\n`)
  t.equal(answer.status, 200)
  t.match(gateway.log.at(-1), { subject: 'key:master' })
  const sent = stub.seen.slice(before).flatMap(({ headers }) => Object.keys(headers))
  t.strictSame(sent.filter(name => /cert|ssl/i.test(name)), [], 'and the upstream hears nothing of it')
})

function claimsOf (body: string): Record<string, unknown> {
  const [, claims = ''] = (JSON.parse(body) as { token: string }).token.split('.')
  return JSON.parse(Buffer.from(claims, 'base64url').toString()) as Record<string, unknown>
}
