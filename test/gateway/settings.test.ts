// Every key that takes effect at once does: changed in a running gateway, and seen by the
// next client. What parts of their own read again (accounts, keys) is in test/live.
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { isLive, RELOAD_OF, type ConfigKey } from '../../src/config/reloads.ts'
import type { Config } from '../../src/config/schema.ts'
import { buildAdmin } from '../../src/app/admin.ts'
import { openLogins } from '../../src/serve/logins.ts'
import { createUpstream } from '../../src/upstream/client.ts'
import { startApp, type TestGateway } from '../helpers/app.ts'
import { chartOf, formOf, provenanceOf } from '../helpers/packages.ts'
import { newMasterKey } from '../helpers/secrets.ts'
import { startStubUpstream, type StubUpstream } from '../helpers/stub-upstream.ts'
import { until } from '../helpers/until.ts'

const INDEX = 'apiVersion: v1\nentries:\n  a:\n  - { name: a, version: 1.0.0, urls: [charts/a-1.0.0.tgz] }\n'

interface Lab extends Pick<TestGateway, 'port' | 'meter' | 'masterKey'> {
  readonly stub: StubUpstream
  readonly log: () => TestGateway['log']
  readonly audited: () => TestGateway['audit']
  /** Puts other settings in force. */
  change (change: (config: Config) => Partial<Config>): void
  ask (path: string, more?: RequestInit & { readonly key?: string }): Promise<Response>
  push (body: Buffer, contentType?: string): Promise<number>
}

async function lab (t: Test, first: (config: Config) => Partial<Config> = () => ({})): Promise<Lab> {
  const stub = await startStubUpstream(t)
  stub.answer = ({ method, target }) => {
    if (method === 'POST') return { status: 201, body: '{"saved":true}' }
    return target.endsWith('index.yaml') ? { body: INDEX } : { status: 404 }
  }
  const gateway = await startApp(t, { origin: stub.origin, config: config => ({ ...config, log: { level: 'info', reads: false }, ...first(config) }) })
  const { settings, url, port, meter, masterKey } = gateway
  const ask: Lab['ask'] = async (path, { key = masterKey, headers, ...more } = {}) => {
    return await fetch(url + path, { ...more, headers: { authorization: `Bearer ${key}`, connection: 'close', ...headers } })
  }
  return {
    port,
    meter,
    masterKey,
    stub,
    ask,
    log: () => gateway.log.filter(({ route }) => route !== undefined),
    audited: () => gateway.audit,
    change (change) { settings.current = { ...settings.current, ...change(settings.current) } },
    push: async (body, contentType = 'application/octet-stream') => (await ask('/api/org1/repo1/charts', { method: 'POST', body: new Uint8Array(body), headers: { 'content-type': contentType } })).status
  }
}

async function open (t: Test, port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  t.teardown(() => { socket.destroy() })
  await once(socket, 'connect')
  return socket
}

/** One that is closed as it comes. */
async function isClosed (t: Test, port: number): Promise<boolean> {
  const socket = await open(t, port)
  socket.on('error', () => {}).resume()
  await once(socket, 'close')
  return true
}

const index = '/org1/repo1/index.yaml'
const wrong = { key: newMasterKey() }

async function upstreamAccount (t: Test, which: 'username' | 'password'): Promise<void> {
  const { change, ask, stub } = await lab(t, ({ upstream }) => ({ upstream: { ...upstream, auth: 'basic', username: 'a', password: 'b' } }))
  await ask(index)
  change(({ upstream }) => ({ upstream: { ...upstream, [which]: 'c' } }))
  await ask(index)
  const accounts = ['a:b', which === 'username' ? 'c:b' : 'a:c']
  t.same(stub.seen.map(({ headers }) => headers.authorization), accounts.map(each => `Basic ${Buffer.from(each).toString('base64')}`))
}

async function formField (t: Test, field: 'chart' | 'prov', key: 'chartPostFormFieldName' | 'provPostFormFieldName'): Promise<void> {
  const { change, push } = await lab(t)
  const [chart, prov] = [await chartOf('a', '1.0.0'), provenanceOf('a', '1.0.0')]
  const form = (name: string): ReturnType<typeof formOf> => formOf([
    { field: field === 'chart' ? name : 'chart', body: chart, filename: 'a-1.0.0.tgz' },
    { field: field === 'prov' ? name : 'prov', body: prov, filename: 'a-1.0.0.tgz.prov' }
  ])
  const status = async ({ body, contentType }: ReturnType<typeof formOf>): Promise<number> => await push(body, contentType)
  const before = [await status(form(field)), await status(form('other'))]
  change(({ charts }) => ({ charts: { ...charts, [key]: 'other' } }))
  const after = [await status(form(field)), await status(form('other'))]
  t.same([before[0], after[1]], [201, 201])
  t.same([before[1], after[0]], [400, 400])
}

