// The repository as a process of its own: who reaches it, what it logs, how it ends.
import { connect } from 'node:net'
import { once } from 'node:events'
import { mkdir, readdir } from 'node:fs/promises'
import { request, type IncomingMessage } from 'node:http'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { startRepository, type RepositoryServerOptions } from '../../src/serve/repository-server.ts'
import { testFolder } from '../helpers/folder.ts'
import { notTried } from '../helpers/not-tried.ts'
import { chartOf } from '../helpers/packages.ts'
import { KEYS, exchange, mint } from '../repository/recordings.ts'

interface Started {
  readonly dir: string
  readonly port: number
  readonly said: string
  readonly log: () => Record<string, unknown>[]
  readonly text: () => string
  stop (): Promise<unknown>
  logCutOff (): void
  reread (): void
}

async function start (t: Test, options: Partial<RepositoryServerOptions> = {}): Promise<Started> {
  const dir = testFolder(t)
  let text = ''
  let said = ''
  const started = await startRepository({ dir, port: 0, depth: 2, logStream: { write: line => { text += line } }, ...options }, line => { said += line })
  if (!started.ok) throw new Error(started.message)
  let stopped: Promise<boolean> | undefined
  const stop = async (): Promise<unknown> => await (stopped ??= started.stop())
  t.teardown(stop)
  const port = Number(/:(\d+),|port (\d+) /.exec(said)?.slice(1).find(Boolean))
  return { dir, port, said, log: () => text.split('\n').filter(Boolean).map(line => JSON.parse(line) as Record<string, unknown>), text: () => text, stop, logCutOff: started.logCutOff, reread: started.reread }
}

async function connects (host: string, port: number): Promise<boolean> {
  return await new Promise(resolve => {
    const socket = connect(port, host)
    socket.once('connect', () => { socket.destroy(); resolve(true) })
    socket.once('error', () => { resolve(false) })
  })
}

