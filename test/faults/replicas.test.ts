// Several replicas in front of one repository, with one Redis: whatever happens to it and to them,
// each read sees all that was answered before it began, and no version is stored twice.
import { once } from 'node:events'
import { createServer, connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { startRepository } from './lab.ts'
import { runModel, TENANTS } from './replicas-model.ts'
import { startGateway, type Gateway } from '../helpers/gateway.ts'
import { inShort } from '../helpers/in-short.ts'
import { layKeys } from '../helpers/key-pool.ts'
import { findChartMuseum, OPEN, startChartMuseum } from '../repository/servers.ts'
import { notTried } from '../helpers/not-tried.ts'
import { temporaryFolder } from '../helpers/processes.ts'
import { NO_REDIS, redisServer, startRedis, type RedisServer } from '../helpers/redis.ts'
import { newMasterKey, recordToken } from '../helpers/secrets.ts'
import { untilTrue } from '../helpers/until.ts'

/** Of each of the clients. */
const OPERATIONS = inShort(40, 1_250)
const CLIENTS = 8

interface Line {
  readonly port: number
  /** Whether it leads anywhere. */
  set (isThere: boolean): void
}

interface Lab {
  readonly redis: RedisServer
  readonly gateways: readonly [Gateway, Gateway, Gateway]
  /** Of each replica to Redis. */
  readonly lines: readonly [Line, Line, Line]
  readonly run: (disturb: () => Promise<void>) => Promise<void>
}

/** A ChartMuseum where there is one: a second one on the same folder does not see at once what the first one stored. */
async function repository (t: Test): Promise<string> {
  const folder = join(await temporaryFolder(t), 'charts')
  return findChartMuseum() === undefined
    ? (await startRepository(t, folder)).origin
    : `http://127.0.0.1:${(await startChartMuseum(t, folder, OPEN)).port}`
}

/** Three replicas with the same keys, each with a line to Redis that can be cut. */
async function lab (t: Test): Promise<Lab> {
  const redis = await startRedis(t)
  const key = newMasterKey()
  const url = await repository(t)
  const keys = await temporaryFolder(t)
  await layKeys(keys)
  const tokens = { issuer: 'http://charts.example.test', service: 'charts.example.test', keys: [{ file: join(keys, 'keys', 'token.pem'), alg: 'RS256', state: 'active' }] }
  const start = async (): Promise<readonly [Gateway, Line]> => {
    const line = await cuttable(t, redis.port)
    return [await startGateway(t, { masterKey: key, tokens, upstream: { url, auth: 'none' }, redis: { url: `redis://127.0.0.1:${line.port}` }, charts: { index: { maxAge: '3s' } }, log: { level: 'error' } }), line]
  }
  const [first, second, third] = [await start(), await start(), await start()]
  const gateways = [first[0], second[0], third[0]] as const
  for (const { adminUrl } of gateways) await untilTrue(async () => (await (await fetch(`${adminUrl}/metrics`)).text()).includes('chartgate_redis_up 1'))
  await redis.age()
  return {
    redis,
    gateways,
    lines: [first[1], second[1], third[1]],
    async run (disturb) {
      const urls = gateways.map(({ url }) => url.replace('localhost', '127.0.0.1'))
      const scope = `artifact-repository:${TENANTS[0]}:pull`
      const answer = await fetch(`${gateways[0].url}/oauth/token?scope=${scope}`, { headers: { authorization: `Bearer ${key}` } })
      const reader = recordToken((await answer.json() as { token: string }).token)
      const [result] = await Promise.all([runModel({ urls, key, reader, operations: OPERATIONS, clients: CLIENTS }), disturb()])
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

t.setTimeout(inShort(300, 3_600) * 1000)
if (redisServer === undefined) await notTried(t, 'replicas with a real Redis', NO_REDIS)
else {
  await t.test('while everything is there', async t => {
    const { run } = await lab(t)
    await run(async () => {})
  })

  await t.test('while Redis is killed and comes back empty', async t => {
    const { run, redis } = await lab(t)
    await run(async () => {
      await sleep(500)
      await redis.kill()
      await sleep(3_000)
      await redis.start()
    })
  })

  await t.test('while a replica stands still for longer than its lease, and another one is killed', async t => {
    const { run, gateways: [, second, third] } = await lab(t)
    await run(async () => {
      await sleep(500)
      process.kill(second.pid, 'SIGSTOP')
      await sleep(3_500)
      process.kill(second.pid, 'SIGCONT')
      await sleep(500)
      process.kill(third.pid, 'SIGKILL')
    })
  })

  await t.test('while one replica cannot reach Redis, which the others do', async t => {
    const { run, lines: [, , third] } = await lab(t)
    await run(async () => {
      await sleep(500)
      third.set(false)
      await sleep(6_000)
      third.set(true)
    })
  })

  await t.test('while only one replica reaches Redis', async t => {
    const { run, lines: [, second, third] } = await lab(t)
    await run(async () => {
      await sleep(500)
      for (const line of [second, third]) line.set(false)
      await sleep(6_000)
      for (const line of [second, third]) line.set(true)
    })
  })
}
