import dns from 'node:dns'
import { connect } from 'node:net'
import Fastify from 'fastify'
import t from 'tap'
import type { App } from '../../src/app.ts'
import { addressOf, listen } from '../../src/serve/front.ts'

void t.test('an address is said as one writes it in a URL', t => {
  const at = (address: string): string => addressOf({ server: { address: () => ({ address, port: 5001 }) } } as unknown as App)
  t.equal(at('127.0.0.1'), '127.0.0.1:5001')
  t.equal(at('::'), '[::]:5001')
  t.end()
})

void t.test('localhost is one address, so that nobody comes past what is set on its server', async t => {
  const { lookup } = dns
  const both = [{ address: '127.0.0.1', family: 4 }, { address: '127.0.0.9', family: 4 }] as const
  t.teardown(() => { dns.lookup = lookup })
  dns.lookup = ((host: string, ...how: [dns.LookupOptions?, ...unknown[]]) => {
    const tell = how.at(-1) as (...answer: unknown[]) => void
    setImmediate(() => { if (how[0]?.all === true) tell(null, both); else tell(null, host === 'localhost' ? both[0].address : host, 4) })
  }) as unknown as typeof dns.lookup
  const app: App = Fastify()
  t.teardown(async () => { await app.close() })
  t.equal(await listen(app, 'listen', { host: 'localhost', port: 0 }), undefined)
  const [host = '', port = ''] = addressOf(app).split(':')
  t.equal(host, '127.0.0.1')
  const reached = async (host: string): Promise<boolean> => await new Promise(resolve => {
    const socket = connect({ host, port: Number(port) }, () => { socket.destroy(); resolve(true) }).on('error', () => { resolve(false) })
  })
  t.strictSame([await reached('127.0.0.1'), await reached('127.0.0.9')], [true, false])
})
