import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import type { Config } from '../../src/config/schema.ts'
import { openAuthority } from '../../src/live/reload.ts'
import type { ServeOptions, StartResult } from '../../src/serve/started.ts'
import { askReload } from '../../src/serve/control.ts'
import { start as startServer } from '../../src/serve/server.ts'
import { controlSocket } from '../../src/serve/state-dir.ts'
import { VERSION } from '../../src/lib/version.ts'
import { seedDemoChart } from '../../src/serve/demo.ts'
import { listenOn, testConfig } from '../helpers/app.ts'
import { auditLinesOf } from '../helpers/audit.ts'
import { chartOf } from '../helpers/packages.ts'
import { startFaultyUpstream } from '../helpers/faulty-upstream.ts'
import { OPEN, startEmbedded } from '../repository/servers.ts'
import { startStubUpstream } from '../helpers/stub-upstream.ts'
import packageJson from '../../package.json' with { type: 'json' }
import { GITHUB } from '../helpers/federation.ts'
import { testFolder } from '../helpers/folder.ts'
import { layKeys } from '../helpers/key-pool.ts'
import { until } from '../helpers/until.ts'
import { ROOT, freePorts } from '../helpers/processes.ts'
import { Authority } from '../helpers/certificates.ts'
import { tlsClient } from '../helpers/tls-client.ts'

const QUIET: Config['log'] = { level: 'silent', reads: false }
const CHART = join(ROOT, 'examples/mychart')

/** A stateDir with keys, at a path that is short enough for a socket below it. */
async function shortFolder (t: { teardown (fn: () => unknown): unknown }): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'chartgate-'))
  t.teardown(async () => { await rm(dir, { recursive: true, force: true }) })
  await layKeys(dir)
  return dir
}

/** A start with the accounts and rules of the configuration. */
async function start (config: Config, more: Partial<ServeOptions>): Promise<StartResult> {
  const authority = await openAuthority(config)
  if (!authority.ok) throw new Error(authority.mistakes.join('\n'))
  return await startServer(config, { authority: authority.opened, reload: async () => ({ ok: true, config }), logStream: { write () {} }, ...more })
}

/** Takes the lines of the log, and leaves those of the audit log between them. */
function logOnly (log: unknown[]): { write (line: string): void } {
  return {
    write (line) {
      const read = JSON.parse(line) as { readonly category?: string }
      if (read.category !== 'audit') log.push(read)
    }
  }
}

async function pause (): Promise<void> {
  await new Promise(resolve => { setTimeout(resolve, 5) })
}

await t.test('a server with the embedded repository starts, says where it is, stores a chart and stops', async t => {
  const stateDir = await shortFolder(t)
  const [port, adminPort] = await freePorts(2) as [number, number]
  const config = { ...testConfig(stateDir, undefined), listen: listenOn(port), admin: { host: '127.0.0.1', port: adminPort }, publicUrl: `http://localhost:${port}`, log: QUIET }
  const said: string[] = []
  const started = await start(config, { demoChart: CHART, announce: text => { said.push(text) } })
  if (!started.ok) throw new Error(started.message)
  t.match(said.join(''), `curl -i -w '\\n' http://localhost:${port}/org1/repo1/index.yaml`)
  t.match(said.join(''), 'only this machine can ask')
  const headers = { authorization: `Bearer ${config.masterKey}` }
  const url = `http://127.0.0.1:${port}`
  t.match(await (await fetch(`${url}/org1/repo1/index.yaml`, { headers })).text(), 'mychart-0.1.0.tgz')
  const chart = await chartOf('other', '1.0.0')
  t.equal((await fetch(`${url}/api/org1/repo1/charts`, { method: 'POST', headers, body: chart })).status, 201)
  t.equal(Buffer.compare(Buffer.from(await (await fetch(`${url}/org1/repo1/charts/other-1.0.0.tgz`, { headers })).arrayBuffer()), chart), 0)
  t.equal((await fetch(`http://127.0.0.1:${adminPort}/readyz`)).status, 200)

  const second = await start({ ...config, listen: listenOn(0), admin: { host: '127.0.0.1', port: 0 } }, { announce: () => {} })
  t.match(second, { ok: false, message: /is in use by another chartgate/ })
  await started.stop()
  await t.rejects(fetch(url), 'it is gone')

  const again = await start(config, { demoChart: CHART, announce: () => {} })
  t.equal(again.ok, true, 'and starts again')
  if (again.ok) await again.stop()
})

