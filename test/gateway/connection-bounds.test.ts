// How many connections there may be, and from whom: more are closed as they come, and
// nobody who is there notices.
import t, { type Test } from 'tap'
import { listenOn, startApp, type TestGateway } from '../helpers/app.ts'
import { startGateway } from '../helpers/gateway.ts'
import { openRaw, type RawConnection } from '../helpers/raw.ts'
import { until, untilTrue } from '../helpers/until.ts'

const HEALTH = 'GET /health HTTP/1.1\r\nHost: x\r\n\r\n'
const HERE = '127.0.0.1'

/** Asks on a connection; undefined when it is closed instead. */
async function answerOn ({ socket, text, closed }: RawConnection): Promise<string | undefined> {
  const before = text().length
  socket.write(HEALTH)
  await Promise.race([closed, until(() => text().length > before || undefined)])
  return text().length > before ? text().slice(before).split('\r\n')[0] : undefined
}

async function openFrom (t: Test, port: number, localAddress: string, count: number): Promise<RawConnection[]> {
  return await Promise.all(Array.from({ length: count }, async () => await openRaw(t, port, { localAddress })))
}

/** How many of them are answered. */
async function answered (connections: readonly RawConnection[]): Promise<number> {
  return (await Promise.all(connections.map(answerOn))).filter(line => line === 'HTTP/1.1 200 OK').length
}

function metric ({ meter }: TestGateway, name: 'chartgate_connections' | 'chartgate_connections_refused_total'): unknown {
  return meter.snapshot().rows[name]
}

await t.test('who has as many connections as one address may have gets no more, and everybody else does', async t => {
  const gateway = await startApp(t, { origin: 'http://127.0.0.1:1', config: config => ({ ...config, listen: { ...listenOn(0), maxConnectionsPerAddress: 5 } }) })
  const first = await openFrom(t, gateway.port, '127.0.0.2', 5)
  t.equal(await answered(first), 5)
  t.equal(await answered(await openFrom(t, gateway.port, '127.0.0.2', 20)), 0)
  t.equal(await answered(first), 5, 'those that are there stay')
  t.equal(await answered(await openFrom(t, gateway.port, '127.0.0.3', 3)), 3)
  const lines = gateway.log.filter(({ msg }) => /connections are closed as they come/.test(String(msg)))
  t.match(lines, [{ level: 'warn', ip: '127.0.0.2', bound: 5, msg: /as listen.maxConnectionsPerAddress allows/ }], 'and it is said, once for many')
  t.strictSame(metric(gateway, 'chartgate_connections'), [[0, 8]])
  t.strictSame(metric(gateway, 'chartgate_connections_refused_total'), [[0, 0], [1, 20]])
  first[0]?.socket.destroy()
  await untilTrue(() => JSON.stringify(metric(gateway, 'chartgate_connections')) === '[[0,7]]')
  t.equal(await answered(await openFrom(t, gateway.port, '127.0.0.2', 1)), 1, 'when one has gone another may come')
})

await t.test('a trusted proxy brings everybody\'s connections, and has no bound of its own', async t => {
  const gateway = await startApp(t, { origin: 'http://127.0.0.1:1', config: config => ({ ...config, trustedProxies: ['127.0.0.2'], listen: { ...listenOn(0), maxConnectionsPerAddress: 2 } }) })
  t.equal(await answered(await openFrom(t, gateway.port, '127.0.0.2', 10)), 10)
  t.equal(await answered(await openFrom(t, gateway.port, '127.0.0.3', 10)), 2)
})

await t.test('when there are as many as there may be, whoever comes is closed, and those who are there go on', async t => {
  const gateway = await startApp(t, { origin: 'http://127.0.0.1:1', config: config => ({ ...config, listen: { ...listenOn(0), maxConnections: 10 } }) })
  const first = [...await openFrom(t, gateway.port, '127.0.0.2', 5), ...await openFrom(t, gateway.port, '127.0.0.3', 5)]
  t.equal(await answered(first), 10)
  t.equal(await answered(await openFrom(t, gateway.port, '127.0.0.4', 30)), 0)
  t.equal(await answered(first), 10)
  t.match(gateway.log.filter(({ bound }) => bound === 10), [{ ip: '127.0.0.4', msg: /as listen.maxConnections allows/ }])
  t.strictSame(metric(gateway, 'chartgate_connections_refused_total'), [[0, 30], [1, 0]])
})

await t.test('workers have equal shares of a bound', async t => {
  const gateway = await startGateway(t, { workers: 2, listen: { maxConnections: 8, maxConnectionsPerAddress: 6 } })
  await untilTrue(async () => (await fetch(`${gateway.adminUrl}/readyz`)).ok)
  const port = Number(new URL(gateway.url).port)
  const one = await answered(await openFrom(t, port, HERE, 30))
  t.ok(one >= 3 && one <= 6, `${one} of one address`)
  const all = one + await answered(await openFrom(t, port, '127.0.0.2', 30))
  t.ok(all <= 8, `${all} in all`)
  const scrape = await (await fetch(`${gateway.adminUrl}/metrics`)).text()
  t.match(scrape, /^chartgate_connections_max 8$/m)
  t.match(scrape, new RegExp(`^chartgate_connections ${all}$`, 'm'))
})
