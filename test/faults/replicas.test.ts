// Several replicas in front of one repository, with one Redis: whatever happens to it and to them,
// each read sees all that was answered before it began, and no version is stored twice. The
// repository is two ChartMuseums on one folder, and one of chartgate's own.
import { once } from 'node:events'
import { createServer, connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { startMuseum, startRepository } from './lab.ts'
import { runModel, TENANTS } from './replicas-model.ts'
import { startGateway, type Gateway } from '../helpers/gateway.ts'
import { inShort } from '../helpers/in-short.ts'
import { layKeys } from '../helpers/key-pool.ts'
import { chartMuseum, NO_CHARTMUSEUM } from '../helpers/chartmuseum.ts'
import { notTried, skipped } from '../helpers/not-tried.ts'
import { freePorts, temporaryFolder, type StartedProcess } from '../helpers/processes.ts'
import { NO_REDIS, redisServer, startRedis, type RedisServer } from '../helpers/redis.ts'
import { newMasterKey, recordToken } from '../helpers/secrets.ts'
import { untilTrue } from '../helpers/until.ts'

/** Of each of the clients. */
const OPERATIONS = inShort(40, 1_250)
const CLIENTS = 8
/** Seconds. */
const MAX_AGE = 3

interface Line {
  readonly port: number
  /** Whether it leads anywhere. */
  set (isThere: boolean): void
}

/** What is behind them. */
interface Behind {
  /** Its addresses. */
  readonly urls: readonly string[]
  /** Ends the first address at once, and lets it come back. */
  killFirst (): Promise<void>
  startFirst (): Promise<void>
}

interface Lab extends Pick<Behind, 'killFirst' | 'startFirst'> {
  /** Whether there is a second address. */
  readonly hasOther: boolean
  /** How many reads were answered that began at a moment or later. */
  readonly readsSince: (moment: number) => number
  readonly redis: RedisServer
  readonly gateways: readonly [Gateway, Gateway, Gateway]
  /** Of each replica to Redis. */
  readonly lines: readonly [Line, Line, Line]
  readonly run: (disturb: () => Promise<void>) => Promise<void>
}

async function behindOf (start: (port: number) => Promise<StartedProcess>, count: number): Promise<Behind> {
  const ports = await freePorts(count)
  const [port] = ports as [number]
  let [first] = await Promise.all(ports.map(start)) as [StartedProcess]
  return {
    urls: ports.map(each => `http://127.0.0.1:${each}`),
    async killFirst () {
      process.kill(first.pid, 'SIGKILL')
      await first.ended
    },
    async startFirst () { first = await start(port) }
  }
}

/** The second one is as fresh as the first, which it has to show to be read from. */
async function twoMuseums (t: Test): Promise<Behind> {
  const folder = join(await temporaryFolder(t), 'charts')
  return await behindOf(async port => await startMuseum(t, folder, port, ['--always-regenerate-chart-index']), 2)
}

async function oneOfOurs (t: Test): Promise<Behind> {
  const folder = join(await temporaryFolder(t), 'charts')
  return await behindOf(async port => await startRepository(t, folder, { port }), 1)
}

/** Three replicas with the same keys, each with a line to Redis that can be cut. */
async function lab (t: Test, open: (t: Test) => Promise<Behind>): Promise<Lab> {
  const redis = await startRedis(t)
  const key = newMasterKey()
  const { urls: origins, killFirst, startFirst } = await open(t)
  const keys = await temporaryFolder(t)
  await layKeys(keys)
  const tokens = { issuer: 'http://charts.example.test', service: 'charts.example.test', keys: [{ file: join(keys, 'keys', 'token.pem'), alg: 'RS256', state: 'active' }] }
  const start = async (): Promise<readonly [Gateway, Line]> => {
    const line = await cuttable(t, redis.port)
    return [await startGateway(t, { masterKey: key, tokens, upstream: { urls: origins, auth: 'none' }, redis: { url: `redis://127.0.0.1:${line.port}` }, charts: { index: { maxAge: `${MAX_AGE}s` } }, log: { level: 'error' } }), line]
  }
  const [first, second, third] = [await start(), await start(), await start()]
  const gateways = [first[0], second[0], third[0]] as const
  for (const { adminUrl } of gateways) await untilTrue(async () => (await (await fetch(`${adminUrl}/metrics`)).text()).includes('chartgate_redis_up 1'))
  await redis.age()
  const reads: number[] = []
  return {
    hasOther: origins.length > 1,
    readsSince: moment => reads.filter(begunAt => begunAt >= moment).length,
    killFirst,
    startFirst,
    redis,
    gateways,
    lines: [first[1], second[1], third[1]],
    async run (disturb) {
      const urls = gateways.map(({ url }) => url.replace('localhost', '127.0.0.1'))
      const scope = `artifact-repository:${TENANTS[0]}:pull`
      const answer = await fetch(`${gateways[0].url}/oauth/token?scope=${scope}`, { headers: { authorization: `Bearer ${key}` } })
      const reader = recordToken((await answer.json() as { token: string }).token)
      let isOver = false
      const disturbed = disturb().finally(() => { isOver = true })
      const [result] = await Promise.all([runModel({ urls, key, reader, operations: OPERATIONS, isOver: () => isOver, onRead (begunAt) { reads.push(begunAt) }, clients: CLIENTS }), disturbed])
      t.same(result.wrong, [])
      t.ok(result.stored > 5, `${result.stored} stored, ${result.reads} reads, ${result.conflicts} conflicts, ${result.failed} without an answer`)
    }
  }
}

async function cuttable (t: Test, to: number): Promise<Line> {
  let isThere = true
  const sockets = new Set<Socket>()
  const server = createServer(socket => {
    if (!isThere) return socket.destroy()
    const other = connect(to, '127.0.0.1')
    for (const each of [socket, other]) {
      sockets.add(each)
      each.on('error', () => {}).on('close', () => {
        sockets.delete(each)
        socket.destroy()
        other.destroy()
      })
    }
    return socket.pipe(other).pipe(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const close = (): void => { for (const socket of sockets) socket.destroy() }
  t.teardown(() => { close(); server.close() })
  return {
    port: (server.address() as { port: number }).port,
    set (now) {
      isThere = now
      if (!now) close()
    }
  }
}

/** Milliseconds until each replica has seen changes at the second address. */
const FOLLOWS = 60_000

/** Does the second address stand in for the first, as far as this replica knows? */
async function follows ({ adminUrl }: Gateway): Promise<boolean> {
  return /^chartgate_upstream_followers\{[^}]*state="follows"[^}]*\} 1$/m.test(await (await fetch(`${adminUrl}/metrics`)).text())
}

/** What happens meanwhile. */
const DISTURBANCES: readonly (readonly [name: string, disturb: (lab: Lab) => Promise<void>])[] = [
  ['while everything is there', async () => {}],
  ['while Redis is killed and comes back empty', async ({ redis }) => {
    await sleep(500)
    await redis.kill()
    await sleep(3_000)
    await redis.start()
  }],
  ['while the first address is killed, and comes back', async ({ hasOther, gateways, readsSince, killFirst, startFirst }) => {
    await sleep(1_500)
    if (hasOther) await untilTrue(async () => (await Promise.all(gateways.map(follows))).every(Boolean), FOLLOWS)
    await killFirst()
    // Till then indexes that were read from it may be answered from memory.
    await sleep(MAX_AGE * 1_000)
    const forgotten = performance.now()
    await (hasOther ? untilTrue(() => readsSince(forgotten) > 0) : sleep(500)) // reads go on
    await startFirst()
  }],
  ['while a replica stands still for longer than its lease, and another one is killed', async ({ gateways: [, second, third] }) => {
    await sleep(500)
    process.kill(second.pid, 'SIGSTOP')
    await sleep(3_500)
    process.kill(second.pid, 'SIGCONT')
    await sleep(500)
    process.kill(third.pid, 'SIGKILL')
  }],
  ['while one replica cannot reach Redis, which the others do', async ({ lines: [, , third] }) => {
    await sleep(500)
    third.set(false)
    await sleep(6_000)
    third.set(true)
  }],
  ['while only one replica reaches Redis', async ({ lines: [, second, third] }) => {
    await sleep(500)
    for (const line of [second, third]) line.set(false)
    await sleep(6_000)
    for (const line of [second, third]) line.set(true)
  }]
]

async function tryAll (t: Test, open: (t: Test) => Promise<Behind>, most: number): Promise<void> {
  for (const [name, disturb] of DISTURBANCES.slice(0, most)) {
    await t.test(name, async t => {
      const each = await lab(t, open)
      await each.run(async () => { await disturb(each) })
    })
  }
}

t.setTimeout(inShort(400, 7_200) * 1000)
if (redisServer === undefined) await notTried(t, 'replicas with a real Redis', NO_REDIS)
else {
  const all = DISTURBANCES.length
  if (chartMuseum === undefined) await skipped(t, 'two ChartMuseums', NO_CHARTMUSEUM)
  else await t.test('two ChartMuseums on one folder', async t => { await tryAll(t, twoMuseums, all) })
  // In short the rest of it is seen where there is no ChartMuseum.
  await t.test('one chartgate repository', async t => { await tryAll(t, oneOfOurs, chartMuseum === undefined ? all : inShort(2, all)) })
}
