// What the public listener counts of real requests, and what the admin listener says of it.
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import type { App } from '../../src/app.ts'
import { buildAdmin } from '../../src/app/admin.ts'
import { CONNECTION_LIMITS } from '../../src/app/options.ts'
import { createMeter, type Meter } from '../../src/metrics/meter.ts'
import { askLibrary } from '../../src/metrics/prom.ts'
import { createScrape } from '../../src/metrics/scrape.ts'
import { METRICS, labelsOf, type MetricName } from '../../src/metrics/table.ts'
import { createUpstream } from '../../src/upstream/client.ts'
import { startApp } from '../helpers/app.ts'
import { chartOf } from '../helpers/packages.ts'
import { openRaw, sendRaw } from '../helpers/raw.ts'
import { EMPTY_INDEX, startStubUpstream } from '../helpers/stub-upstream.ts'
import { until } from '../helpers/until.ts'

const CHARTS = 'apiVersion: v1\nentries:\n  a:\n  - name: a\n    version: 1.0.0\n    urls:\n    - charts/a-1.0.0.tgz\n'

/** The series of a metric, with their labels. */
function series (meter: Meter, name: MetricName): Record<string, number> {
  const { rows, tenants } = meter.snapshot()
  const metric = METRICS[name]
  const places = metric.ofTenants === true ? tenants.map(([tenant, place, value]) => [tenant, place, value] as const) : (rows[name] ?? []).map(([place, ...values]) => ['', place, metric.buckets === undefined ? values[0] as number : values.slice(0, -1).reduce((a, b) => a + b)] as const)
  return Object.fromEntries(places.map(([tenant, place, value]) => [[tenant, ...Object.values(labelsOf(metric, place))].filter(text => text !== '').join(' '), value]))
}

await t.test('each request counts once, by what was asked and what became of it', async t => {
  const stub = await startStubUpstream(t)
  stub.answer = ({ target, method }) => method === 'POST' ? { status: 201, body: '{"saved":true}' } : target.endsWith('/index.yaml') ? { body: CHARTS } : { status: 404 }
  const { meter, url, port, masterKey, app } = await startApp(t, { origin: stub.origin })
  const authorization = `Bearer ${masterKey}`
  // Packed once: its length is up to the time that is in it.
  const chart = await chartOf('a', '1.0.0')
  const first = await fetch(`${url}/org1/repo1/index.yaml`, { headers: { authorization } })
  await first.text()
  const again = await fetch(`${url}/org1/repo1/index.yaml`, { headers: { authorization, 'if-none-match': String(first.headers.get('etag')) } })
  t.equal(again.status, 304)
  await (await fetch(`${url}/org1/repo1/index.yaml`, { headers: { authorization } })).text()
  await (await fetch(`${url}/org1/repo1/index.yaml`)).text()
  await (await fetch(`${url}/api/org1/repo1/charts`, { method: 'POST', headers: { authorization }, body: chart })).text()
  await (await fetch(`${url}/oauth/token?service=charts.example.test&scope=artifact-repository:org1/repo1:pull`, { headers: { authorization } })).text()
  await (await fetch(`${url}/a/b/c/nothing`)).text()
  await sendRaw(port, 'nonsense\r\n\r\n')
  await sendRaw(port, [
    'POST /api/org1/repo1/charts HTTP/1.1', 'Host: x', `Authorization: ${authorization}`,
    'Transfer-Encoding: chunked', '', 'no length\r\n'
  ].join('\r\n'))
  await until(() => (series(meter, 'chartgate_requests_total')['none none refused bad_request'] ?? 0) > 1 || undefined)
  t.same(series(meter, 'chartgate_requests_total'), {
    'index pull success none': 3,
    'index pull refused missing_credentials': 1,
    'upload-chart push success none': 1,
    'token none success none': 1,
    'none none refused no_such_route': 1,
    'none none refused bad_request': 2
  })
  t.same(series(meter, 'chartgate_index_answers_total'), { rewritten: 1, kept: 1, not_modified: 1 })
  t.same(series(meter, 'chartgate_uploads_total'), { stored: 1 })
  t.same(series(meter, 'chartgate_tokens_issued_total'), { '': 1 })
  t.match(series(meter, 'http_client_request_duration_seconds'), { 'GET 200 none': 3, 'POST 201 none': 1 })
  t.same(series(meter, 'http_server_request_duration_seconds')['upload-chart POST 201'], 1)
  const bytes = series(meter, 'chartgate_network_bytes_total')
  t.ok((bytes['in upload-chart'] as number) > chart.length, 'the body and its head')
  t.ok((bytes['out index'] as number) > 2 * CHARTS.length)
  t.same(series(meter, 'chartgate_spooled_bytes_total'), { '': chart.length })
  await until(() => series(meter, 'chartgate_spool_files')[''] === 0 || undefined)
  await until(() => series(meter, 'http_server_active_requests')[''] === 0 || undefined)
  t.match((await app.inject('/org1/repo1/index.yaml')).statusCode, 401, 'and one without a connection counts too')
})