const PROOFS: Partial<Record<ConfigKey, (t: Test) => Promise<void>>> = {
  async 'listen.maxConnections' (t) {
    const { change, port } = await lab(t)
    await open(t, port)
    change(({ listen }) => ({ listen: { ...listen, maxConnections: 1 } }))
    t.ok(await isClosed(t, port))
  },
  async 'listen.maxConnectionsPerAddress' (t) {
    const { change, port } = await lab(t)
    await open(t, port)
    change(({ listen }) => ({ listen: { ...listen, maxConnectionsPerAddress: 1 } }))
    t.ok(await isClosed(t, port))
  },
  async 'admin.token' (t) {
    const upstream = createUpstream({ origin: 'http://127.0.0.1:9', contextPath: '', auth: { kind: 'none' } })
    let token: string | undefined
    const admin = await buildAdmin({ upstream, token: () => token, scrape: async () => '', stuck: () => undefined, hindrance: () => undefined })
    t.teardown(async () => { await admin.close(); await upstream.close() })
    const status = async (sent: string): Promise<number> => (await admin.inject({ url: '/metrics', headers: { authorization: `Bearer ${sent}` } })).statusCode
    const [one, two] = [newMasterKey(), newMasterKey()]
    t.equal(await status('x'), 200)
    token = one
    t.same([await status('x'), await status(one), await status(two)], [401, 200, 401])
    token = two
    t.same([await status(one), await status(two)], [401, 200])
    token = undefined
    t.equal(await status('x'), 200)
  },
  async trustedProxies (t) {
    const { change, ask, log } = await lab(t, () => ({ log: { level: 'info', reads: true } }))
    const headers = { 'x-forwarded-for': '192.0.2.7' }
    await ask(index, { headers })
    change(() => ({ trustedProxies: ['127.0.0.1'] }))
    await ask(index, { headers })
    t.same((await until(() => log().length === 2 ? log() : undefined)).map(({ ip }) => ip), ['127.0.0.1', '192.0.2.7'])
  },
  async 'upstream.username' (t) { await upstreamAccount(t, 'username') },
  async 'upstream.password' (t) { await upstreamAccount(t, 'password') },
  async 'charts.maxUploadSize' (t) {
    const { change, push } = await lab(t)
    const chart = await chartOf('a', '1.0.0')
    change(({ charts }) => ({ charts: { ...charts, maxUploadSize: 10 } }))
    t.equal(await push(chart), 413)
    change(({ charts }) => ({ charts: { ...charts, maxUploadSize: chart.length } }))
    t.equal(await push(chart), 201)
  },
  async 'charts.chartPostFormFieldName' (t) { await formField(t, 'chart', 'chartPostFormFieldName') },
  async 'charts.provPostFormFieldName' (t) { await formField(t, 'prov', 'provPostFormFieldName') },
  async 'charts.spool.maxBytes' (t) {
    const { change, push } = await lab(t)
    change(({ charts }) => ({ charts: { ...charts, spool: { maxBytes: 1 } } }))
    t.equal(await push(await chartOf('a', '1.0.0')), 503)
  },
  async 'charts.index.maxAge' (t) {
    const { change, ask, stub } = await lab(t)
    for (let i = 0; i < 2; i++) await ask(index)
    t.equal(stub.seen.length, 2)
    change(({ charts }) => ({ charts: { ...charts, index: { ...charts.index, maxAge: 3_600 } } }))
    for (let i = 0; i < 3; i++) await ask(index)
    t.equal(stub.seen.length, 2, 'what was read a moment ago is young')
    change(({ charts }) => ({ charts: { ...charts, index: { ...charts.index, maxAge: 0 } } }))
    await ask(index)
    t.equal(stub.seen.length, 3)
  },
  async 'charts.index.maxBytes' (t) {
    const { change, ask, meter } = await lab(t)
    t.equal((await ask(index)).status, 200)
    const used = (): unknown => meter.snapshot().rows.chartgate_index_memory_bytes?.[0]?.[1]
    t.ok(used())
    change(({ charts }) => ({ charts: { ...charts, index: { ...charts.index, maxBytes: 10 } } }))
    t.equal(used(), 0, 'it is forgotten at once')
    t.equal((await ask(index)).status, 502)
  },
  async 'limits.logins.perAccount' (t) {
    const settings = { current: { limits: { logins: { perAccount: 2, perAddress: 100, within: 300 } } } }
    const logins = openLogins(settings, { warn () {} })
    const guess = { origin: '192.0.2.1', account: 'alice', proof: 'guess', isPeer: true }
    const begun = await logins.begin(guess)
    if (begun.ok) await logins.settle(begun.ticket, 'wrong')
    for (let i = 0; i < 3; i++) t.same(await logins.admit(guess), { ok: true })
    settings.current = { limits: { logins: { ...settings.current.limits.logins, perAccount: 1 } } }
    t.match(await logins.begin(guess), { ok: true }, 'one in five seconds')
    t.match(await logins.admit(guess), { ok: false })
  },
  async 'limits.logins.perAddress' (t) {
    const { change, ask } = await lab(t)
    t.same([(await ask(index, wrong)).status, (await ask(index, wrong)).status], [401, 401])
    change(({ limits: { logins } }) => ({ limits: { logins: { ...logins, perAddress: 1 } } }))
    t.equal((await ask(index, wrong)).status, 429)
  },
  async 'limits.logins.within' (t) {
    const { change, ask } = await lab(t, ({ limits: { logins } }) => ({ limits: { logins: { ...logins, perAddress: 0 } } }))
    change(({ limits: { logins } }) => ({ limits: { logins: { ...logins, within: 7 } } }))
    const answer = await ask(index, wrong)
    t.match(answer.headers.get('retry-after'), /^[1-7]$/)
    t.equal(answer.status, 429)
  },
  async masterKey (t) {
    const { change, ask, masterKey } = await lab(t)
    const agent = { headers: { connection: 'keep-alive' } }
    const another = newMasterKey()
    t.same([(await ask(index, agent)).status, (await ask(index, { ...agent, key: another })).status], [200, 401])
    change(() => ({ masterKey: another }))
    t.same([(await ask(index, agent)).status, (await ask(index, { ...agent, key: another })).status], [401, 200], 'also on a connection on which it was known')
    change(() => ({ masterKey: '' }))
    t.same([(await ask(index, { key: masterKey })).status, (await ask(index, { key: another })).status], [401, 401])
  },
  async 'log.level' (t) {
    const { change, ask, log } = await lab(t)
    change(({ log }) => ({ log: { ...log, level: 'silent' } }))
    await ask(index, wrong)
    t.same(log(), [])
    change(({ log }) => ({ log: { ...log, level: 'warn' } }))
    await ask(index, wrong)
    t.match(await until(() => log()[0]), { level: 'warn', decision: 'refused' })
  },
  async 'log.reads' (t) {
    const { change, ask, log } = await lab(t)
    await ask(index)
    change(({ log }) => ({ log: { ...log, reads: true } }))
    await ask(index)
    t.match(await until(() => log()[0]), { route: 'index', decision: 'allowed' })
    t.equal(log().length, 1)
  },
  async 'audit.reads' (t) {
    const { change, ask, audited } = await lab(t)
    await ask(index)
    change(({ audit }) => ({ audit: { ...audit, reads: true } }))
    await ask(index)
    t.match(await until(() => audited()[0]), { action: 'pull' })
    t.equal(audited().length, 1)
  },
  async 'metrics.tenants' (t) {
    const { change, ask, meter } = await lab(t)
    const series = (): unknown => meter.snapshot().tenants
    await ask(index)
    const before = JSON.stringify(series())
    change(() => ({ metrics: { tenants: true } }))
    await ask(index)
    await until(() => JSON.stringify(series()) === before ? undefined : true)
    t.match(JSON.stringify(series()), 'org1/repo1')
  }
}

/** What says by its own test that it is read again. */
const ELSEWHERE: readonly ConfigKey[] = [
  'drain.delay', 'tokens.keys', 'tokens.issuers', 'allowDemoKey', 'accounts.files', 'identity.certificates', 'federation.providers', 'federation.rules', 'policy',
  'audit.file', 'audit.required', 'authz.trustedProxies', 'authz.push', 'listen.tls.minVersion', 'charts.allowOverwrite',
  'upstream.tls.ca', 'upstream.tls.cert', 'upstream.tls.key', 'upstream.tls.serverName',
  'oci.attachments.perChart', 'oci.attachments.maxBytes'
]

t.same(Object.keys(RELOAD_OF).filter(isLive).sort(), [...Object.keys(PROOFS), ...ELSEWHERE].sort(), 'each key has its proof')
for (const [key, proof] of Object.entries(PROOFS)) await t.test(`${key} takes effect at once`, proof)