await t.test('what the embedded repository fails at is in the log, once, with the cause', async t => {
  const stateDir = await shortFolder(t)
  const [port, adminPort] = await freePorts(2) as [number, number]
  const log: { event?: string, decision?: string, reqId?: string, id?: string }[] = []
  const config = { ...testConfig(stateDir, undefined), listen: listenOn(port), admin: { host: '127.0.0.1', port: adminPort }, log: { level: 'info' as const, reads: false } }
  const started = await start(config, { announce: () => {}, logStream: logOnly(log) })
  if (!started.ok) throw new Error(started.message)
  await mkdir(join(stateDir, 'charts/org1/repo1/other-1.0.0.tgz'), { recursive: true }) // where the chart would lie
  const push = async (tenant: string, query = ''): Promise<number> => (await fetch(`http://127.0.0.1:${port}/api/${tenant}/charts${query}`, { method: 'POST', headers: { authorization: `Bearer ${config.masterKey}` }, body: await chartOf('other', '1.0.0') })).status
  t.strictSame([await push('org1/repo1', '?force'), await push('org2/repo2'), await push('org2/repo2')], [502, 201, 409])
  await started.stop()
  const [failed, refused, saved, exists, ...more] = log
  t.match(failed, { level: 'error', event: 'failed', method: 'POST', path: '/api/org1/repo1/charts', status: 500, error: { code: 'EISDIR', message: /EISDIR/ } })
  t.match(refused, { level: 'warn', decision: 'refused', reason: 'upstream_bad_answer', status: 502 })
  t.equal(failed?.id, refused?.reqId, 'one id has both')
  t.match([saved, exists], [{ decision: 'allowed', status: 201 }, { decision: 'refused', status: 409 }])
  t.match(more, [{ msg: /^shutting down/ }], 'and what it merely stores or refuses is not said twice')
  t.equal(more.length, 1)
})

