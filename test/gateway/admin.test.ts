// The admin listener behind a token and over TLS.
import { join } from 'node:path'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { buildAdmin } from '../../src/app/admin.ts'
import { createLive } from '../../src/lib/live.ts'
import { ADMIN_BOUNDS } from '../../src/limits/connections.ts'
import { readMaterial, type Material } from '../../src/tls/material.ts'
import { createUpstream } from '../../src/upstream/client.ts'
import { command } from '../helpers/commands.ts'
import { Authority } from '../helpers/certificates.ts'
import { temporaryFolder } from '../helpers/processes.ts'
import { openRaw } from '../helpers/raw.ts'
import { newMasterKey } from '../helpers/secrets.ts'
import { startStubUpstream } from '../helpers/stub-upstream.ts'
import { tlsClient } from '../helpers/tls-client.ts'
import { untilTrue } from '../helpers/until.ts'

const stub = await startStubUpstream(t)
stub.answer = () => ({ body: '{"healthy":true}' })
const upstream = createUpstream({ origin: stub.origin, contextPath: '', auth: { kind: 'none' } })
t.teardown(async () => { await upstream.close() })
const PROBES = { upstream, stuck: () => undefined, hindrance: () => undefined, scrape: async () => 'metrics' }

await t.test('with a token all but the two probes needs it', async t => {
  const token = newMasterKey()
  const admin = await buildAdmin({ ...PROBES, token: () => token })
  t.teardown(async () => { await admin.close() })
  const status = async (url: string, authorization?: string): Promise<number> => (await admin.inject({ url, headers: authorization === undefined ? {} : { authorization } })).statusCode
  t.strictSame(await Promise.all(['/healthz', '/readyz'].map(async url => await status(url))), [200, 200])
  for (const url of ['/metrics', '/readyz?verbose', '/healthz?x', '/nothing']) {
    t.equal(await status(url), 401, url)
    for (const wrong of [`Bearer ${token}x`, `Basic ${Buffer.from(`a:${token}`).toString('base64')}`, 'Bearer']) t.equal(await status(url, wrong), 401, url)
  }
  t.strictSame(await Promise.all(['/metrics', '/readyz?verbose', '/nothing'].map(async url => await status(url, `Bearer ${token}`))), [200, 200, 404])
  const { headers, body } = await admin.inject({ url: '/metrics' })
  t.equal(headers['www-authenticate'], 'Bearer realm="admin"')
  t.match(JSON.parse(body), { error: 'unauthorized' })
})

await t.test('over TLS it is asked by healthcheck too', async t => {
  const authority = Authority.make(join(await temporaryFolder(t), 'ca'))
  const { cert, key, certText, keyText } = authority.issue()
  const pair = createLive((readMaterial({ files: {} }, { cert: certText, key: keyText }) as { material: Material }).material)
  const admin = await buildAdmin({ ...PROBES, tls: { pair } })
  t.teardown(async () => { await admin.close() })
  await admin.listen({ host: '127.0.0.1', port: 0 })
  const port = String((admin.server.address() as AddressInfo).port)
  t.match(await tlsClient(t, { ca: authority.certText }).ask(`https://127.0.0.1:${port}/metrics`), { status: 200, body: 'metrics' })
  t.match(await command(['healthcheck'], { CHARTGATE_ADMIN_PORT: port, CHARTGATE_ADMIN_TLS_CERT: cert, CHARTGATE_ADMIN_TLS_KEY: key }), { code: 0, out: 'ready\n' })
})

await t.test('no address takes all connections of the admin listener', async t => {
  const admin = await buildAdmin(PROBES)
  t.teardown(async () => { await admin.close() })
  await admin.listen({ host: '127.0.0.1', port: 0 })
  const { port } = admin.server.address() as AddressInfo
  const held = await Promise.all(Array.from({ length: ADMIN_BOUNDS.ofOrigin }, async () => await openRaw(t, port, { localAddress: '127.0.0.2' })))
  const answer = async (localAddress: string): Promise<string> => {
    const { socket, text, closed } = await openRaw(t, port, { localAddress })
    socket.write('GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
    await closed
    return text().split('\r\n')[0] as string
  }
  await untilTrue(async () => await answer('127.0.0.2') === '')
  t.equal(await answer('127.0.0.3'), 'HTTP/1.1 200 OK')
  held[0]?.socket.destroy()
  await untilTrue(async () => await answer('127.0.0.2') === 'HTTP/1.1 200 OK')
})

await t.test('who says that a body comes, and sends none, is answered all the same, and holds no end up', async t => {
  const admin = await buildAdmin(PROBES)
  await admin.listen({ host: '127.0.0.1', port: 0 })
  const { port } = admin.server.address() as AddressInfo
  for (const [method, url, status] of [['POST', '/readyz', 404], ['DELETE', '/healthz', 404], ['PUT', '/nothing', 404], ['POST', '/metrics', 405]] as const) {
    for (const type of ['application/json', 'text/plain', 'application/x-tar']) {
      const { socket, received, text } = await openRaw(t, port)
      socket.write(`${method} ${url} HTTP/1.1\r\nHost: x\r\nContent-Type: ${type}\r\nContent-Length: 20\r\n\r\n`)
      await received(/\r\n\r\n\{/)
      t.match(text(), new RegExp(`^HTTP/1.1 ${status} `), `${method} ${url} ${type}`)
    }
  }
  await admin.close()
  t.notOk(admin.server.listening)
})

await t.test('/readyz?verbose says what was looked at, in lines', async t => {
  let [stuck, hindrance] = [undefined, undefined] as (string | undefined)[]
  const soon = { name: 'certificates', hinders: false, look: async () => ['listen.tls: it ends', 'admin.tls: it ends'] }
  const admin = await buildAdmin({ ...PROBES, stuck: () => stuck, hindrance: () => hindrance, checks: [soon] })
  t.teardown(async () => { await admin.close() })
  const [wellBefore] = [await admin.inject('/readyz?verbose')]
  t.match(wellBefore.headers, { 'content-type': 'text/plain; charset=utf-8' })
  t.equal(wellBefore.statusCode, 200)
  const ok = 'queues and threads: ok\nlisteners and workers: ok\nchart repository: ok\n'
  const certificates = 'certificates: warning: listen.tls: it ends\ncertificates: warning: admin.tls: it ends\n'
  t.equal(wellBefore.body, `${ok}${certificates}ready\n`, 'a warning hinders nothing')
  t.equal((await admin.inject('/readyz')).body, '{"ready":true}')
  ;[stuck, hindrance] = ['the passwords to be checked have not moved for 60 s', 'shutting down']
  stub.answer = () => ({ status: 500, body: '' })
  const ill = await admin.inject('/readyz?verbose')
  t.equal(ill.statusCode, 503)
  t.equal(ill.body, 'queues and threads: failed: the passwords to be checked have not moved for 60 s\n' +
    'listeners and workers: failed: shutting down\n' +
    'chart repository: failed: the chart repository does not say that it is healthy (500 for /health)\n' +
    `${certificates}not ready\n`)
})
