// Several workers in real processes, as a user starts them: which of them answers, what
// becomes of one that dies, and what is left when all is over.
import { readdir, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { stringify } from 'yaml'
import { digestOf, makeSecret } from '../../../src/identity/sources/robot-secret.ts'
import { runChartgate } from '../../helpers/gateway.ts'
import { chartOf } from '../../helpers/packages.ts'
import { temporaryFolder } from '../../helpers/processes.ts'
import { allGone, ask, halfAnUpload, INDEX, lives, startSeveral } from '../../helpers/several.ts'
import { untilTrue } from '../../helpers/until.ts'

await t.test('two workers answer: what one is told all of them know, and one that is killed is replaced', async t => {
  const accounts = join(await temporaryFolder(t), 'accounts.yaml')
  const secret = makeSecret()
  const withRobots = async (...names: string[]): Promise<void> => { await writeFile(accounts, stringify({ robots: names.map(name => ({ name, secrets: [{ hash: `sha256:${digestOf(secret)}` }] })) })) }
  await withRobots('ci')
  const gateway = await startSeveral(t, {
    charts: { index: { maxAge: '1h' } },
    accounts: { files: [accounts] },
    policy: [{ repositories: ['**'], subjects: ['robot:ci'], actions: ['pull'] }]
  })
  const answered = (from = 0): Set<unknown> => new Set(gateway.log().slice(from).filter(({ route }) => route === 'index').map(({ pid }) => pid))
  const first = gateway.workers()
  await untilTrue(async () => {
    await ask(gateway, INDEX)
    return answered().size === 2
  })
  t.same([...answered()].sort(), [...first].sort(), 'both, and not the process that started them')
  t.equal(gateway.stdout().match(/chartgate listens/g)?.length, 1)

  for (let i = 1; i <= 8; i++) {
    const version = `0.0.${i}`
    const pushed = await ask(gateway, '/api/org1/repo1/charts', { method: 'POST', body: await chartOf('mychart', version) })
    t.equal(pushed.status, 201)
    const read = await Promise.all(Array.from({ length: 6 }, async () => await ask(gateway, INDEX)))
    t.ok(read.every(({ body }) => body.includes(`mychart-${version}.tgz`)), `${version} is in every index after its 201`)
  }
  t.equal((await ask(gateway, '/api/org1/repo1/charts/mychart/0.0.1', { method: 'DELETE' })).status, 200)
  for (let i = 0; i < 6; i++) t.notMatch((await ask(gateway, INDEX)).body, 'mychart-0.0.1.tgz')

  t.equal((await ask(gateway, INDEX, { key: secret })).status, 200)
  await withRobots()
  const refused = (): Set<unknown> => new Set(gateway.log().filter(({ route, status }) => route === 'index' && status === 401).map(({ pid }) => pid))
  await untilTrue(async () => {
    await ask(gateway, INDEX, { key: secret })
    return refused().size === 2
  })
  for (let i = 0; i < 6; i++) t.equal((await ask(gateway, INDEX, { key: secret })).status, 401, 'a revoked account is refused by all')

  let failed = 0
  const going = { on: true }
  const CLIENTS = 3
  const clients = Array.from({ length: CLIENTS }, async () => {
    while (going.on) {
      const { status } = await ask(gateway, INDEX).catch(() => ({ status: 0 }))
      if (status !== 200) failed++
    }
  })
  const [victim] = gateway.workers() as [number]
  process.kill(victim, 'SIGKILL')
  await untilTrue(() => gateway.workers().length === 2 && !gateway.workers().includes(victim))
  const replacement = gateway.workers().find(pid => !first.includes(pid))
  const from = gateway.log().length
  await untilTrue(() => answered(from).has(replacement))
  going.on = false
  await Promise.all(clients)
  t.ok(failed <= CLIENTS, 'no client lost more than the request that the dead worker had', { failed })
  t.match(gateway.log().find(({ msg }) => String(msg).startsWith('a worker ended')), { level: 'error', worker: victim, signal: 'SIGKILL' })
  t.match((await ask(gateway, INDEX)).body, 'mychart-0.0.8.tgz')
  t.same((await readdir(join(gateway.stateDir, 'spool'))).sort(), ['worker-1', 'worker-2'], 'it has the place of the dead one')
  t.equal(gateway.stdout().split('\n').slice(0, -1).every(line => /^\{.*\}$/.test(line)), true, 'no line of log is torn')

  await writeFile(accounts, 'users: [')
  process.kill(replacement as number, 'SIGKILL')
  await untilTrue(() => gateway.workers().length === 2 && !gateway.workers().includes(replacement as number))
  for (let i = 0; i < 6; i++) t.equal((await ask(gateway, INDEX, { key: secret })).status, 401, 'one that starts while the file is broken knows who is revoked')
  t.equal((await ask(gateway, INDEX)).status, 200)
  t.equal(gateway.stderr(), '')
  await withRobots('ci')
  await untilTrue(async () => (await ask(gateway, INDEX, { key: secret })).status === 200)
  t.notMatch(gateway.stdout(), 'take effect at the next start', 'nothing else has changed')

  process.kill(gateway.pid, 'SIGTERM')
  t.equal(await gateway.ended, 0)
  t.same([...first, ...gateway.workers()].filter(lives), [])
})

await t.test('a signal lets an upload end, whoever it is sent to', async t => {
  for (const toAll of [false, true]) {
    const gateway = await startSeveral(t)
    const workers = gateway.workers()
    const finish = await halfAnUpload(gateway)
    // A terminal sends Ctrl-C to the whole group, a supervisor speaks to the first process.
    for (const pid of toAll ? [...workers, gateway.pid] : [gateway.pid]) process.kill(pid, toAll ? 'SIGINT' : 'SIGTERM')
    await untilTrue(() => gateway.log().filter(({ msg }) => String(msg).startsWith('shutting down')).length === 2)
    t.match(await (await fetch(`${gateway.adminUrl}/readyz`)).json(), { ready: false, reason: 'shutting down' })
    t.same(await finish(), { status: 201, body: '{"saved":true}' })
    t.equal(await gateway.ended, 0)
    t.same(workers.filter(lives), [])
    t.equal(gateway.stderr(), '')
  }
})

await t.test('no worker outlives its primary, however that ends', async t => {
  const killed = await startSeveral(t)
  const first = killed.workers()
  process.kill(killed.pid, 'SIGKILL')
  await allGone(first)

  const twice = await startSeveral(t)
  const second = twice.workers()
  await halfAnUpload(twice)
  process.kill(twice.pid, 'SIGTERM')
  await untilTrue(() => twice.log().some(({ msg }) => String(msg).startsWith('shutting down')))
  process.kill(twice.pid, 'SIGTERM')
  t.equal(await twice.ended, 1)
  await allGone(second)
})

await t.test('a port in use ends the whole start with one sentence', async t => {
  const taken = createServer()
  await new Promise<void>(resolve => { taken.listen(0, '127.0.0.1', resolve) })
  t.teardown(() => { taken.close() })
  const { port } = taken.address() as AddressInfo
  const result = await runChartgate(['serve'], { CHARTGATE_WORKERS: '2', CHARTGATE_LISTEN_PORT: String(port), CHARTGATE_ADMIN_PORT: '0', CHARTGATE_STATE_DIR: join(await temporaryFolder(t), 'state') })
  t.same(result, { code: 1, stdout: '', stderr: `chartgate: listen.port ${port} is in use by another program: stop it, or choose another port\n` })
})