await t.test('a server with a file for the audit log writes it there, opens it again when asked, and says what hinders that', async t => {
  const stateDir = await shortFolder(t)
  const file = join(stateDir, 'audit.log')
  const [port, adminPort] = await freePorts(2) as [number, number]
  const config = { ...testConfig(stateDir, undefined), listen: listenOn(port), admin: { host: '127.0.0.1', port: adminPort }, log: QUIET, audit: { file, reads: false, required: true } }
  const missing = await start({ ...config, audit: { ...config.audit, file: join(stateDir, 'missing/audit.log') } }, { announce: () => {} })
  t.match(missing, { ok: false, message: /audit\.file .* its folder is missing/ })
  const started = await start(config, { announce: () => {} })
  if (!started.ok) throw new Error(started.message)
  const push = async (version: string): Promise<number> => (await fetch(`http://127.0.0.1:${port}/api/org1/repo1/charts`, { method: 'POST', headers: { authorization: `Bearer ${config.masterKey}` }, body: await chartOf('other', version) })).status
  t.equal(await push('1.0.0'), 201)
  await rename(file, `${file}.1`)
  started.reread()
  await until(async () => await stat(file).then(() => true, () => undefined))
  t.match(await askReload(controlSocket(stateDir) as string), { ok: true, reread: { mistakes: [], silent: [] } })
  t.equal(await push('2.0.0'), 201)
  await fetch(`http://127.0.0.1:${port}/org1/repo1/index.yaml`)
  t.match(await (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text(), 'chartgate_lines_lost_total{stream="audit"} 0')
  await started.stop()
  const phases = async (name: string): Promise<string[]> => auditLinesOf(await readFile(name, 'utf8')).map(({ action, phase }) => `${action} ${phase}`)
  t.same((await phases(`${file}.1`)).slice(0, 2), ['push intent', 'push outcome'])
  t.same((await phases(file)).filter(each => !each.startsWith('configuration')), ['push intent', 'push outcome', 'pull outcome'])
})

await t.test('a server in front of an upstream says so in one line, whatever the upstream wants', async t => {
  const stub = await startStubUpstream(t)
  for (const auth of ['none', 'basic', 'bearer'] as const) {
    const base = testConfig(await shortFolder(t), stub.origin)
    const said: string[] = []
    const started = await start({ ...base, upstream: { ...base.upstream, auth }, log: QUIET }, { announce: text => { said.push(text) } })
    t.equal(started.ok, true)
    t.same([base.listen, base.admin].map(each => Object.keys(each)), [['host', 'port', 'maxConnections', 'maxConnectionsPerAddress'], ['host', 'port']], 'the configuration stays as it is, because later ones are compared with it')
    t.match(said.join(''), /^chartgate listens on 127\.0\.0\.1:[1-9]\d* as http:\/\/charts\.example\.test, for probes on 127\.0\.0\.1:[1-9]\d*; no configuration file: defaults; its data lies in \S+\n$/)
    if (started.ok) await started.stop()
  }
})

await t.test('a server fetches the keys of token servers while it runs, and warns of rules', async t => {
  const stub = await startStubUpstream(t)
  stub.answer = () => ({ body: '{"keys":[]}' })
  const base = testConfig(await shortFolder(t), stub.origin)
  const config = { ...base, log: QUIET, tokens: { ...base.tokens, issuers: [{ name: 'corp', jwksUrl: `${stub.origin}/keys` }] }, policy: [{ repositories: ['a/b'], subjects: ['user:nobody'], actions: ['pull' as const] }] }
  const started = await start(config, { announce: () => {} })
  if (!started.ok) throw new Error(started.message)
  await until(() => stub.seen.some(({ target }) => target === '/keys') ? true : undefined)
  await started.stop()
})

const OBJECT_NOT_FOUND = { status: 404, headers: { 'content-type': 'application/json; charset=utf-8' }, body: '{"error":"object not found"}' }

await t.test('an upstream that does not answer as it should is an error when that begins, and when it is over', async t => {
  const stub = await startStubUpstream(t)
  const log: { level: string, msg: string }[] = []
  const logStream = logOnly(log)
  const [port, adminPort] = await freePorts(2) as [number, number]
  const config = { ...testConfig(await shortFolder(t), stub.origin), listen: listenOn(port), admin: { host: '127.0.0.1', port: adminPort }, log: { level: 'error' as const, reads: false } }
  stub.answer = () => ({ status: 401 })
  const started = await start(config, { announce: () => {}, logStream })
  await until(() => log.length > 0 ? true : undefined)
  t.match(log, [{ level: 'error', upstream: stub.origin, msg: /^the chart repository does not accept the gateway/ }])
  stub.answer = () => OBJECT_NOT_FOUND
  await until(() => log.length > 1 ? true : undefined)
  t.match(log[1], { level: 'error', upstream: stub.origin, seconds: Number, msg: /^the chart repository answers again, after \d+ s$/ })
  stub.answer = () => ({ status: 503 })
  await until(async () => {
    const { status } = await fetch(`http://127.0.0.1:${port}/org1/repo1/charts/a-1.0.0.tgz`, { headers: { authorization: `Bearer ${config.masterKey}` } })
    t.equal(status, 503)
    return log.length > 2 ? true : undefined
  })
  t.match(log[2], { level: 'error', msg: /^the chart repository answers 503/ }, 'a request that failed has it looked at')
  if (started.ok) await started.stop()
  t.equal(log.length, 3)
})

await t.test('with several addresses it is ready while reads are answered, and says which address is away', async t => {
  const { port: museumPort } = await startEmbedded(t, await shortFolder(t), OPEN)
  const [first, other] = [await startFaultyUpstream(t, `http://127.0.0.1:${museumPort}`), await startFaultyUpstream(t, `http://127.0.0.1:${museumPort}`)]
  const log: { level: string, upstream?: string, msg: string }[] = []
  const [port, adminPort] = await freePorts(2) as [number, number]
  const base = testConfig(await shortFolder(t), first.origin)
  const config = { ...base, upstream: { ...base.upstream, auth: 'none' as const, further: [other.origin] }, listen: listenOn(port), admin: { host: '127.0.0.1', port: adminPort } }
  const started = await start(config, { announce: () => {}, logStream: logOnly(log) })
  if (!started.ok) throw new Error(started.message)
  t.teardown(started.stop)
  const headers = { authorization: `Bearer ${config.masterKey}` }
  const probe = async (query = ''): Promise<{ status: number, text: string }> => {
    const answer = await fetch(`http://127.0.0.1:${adminPort}/readyz${query}`)
    return { status: answer.status, text: await answer.text() }
  }
  t.match(await probe('?verbose'), { status: 200, text: `\nupstream.urls: warning: ${other.origin}: is not read from: it has not shown yet` })
  let version = 0
  await until(async () => {
    const { status } = await fetch(`http://127.0.0.1:${port}/api/org1/repo1/charts`, { method: 'POST', headers, body: await chartOf('web', `1.0.${version++}`) })
    if (status !== 201) throw new Error(`a push is answered ${status}`)
    return log.some(({ msg }) => msg.startsWith('this address has shown')) ? true : undefined
  })
  t.match(await probe('?verbose'), { status: 200, text: '\nupstream.urls: ok\nready\n' })
  t.match(await (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text(), /\nchartgate_upstream_further_up\{address="2"\} 1\n[^]*\nchartgate_upstream_followers\{address="2",state="follows"\} 1\n/)
  await first.leave()
  t.match(await probe(), { status: 200, text: '{"ready":true}' })
  t.match(await probe('?verbose'), { status: 200, text: `\nupstream.urls: warning: ${first.origin}: the chart repository cannot be reached, and so every change is refused\n` })
  t.equal((await fetch(`http://127.0.0.1:${port}/org1/repo1/index.yaml`, { headers })).status, 200)
  await other.leave()
  t.match(await probe(), { status: 503, text: /cannot be reached/ })
  t.equal((await fetch(`http://127.0.0.1:${port}/org1/repo1/index.yaml`, { headers })).status, 502)
})

await t.test('that a further address is away is an error in the log of which clients notice nothing', async t => {
  const stub = await startStubUpstream(t)
  stub.answer = () => OBJECT_NOT_FOUND
  const log: { level: string, upstream: string, msg: string }[] = []
  const base = testConfig(await shortFolder(t), stub.origin)
  const started = await start({ ...base, upstream: { ...base.upstream, further: ['http://127.0.0.1:1'] }, log: { level: 'error', reads: false } }, { announce: () => {}, logStream: logOnly(log) })
  if (!started.ok) throw new Error(started.message)
  await until(() => log.length > 0 ? true : undefined)
  await started.stop()
  t.match(log, [{ level: 'error', upstream: 'http://127.0.0.1:1', msg: 'a further address: the chart repository cannot be reached (ECONNREFUSED); no client notices while the first answers: chartgate check --upstream' }])
})

await t.test('a look at the upstream that runs when the start is over says nothing', async t => {
  const stub = await startStubUpstream(t)
  const log: unknown[] = []
  stub.answer = async () => await new Promise<never>(() => {})
  const config = { ...testConfig(await shortFolder(t), stub.origin), log: { level: 'warn' as const, reads: false } }
  const hanging = await start(config, { announce: () => {}, logStream: { write: line => { log.push(line) } } })
  if (hanging.ok) await hanging.stop()
  t.strictSame(log, [])
})

await t.test('where nobody sits at a terminal the log says that it listens, and nothing else is written', async t => {
  const lines: string[] = []
  const config = testConfig(await shortFolder(t), undefined)
  const started = await start({ ...config, file: '/etc/chartgate/chartgate.yaml' }, { logStream: { write: line => { lines.push(line) } }, demoChart: CHART })
  if (!started.ok) throw new Error(started.message)
  t.match(lines.map(line => JSON.parse(line) as object), [{ level: 'info', time: /^\d{4}-.*Z$/, address: /^127\.0\.0\.1:\d+$/, probes: /^127\.0\.0\.1:\d+$/, publicUrl: config.publicUrl, stateDir: config.stateDir, msg: 'chartgate listens; configuration file /etc/chartgate/chartgate.yaml' }])
  t.equal(lines.length, 1)
  await started.stop()
})

await t.test('the log says when a drain begins, and what it did not wait for', async t => {
  const stub = await startStubUpstream(t)
  let answer = (): void => {}
  const log: { msg: string }[] = []
  const [port, adminPort] = await freePorts(2) as [number, number]
  const config = { ...testConfig(await shortFolder(t), stub.origin), listen: listenOn(port), admin: { host: '127.0.0.1', port: adminPort } }
  stub.answer = () => OBJECT_NOT_FOUND
  const started = await start(config, { announce: () => {}, logStream: logOnly(log) })
  if (!started.ok) throw new Error(started.message)
  const wanted = ({ target }: { target: string }): boolean => target.endsWith('a-1.0.0.tgz')
  stub.answer = async seen => wanted(seen) ? await new Promise(resolve => { answer = () => { resolve({ status: 404 }) } }) : OBJECT_NOT_FOUND
  const running = fetch(`http://127.0.0.1:${config.listen.port}/org1/repo1/charts/a-1.0.0.tgz`, { headers: { authorization: `Bearer ${config.masterKey}` } })
  while (!stub.seen.some(wanted)) await pause()
  const stopped = started.stop()
  while (log.length === 0) await pause()
  t.match(await (await fetch(`http://127.0.0.1:${adminPort}/readyz`)).json(), { ready: false, reason: 'shutting down' })
  started.logCutOff()
  t.match(log, [
    { level: 'info', running: 1, msg: 'shutting down: no new connections, and running requests get 30 s' },
    { level: 'warn', route: 'chart-file', tenant: 'org1/repo1', subject: 'key:master', decision: 'cut_off', msg: 'cut off: it still ran 30 s after the signal to stop' }
  ])
  answer()
  const { status, headers } = await running
  t.same([status, headers.get('connection')], [404, 'close'], 'and what runs is let end, and its connection with it')
  await stopped
  started.logCutOff()
  t.equal(log.filter(({ msg }) => msg.startsWith('cut off')).length, 1)
})

await t.test('for drain.delay clients are served as before, each answer closes its connection, and /readyz says that it ends', async t => {
  const stub = await startStubUpstream(t)
  let answer = (): void => {}
  const log: { msg: string }[] = []
  const [port, adminPort] = await freePorts(2) as [number, number]
  const config = { ...testConfig(await shortFolder(t), stub.origin), listen: listenOn(port), admin: { host: '127.0.0.1', port: adminPort }, drain: { delay: 1 } }
  stub.answer = async ({ target }) => target.endsWith('a-1.0.0.tgz') ? await new Promise(resolve => { answer = () => { resolve({ status: 404 }) } }) : OBJECT_NOT_FOUND
  const started = await start(config, { announce: () => {}, logStream: logOnly(log) })
  if (!started.ok) throw new Error(started.message)
  t.equal(started.delay?.(), 1000)
  const get = async (path: string): Promise<Response> => await fetch(`http://127.0.0.1:${port}${path}`, { headers: { authorization: `Bearer ${config.masterKey}` } })
  t.equal((await get('/health')).headers.get('connection'), 'keep-alive')
  const running = get('/org1/repo1/charts/a-1.0.0.tgz')
  while (!stub.seen.some(({ target }) => target.endsWith('a-1.0.0.tgz'))) await pause()
  const stopped = started.stop()
  t.match(await (await fetch(`http://127.0.0.1:${adminPort}/readyz`)).json(), { ready: false, reason: 'shutting down' })
  const served = await get('/health')
  t.same([served.status, served.headers.get('connection')], [200, 'close'])
  answer()
  t.equal((await running).headers.get('connection'), 'close', 'also of what ran when it began')
  t.equal(await stopped, true)
  await t.rejects(get('/health'))
  t.match(log.filter(({ msg }) => msg.startsWith('shutting')), [
    { level: 'info', running: 1, msg: 'shutting down in 1 s: clients are served until then, and every answer closes its connection' },
    { level: 'info', running: 0, msg: 'shutting down: no new connections, and running requests get 30 s' }
  ])
})

await t.test('one stateDir belongs to one running server, whatever it stands in front of: the second one touches nothing', async t => {
  const stateDir = await shortFolder(t)
  for (const [origin, other] of [['http://127.0.0.1:9', undefined], [undefined, 'http://127.0.0.1:9'], ['http://127.0.0.1:9', 'http://127.0.0.1:9']]) {
    const first = await start({ ...testConfig(stateDir, origin), log: QUIET }, { announce: () => {} })
    if (!first.ok) throw new Error(first.message)
    await writeFile(join(stateDir, 'spool', 'upload'), 'that is being inspected')
    const second = await start({ ...testConfig(stateDir, other), log: QUIET }, { announce: () => {} })
    t.same(second, { ok: false, message: `stateDir ${stateDir} is in use by another chartgate that runs: stop it, or choose another stateDir` })
    t.same(await readdir(join(stateDir, 'spool')), ['upload'])
    await first.stop()
    t.notOk((await readdir(join(stateDir, 'run'))).includes('lock'), 'and lets go of it')
  }
})

await t.test('the embedded repository can be asked without a token too', async t => {
  const base = testConfig(await shortFolder(t), undefined)
  const started = await start({ ...base, upstream: { ...base.upstream, auth: 'none' }, log: QUIET }, { announce: () => {} })
  t.equal(started.ok, true)
  if (started.ok) await started.stop()
})

await t.test('what hinders a start is one clear sentence', async t => {
  const stateDir = await shortFolder(t)
  await writeFile(join(stateDir, 'file'), '')
  await mkdir(join(stateDir, 'bad', 'keys'), { recursive: true })
  await writeFile(join(stateDir, 'bad', 'keys', 'token.pem'), 'x')
  const taken = createServer()
  await new Promise<void>(resolve => { taken.listen(0, '127.0.0.1', resolve) })
  t.teardown(() => { taken.close() })
  const { port } = taken.address() as AddressInfo
  const config = testConfig(stateDir, 'http://127.0.0.1:9')
  const embedded = testConfig(join(stateDir, 'x'), undefined)
  const local = { host: '127.0.0.1', port }
  await mkdir(join(stateDir, 'blocked', 'charts'), { recursive: true })
  await writeFile(join(stateDir, 'blocked', 'run'), '')
  await mkdir(join(stateDir, 'odd', 'run', 'repo'), { recursive: true })
  await mkdir(join(stateDir, 'locked', 'run', 'lock'), { recursive: true })
  await mkdir(join(stateDir, 'flat'))
  await writeFile(join(stateDir, 'flat', 'charts'), '')
  const cases: [string, typeof config, RegExp][] = [
    ['a port in use', { ...config, listen: listenOn(port) }, new RegExp(`^listen\\.port ${port} is in use by another program`)],
    ['an admin port in use', { ...config, admin: local }, new RegExp(`^admin\\.port ${port} is in use`)],
    ['both, of which the one for probes is tried first: clients never reach what then goes away', { ...config, listen: listenOn(port), admin: local }, /^admin\.port /],
    ['a stateDir that is a file', { ...config, stateDir: join(stateDir, 'file') }, /^stateDir \S+file cannot be used, there is a file where a folder must be: EEXIST/],
    ['a stateDir below a file', { ...config, stateDir: join(stateDir, 'file', 'x') }, /^stateDir \S+file\/x cannot be used, there is a file where a folder must be: ENOTDIR/],
    ['a key that is none', { ...config, stateDir: join(stateDir, 'bad') }, /token\.pem/],
    ['a folder where the lock must be', { ...config, stateDir: join(stateDir, 'locked') }, /^stateDir \S+locked cannot be written: .*lock/],
    ['a long stateDir', { ...config, stateDir: join(stateDir, 'x'.repeat(120)) }, /too long for a Unix socket/],
    ['a folder where the socket must be', { ...embedded, stateDir: join(stateDir, 'odd') }, /^stateDir \S+odd cannot be written: .*repo/],
    ['charts that are a file', { ...embedded, stateDir: join(stateDir, 'flat') }, /charts/],
    ['a file where a folder must be', { ...embedded, stateDir: join(stateDir, 'blocked') }, /blocked/],
    ['an address that is not ours', { ...config, listen: listenOn(5001, '203.0.113.1') }, /^listen\.host 203\.0\.113\.1 is not an address of this machine/]
  ]
  for (const [name, each, expected] of cases) t.match(await start({ ...each, log: QUIET }, { announce: () => {} }), { ok: false, message: expected }, name)
})

await t.test('the demo chart is put there once', async t => {
  const dir = testFolder(t)
  await seedDemoChart(CHART, dir)
  t.same(await readdir(join(dir, 'org1/repo1')), ['mychart-0.1.0.tgz'])
  await seedDemoChart('/nowhere', dir)
})

await t.test('the version is that of the package', t => {
  t.equal(VERSION, packageJson.version)
  t.end()
})

await t.test('both listeners speak TLS where that is configured, and a certificate that cannot be used hinders a start', async t => {
  const dir = await shortFolder(t)
  const authority = Authority.make(join(dir, 'ca'))
  const { cert, key } = authority.issue()
  const said: string[] = []
  const config = { ...testConfig(join(dir, 'state'), undefined), log: QUIET }
  const started = await start({ ...config, listen: { ...config.listen, tls: { cert, key, minVersion: '1.2' } }, admin: { ...config.admin, tls: { cert, key } } }, { announce: text => { said.push(text) } })
  if (!started.ok) throw new Error(started.message)
  const [, address, probes] = /listens on (\S+) as \S+, for probes on (\S+);/.exec(said.join()) ?? []
  const client = tlsClient(t, { ca: authority.certText })
  t.match([await client.ask(`https://${address}/health`), await client.ask(`https://${probes}/healthz`)], [{ status: 200, peer: 'localhost' }, { status: 200, peer: 'localhost' }])
  const metrics = await client.ask(`https://${probes}/metrics`)
  t.match(metrics.body, /^chartgate_certificate_expiry_timestamp_seconds\{certificate="admin"\} \d{10}$/m)
  await started.stop()
  const federation = { providers: [{ ...GITHUB, jwksFile: '/nowhere/keys.json' }], rules: [] }
  t.match(await start({ ...config, federation }, { announce: () => {} }), { ok: false, message: 'federation.providers[0]: /nowhere/keys.json cannot be read (ENOENT)' })
  await mkdir(join(dir, 'state/revoked'))
  t.match(await start(config, { announce: () => {} }), { ok: false, message: `${join(dir, 'state/revoked')}: the file cannot be read (EISDIR)` })
  await rm(join(dir, 'state/revoked'), { recursive: true })
  await mkdir(join(dir, 'state/exchanged'))
  for (const workers of [1, 2]) t.match(await start({ ...config, workers }, { announce: () => {} }), { ok: false, message: `${join(dir, 'state/exchanged')}: the file cannot be read (EISDIR)` })
  t.match(await start({ ...config, listen: { ...config.listen, tls: { cert, key: cert, minVersion: '1.2' } } }, { announce: () => {} }), { ok: false, message: `listen.tls: ${cert} is not an unencrypted private key in PEM` })
})
