// Refusals that are made before any hook, by Node's parser and timers or by Fastify:
// each has the form of every other one, and its connection ends with it.
import { EventEmitter, once } from 'node:events'
import type { Server, Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { startApp } from '../helpers/app.ts'
import { answersIn, openRaw, sendRaw, type RawResponse } from '../helpers/raw.ts'
import { startStubUpstream } from '../helpers/stub-upstream.ts'
import { until } from '../helpers/until.ts'

const FILE = '/org1/repo1/charts/a-1.0.0.tgz'
const stub = await startStubUpstream(t)
stub.answer = () => ({ body: 'hello' })
const gateway = await startApp(t, { origin: stub.origin, limits: { headers: 1_500, request: 2_000, look: 100 } })
const auth = `Authorization: Bearer ${gateway.masterKey}\r\n`

function hasTheForm (t: Test, answer: RawResponse, name: string): void {
  t.type((JSON.parse(answer.body) as { error: unknown }).error, 'string', name)
  t.same(answer.headers['content-type'], ['application/json; charset=utf-8'], name)
  t.match(answer.headers['x-request-id']?.[0], /^[0-9a-f-]{36}$/, name)
  t.same(answer.headers['connection']?.map(each => each.toLowerCase()), ['close'], name)
}

/** Lets the upstream answer only when it is told to; resolves, when it was asked, with what tells it. */
async function holdAnswer (): Promise<() => void> {
  return await new Promise(resolve => {
    stub.answer = async () => {
      const told = new EventEmitter()
      resolve(() => { told.emit('answer') })
      await once(told, 'answer')
      return { body: 'hello' }
    }
  })
}

async function connectionsOf (server: Server): Promise<number> {
  return await new Promise((resolve, reject) => { server.getConnections((error, count) => { if (error === null) resolve(count); else reject(error) }) })
}

await t.test('what is no request of HTTP/1 is answered as one all the same', async t => {
  stub.seen.length = 0
  const cases: [name: string, bytes: string | Buffer, statusLine: string][] = [
    ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', '400 Bad Request'],
    ['a TLS hello', Buffer.from('16030100a5010000a10303', 'hex'), '400 Bad Request'],
    ['a method that nobody knows', `BREW ${FILE} HTTP/1.1\r\nHost: x\r\n${auth}\r\n`, '400 Bad Request'],
    ['a method in small letters', `get ${FILE} HTTP/1.1\r\nHost: x\r\n${auth}\r\n`, '400 Bad Request'],
    ['CONNECT', `CONNECT upstream:80 HTTP/1.1\r\nHost: x\r\n${auth}\r\n`, '400 Bad Request'],
    ['no Host', `GET ${FILE} HTTP/1.1\r\n${auth}\r\n`, '400 Bad Request'],
    ['two Hosts', `GET ${FILE} HTTP/1.1\r\nHost: x\r\nHost: y\r\n${auth}\r\n`, '400 Bad Request'],
    ['HTTP/0.9', `GET ${FILE}\r\n\r\n`, '400 Bad Request'],
    ['HTTP/1.2', `GET ${FILE} HTTP/1.2\r\nHost: x\r\n${auth}\r\n`, '400 Bad Request'],
    ['HTTP/2.0 in the line', `GET ${FILE} HTTP/2.0\r\nHost: x\r\n${auth}\r\n`, '400 Bad Request'],
    ['control characters in the target', `GET /a\x1b[31m HTTP/1.1\r\nHost: x\r\n${auth}\r\n`, '400 Bad Request'],
    ['a NUL in a header', `GET ${FILE} HTTP/1.1\r\nHost: x\r\nX: a\0b\r\n${auth}\r\n`, '400 Bad Request'],
    ['too many headers', `GET ${FILE} HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(17_000)}\r\n\r\n`, '431 Request Header Fields Too Large'],
    ['a target that is too long', `GET /${'x'.repeat(17_000)} HTTP/1.1\r\nHost: x\r\n\r\n`, '431 Request Header Fields Too Large'],
    ['headers that never end', `GET ${FILE} HTTP/1.1\r\nHost: x\r\n`, '408 Request Timeout'],
    ['a line that never ends', 'GET /', '408 Request Timeout'],
    ['a body that never ends', `POST /api/org1/repo1/charts HTTP/1.1\r\nHost: x\r\n${auth}Content-Length: 9\r\n\r\nx`, '408 Request Timeout']
  ]
  await Promise.all(cases.map(async ([name, bytes, statusLine]) => {
    const connection = await openRaw(t, gateway.port)
    connection.socket.write(bytes)
    await connection.closed
    const [answer, ...more] = answersIn(connection.text())
    t.same(more, [], name)
    t.ok(answer?.text.startsWith(`HTTP/1.1 ${statusLine}\r\n`), name, { text: answer?.text })
    hasTheForm(t, answer as RawResponse, name)
  }))
  t.same(stub.seen, [])
})

await t.test('what Fastify would refuse itself has the form too', async t => {
  const cases: [name: string, bytes: string, status: number][] = [
    ['a broken percent-encoding', `GET /org1/%zz/index.yaml HTTP/1.1\r\nHost: x\r\n${auth}\r\n`, 400],
    ['an encoding of no character', `GET /org1/%ff/index.yaml HTTP/1.1\r\nHost: x\r\n${auth}\r\n`, 400],
    ['a method of another protocol', `PROPFIND ${FILE} HTTP/1.1\r\nHost: x\r\n${auth}\r\n`, 405],
    ['QUERY', `QUERY ${FILE} HTTP/1.1\r\nHost: x\r\n${auth}\r\n`, 405],
    ['a parameter that is too long', `GET /org1/repo1/charts/${'a'.repeat(300)}.tgz.x HTTP/1.1\r\nHost: x\r\n${auth}\r\n`, 404],
    ['a content type that is none', `POST /api/org1/repo1/charts HTTP/1.1\r\nHost: x\r\n${auth}Content-Type: ;;\r\nContent-Length: 1\r\n\r\nx`, 415]
  ]
  for (const [name, bytes, status] of cases) {
    const answer = await sendRaw(gateway.port, bytes)
    t.equal(answer.status, status, name)
    t.type((JSON.parse(answer.body) as { error: unknown }).error, 'string', name)
    t.same(answer.headers['content-type'], ['application/json; charset=utf-8'], name)
    t.match(answer.headers['x-request-id']?.[0], /^[0-9a-f-]{36}$/, name)
  }
})

await t.test('an answer that is under way is never mixed with a refusal', async t => {
  for (const behind of ['garbage\r\n\r\n', 'CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n']) {
    const asked = holdAnswer()
    const waiting = await openRaw(t, gateway.port)
    waiting.socket.write(`GET ${FILE} HTTP/1.1\r\nHost: x\r\n${auth}\r\n`)
    const answer = await asked
    waiting.socket.write(behind)
    t.equal((await sendRaw(gateway.port, 'GET /health HTTP/1.1\r\nHost: x\r\n\r\n')).status, 200, 'what came behind it was looked at by now')
    t.equal(waiting.text(), '', 'the refusal would have been read as the answer to the first request')
    answer()
    await waiting.closed
    t.same(answersIn(waiting.text()).map(({ status, headers, body }) => [status, headers['connection'], body]), [[200, ['close'], 'hello']], 'which comes, and is the last')
  }

  stub.answer = () => ({ body: Buffer.alloc(64 * 1024 * 1024, 'x') })
  const reading = await openRaw(t, gateway.port)
  reading.socket.write(`GET ${FILE} HTTP/1.1\r\nHost: x\r\n${auth}\r\n`)
  await reading.received(/HTTP\/1\.1 200/)
  reading.socket.write('garbage\r\n\r\n')
  await reading.closed
  t.notMatch(reading.text(), 'bad request', 'the refusal would have been read as a part of the chart')
  t.ok(reading.text().length > 64 * 1024 * 1024, 'all of which comes')
  stub.answer = () => ({ body: 'hello' })
})

await t.test('a client that does not go after its refusal is left', async t => {
  const connection = await openRaw(t, gateway.port, { allowHalfOpen: true })
  connection.socket.write('garbage\r\n\r\n')
  await connection.received(/bad request/)
  connection.socket.write(`GET ${FILE} HTTP/1.1\r\nHost: x\r\n${auth}\r\n`)
  while (await connectionsOf(gateway.app.server) > 0) await sleep(20)
  t.equal(answersIn(connection.text()).length, 1, 'what came after the refusal was not taken for a request')
})

await t.test('while the process drains, what is under way is finished, and what still comes is told so', async t => {
  const asked = holdAnswer()
  const draining = await startApp(t, { origin: stub.origin })
  const [running, coming] = [await openRaw(t, draining.port), await openRaw(t, draining.port)]
  running.socket.write(`GET ${FILE} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${draining.masterKey}\r\n\r\n`)
  coming.socket.write('GET /health HTTP/1.1\r\nHost: x\r\n')
  const answer = await asked
  await sleep(50) // until the half request has arrived
  const closed = draining.app.close()
  await sleep(50) // until the drain has begun
  coming.socket.write('\r\n')
  await coming.received(/shutting down/)
  answer()
  await Promise.all([closed, running.closed, coming.closed])
  t.same(answersIn(running.text()).map(({ status }) => status), [200])
  const [refused, ...more] = answersIn(coming.text())
  t.same([refused?.status, more], [503, []])
  t.same(JSON.parse(String(refused?.body)), { error: 'shutting down' })
  hasTheForm(t, refused as RawResponse, 'shutting down')
})

await t.test('what still comes of a refused body is read, so that its client is seen to go', async t => {
  const chart = await startApp(t, { origin: stub.origin })
  for (const size of [20_000, 200_000, 900_000]) {
    const accepted = new Promise<Socket>(resolve => { chart.app.server.once('connection', resolve) })
    const connection = await openRaw(t, chart.port, { allowHalfOpen: true })
    const bytes = `POST /api/org1/repo1/charts HTTP/1.1\r\nHost: x\r\nContent-Length: 20000000\r\n\r\n${'x'.repeat(size)}`
    connection.socket.write(bytes)
    await connection.received(/"error"/)
    connection.socket.end()
    const socket = await accepted
    t.equal(await until(() => socket.destroyed ? socket.bytesRead : undefined), bytes.length)
  }
})
