// Several workers in real processes, as a user starts them: which of them answers, what
// becomes of one that dies, and what is left when all is over.
import { once } from 'node:events'
import { readdir, writeFile } from 'node:fs/promises'
import { request, type IncomingMessage } from 'node:http'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { stringify } from 'yaml'
import { digestOf, makeSecret } from '../../src/identity/robots.ts'
import { runChartgate, startGateway, type Gateway } from '../helpers/gateway.ts'
import { chartOf } from '../helpers/packages.ts'
import { temporaryFolder } from '../helpers/processes.ts'

const KEY = 'the-master-key-of-this-test'
const INDEX = '/org1/repo1/index.yaml'

type Line = Readonly<Record<string, unknown>>

interface Several extends Gateway {
  /** Every line of log so far. */
  readonly log: () => Line[]
  /** Workers that listen, as the log has them. */
  readonly workers: () => number[]
}

interface Answer { readonly status: number, readonly body: string }

/** A gateway with two workers, all of which listen. */
async function startSeveral (t: Test, config: object = {}): Promise<Several> {
  const gateway = await startGateway(t, { workers: 2, masterKey: KEY, log: { reads: true }, ...config })
  await until(async () => (await fetch(`${gateway.adminUrl}/readyz`)).ok)
  const log = (): Line[] => gateway.stdout().split('\n').filter(line => line.startsWith('{')).map(line => JSON.parse(line) as Line)
  const workers = (): number[] => {
    const ended = log().filter(({ msg }) => String(msg).startsWith('a worker ended')).map(({ worker }) => worker)
    return log().flatMap(({ msg, worker }) => msg === 'a worker listens' && !ended.includes(worker) ? [worker as number] : [])
  }
  await until(() => workers().length === 2)
  return { ...gateway, log, workers }
}

async function until (holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!await holds()) await sleep(20)
}

/** One request on a connection of its own. */
async function ask (gateway: Gateway, path: string, { method = 'GET', key = KEY, body }: { method?: string, key?: string, body?: Buffer } = {}): Promise<Answer> {
  const sent = request(gateway.url.replace('localhost', '127.0.0.1') + path, { agent: false, method, headers: { authorization: `Bearer ${key}` } })
  sent.end(body)
  return await answerTo(sent)
}

async function answerTo (sent: ReturnType<typeof request>): Promise<Answer> {
  const [answer] = await once(sent, 'response') as [IncomingMessage]
  let text = ''
  for await (const chunk of answer.setEncoding('utf8')) text += String(chunk)
  return { status: answer.statusCode as number, body: text }
}

function lives (pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

/** An upload of which half has arrived; the function sends the other half. */
async function halfAnUpload (gateway: Gateway): Promise<() => Promise<Answer>> {
  const chart = await chartOf('slow', '1.0.0')
  const sent = request(`${gateway.url.replace('localhost', '127.0.0.1')}/api/org1/repo1/charts`, { agent: false, method: 'POST', headers: { authorization: `Bearer ${KEY}`, 'content-length': chart.length } })
  sent.write(chart.subarray(0, 20))
  const answer = answerTo(sent)
  answer.catch(() => {}) // whoever waits for it hears of it
  const spool = join(gateway.stateDir, 'spool')
  await until(async () => (await Promise.all((await readdir(spool)).map(async name => await readdir(join(spool, name))))).flat().length > 0)
  return async () => {
    sent.end(chart.subarray(20))
    return await answer
  }
}

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
  await until(async () => {
    await ask(gateway, INDEX)
    return answered().size === 2
  })
  t.same([...answered()].sort(), [...first].sort(), 'both, and not the process that started them')
  t.equal(gateway.stdout().match(/chartgate listens on/g)?.length, 1)

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
  await until(async () => {
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
  await until(() => gateway.workers().length === 2 && !gateway.workers().includes(victim))
  const replacement = gateway.workers().find(pid => !first.includes(pid))
  const from = gateway.log().length
  await until(() => answered(from).has(replacement))
  going.on = false
  await Promise.all(clients)
  t.ok(failed <= CLIENTS, 'no client lost more than the request that the dead worker had', { failed })
  t.match(gateway.log().find(({ msg }) => String(msg).startsWith('a worker ended')), { level: 50, worker: victim, signal: 'SIGKILL' })
  t.match((await ask(gateway, INDEX)).body, 'mychart-0.0.8.tgz')
  t.same((await readdir(join(gateway.stateDir, 'spool'))).sort(), ['worker-1', 'worker-2'], 'it has the place of the dead one')
  t.equal(gateway.stdout().split('\n').slice(0, -1).every(line => /^(?:\{.*\}|chartgate listens .*)$/.test(line)), true, 'no line of log is torn')

  await writeFile(accounts, 'users: [')
  process.kill(replacement as number, 'SIGKILL')
  await until(() => gateway.workers().length === 2 && !gateway.workers().includes(replacement as number))
  for (let i = 0; i < 6; i++) t.equal((await ask(gateway, INDEX, { key: secret })).status, 401, 'one that starts while the file is broken knows who is revoked')
  t.equal((await ask(gateway, INDEX)).status, 200)
  t.equal(gateway.stderr(), '')
  await withRobots('ci')
  await until(async () => (await ask(gateway, INDEX, { key: secret })).status === 200)
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
    await until(() => gateway.log().filter(({ msg }) => String(msg).startsWith('shutting down')).length === 2)
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
  await until(() => !first.some(lives))

  const twice = await startSeveral(t)
  const second = twice.workers()
  await halfAnUpload(twice)
  process.kill(twice.pid, 'SIGTERM')
  await until(() => twice.log().some(({ msg }) => String(msg).startsWith('shutting down')))
  process.kill(twice.pid, 'SIGTERM')
  t.equal(await twice.ended, 1)
  await until(() => !second.some(lives))
})

await t.test('a port in use ends the whole start with one sentence', async t => {
  const taken = createServer()
  await new Promise<void>(resolve => { taken.listen(0, '127.0.0.1', resolve) })
  t.teardown(() => { taken.close() })
  const { port } = taken.address() as AddressInfo
  const result = await runChartgate(['serve'], { CHARTGATE_WORKERS: '2', CHARTGATE_LISTEN_PORT: String(port), CHARTGATE_ADMIN_PORT: '0', CHARTGATE_STATE_DIR: join(await temporaryFolder(t), 'state') })
  t.same(result, { code: 1, stdout: '', stderr: `chartgate: listen.port ${port} is in use by another program: stop it, or choose another port\n` })
})
