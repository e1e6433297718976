// The public listener over TLS: everything is as without it, and who cannot speak it is let go.
import { once } from 'node:events'
import { connect } from 'node:net'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import t from 'tap'
import { grant, startApp } from '../helpers/app.ts'
import { Authority } from '../helpers/certificates.ts'
import { temporaryFolder } from '../helpers/processes.ts'
import { startStubUpstream } from '../helpers/stub-upstream.ts'
import { tlsClient } from '../helpers/tls-client.ts'
import { until } from '../helpers/until.ts'

const authority = Authority.make(join(await temporaryFolder(t), 'ca'))
const { cert, key } = authority.issue()
const stub = await startStubUpstream(t)
const gateway = await startApp(t, { origin: stub.origin, config: config => ({ ...config, publicUrl: 'https://charts.example.test', listen: { ...config.listen, tls: { cert, key, minVersion: '1.2' } } }) })
const FILE = '/org1/repo1/charts/mychart-0.1.0.tgz'

await t.test('a request over TLS is answered as any other', async t => {
  stub.answer = () => ({ body: 'bytes' })
  const client = tlsClient(t, { ca: authority.certText })
  const bearer = { authorization: `Bearer ${await gateway.token([grant('org1/repo1', 'pull')])}` }
  t.match(await client.ask(gateway.url + FILE, { headers: bearer }), { status: 200, body: 'bytes', peer: 'localhost', reused: false })
  t.match(await client.ask(gateway.url + FILE), { status: 401, reused: true, headers: { 'www-authenticate': /realm="https:\/\/charts\.example\.test\/oauth\/token"/ } })
})

await t.test('an upload that is refused is answered before it has come', async t => {
  const client = tlsClient(t, { ca: authority.certText })
  t.match(await client.ask(`${gateway.url}/api/org1/repo1/charts`, { method: 'POST', body: Buffer.alloc(4 * 1024 * 1024), headers: { 'content-type': 'application/octet-stream' } }), { status: 401, headers: { connection: 'close' } })
})

await t.test('bytes that are no HTTP are answered over TLS, and bytes that are no TLS are not', async t => {
  const refusals = (): number => gateway.log.filter(({ msg }) => msg === 'refused').length
  const over = connectTls({ port: gateway.port, host: '127.0.0.1', ca: authority.certText }, () => { over.write('nonsense\r\n\r\n') })
  const [answer] = await once(over, 'data') as [Buffer]
  t.match(answer.toString(), /^HTTP\/1\.1 400 /)
  over.destroy()
  const before = refusals()
  const plain = connect(gateway.port, '127.0.0.1', () => { plain.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n') })
  await once(plain.on('error', () => {}).resume(), 'close')
  const modern = connectTls({ port: gateway.port, host: '127.0.0.1', ALPNProtocols: ['h2'] })
  await once(modern, 'error')
  const said = await until(() => gateway.log.filter(({ msg }) => msg === 'a client could not speak TLS with the gateway')[1])
  t.match(said, { level: 'info', ip: '127.0.0.1', code: /^ERR_SSL_/ })
  t.equal(refusals(), before, 'it is no request that was refused')
})
