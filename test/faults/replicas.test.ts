// Several replicas in front of one repository, with one Redis: whatever happens to it and to them,
// each read sees all that was answered before it began, and no version is stored twice.
import { once } from 'node:events'
import { createServer, connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { runModel } from './replicas-model.ts'
import { startGateway, type Gateway } from '../helpers/gateway.ts'
import { inShort } from '../helpers/in-short.ts'
import { notTried } from '../helpers/not-tried.ts'
import { freePorts, startProcess, temporaryFolder } from '../helpers/processes.ts'
import { NO_REDIS, redisServer, startRedis, type RedisServer } from '../helpers/redis.ts'
import { newMasterKey } from '../helpers/secrets.ts'
import { untilTrue } from '../helpers/until.ts'

const OPERATIONS = inShort(40, 1_250)

interface Lab {
  readonly redis: RedisServer
  readonly gateways: readonly Gateway[]
  /** Lets the last replica reach Redis, or not. */
  readonly line: (isThere: boolean) => void
  readonly run: (disturb: () => Promise<void>) => Promise<void>
}

/** Three replicas, of which the last reaches Redis over a line that can be cut. */
async function lab (t: Test): Promise<Lab> {
  const redis = await startRedis(t)
  const key = newMasterKey()
  const [port] = await freePorts(1)
  await startProcess(t, process.execPath, ['dist/src/cli.js', 'repository', '--dir', await temporaryFolder(t), '--port', `${port}`, '--depth', '2'], { readyUrl: `http://127.0.0.1:${port}/health` })
  const line = await cuttable(t, redis.port)
  const config = (url: string): object => ({ masterKey: key, upstream: { url: `http://127.0.0.1:${port}`, auth: 'none' }, redis: { url }, charts: { index: { maxAge: '3s' } }, log: { level: 'error' } })
  const gateways = await Promise.all([redis.url, redis.url, `redis://127.0.0.1:${line.port}`].map(async url => await startGateway(t, config(url))))
  for (const { adminUrl } of gateways) await untilTrue(async () => (await (await fetch(`${adminUrl}/metrics`)).text()).includes('chartgate_redis_up 1'))
  return {
    redis,
    gateways,
    line: line.set,
    async run (disturb) {
      const urls = gateways.map(({ url }) => url.replace('localhost', '127.0.0.1'))
      const [result] = await Promise.all([runModel({ urls, key, operations: OPERATIONS, clients: 8 }), disturb()])
      t.same(result.wrong, [])
      t.ok(result.stored > 5, `${result.stored} stored, ${result.reads} reads, ${result.conflicts} conflicts, ${result.failed} without an answer`)
    }
  }
}

async function cuttable (t: Test, to: number): Promise<{ port: number, set: (isThere: boolean) => void }> {
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
    const { run, gateways } = await lab(t)
    await run(async () => {
      const [, second, third] = gateways as [Gateway, Gateway, Gateway]
      await sleep(500)
      process.kill(second.pid, 'SIGSTOP')
      await sleep(3_500)
      process.kill(second.pid, 'SIGCONT')
      await sleep(500)
      process.kill(third.pid, 'SIGKILL')
    })
  })

  await t.test('while one replica cannot reach Redis, which the others do', async t => {
    const { run, line } = await lab(t)
    await run(async () => {
      await sleep(500)
      line(false)
      await sleep(6_000)
      line(true)
    })
  })
}
