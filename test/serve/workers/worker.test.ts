// A worker and its primary in one process: what each opens, and what hinders them.
import { mkdir, readdir, writeFile, readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { stringify } from 'yaml'
import type { ToPrimary } from '../../../src/serve/workers/messages.ts'
import { openKeys } from '../../../src/live/live-keys.ts'
import { inForce } from '../../../src/live/hand-over.ts'
import { openCertificates } from '../../../src/live/live-certificates.ts'
import { openAuthority, type OpenedAuthority, type Reload } from '../../../src/live/reload.ts'
import { loadConfig } from '../../../src/config/load.ts'
import type { Config } from '../../../src/config/schema.ts'
import { NO_FEDERATION } from '../../../src/identity/federation/providers.ts'
import { CLOCK } from '../../../src/lib/clock.ts'
import { createLive } from '../../../src/lib/live.ts'
import { piecesOf } from '../../../src/lib/pieces.ts'
import { createRevocations } from '../../../src/tokens/revocations.ts'
import type { StartResult } from '../../../src/serve/started.ts'
import { start } from '../../../src/serve/server.ts'
import { startWorker } from '../../../src/serve/worker.ts'
import { listenOn, testConfig } from '../../helpers/app.ts'
import { fakeWorker, settled, type FakeWorker } from '../../helpers/channels.ts'
import { keyNamed } from '../../helpers/keys.ts'
import { chartOf } from '../../helpers/packages.ts'
import { layKeys } from '../../helpers/key-pool.ts'
import { freePorts, temporaryFolder, type TestLike } from '../../helpers/processes.ts'
import { newMasterKey, recordToken } from '../../helpers/secrets.ts'
import { startFaultyUpstream } from '../../helpers/faulty-upstream.ts'
import { OPEN, startEmbedded } from '../../repository/servers.ts'
import { startStubUpstream } from '../../helpers/stub-upstream.ts'
import { mintForeign } from '../../helpers/tokens.ts'
import { until } from '../../helpers/until.ts'
import { auditLinesOf } from '../../helpers/audit.ts'

/** A stateDir with keys. */
async function stateFolder (t: TestLike): Promise<string> {
  const dir = await temporaryFolder(t)
  await layKeys(dir)
  return dir
}

async function authorityOf (config: Config): Promise<OpenedAuthority> {
  const authority = await openAuthority(config)
  if (!authority.ok) throw new Error(authority.mistakes.join('\n'))
  return authority.opened
}

interface Worker extends FakeWorker {
  readonly started: Promise<StartResult>
  readonly log: string[]
  readonly said: ToPrimary[]
}

/** A worker in this process, which ends when its primary says so. */
function worker (pid = 1): Worker {
  const fake = fakeWorker(pid)
  const log: string[] = []
  const said: ToPrimary[] = []
  fake.process.receive(message => { said.push(message) })
  const started = startWorker({ channel: fake.own, logStream: { write: line => { log.push(line) } } })
  fake.own.receive(message => {
    if (message.kind !== 'stop') return
    void started.then(async result => { fake.end(result.ok && await result.stop() ? 0 : 1) })
  })
  return { ...fake, started, log, said }
}

interface Several {
  readonly started: StartResult
  readonly workers: Worker[]
  readonly said: string
  readonly log: string[]
}

/** A primary whose workers are in this process; each has a free port of its own. */
async function several (t: Test, config: Config, { onFork = () => {}, reload = async () => ({ ok: true, config }) }: { onFork?: () => void, reload?: Reload } = {}): Promise<Several> {
  const workers: Worker[] = []
  let said = ''
  const log: string[] = []
  const started = await start(config, {
    authority: await authorityOf(config),
    reload,
    announce: text => { said += text },
    logStream: { write: line => { log.push(line) } },
    fork () {
      onFork()
      const each = worker(workers.length)
      workers.push(each)
      t.teardown(async () => { // a process that is killed takes these with it
        const result = await each.started
        if (result.ok) await result.stop()
      })
      return each.process
    }
  })
  return { started, workers, said, log }
}

function addressOf (each: Worker | undefined): string {
  const found = each?.said.find(message => message.kind === 'listening')
  return `http://${found?.address}`
}

await t.test('workers tell their primary which further addresses follow the first', async t => {
  const { port } = await startEmbedded(t, await temporaryFolder(t), OPEN)
  const origin = `http://127.0.0.1:${port}`
  const other = await startFaultyUpstream(t, origin)
  const base = testConfig(await stateFolder(t), origin)
  const [adminPort] = await freePorts(1) as [number]
  const config: Config = { ...base, workers: 2, upstream: { ...base.upstream, auth: 'none', further: [other.origin] }, admin: { host: '127.0.0.1', port: adminPort } }
  const { started, workers: [first] } = await several(t, config)
  if (!started.ok) throw new Error(started.message)
  const verbose = async (): Promise<string> => await (await fetch(`http://127.0.0.1:${adminPort}/readyz?verbose`)).text()
  t.match(await verbose(), `upstream.urls: warning: ${other.origin}: is not read from: it has not shown yet`)
  let count = 0
  await until(async () => {
    const answer = await fetch(`${addressOf(first)}/api/org1/repo1/charts`, { method: 'POST', headers: { authorization: `Bearer ${config.masterKey}` }, body: await chartOf('web', `1.0.${count++}`) })
    t.equal(answer.status, 201)
    return first?.said.some(said => said.kind === 'followers' && said.states[0] === 'follows') === true ? true : undefined
  })
  await until(async () => (await verbose()).includes('upstream.urls: ok') ? true : undefined)
  t.equal(await started.stop(), true)
})

await t.test('workers share the repository and the keys, and drop what one of them changed', async t => {
  const base = testConfig(await stateFolder(t), undefined)
  const [adminPort] = await freePorts(1) as [number]
  const config: Config = {
    ...base,
    workers: 2,
    audit: { ...base.audit, file: join(base.stateDir, 'audit.log') },
    admin: { host: '127.0.0.1', port: adminPort },
    charts: { ...base.charts, index: { ...base.charts.index, maxAge: 3600 } },
    policy: [{ repositories: ['**'], subjects: ['user:nobody'], actions: ['pull'] }]
  }
  const probe = async (): Promise<unknown> => await (await fetch(`http://127.0.0.1:${adminPort}/readyz`)).json()
  const look = async (): Promise<string> => await (await fetch(`http://127.0.0.1:${adminPort}/readyz?verbose`)).text()
  let lookedAtFirst: Promise<string> | undefined
  let atFirst: Promise<unknown> | undefined
  let early: Promise<Response> | undefined
  const { started, workers, said, log } = await several(t, config, {
    onFork () {
      atFirst ??= probe()
      lookedAtFirst ??= look()
      early ??= fetch(`http://127.0.0.1:${adminPort}/metrics`)
    }
  })
  if (!started.ok) throw new Error(started.message)
  t.match(said, /^chartgate listens on 127\.0\.0\.1:[1-9]\d* as \S+, for probes on 127\.0\.0\.1:[1-9]\d*; no configuration file: defaults; its data lies in \S+\n$/)
  const [warning, ...listens] = log.map(line => JSON.parse(line) as { worker?: number }).reverse()
  t.match(warning, { level: 'warn', warning: /nobody/ })
  t.match(listens.sort((a, b) => Number(a.worker) - Number(b.worker)), [{ msg: 'a worker listens', worker: 0 }, { msg: 'a worker listens', worker: 1 }])
  t.same(workers.map(each => each.log), [[], []], 'the warning is said once')
  t.same([await atFirst, await probe()], [{ ready: false, reason: 'starting' }, { ready: true }])
  t.match(await lookedAtFirst, /^listeners and workers: failed: starting\n.*^configuration: ok\n.*^not ready\n$/ms)
  t.match(await look(), /^configuration: ok\n.*^ready\n$/ms)
  const headers = { authorization: `Bearer ${config.masterKey}` }
  const [a, b] = [addressOf(workers[0]), addressOf(workers[1])]
  const index = async (url: string): Promise<string> => await (await fetch(`${url}/org1/repo1/index.yaml`, { headers })).text()
  for (const url of [a, b]) t.notMatch(await index(url), 'mychart')
  t.equal((await fetch(`${a}/api/org1/repo1/charts`, { method: 'POST', headers, body: await chartOf('mychart', '1.0.0') })).status, 201)
  for (const url of [a, b]) t.match(await index(url), 'mychart-1.0.0.tgz')
  t.equal((await fetch(`${b}/api/org1/repo1/charts/mychart/1.0.0`, { method: 'DELETE', headers })).status, 200)
  for (const url of [a, b]) t.notMatch(await index(url), 'mychart')
  t.same((await readdir(join(config.stateDir, 'spool'))).sort(), ['worker-1', 'worker-2'])
  const metrics = await (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text()
  t.equal((await early)?.status, 200, 'also before anybody listens')
  t.match(metrics, 'chartgate_workers{state="listening"} 2')
  for (const each of workers) each.end(1)
  t.same(await probe(), { ready: false, reason: 'no worker listens' })
  t.equal(await started.stop(), true)
  t.same(auditLinesOf(await readFile(join(base.stateDir, 'audit.log'), 'utf8')).map(({ action }) => action), ['push', 'delete'])
})

await t.test('a delete that breaks off is an error to the client alone, and every worker asks anew', async t => {
  let versions = '1.0.0'
  let asked = 0
  const repository = createServer((request, response) => {
    if (request.method === 'DELETE') {
      versions = ''
      if (request.url?.endsWith('/2.0.0') === true) response.writeHead(200, { 'content-length': '100' }).write('{"del')
      setImmediate(() => { response.destroy() })
    } else {
      asked++
      response.end(`apiVersion: v1\nentries:${versions === '' ? ' {}' : `\n  a:\n  - name: a\n    urls:\n    - charts/a-${versions}.tgz`}\n`)
    }
  })
  await new Promise<void>(resolve => { repository.listen(0, '127.0.0.1', resolve) })
  t.teardown(() => { repository.close(); repository.closeAllConnections() })
  const base = testConfig(await stateFolder(t), `http://127.0.0.1:${(repository.address() as AddressInfo).port}`)
  const config = { ...base, workers: 2, charts: { ...base.charts, index: { ...base.charts.index, maxAge: 3600 } } }
  const { started, workers } = await several(t, config)
  if (!started.ok) throw new Error(started.message)
  const headers = { authorization: `Bearer ${config.masterKey}` }
  for (const version of ['1.0.0', '2.0.0']) {
    versions = version
    const index = async (each: Worker): Promise<string> => await (await fetch(`${addressOf(each)}/org1/for-${version}/index.yaml`, { headers })).text()
    for (const each of workers) t.match(await index(each), `a-${version}.tgz`)
    const before = asked
    for (const each of workers) await index(each)
    t.equal(asked, before, 'from memory')
    const deleted = await fetch(`${addressOf(workers[0])}/api/org1/for-${version}/charts/a/${version}`, { method: 'DELETE', headers })
    t.match([deleted.status, await deleted.json()], [502, { error: /./ }])
    for (const each of workers) t.notMatch(await index(each), 'a-')
  }
  t.equal(await started.stop(), true)
})

await t.test('a change is told to all, also where no index is kept: another worker may keep some already', async t => {
  const stub = await startStubUpstream(t)
  const config = { ...testConfig(await stateFolder(t), stub.origin), workers: 2 }
  const { started, workers } = await several(t, config)
  if (!started.ok) throw new Error(started.message)
  await fetch(`${addressOf(workers[0])}/api/org1/repo1/charts/mychart/1.0.0`, { method: 'DELETE', headers: { authorization: `Bearer ${config.masterKey}` } })
  const ready = ['hears', 'joined', 'all_told', 'listening']
  t.same(workers.map(({ said }) => said.map(({ kind }) => kind)), [[...ready, 'lock', 'unlock', 'changed'], [...ready, 'forgot']])
  started.logCutOff()
  t.equal(await started.stop(), false, 'they were cut off')
})

await t.test('a worker begins with accounts, rules, keys and certificates that are in force, and with what a restart alone changes as the primary runs', async t => {
  const stub = await startStubUpstream(t)
  const dir = await stateFolder(t)
  const file = join(dir, 'chartgate.yaml')
  const [masterKey, another] = [newMasterKey(), newMasterKey()]
  const written = (more: object): string => stringify({ listen: { port: 0 }, admin: { port: 0 }, workers: 2, stateDir: '.', masterKey, upstream: { url: stub.origin }, ...more })
  await writeFile(file, written({}))
  const loaded = await loadConfig(file, {})
  if (!loaded.ok) throw new Error(loaded.mistakes.join('\n'))
  const { config } = loaded
  const theirs = await keyNamed('theirs')
  await writeFile(join(dir, 'server.pem'), theirs.publicKey.export({ type: 'spki', format: 'pem' }))
  const { started, workers, log } = await several(t, config, { reload: async (reader, held) => await loadConfig(file, {}, reader, held) })
  if (!started.ok) throw new Error(started.message)
  const status = async (each: Worker | undefined, key?: string): Promise<number> => (await fetch(`${addressOf(each)}/org1/repo1/charts/a-1.0.0.tgz`, { headers: key === undefined ? {} : { authorization: `Bearer ${key}` } })).status
  t.same([await status(workers[0]), await status(workers[1])], [401, 401])
  await writeFile(file, written({ workers: 1, stateDir: '/nowhere', masterKey: another, policy: [{ repositories: ['**'], subjects: ['anonymous'], actions: ['pull'] }], tokens: { issuers: [{ name: 'cm', publicKey: 'server.pem' }] } }))
  await until(async () => await status(workers[0]) === 404 && await status(workers[1]) === 404 ? true : undefined)
  t.match(await until(() => log.map(line => JSON.parse(line) as { msg?: string }).find(({ msg = '' }) => msg.startsWith('restart to apply'))), { keys: ['workers', 'stateDir'] }, 'the primary looks too, and says this alone')
  t.same([await status(workers[0], masterKey), await status(workers[1], masterKey)], [401, 401], 'the old key counts nowhere')
  for (const name of ['chartgate.yaml', 'keys/token.pem', 'server.pem']) await writeFile(join(dir, name), 'broken')
  workers[0]?.end(1)
  const third = await until(() => workers[2]?.said.some(({ kind }) => kind === 'listening') === true ? workers[2] : undefined)
  t.same([await status(third), await status(third, another), await status(third, masterKey)], [404, 404, 401])
  const token = await mintForeign(theirs, { claims: { iat: CLOCK.wall(), exp: CLOCK.wall() + 60 } })
  t.equal(await status(third, token), 404, 'also the keys of others')
  const issued = await fetch(`${addressOf(third)}/oauth/token`, { headers: { authorization: `Bearer ${another}` } })
  t.equal(await status(workers[1], recordToken((await issued.json() as { access_token: string }).access_token)), 404, 'what it signs the others verify')
  const second = await workers[1]?.started
  if (second?.ok === true) {
    second.logCutOff() // nothing runs
    second.reread() // its primary says it
    t.equal(second.delay?.(), 0)
  }
  t.same(workers[1]?.log.filter(line => line.includes('cut off')), [])
  t.equal(await started.stop(), true)
})

await t.test('a worker answers its primary, says what stands still in it and when it goes by what was read, of which it says nothing', async t => {
  const stub = await startStubUpstream(t)
  const config = { ...testConfig(await stateFolder(t), stub.origin), workers: 2 }
  const { started, workers, log } = await several(t, config)
  if (!started.ok) throw new Error(started.message)
  const [first] = workers as [Worker, Worker]
  first.process.send({ kind: 'ping' })
  await settled()
  t.same(first.said.at(-2), { kind: 'pong' })
  t.match(first.said.at(-1), { kind: 'counted', snapshot: { rows: { chartgate_spool_max_bytes: [[0, config.charts.spool.maxBytes / 2]] } } }, 'and with what it has counted')
  started.reread()
  await until(() => workers.every(({ said }) => said.some(({ kind }) => kind === 'up_to_date')) || undefined)
  t.equal(log.filter(line => line.includes('every file was read again, as was asked')).length, 1)
  t.same(workers.map(each => each.log), [[], []])
  t.equal(await started.stop(), true)
})

/** A worker that is told to begin, and what hindered it. */
async function hindered (t: Test, config: Config): Promise<unknown> {
  const each = worker()
  const keys = await openKeys({ ...config, stateDir: await stateFolder(t) })
  if (!keys.ok) throw new Error(keys.mistakes.join('\n'))
  each.process.send({ kind: 'begin', setup: { number: 1, loginKey: 'a key of this test', audit: { toPrimary: false, required: false } } })
  const goneBy = { settings: createLive(config), authority: await authorityOf(config), keys: keys.opened, tls: { parts: [] }, certificates: openCertificates(config), federation: { live: createLive(NO_FEDERATION) }, revocations: { held: createRevocations(CLOCK) } }
  const whole = inForce(goneBy)
  const { keys: changed } = whole // it comes before anything is open
  for (const data of [{ ...whole }, { keys: changed }]) for (const piece of piecesOf(data)) each.process.send({ kind: 'in_force', piece })
  each.process.send({ kind: 'all_told' })
  await settled()
  const result = await each.started
  t.equal(each.said.some(({ kind }) => kind === 'listening'), false)
  return result
}

await t.test('what hinders a worker is one clear sentence', async t => {
  const dir = await temporaryFolder(t)
  const config = (name: string): Config => ({ ...testConfig(join(dir, name), 'http://127.0.0.1:9'), workers: 2 })
  for (const name of ['file', 'good']) await mkdir(join(dir, name))
  await writeFile(join(dir, 'file', 'spool'), '')
  t.match(await hindered(t, config('file')), { ok: false, message: /^stateDir \S+file cannot be used, there is a file where a folder must be/ })
  t.match(await hindered(t, { ...config('good'), listen: listenOn(5001, '203.0.113.1') }), { ok: false, message: /^listen\.host 203\.0\.113\.1 is not an address of this machine/ })
})

await t.test('what hinders a worker hinders the start, and everything is let go of', async t => {
  const config = { ...testConfig(await stateFolder(t), undefined), workers: 2 }
  const authority = await authorityOf(config)
  const fork = (): FakeWorker['process'] => {
    const each = fakeWorker(1)
    each.own.send({ kind: 'failed', message: 'there is a reason' })
    void settled().then(() => { each.end(1) })
    return each.process
  }
  for (let i = 0; i < 2; i++) t.match(await start(config, { authority, reload: async () => ({ ok: true, config }), announce: () => {}, logStream: { write: () => {} }, fork }), { ok: false, message: 'there is a reason' })
  t.same(await readdir(join(config.stateDir, 'run')), [])
})
