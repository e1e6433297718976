// Two real ChartMuseums on one storage folder behind the built gateway: how they have to be
// run so that one follows the other, and what clients see when the first is killed.
import t, { type Test } from 'tap'
import { startMuseum } from './lab.ts'
import { chartMuseum, NO_CHARTMUSEUM } from '../helpers/chartmuseum.ts'
import { startGateway, type Gateway } from '../helpers/gateway.ts'
import { notTried, skipped } from '../helpers/not-tried.ts'
import { chartOf } from '../helpers/packages.ts'
import { freePorts, temporaryFolder, type StartedProcess } from '../helpers/processes.ts'
import { NO_REDIS, redisServer, startRedis } from '../helpers/redis.ts'
import { askAs, type Answered } from '../helpers/repositories.ts'
import { newMasterKey } from '../helpers/secrets.ts'
import { until, untilTrue } from '../helpers/until.ts'

const PUSHES = 8
const ALWAYS = '--always-regenerate-chart-index'

interface Lab {
  readonly gateway: Gateway
  readonly first: StartedProcess
  startAgain (): Promise<void>
  ask (method: string, path: string, body?: Buffer): Promise<Answered>
  push (version: string): Promise<number>
  versions (): Promise<string[] | number>
  /** What the gateway knows of the second address. */
  state (): Promise<string | undefined>
}

async function open (t: Test, flags: readonly string[]): Promise<Lab> {
  const storage = await temporaryFolder(t)
  const ports = await freePorts(2) as [number, number]
  const start = async (port: number): Promise<StartedProcess> => await startMuseum(t, storage, port, flags)
  const [first] = await Promise.all(ports.map(start)) as [StartedProcess, StartedProcess]
  const masterKey = newMasterKey()
  const gateway = await startGateway(t, { masterKey, upstream: { urls: ports.map(port => `http://127.0.0.1:${port}`), auth: 'none' } })
  const ask: Lab['ask'] = async (method, path, body) => await askAs({ url: gateway.url, masterKey }, method, path, body)
  return {
    gateway,
    first,
    ask,
    async startAgain () { await start(ports[0]) },
    push: async version => (await ask('POST', '/api/org1/repo1/charts', await chartOf('web', version))).status,
    async versions () {
      const { status, bytes } = await ask('GET', '/org1/repo1/index.yaml')
      return status === 200 ? [...bytes.toString().matchAll(/^ {4}version: (.*)$/gm)].map(([, version]) => version as string).sort() : status
    },
    async state () {
      const text = await (await fetch(`${gateway.adminUrl}/metrics`)).text()
      return /chartgate_upstream_followers\{address="2",state="(\w+)"\} 1/.exec(text)?.[1]
    }
  }
}

async function kill ({ first: { pid, ended } }: Lab): Promise<void> {
  process.kill(pid, 'SIGKILL')
  await ended
}

async function follows (t: Test, flags: readonly string[]): Promise<void> {
  const lab = await open(t, flags)
  const pushed: string[] = []
  await until(async () => {
    const version = `1.0.${pushed.length}`
    t.equal(await lab.push(version), 201)
    pushed.push(version)
    t.strictSame(await lab.versions(), [...pushed].sort(), 'a read that begins after a 201 has what was pushed')
    return await lab.state() === 'follows' ? true : undefined
  })
  t.equal((await lab.ask('DELETE', '/api/org1/repo1/charts/web/1.0.0')).status, 200)
  const there = pushed.slice(1).sort()
  await kill(lab)
  t.strictSame(await lab.versions(), there, 'reads go on, with what was done last')
  t.equal((await lab.ask('GET', `/org1/repo1/charts/web-${there[0]}.tgz`)).status, 200)
  t.match(await lab.ask('POST', '/api/org1/repo1/charts', await chartOf('web', '2.0.0')), { status: 503, retryAfter: '5' })
  t.match(await lab.ask('DELETE', `/api/org1/repo1/charts/web/${there[0]}`), { status: 503, retryAfter: '5' })
  t.equal((await fetch(`${lab.gateway.adminUrl}/readyz`)).status, 200)
  t.strictSame(await lab.versions(), there)
  await lab.startAgain()
  await untilTrue(async () => await lab.push('2.0.0') === 201)
  t.strictSame(await lab.versions(), [...there, '2.0.0'].sort())
}

async function stays (t: Test, flags: readonly string[]): Promise<void> {
  const lab = await open(t, flags)
  for (let i = 0; i < PUSHES; i++) {
    t.equal(await lab.push(`1.0.${i}`), 201)
    t.equal((await lab.versions() as string[]).length, i + 1)
  }
  await untilTrue(async () => await lab.state() === 'behind')
  await kill(lab)
  t.equal(await lab.versions(), 502)
}

const MODES: readonly (readonly [name: string, flags: readonly string[], judge: typeof follows])[] = [
  ['always made anew', [ALWAYS], follows],
  ['always made anew, without state files', [ALWAYS, '--disable-statefiles'], follows],
  ['always made anew, one chart at a time', [ALWAYS, '--index-limit', '1'], follows],
  ['kept in each memory', [], stays],
  ['kept in each memory, without state files', ['--disable-statefiles'], stays],
  ['kept in each memory for a second', ['--cache-interval', '1s'], stays]
]

for (const [name, flags, judge] of MODES) {
  const title = `an index that is ${name}: ${judge === follows ? 'reads go on while the first is away' : 'reads stay'}`
  if (chartMuseum === undefined) await skipped(t, title, NO_CHARTMUSEUM)
  else await t.test(title, async t => { await judge(t, flags) })
}

await t.test('an index that is in one Redis: reads go on while the first is away', async t => {
  if (chartMuseum === undefined) return await skipped(t, 'two ChartMuseums', NO_CHARTMUSEUM)
  if (redisServer === undefined) return await notTried(t, 'ChartMuseum with Redis', NO_REDIS)
  await follows(t, ['--cache', 'redis', '--cache-redis-addr', `127.0.0.1:${(await startRedis(t)).port}`])
})