await t.test('what the gateway waits for is not its own share: the upstream, and the bytes of an upload', async t => {
  const stub = await startStubUpstream(t)
  const SLOW = 300
  stub.answer = async ({ method, target }) => {
    await new Promise(resolve => setTimeout(resolve, SLOW))
    return method === 'POST' ? { status: 201, body: '{"saved":true}' } : target.endsWith('/index.yaml') ? { body: CHARTS } : { status: 404 }
  }
  const { meter, url, port, masterKey } = await startApp(t, { origin: stub.origin })
  const headers = { authorization: `Bearer ${masterKey}` }
  await Promise.all([1, 2, 3].map(async () => await (await fetch(`${url}/org1/repo1/index.yaml`, { headers })).text()))
  const chart = await chartOf('a', '1.0.0')
  const raw = await openRaw(t, port)
  raw.socket.write(`POST /api/org1/repo1/charts HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${masterKey}\r\nContent-Length: ${chart.length}\r\n\r\n`)
  await new Promise(resolve => setTimeout(resolve, SLOW))
  raw.socket.write(chart)
  await until(() => series(meter, 'chartgate_uploads_total')['stored'])
  for (const [, ...values] of meter.snapshot().rows.chartgate_own_duration_seconds ?? []) {
    const [sum, count] = [values.at(-1) as number, values.slice(0, -1).reduce((a, b) => a + b)]
    t.ok(sum / count < SLOW / 1000, `${sum} s of ${count}`)
  }
  t.ok((series(meter, 'chartgate_index_answers_total')['shared'] as number) >= 1, 'who came meanwhile shared a question')
})

await t.test('from memory, streamed and forwarded answers are told apart, and their end is up to their client', async t => {
  const stub = await startStubUpstream(t)
  const LONG = Buffer.alloc(200_000, 'x')
  stub.answer = ({ target }) => target.endsWith('/index.yaml') ? { body: `${CHARTS}# ${'x'.repeat(100_000)}\n` } : target.endsWith('.tgz') || target.includes('/api/') ? { body: LONG, headers: { 'content-type': 'application/json' } } : { status: 404 }
  const { meter, url, masterKey } = await startApp(t, { origin: stub.origin, config: config => ({ ...config, charts: { ...config.charts, index: { ...config.charts.index, maxAge: 60 } } }) })
  const headers = { authorization: `Bearer ${masterKey}` }
  for (const path of ['/org1/repo1/index.yaml', '/org1/repo1/index.yaml', '/org1/repo1/charts/a-1.0.0.tgz', '/api/org1/repo1/charts']) {
    const answer = await fetch(url + path, { headers })
    t.equal(answer.status, 200, path)
    await answer.arrayBuffer()
  }
  await until(() => series(meter, 'chartgate_own_duration_seconds')['list'])
  t.same(series(meter, 'chartgate_index_answers_total'), { rewritten: 1, fresh: 1 })
  t.same(series(meter, 'chartgate_own_duration_seconds'), { index: 2, 'chart-file': 1, list: 1 })
  t.same(series(meter, 'chartgate_index_memory_max_bytes'), { '': 256 * 1024 ** 2 })
})

