// Three replicas in front of one repository, with one Redis, clients that work on it
// (replicas-model.ts), and what happens to all of them meanwhile, one thing after the other.
import { once } from 'node:events'
import { createServer, connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startMuseum, startRepository } from './lab.ts'
import { runModel, TENANTS, type ModelResult } from './replicas-model.ts'
import { startGateway, type Gateway } from '../helpers/gateway.ts'
import { layKeys } from '../helpers/key-pool.ts'
import { freePorts, temporaryFolder, type StartedProcess, type TestLike } from '../helpers/processes.ts'
import { startRedis, type RedisServer } from '../helpers/redis.ts'
import { newMasterKey, recordToken } from '../helpers/secrets.ts'
import { untilTrue } from '../helpers/until.ts'

const CLIENTS = 8
/** Seconds that an index may be answered from memory. */
const MAX_AGE = 3
/** Milliseconds until each replica has seen changes at the second address. */
const FOLLOWS = 60_000

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

interface Lab extends Behind {
  readonly redis: RedisServer
  readonly key: string
  readonly gateways: readonly [Gateway, Gateway, Gateway]
  /** Of each replica to Redis. */
  readonly lines: readonly [Line, Line, Line]
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

export type Open = (t: TestLike) => Promise<Behind>

/** As docs/operations.md has several of them run: the second one is as fresh as the first, which it has to show to be read from. */
export async function twoMuseums (t: TestLike): Promise<Behind> {
  const folder = join(await temporaryFolder(t), 'charts')
  return await behindOf(async port => await startMuseum(t, folder, port, ['--always-regenerate-chart-index', '--disable-statefiles']), 2)
}

export async function oneOfOurs (t: TestLike): Promise<Behind> {
  const folder = join(await temporaryFolder(t), 'charts')
  return await behindOf(async port => await startRepository(t, folder, { port }), 1)
}

/** Three replicas with the same keys, each with a line to Redis that can be cut. */
async function lab (t: TestLike, open: Open): Promise<Lab> {
  const redis = await startRedis(t)
  const key = newMasterKey()
  const behind = await open(t)
  const keys = await temporaryFolder(t)
  await layKeys(keys)
  const tokens = { issuer: 'http://charts.example.test', service: 'charts.example.test', keys: [{ file: join(keys, 'keys', 'token.pem'), alg: 'RS256', state: 'active' }] }
  const start = async (): Promise<readonly [Gateway, Line]> => {
    const line = await cuttable(t, redis.port)
    return [await startGateway(t, { masterKey: key, tokens, upstream: { urls: behind.urls, auth: 'none' }, redis: { url: `redis://127.0.0.1:${line.port}` }, charts: { index: { maxAge: `${MAX_AGE}s` } }, log: { level: 'error' } }), line]
  }
  const [first, second, third] = [await start(), await start(), await start()]
  const gateways = [first[0], second[0], third[0]] as const
  for (const { adminUrl } of gateways) await untilTrue(async () => (await (await fetch(`${adminUrl}/metrics`)).text()).includes('chartgate_redis_up 1'))
  await redis.age()
  return { ...behind, redis, key, gateways, lines: [first[1], second[1], third[1]] }
}

async function cuttable (t: TestLike, to: number): Promise<Line> {
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

interface Disturbance {
  readonly name: string
  /** @param enter begins a phase of its own */
  readonly disturb: (lab: Lab, enter: (phase: string) => void) => Promise<void>
}

/** The phase in which nobody is at the first address, for longer than anything of it may be in memory. */
const AWAY = 'nobody is at the first address'

/** Does the second address stand in for the first, as far as this replica knows? */
async function follows ({ adminUrl }: Gateway): Promise<boolean> {
  return /^chartgate_upstream_followers\{[^}]*state="follows"[^}]*\} 1$/m.test(await (await fetch(`${adminUrl}/metrics`)).text())
}

/** Comes first, while no replica has a reason not to trust the second address. */
const FIRST_AWAY: Disturbance = {
  name: 'the first address is killed, and comes back',
  async disturb ({ urls, gateways, killFirst, startFirst }, enter) {
    if (urls.length > 1) await untilTrue(async () => (await Promise.all(gateways.map(follows))).every(Boolean), FOLLOWS)
    await killFirst()
    await sleep(MAX_AGE * 1_000)
    enter(AWAY)
    await sleep(2_000)
    enter(FIRST_AWAY.name)
    await startFirst()
  }
}

/** In any order. */
const DISTURBANCES: readonly Disturbance[] = [
  {
    name: 'Redis is killed, and comes back empty',
    async disturb ({ redis }) {
      await redis.kill()
      await sleep(3_000)
      await redis.start()
    }
  },
  {
    name: 'a replica stands still for longer than its lease',
    async disturb ({ gateways: [, second] }) {
      process.kill(second.pid, 'SIGSTOP')
      await sleep(3_500)
      process.kill(second.pid, 'SIGCONT')
    }
  },
  {
    name: 'one replica cannot reach Redis, which the others do',
    async disturb ({ lines: [, , third] }) {
      third.set(false)
      await sleep(6_000)
      third.set(true)
    }
  },
  {
    name: 'only one replica reaches Redis',
    async disturb ({ lines: [, second, third] }) {
      for (const line of [second, third]) line.set(false)
      await sleep(6_000)
      for (const line of [second, third]) line.set(true)
    }
  }
]

/** Comes last: nobody starts it again. */
const KILLED: Disturbance = {
  name: 'a replica is killed',
  async disturb ({ gateways: [, , third] }) {
    process.kill(third.pid, 'SIGKILL')
    await sleep(2_000)
  }
}

export interface Run extends ModelResult {
  /** What happened, in its order. */
  readonly phases: readonly string[]
  /** That reads have another address to go to while the first is away, */
  readonly hasSecond: boolean
  /** and how many were answered meanwhile. */
  readonly readsElsewhere: number
}

/** One lab, and all that can happen to it. @param operations of all clients, at least */
export async function runReplicas (t: TestLike, open: Open, operations: number): Promise<Run> {
  const each = await lab(t, open)
  const urls = each.gateways.map(({ url }) => url.replace('localhost', '127.0.0.1'))
  const scope = `artifact-repository:${TENANTS[0]}:pull`
  const answer = await fetch(`${urls[0]}/oauth/token?scope=${scope}`, { headers: { authorization: `Bearer ${each.key}` } })
  const reader = recordToken((await answer.json() as { token: string }).token)
  const shuffled = DISTURBANCES.map(disturbance => ({ disturbance, place: Math.random() })).sort((a, b) => a.place - b.place)
  const order = [FIRST_AWAY, ...shuffled.map(({ disturbance }) => disturbance), KILLED]
  let phase = 'nothing has happened yet'
  let isGone = false
  let isOver = false
  async function disturbAll (): Promise<void> {
    for (const { name, disturb } of order) {
      await sleep(1_000)
      phase = name
      await disturb(each, entered => { phase = entered })
    }
    isGone = true // as a balancer sees after a while
  }
  const [result] = await Promise.all([
    runModel({ addresses: () => isGone ? urls.slice(0, 2) : urls, key: each.key, reader, operations, isOver: () => isOver, phase: () => phase, clients: CLIENTS }),
    disturbAll().finally(() => { isOver = true })
  ])
  return { ...result, phases: order.map(({ name }) => name), hasSecond: each.urls.length > 1, readsElsewhere: result.reads.get(AWAY) ?? 0 }
}
