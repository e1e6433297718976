// Class 50, floods of connections: one client opens so many at once that the system has no
// place for anybody else's, who then waits for a second or more before the first byte; or
// that each waits for a process that has something else to do. What a listener is asked to
// hold counts, and who has to be there to take one, and not how fast: processes are stopped
// while they come. How many one address may have is in test/gateway/connection-bounds.test.ts.
import { readFile } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import t from 'tap'
import { startGateway } from '../helpers/gateway.ts'
import { notTried } from '../helpers/not-tried.ts'
import { ask, startSeveral } from '../helpers/several.ts'
import { childrenOf } from '../helpers/unread.ts'
import { untilTrue } from '../helpers/until.ts'
import { WORKER_COUNTS } from '../helpers/in-short.ts'

const KEY = 'a-key-of-this-test'
const SYSTEM = Number(await readFile('/proc/sys/net/core/somaxconn', 'utf8').catch(() => '0'))
/** More than Node asks for by itself, and than the system has by itself. */
const MANY = Math.min(SYSTEM, 1_500)

if (MANY <= 600) await notTried(t, 'a listener with room', `net.core.somaxconn is ${SYSTEM}`)
else {
  for (const workers of WORKER_COUNTS) {
    await t.test(`as many connections as the system holds find their place (workers: ${workers})`, async t => {
      const gateway = await startGateway(t, { masterKey: KEY, workers, listen: { maxConnectionsPerAddress: 8_192 } })
      await untilTrue(async () => (await fetch(`${gateway.adminUrl}/readyz`)).ok)
      const port = Number(new URL(gateway.url).port)
      const sockets: Socket[] = []
      t.teardown(() => { for (const socket of sockets) socket.destroy() })
      let connected = 0
      const processes = [gateway.pid, ...await childrenOf(gateway.pid)]
      const tellAll = (signal: NodeJS.Signals): void => { for (const pid of processes) process.kill(pid, signal) }
      tellAll('SIGSTOP')
      t.teardown(() => { tellAll('SIGCONT') })
      for (let i = 0; i < MANY; i++) sockets.push(connect(port, '127.0.0.1', () => { connected++ }).on('error', () => {}))
      await untilTrue(() => connected === MANY)
      tellAll('SIGCONT')
      const answer = await fetch(`${gateway.url}/org1/repo1/index.yaml`, { headers: { authorization: `Bearer ${KEY}` } })
      t.equal(answer.status, 200)
    })
  }
}

const NEW_CONNECTIONS = 20

await t.test('new connections wait neither for the primary nor for a worker that stands still', { timeout: 60_000 }, async t => {
  const gateway = await startSeveral(t)
  const stopped = { 'the primary': gateway.pid, 'a worker': gateway.workers()[0] as number }
  for (const [who, pid] of Object.entries(stopped)) {
    process.kill(pid, 'SIGSTOP')
    t.teardown(() => { process.kill(pid, 'SIGCONT') })
    const asked = Array.from({ length: NEW_CONNECTIONS }, async () => (await ask(gateway, '/health')).status)
    t.same(await Promise.all(asked), Array(NEW_CONNECTIONS).fill(200), who)
    process.kill(pid, 'SIGCONT')
  }
})
