// Class 50, floods of connections: one client opens so many at once that the system has no
// place for anybody else's, who then waits for a second or more before the first byte.
// What a listener is asked to hold counts, and not how fast it is: the gateway is stopped
// while they come.
import { readFile } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import t from 'tap'
import { startGateway } from '../helpers/gateway.ts'
import { notTried } from '../helpers/not-tried.ts'
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
      const gateway = await startGateway(t, { masterKey: KEY, workers })
      await untilTrue(async () => (await fetch(`${gateway.adminUrl}/readyz`)).ok)
      const port = Number(new URL(gateway.url).port)
      const sockets: Socket[] = []
      t.teardown(() => { for (const socket of sockets) socket.destroy() })
      let connected = 0
      process.kill(gateway.pid, 'SIGSTOP')
      t.teardown(() => { process.kill(gateway.pid, 'SIGCONT') })
      for (let i = 0; i < MANY; i++) sockets.push(connect(port, '127.0.0.1', () => { connected++ }).on('error', () => {}))
      await untilTrue(() => connected === MANY)
      process.kill(gateway.pid, 'SIGCONT')
      const answer = await fetch(`${gateway.url}/org1/repo1/index.yaml`, { headers: { authorization: `Bearer ${KEY}` } })
      t.equal(answer.status, 200)
    })
  }
}
