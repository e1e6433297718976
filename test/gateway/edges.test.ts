// What stands around the doors: health, keys, refusals that are made before any hook,
// a base path, and errors that nobody expected.
import { connect, type AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import t from 'tap'
import { refusalOf } from '../../plugins/errors.ts'
import { buildAdmin } from '../../src/app/admin.ts'
import { RefusalError } from '../../src/http/errors.ts'
import { createUpstream } from '../../src/upstream/client.ts'
import { grant, startApp } from '../helpers/app.ts'
import { provenanceOf } from '../helpers/packages.ts'
import { sendRaw } from '../helpers/raw.ts'
import { EMPTY_INDEX, startStubUpstream } from '../helpers/stub-upstream.ts'

const NO_UPSTREAM = 'http://127.0.0.1:9'

await t.test('health and info answer in the form of ChartMuseum, and HEAD is 404 there too', async t => {
  const gateway = await startApp(t, { origin: NO_UPSTREAM })
  for (const [path, body] of [['/health', '{"healthy":true}'], ['/info', '{"version":"0.0.0-test"}']]) {
    const answer = await fetch(gateway.url + path)
    t.equal(await answer.text(), body)
    t.equal(answer.headers.get('content-type'), 'application/json; charset=utf-8')
    t.equal((await fetch(gateway.url + path, { method: 'HEAD' })).status, 200)
  }
})

await t.test('the public keys are published under the kid of the tokens', async t => {
  const gateway = await startApp(t, { origin: NO_UPSTREAM })
  const answer = await fetch(`${gateway.url}/.well-known/jwks.json`)
  const { keys } = JSON.parse(await answer.text()) as { keys: Record<string, unknown>[] }
  t.match(answer.headers.get('cache-control'), 'max-age')
  const token = await gateway.token([])
  t.equal(keys[0]?.['kid'], (JSON.parse(Buffer.from(token.split('.')[0] as string, 'base64url').toString()) as { kid: string }).kid)
  t.same(Object.keys(keys[0] ?? {}).sort(), ['alg', 'e', 'kid', 'kty', 'n', 'use'], 'and nothing private')
})

await t.test('what never becomes a request is answered in the same form', async t => {
  const gateway = await startApp(t, { origin: NO_UPSTREAM })
  const cases: [string, string, number][] = [
    ['two lengths', 'POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx', 400],
    ['length and chunks', 'POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 400],
    ['no HTTP', 'hello\r\n\r\n', 400],
    ['a space in a header name', 'GET / HTTP/1.1\r\nHost : x\r\n\r\n', 400],
    ['huge headers', `GET / HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, 431]
  ]
  for (const [name, bytes, status] of cases) {
    const answer = await sendRaw(gateway.port, bytes)
    t.equal(answer.status, status, name)
    t.type((JSON.parse(answer.body) as { error: unknown }).error, 'string', name)
    t.same(answer.headers['connection'], ['close'], name)
    t.match(answer.headers['x-request-id']?.[0], /^[0-9a-f-]{36}$/)
  }
})

await t.test('a request that does not name its host, or names two, is refused in the same form', async t => {
  const gateway = await startApp(t, { origin: NO_UPSTREAM })
  const cases: [string, number][] = [
    ['GET /health HTTP/1.1\r\n\r\n', 400],
    ['GET /health HTTP/1.1\r\nHost: a\r\nhost: b\r\n\r\n', 400],
    ['GET /health HTTP/1.1\r\nHost: a\r\n\r\n', 200],
    ['GET /health HTTP/1.0\r\n\r\n', 200]
  ]
  for (const [bytes, status] of cases) {
    const answer = await sendRaw(gateway.port, bytes)
    t.equal(answer.status, status, bytes)
    if (status === 400) t.match(JSON.parse(answer.body), { error: /Host header/ })
  }
})

await t.test('an upgrade is not taken, and what comes after it is not left without an end', async t => {
  const gateway = await startApp(t, { origin: NO_UPSTREAM })
  const [socket, received] = [connect(gateway.port, '127.0.0.1'), [] as Buffer[]]
  t.teardown(() => { socket.destroy() })
  const closed = new Promise<void>(resolve => { socket.once('close', () => { resolve() }).once('error', () => {}) })
  socket.on('data', (chunk: Buffer) => {
    // Node's parser would swallow the error in this one.
    if (received.push(chunk) === 1) socket.write('GET no-slash HTTP/1.1\r\nHost: x\r\n\r\n')
  })
  socket.write('GET /health HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n')
  await closed
  const text = Buffer.concat(received).toString()
  t.match(text, /^HTTP\/1\.1 200 /)
  t.match(text, /\r\nconnection: close\r\n/i)
})

await t.test('two Authorization headers are a 400', async t => {
  const gateway = await startApp(t, { origin: NO_UPSTREAM })
  const answer = await sendRaw(gateway.port, `GET /org1/repo1/index.yaml HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${gateway.masterKey}\r\nAUTHORIZATION: Bearer x\r\n\r\n`)
  t.equal(answer.status, 400)
  t.match(answer.body, 'send one')
})

await t.test('a base path is part of every address', async t => {
  const stub = await startStubUpstream(t)
  stub.answer = () => ({ body: EMPTY_INDEX })
  const gateway = await startApp(t, { origin: stub.origin, config: config => ({ ...config, publicUrl: 'http://charts.example.test/helm', basePath: '/helm' }) })
  const headers = { authorization: `Bearer ${await gateway.token([grant('org1/repo1', 'pull')])}` }
  t.equal((await fetch(`${gateway.url}/org1/repo1/index.yaml`, { headers })).status, 200)
  t.equal(stub.seen[0]?.target, '/org1/repo1/index.yaml')
  t.match((await fetch(`${gateway.url}/org1/repo1/index.yaml`)).headers.get('www-authenticate'), 'realm="http://charts.example.test/helm/oauth/token"')
  t.equal((await fetch(`${gateway.url}/health`)).status, 200)
  for (const path of ['/org1/repo1/index.yaml', '/helmet/org1/repo1/index.yaml', '/helms', '/oauth/token']) {
    t.equal((await sendRaw(gateway.port, `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`)).status, 404, path)
  }
})

await t.test('an upstream with Basic gets Basic, and one without auth gets none', async t => {
  const stub = await startStubUpstream(t)
  stub.answer = () => ({ body: EMPTY_INDEX })
  for (const [auth, expected] of [['basic', 'Basic dXA6c3RyZWFt'], ['none', undefined]] as const) {
    stub.seen.length = 0
    const gateway = await startApp(t, { origin: stub.origin, config: config => ({ ...config, upstream: { ...config.upstream, auth, username: 'up', password: 'stream' } }) })
    const headers = { authorization: `Bearer ${gateway.masterKey}` }
    for (const path of ['/org1/repo1/index.yaml', '/org1/repo1/charts/a-1.0.0.tgz']) t.equal((await fetch(gateway.url + path, { headers })).status, 200)
    await fetch(`${gateway.url}/api/org1/repo1/prov`, { method: 'POST', headers, body: provenanceOf('a', '1.0.0') })
    t.ok(stub.seen.length > 2)
    t.same(new Set(stub.seen.map(seen => seen.headers.authorization)), new Set([expected]))
  }
})

await t.test('a proxy that is trusted says whose address it is, and nobody else does', async t => {
  for (const [trustedProxies, ip] of [[['127.0.0.0/8'], '6.6.6.6'], [[], '127.0.0.1']] as [string[], string][]) {
    const gateway = await startApp(t, { origin: NO_UPSTREAM, config: config => ({ ...config, trustedProxies }) })
    await fetch(`${gateway.url}/org1/repo1/index.yaml`, { headers: { 'x-forwarded-for': '6.6.6.6' } })
    t.match(gateway.log.at(-1), { ip })
  }
})

await t.test('reads are logged only when that is wanted', async t => {
  const stub = await startStubUpstream(t)
  stub.answer = () => ({ body: EMPTY_INDEX })
  const gateway = await startApp(t, { origin: stub.origin, config: config => ({ ...config, log: { level: 'info', reads: false } }) })
  const headers = { authorization: `Bearer ${gateway.masterKey}` }
  await fetch(`${gateway.url}/org1/repo1/index.yaml`, { headers })
  await fetch(`${gateway.url}/api/org1/repo1/charts/a/1.0.0`, { method: 'DELETE', headers, body: 'ignored' })
  await sendRaw(gateway.port, 'GET http://user:secret@x/ HTTP/1.1\r\nHost: x\r\n\r\n')
  t.same(gateway.log.filter(line => line['decision'] !== undefined).map(line => [line['route'], line['path']]), [['delete-version', undefined], [undefined, undefined]])
  t.notMatch(gateway.logText(), 'secret')
  t.equal(stub.seen.at(-1)?.body.length, 0, 'a body that no route has is not passed on')
})

await t.test('errors that nobody expected are 500 and logged, the known ones keep their reason', async t => {
  // Broken for what is signed alone: the watch of the keys asks for the time too.
  const brokenBy = (error: Error) => (): number => {
    if (new Error().stack?.includes('issue.ts') === true) throw error
    return Math.floor(Date.now() / 1000)
  }
  const gateway = await startApp(t, { origin: NO_UPSTREAM, now: brokenBy(new Error('broken clock')) })
  const answer = await fetch(`${gateway.url}/org1/repo1/charts/a-1.0.0.tgz`, { headers: { authorization: `Bearer ${gateway.masterKey}` } })
  t.equal(answer.status, 500)
  t.equal(await answer.text(), '{"error":"internal error"}')
  t.ok(gateway.logText().includes('broken clock'))
  const upload = await fetch(`${gateway.url}/api/org1/repo1/prov`, { method: 'POST', body: '-----BEGIN PGP SIGNED MESSAGE-----\nname: a\nversion: 1.0.0\n', headers: { authorization: `Bearer ${gateway.masterKey}` } })
  t.equal(upload.status, 500)
  const full = await startApp(t, { origin: NO_UPSTREAM, now: brokenBy(Object.assign(new Error('too many open files'), { code: 'EMFILE' })) })
  t.equal((await fetch(`${full.url}/org1/repo1/charts/a-1.0.0.tgz`, { headers: { authorization: `Bearer ${full.masterKey}` } })).status, 503)
  t.match(full.log.at(-1), { reason: 'no_descriptors', err: { code: 'EMFILE' } })
  const cases: [unknown, string][] = [
    [new RefusalError({ code: 'spool_full' }), 'spool_full'], [{ statusCode: 400 }, 'bad_request'], [{ statusCode: 413 }, 'body_too_large'],
    [{ statusCode: 415 }, 'unsupported_media_type'], [{ statusCode: 503 }, 'closing'], [null, 'internal'], [Object.assign(new Error(), { code: 'EMFILE' }), 'no_descriptors']
  ]
  for (const [error, code] of cases) t.equal(refusalOf(error).code, code)
})

await t.test('a large download that the upstream breaks off is broken off, and a small one or a refusal that it breaks off is a refusal', async t => {
  const stub = await startStubUpstream(t)
  stub.server.removeAllListeners('request')
  stub.server.on('request', (request, response) => {
    response.writeHead(request.url?.includes('/api/') === true ? 404 : 200, { 'content-length': request.url?.includes('large') === true ? '100000' : '1000' })
    Readable.from(['x']).pipe(response, { end: false })
    setTimeout(() => { response.destroy() }, 20)
  })
  const gateway = await startApp(t, { origin: stub.origin })
  const headers = { authorization: `Bearer ${gateway.masterKey}` }
  await t.rejects(fetch(`${gateway.url}/org1/repo1/charts/large-1.0.0.tgz`, { headers }).then(async answer => await answer.text()))
  t.equal((await fetch(`${gateway.url}/org1/repo1/charts/a-1.0.0.tgz`, { headers })).status, 502)
  t.equal((await fetch(`${gateway.url}/api/org1/repo1/charts/a`, { headers })).status, 502)
  t.equal((await fetch(`${gateway.url}/org1/repo1/index.yaml`, { headers })).status, 502)
})

await t.test('a long refusal and a long index are not read to their end', async t => {
  const stub = await startStubUpstream(t)
  stub.answer = seen => seen.target.endsWith('index.yaml') ? { body: 'x'.repeat(2000) } : { status: 404, body: 'x'.repeat(100_000) }
  const gateway = await startApp(t, { origin: stub.origin, config: config => ({ ...config, charts: { ...config.charts, index: { maxAge: 0, maxBytes: 1000 } } }) })
  const headers = { authorization: `Bearer ${gateway.masterKey}` }
  for (const path of ['/org1/repo1/charts/a-1.0.0.tgz', '/api/org1/repo1/charts/a']) t.equal((await fetch(gateway.url + path, { headers })).status, 404)
  t.equal((await fetch(`${gateway.url}/org1/repo1/index.yaml`, { headers })).status, 502)
  t.match(gateway.log.at(-1), { err: /charts.index.maxBytes/ })
})

await t.test('readiness follows the upstream and the shutdown', async t => {
  const stub = await startStubUpstream(t)
  stub.answer = seen => ({ status: seen.target === '/health' ? 200 : 404 })
  const upstream = createUpstream({ origin: stub.origin, contextPath: '', auth: { kind: 'none' } })
  let closing = false
  let stuck: string | undefined
  const admin = await buildAdmin({ upstream, scrape: async () => '', stuck: () => stuck, hindrance: () => closing ? 'shutting down' : undefined })
  t.teardown(async () => { await admin.close(); await upstream.close() })
  const status = async (url: string): Promise<number> => (await admin.inject(url)).statusCode
  t.equal(await status('/healthz'), 200)
  t.equal(await status('/readyz'), 200)
  closing = true
  t.equal(await status('/readyz'), 503)
  closing = false
  stuck = 'the passwords to be checked have not moved for 60 s'
  const answer = await admin.inject('/healthz')
  t.same([answer.statusCode, answer.json()], [503, { healthy: false, reason: stuck }], 'what needs a new process says so')
  stuck = undefined
  stub.server.close()
  stub.server.closeAllConnections()
  t.equal(await status('/readyz'), 503)
  t.equal(await status('/healthz'), 200)
})

await t.test('the admin listener refuses in the form of the public one', async t => {
  const upstream = createUpstream({ origin: 'http://127.0.0.1:9', contextPath: '', auth: { kind: 'none' } })
  const admin = await buildAdmin({ scrape: async () => '', upstream: { ...upstream, ailment: async () => { throw new Error('a secret of the inside') } }, stuck: () => undefined, hindrance: () => undefined })
  t.teardown(async () => { await admin.close(); await upstream.close() })
  await admin.listen({ host: '127.0.0.1', port: 0 })
  const { port } = admin.server.address() as AddressInfo
  const cases: [request: string, status: number, error: string][] = [
    ['GET /nope HTTP/1.1', 404, 'not found'],
    ['POST /healthz HTTP/1.1', 404, 'not found'],
    ['GET /%zz HTTP/1.1', 400, 'bad request'],
    ['GET /readyz HTTP/1.1', 500, 'internal error'],
    ['nonsense', 400, 'bad request']
  ]
  for (const [request, status, error] of cases) {
    const answer = await sendRaw(port, `${request}\r\nHost: x\r\n\r\n`)
    t.equal(answer.status, status, request)
    t.same(answer.headers['content-type'], ['application/json; charset=utf-8'], request)
    t.same(JSON.parse(answer.body), { error }, request)
  }
})
