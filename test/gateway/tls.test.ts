// The public listener over TLS: everything is as without it, and who cannot speak it is let go.
import { once } from 'node:events'
import { connect } from 'node:net'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import { Worker } from 'node:worker_threads'
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

/** Asks as soon as it is answered, from a thread of its own; how many were answered in how many ways. */
const ASKER = `
const { Agent, request } = require('node:https')
const { workerData: { url, headers, ca, times }, parentPort } = require('node:worker_threads')
const agent = new Agent({ keepAlive: true, maxSockets: 1, ca })
const ask = left => left === 0
  ? parentPort.postMessage('all')
  : request(url, { method: 'POST', headers, agent }, answer => answer.resume().on('end', () => ask(left - 1)))
    .on('error', error => parentPort.postMessage(error.message)).end()
ask(times)
`

await t.test('who asks again as soon as the answer is there is answered, also while the gateway does not get on', async t => {
  const asker = new Worker(ASKER, { eval: true, workerData: { url: `${gateway.url}/oauth/token?grant_type=client_credentials&scope=artifact-repository:org1/repo1:pull`, headers: { authorization: `Bearer ${gateway.masterKey}` }, ca: authority.certText, times: 150 } })
  const said: unknown[] = []
  asker.once('message', message => { said.push(message) })
  // In each turn behind what is written in it, as a machine with too much to do stops a process.
  const nothing = new Int32Array(new SharedArrayBuffer(4))
  while (said.length === 0) {
    await new Promise(resolve => { setImmediate(resolve) })
    Atomics.wait(nothing, 0, 0, 10)
  }
  t.same(said, ['all'])
  await asker.terminate()
})

await t.test('who asks again and reads nothing is not answered, and the connection ends', async t => {
  const versions = Array.from({ length: 20_000 }, (_, i) => `  - description: ${'x'.repeat(800)}\n    name: a\n    urls:\n    - charts/a-1.0.${i}.tgz\n    version: 1.0.${i}\n`)
  stub.answer = () => ({ body: `apiVersion: v1\nentries:\n  a:\n${versions.join('')}generated: "2026-11-25T00:22:42Z"\nserverInfo: {}\n` })
  const request = `GET /org1/repo1/index.yaml HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${gateway.masterKey}\r\n\r\n`
  const over = connectTls({ port: gateway.port, host: '127.0.0.1', ca: authority.certText }, () => { over.write(request) })
  t.teardown(() => { over.destroy() })
  const [start] = await once(over, 'data') as [Buffer]
  t.match(start.toString(), /^HTTP\/1\.1 200 /)
  over.pause().write(request)
  t.match(await until(() => gateway.log.find(({ decision }) => decision === 'dropped')), { route: 'index' })
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