await t.test('who leaves counts as aborted, and a request behind an unanswered one as dropped', async t => {
  const stub = await startStubUpstream(t)
  stub.answer = async () => await new Promise<never>(() => {})
  const { meter, port, masterKey } = await startApp(t, { origin: stub.origin })
  const ask = `GET /org1/repo1/index.yaml HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${masterKey}\r\n\r\n`
  const raw = await openRaw(t, port)
  raw.socket.write(ask + ask)
  await until(() => series(meter, 'chartgate_requests_total')['index pull dropped none'])
  raw.socket.destroy()
  await until(() => series(meter, 'chartgate_requests_total')['index pull aborted none'])
  t.same(series(meter, 'chartgate_requests_total'), { 'index pull dropped none': 1, 'index pull aborted none': 1 })
  t.same(series(meter, 'http_server_request_duration_seconds'), { 'index GET none': 1 })
})

await t.test('a request that is dropped counts as that, and as nothing else', async t => {
  const { app, meter, port } = await startApp(t, { origin: 'http://127.0.0.1:9' })
  const closed = new Promise<void>(resolve => { app.server.once('connection', socket => { socket.once('close', () => { setImmediate(resolve) }) }) })
  await sendRaw(port, 'GET /org1/repo1/index.yaml HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(2))
  await closed
  t.same(series(meter, 'chartgate_requests_total'), { 'index pull refused missing_credentials': 1, 'index pull dropped none': 1 })
})

await t.test('a tenant has a series when a rule names it or it has charts, and only if that is wished', async t => {
  const stub = await startStubUpstream(t)
  stub.answer = ({ target }) => target.startsWith('/full/') ? { body: target.endsWith('.yaml') ? CHARTS : 'x' } : target.endsWith('.yaml') ? { body: EMPTY_INDEX } : { status: 404 }
  const policy = [{ repositories: ['named/one', '**'], subjects: ['anonymous'], actions: ['pull'] as const }]
  const counted = async (tenants: boolean): Promise<Record<string, number>> => {
    const { meter, url } = await startApp(t, { origin: stub.origin, config: config => ({ ...config, metrics: { tenants }, policy }) })
    for (const path of ['/full/a/index.yaml', '/full/b/charts/a-1.0.0.tgz', '/empty/a/index.yaml', '/empty/b/charts/a-1.0.0.tgz', '/named/one/index.yaml', '/health']) await (await fetch(url + path)).text()
    await (await fetch(`${url}/api/named/one/charts`, { method: 'POST', body: 'x' })).text()
    await until(() => series(meter, 'chartgate_requests_total')['upload-chart push refused missing_credentials'])
    return series(meter, 'chartgate_tenant_requests_total')
  }
  t.same(await counted(true), { 'full/a pull success': 1, 'full/b pull success': 1, 'named/one pull success': 1, 'named/one push refused': 1, '_OTHER pull success': 1, '_OTHER pull refused': 1 })
  t.same(await counted(false), {})
})

await t.test('who leaves counts for no tenant', async t => {
  const stub = await startStubUpstream(t)
  stub.answer = async () => await new Promise<never>(() => {})
  const { meter, port, masterKey } = await startApp(t, { origin: stub.origin, config: config => ({ ...config, metrics: { tenants: true } }) })
  const raw = await openRaw(t, port)
  raw.socket.write(`GET /org1/repo1/index.yaml HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${masterKey}\r\n\r\n`)
  await until(() => stub.seen.length > 0 || undefined)
  raw.socket.destroy()
  await until(() => series(meter, 'chartgate_requests_total')['index pull aborted none'])
  t.same(series(meter, 'chartgate_tenant_requests_total'), {})
})

interface Admin { readonly admin: App, readonly port: number, readonly meter: Meter }

async function startAdmin (t: Test, limits = CONNECTION_LIMITS): Promise<Admin> {
  const upstream = createUpstream({ origin: 'http://127.0.0.1:9', contextPath: '', auth: { kind: 'none' } })
  const meter = createMeter()
  const scrape = createScrape(async () => ({ snapshot: meter.snapshot(), libraries: [await askLibrary()] }))
  const admin = await buildAdmin({ upstream, scrape, stuck: () => undefined, hindrance: () => undefined }, limits)
  t.teardown(async () => { await admin.close(); await upstream.close() })
  await admin.listen({ host: '127.0.0.1', port: 0 })
  return { admin, port: (admin.server.address() as AddressInfo).port, meter }
}

await t.test('/metrics has the form that is asked for', async t => {
  const { admin } = await startAdmin(t)
  const type = async (accept?: string): Promise<unknown> => (await admin.inject({ url: '/metrics', headers: accept === undefined ? {} : { accept } })).headers['content-type']
  const [text, open] = ['text/plain; version=0.0.4; charset=utf-8', 'application/openmetrics-text; version=1.0.0; charset=utf-8']
  t.equal(await type(), text)
  t.equal(await type('*/*'), text)
  t.equal(await type('text/plain'), text)
  t.equal(await type('application/json'), text, 'who reads neither gets what everybody reads')
  t.equal(await type('application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2'), open, 'Prometheus 3')
  t.equal(await type('application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1'), open, 'Prometheus 2.42')
  t.equal(await type('application/openmetrics-text;version=1.0.0;q=0.2,text/plain;version=0.0.4;q=0.3'), text, 'a weight counts')
  t.equal(await type('application/openmetrics-text;q=0'), text)
  t.equal(await type(',;q=x,"'), text)
})

await t.test('/metrics is read by GET and HEAD, whatever the query, and by nothing else', async t => {
  const { admin } = await startAdmin(t)
  t.equal((await admin.inject('/metrics?name[]=up')).statusCode, 200)
  const head = await admin.inject({ method: 'HEAD', url: '/metrics' })
  t.same([head.statusCode, head.body], [200, ''])
  const post = await admin.inject({ method: 'POST', url: '/metrics', payload: 'x', headers: { 'content-type': 'text/plain' } })
  t.same([post.statusCode, post.headers['allow'], post.json()], [405, 'GET, HEAD', { error: 'method not allowed' }])
  for (const method of ['DELETE', 'PUT', 'OPTIONS'] as const) t.equal((await admin.inject({ method, url: '/metrics' })).statusCode, 405)
})

await t.test('a scrape that nobody reads ends with its connection', async t => {
  const { admin, port } = await startAdmin(t, { ...CONNECTION_LIMITS, silence: 1_000 })
  const raw = await openRaw(t, port)
  raw.socket.pause()
  raw.socket.write('GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(2_000))
  const connections = async (): Promise<number> => await new Promise((resolve, reject) => { admin.server.getConnections((error, count) => { if (error === null) resolve(count); else reject(error) }) })
  await until(async () => await connections() === 1 || undefined)
  await until(async () => await connections() === 0 || undefined, 60_000)
  t.ok(raw.socket.bytesRead < 1_000_000, 'its other end has read next to nothing')
})

await t.test('clients find no metrics', async t => {
  const stub = await startStubUpstream(t)
  const { url, masterKey } = await startApp(t, { origin: stub.origin })
  for (const path of ['/metrics', '/metrics/', '//metrics', '/metrics?x']) t.ok([400, 404].includes((await fetch(url + path, { headers: { authorization: `Bearer ${masterKey}` } })).status), path)
})
