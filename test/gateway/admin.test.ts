// The admin listener behind a token and over TLS.
import { join } from 'node:path'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { buildAdmin } from '../../src/app.ts'
import { createLive } from '../../src/lib/live.ts'
import { readMaterial, type Material } from '../../src/tls/material.ts'
import { createUpstream } from '../../src/upstream/client.ts'
import { command } from '../helpers/commands.ts'
import { Authority } from '../helpers/certificates.ts'
import { temporaryFolder } from '../helpers/processes.ts'
import { newMasterKey } from '../helpers/secrets.ts'
import { startStubUpstream } from '../helpers/stub-upstream.ts'
import { tlsClient } from '../helpers/tls-client.ts'

const stub = await startStubUpstream(t)
stub.answer = () => ({ body: '{"healthy":true}' })
const upstream = createUpstream({ origin: stub.origin, contextPath: '', auth: { kind: 'none' } })
t.teardown(async () => { await upstream.close() })
const PROBES = { upstream, stuck: () => undefined, hindrance: () => undefined, standing: () => ({ mistakes: [], later: [], last: undefined }), scrape: async () => 'metrics' }

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
  const pair = createLive((readMaterial({}, { cert: certText, key: keyText }) as { material: Material }).material)
  const admin = await buildAdmin({ ...PROBES, tls: { minVersion: '1.2', pair } })
  t.teardown(async () => { await admin.close() })
  await admin.listen({ host: '127.0.0.1', port: 0 })
  const port = String((admin.server.address() as AddressInfo).port)
  t.match(await tlsClient(t, { ca: authority.certText }).ask(`https://127.0.0.1:${port}/metrics`), { status: 200, body: 'metrics' })
  t.match(await command(['healthcheck'], { CHARTGATE_ADMIN_PORT: port, CHARTGATE_ADMIN_TLS_CERT: cert, CHARTGATE_ADMIN_TLS_KEY: key }), { code: 0, out: 'ready\n' })
})