await t.test('who checks no token is reached on loopback alone, who does from everywhere', async t => {
  const open = await start(t)
  const checking = await start(t, { publicKey: KEYS.publicKey })
  t.match(open.said, /^chartgate's repository listens on http:\/\/127\.0\.0\.1:\d+, depth 2; its charts lie in \S+; tokens are not checked, so only this machine can reach it\n$/)
  t.match(checking.said, /^chartgate's repository listens on port \d+ of every address, depth 2; its charts lie in \S+; tokens are checked\n$/)
  t.equal(await connects('127.0.0.1', open.port), true)
  t.equal(await connects('127.0.0.1', checking.port), true)
  const other = Object.values(networkInterfaces()).flat().find(each => each?.internal === false && each.family === 'IPv4')?.address
  if (other === undefined) await notTried(t, 'an address that is not loopback', 'there is none')
  else t.same([await connects(other, open.port), await connects(other, checking.port)], [false, true])
})

await t.test('a token is asked for, and what it does not allow is refused', async t => {
  const { port } = await start(t, { publicKey: KEYS.publicKey })
  const index = '/org1/repo1/index.yaml'
  t.match(await exchange(port, 'GET', index), { status: 401, challenge: 'Bearer scope="artifact-repository:org1/repo1:pull"', body: '{"error":"unauthorized"}' }, 'the challenge does not name a token server that nobody knows')
  t.equal((await exchange(port, 'GET', index, { Authorization: `Bearer ${mint(['push'])}` })).status, 401)
  t.equal((await exchange(port, 'GET', index, { Authorization: `Bearer ${mint(['pull'])}` })).status, 200)
})

await t.test('what is stored, deleted, refused and has failed is one line each, without a secret', async t => {
  const { dir, port, log, text } = await start(t, { publicKey: KEYS.publicKey })
  const [push, pull] = [mint(['push']), mint(['pull'])]
  const headers = { Authorization: `Bearer ${push}`, 'X-Request-Id': 'mine' }
  const api = '/api/org1/repo1/charts'
  const chart = await chartOf('mychart', '0.1.0')
  t.equal((await exchange(port, 'POST', api, headers, chart)).status, 201)
  t.equal((await exchange(port, 'POST', `${api}?password=hush`, headers, chart)).status, 409)
  t.equal((await exchange(port, 'POST', `${api}?force`, { Authorization: `Bearer ${pull}` }, chart)).status, 401)
  t.equal((await exchange(port, 'GET', '/org1/%zz', headers)).status, 400)
  t.equal((await exchange(port, 'GET', 'http://user:hush@host/x', headers)).status, 404)
  t.equal((await exchange(port, 'POST', api, { ...headers, 'Content-Length': String(30 * 1024 * 1024), Expect: '100-continue' }).catch(() => ({ status: 0 }))).status, 413)
  t.equal((await exchange(port, 'DELETE', `${api}/mychart/0.1.0`, headers)).status, 200)
  await mkdir(join(dir, 'org1/new'), { recursive: true })
  await mkdir(join(dir, 'org1/new/mychart-0.1.0.tgz'))
  t.equal((await exchange(port, 'POST', '/api/org1/new/charts?force', headers, chart)).status, 500)
  t.match(log(), [
    { level: 'info', event: 'saved', tenant: 'org1/repo1', file: 'mychart-0.1.0.tgz', digest: /^[0-9a-f]{64}$/, size: chart.length },
    { level: 'warn', event: 'refused', id: 'mine', ip: '127.0.0.1', method: 'POST', path: api, status: 409, reason: 'file already exists' },
    { level: 'warn', event: 'refused', path: api, status: 401, reason: 'unauthorized' },
    { level: 'warn', event: 'refused', path: '/org1/%zz', status: 400, reason: 'bad request' },
    { level: 'warn', event: 'refused', status: 404, reason: 'not found' },
    { level: 'warn', event: 'refused', status: 413, reason: 'request too large' },
    { level: 'info', event: 'deleted', tenant: 'org1/repo1', file: 'mychart-0.1.0.tgz' },
    { level: 'error', event: 'failed', path: '/api/org1/new/charts', status: 500, reason: 'internal server error', error: { code: 'EISDIR', message: /EISDIR/ } }
  ])
  t.equal(log().length, 8, 'nothing is said twice')
  for (const secret of ['hush', push, pull]) t.notMatch(text(), secret)
})

await t.test('a port that cannot be listened on is one sentence', async t => {
  const { port } = await start(t)
  const logStream = { write () {} }
  const second = await startRepository({ dir: testFolder(t), port, depth: 2, logStream }, () => {})
  t.match(second, { ok: false, message: new RegExp(`^port ${port} is in use by another program: stop it, or choose another --port$`) })
  t.match(await startRepository({ dir: testFolder(t), port: 65536, depth: 2, logStream }, () => {}), { ok: false, message: /^port 65536 cannot be listened on: / })
})

await t.test('a connection on which nothing was asked holds nothing up', async t => {
  const { port, stop } = await start(t)
  const idle = connect(port, '127.0.0.1')
  await once(idle, 'connect')
  const closed = once(idle, 'close')
  await stop()
  await closed
  t.equal(await connects('127.0.0.1', port), false)
})

await t.test('the log says that what still ran was cut off', async t => {
  const { log, logCutOff } = await start(t)
  logCutOff()
  t.match(log(), [{ level: 'warn', event: 'cut_off' }])
})

await t.test('a request that runs when it ends is answered, and its connection is closed', async t => {
  const { dir, port, stop } = await start(t)
  const chart = await chartOf('slow', '1.0.0')
  const upload = request({ port, host: '127.0.0.1', method: 'POST', path: '/api/org1/repo1/charts', headers: { 'Content-Length': chart.length } })
  upload.write(chart.subarray(0, 20))
  while ((await readdir(join(dir, '.chartgate/tmp'))).length === 0) await new Promise(resolve => { setTimeout(resolve, 10) })
  const stopped = stop()
  const answered = once(upload, 'response') as Promise<[IncomingMessage]>
  upload.end(chart.subarray(20))
  const [answer] = await answered
  t.match(answer, { statusCode: 201, headers: { connection: 'close' } })
  answer.resume()
  await stopped
  t.same((await readdir(join(dir, 'org1/repo1'))).filter(name => name.endsWith('.tgz')), ['slow-1.0.0.tgz'])
})

await t.test('what SIGHUP asks for is answered: there is nothing to read again', async t => {
  const { reread, log } = await start(t)
  reread()
  t.match(log().at(-1), { level: 'info', event: 'nothing_to_read', detail: /^SIGHUP: / })
})

await t.test('where nobody sits at a terminal the log says that it listens', async t => {
  const lines: string[] = []
  const started = await startRepository({ dir: testFolder(t), port: 0, depth: 'dynamic', logStream: { write: line => { lines.push(line) } } })
  if (!started.ok) throw new Error(started.message)
  await started.stop()
  t.match(lines.map(line => JSON.parse(line) as object), [{ level: 'info', event: 'listening', port: Number, depth: 'dynamic', dir: String, checksTokens: false }])
  t.equal(lines.length, 1)
})
