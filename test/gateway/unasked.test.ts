// Connections on which nothing was asked, at the end of a gateway: they hold nothing up, on
// no listener, and what was asked before is answered.
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import { type AddressInfo, type Socket } from 'node:net'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import t, { type Test } from 'tap'
import { startApp, type Overrides, type TestGateway } from '../helpers/app.ts'
import { Authority } from '../helpers/certificates.ts'
import { startGateway } from '../helpers/gateway.ts'
import { freePorts, temporaryFolder } from '../helpers/processes.ts'
import { openRaw } from '../helpers/raw.ts'
import { WORKER_COUNTS } from '../helpers/in-short.ts'
import { untilTrue } from '../helpers/until.ts'

const FILE = '/org1/repo1/charts/a-1.0.0.tgz'

interface Held {
  readonly gateway: TestGateway
  /** The upstream's, for the one request that waits. */
  readonly answer: () => ServerResponse | undefined
}

/** A gateway whose upstream keeps a request waiting until the test answers it. */
async function startHeld (t: Test, config: NonNullable<Overrides['config']> = config => config): Promise<Held> {
  let held: ServerResponse | undefined
  const upstream = createServer((_request, response) => { held = response })
  await new Promise<void>(resolve => { upstream.listen(0, '127.0.0.1', resolve) })
  t.teardown(() => { upstream.close(); upstream.closeAllConnections() })
  const origin = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`
  return { gateway: await startApp(t, { origin, config, limits: { unasked: 50 } }), answer: () => held }
}

/** Closes it while a request runs and the others say nothing. @returns what came in answer to that request */
async function closeAround ({ gateway, answer }: Held, asking: Socket, silent: readonly Socket[]): Promise<string> {
  let text = ''
  asking.setEncoding('latin1').on('data', (chunk: string) => { text += chunk })
  const ended = once(asking, 'close')
  asking.write(`GET ${FILE} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${gateway.masterKey}\r\n\r\n`)
  await untilTrue(() => answer() !== undefined)
  const closed = gateway.app.close()
  await untilTrue(() => silent.every(socket => socket.destroyed))
  answer()?.end('bytes')
  await Promise.all([closed, ended])
  return text
}

await t.test('who has asked nothing, or half of something, is let go when a gateway ends, and who has asked is answered', async t => {
  const held = await startHeld(t)
  const { port } = held.gateway
  const [asking, silent, half, again, form] = await Promise.all(Array.from({ length: 5 }, async () => await openRaw(t, port)))
  half?.socket.write('GET /health HT')
  form?.socket.write('POST /oauth/token HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 20\r\n\r\ngrant')
  again?.socket.write('GET /health HTTP/1.1\r\nHost: x\r\n\r\n')
  await again?.received(/200 OK/)
  again?.socket.write('GET /hea')
  const silents = [silent, half, again, form].map(each => each?.socket as Socket)
  t.match(await closeAround(held, asking?.socket as Socket, silents), /^HTTP\/1\.1 200 OK\r\n[^]*bytes/)
})

await t.test('the same over TLS, before a handshake and behind one', async t => {
  const authority = Authority.make(join(await temporaryFolder(t), 'ca'))
  const { cert, key } = authority.issue()
  const held = await startHeld(t, config => ({ ...config, listen: { ...config.listen, tls: { cert, key, minVersion: '1.2' } } }))
  const { port } = held.gateway
  const speak = async (): Promise<Socket> => {
    const socket = connectTls({ port, host: '127.0.0.1', ca: authority.certText }).on('error', () => {})
    t.teardown(() => { socket.destroy() })
    await once(socket, 'secureConnect')
    return socket.resume()
  }
  const { socket: silent } = await openRaw(t, port)
  t.match(await closeAround(held, await speak(), [silent, await speak()]), /^HTTP\/1\.1 200 OK\r\n[^]*bytes/)
})

for (const workers of WORKER_COUNTS) {
  await t.test(`one silent connection to each listener, and a token request without its body, make no end of a gateway a bad one (workers: ${workers})`, { timeout: 60_000 }, async t => {
    const [authzPort] = await freePorts(1) as [number]
    const gateway = await startGateway(t, { workers, authz: { listen: { port: authzPort }, trustedProxies: ['127.0.0.1'], dialect: 'nginx' } })
    await untilTrue(async () => (await fetch(`${gateway.adminUrl}/readyz`)).ok)
    const ports = [...[gateway.url, gateway.adminUrl].map(url => Number(new URL(url).port)), authzPort]
    for (const port of ports) await openRaw(t, port)
    const form = await openRaw(t, ports[0] as number)
    form.socket.write('POST /oauth/token HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 20\r\n\r\n')
    await form.received(/100 Continue/)
    process.kill(gateway.pid, 'SIGTERM')
    t.equal(await gateway.ended, 0)
    t.notMatch(gateway.stdout(), /cut off/)
  })
}
