// Connections that do not go as they should: broken off in either direction, closed by
// half, too slow, or silent. Nothing of them stays behind, here or in the upstream.
import { readdir } from 'node:fs/promises'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Server } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { startApp } from '../helpers/app.ts'
import { collectGarbage } from '../helpers/heap.ts'
import { chartOf, formOf } from '../helpers/packages.ts'
import { answersIn, openRaw, sendRaw } from '../helpers/raw.ts'
import { until, untilTrue } from '../helpers/until.ts'

const FILE = '/org1/repo1/charts/a-1.0.0.tgz'
const CHARTS = '/api/org1/repo1/charts'
// what the kernel keeps for two connections, and then some
const MOST_BUFFERED = 32 * 1024 * 1024

type Handler = (request: IncomingMessage, response: ServerResponse) => void

/** An upstream whose every byte a test decides. */
async function startUpstream (t: Test): Promise<{ origin: string, server: Server, answer: Handler }> {
  const server = createServer((request, response) => { upstream.answer(request, response) })
  await new Promise<void>(resolve => { server.listen(0, '127.0.0.1', resolve) })
  t.teardown(() => { server.close(); server.closeAllConnections() })
  const upstream = { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server, answer: (() => {}) as Handler }
  return upstream
}

/** Writes for as long as somebody reads; how much it was. */
function endless (response: ServerResponse): { written: number } {
  const chunk = Buffer.alloc(64 * 1024, 'x')
  const state = { written: 0 }
  const more = (): void => {
    do state.written += chunk.length
    while (!response.destroyed && response.write(chunk))
  }
  response.writeHead(200, { 'content-type': 'application/x-tar' }).on('drain', more)
  more()
  return state
}

const upstream = await startUpstream(t)
const gateway = await startApp(t, { origin: upstream.origin, limits: { silence: 700, look: 50 }, config: config => ({ ...config, charts: { ...config.charts, maxUploadSize: 1024 * 1024 } }) })
const auth = `Host: x\r\nAuthorization: Bearer ${gateway.masterKey}\r\n`
const spooled = async (): Promise<string[]> => await readdir(join(gateway.config.stateDir, 'spool'))

await t.test('a download that the client breaks off is broken off in the upstream', async t => {
  const gone = new Promise<void>(resolve => {
    upstream.answer = (_request, response) => {
      endless(response)
      response.on('close', resolve)
    }
  })
  const connection = await openRaw(t, gateway.port)
  connection.socket.write(`GET ${FILE} HTTP/1.1\r\n${auth}\r\n`)
  await connection.received(/200 OK/)
  // Node says so on a response that is written to after its end; nobody else listens.
  t.equal(gateway.app.running()[0]?.raw.emit('error', new Error('write after end')), true, 'an error of a response does not end the process')
  connection.socket.resetAndDestroy()
  await gone
  t.match(gateway.log.findLast(line => line['decision'] === 'aborted'), { route: 'chart-file' })
})

await t.test('a client that does not read makes nobody read for it, and is left after a silence', async t => {
  let state = { written: 0 }
  const gone = new Promise<void>(resolve => {
    upstream.answer = (_request, response) => {
      state = endless(response)
      response.on('close', resolve)
    }
  })
  const connection = await openRaw(t, gateway.port)
  connection.socket.pause()
  connection.socket.write(`GET ${FILE} HTTP/1.1\r\n${auth}\r\n`)
  await gone
  t.ok(state.written < MOST_BUFFERED, `${state.written} bytes were read from the upstream`)
})

await t.test('an upload that is broken off, by a reset or by an end, reaches neither the upstream nor the disk', async t => {
  let asked = 0
  upstream.answer = (_request, response) => { asked++; response.end() }
  const form = formOf([{ field: 'chart', filename: 'x', body: await chartOf('a', '1.0.0') }])
  const bodies: [string, string | Buffer][] = [
    ['Content-Length: 100000\r\n\r\n', 'x'.repeat(1_000)],
    ['Transfer-Encoding: chunked\r\n\r\n', '3e8\r\n' + 'x'.repeat(1_000) + '\r\n'],
    [`Content-Type: ${form.contentType}\r\nContent-Length: ${form.body.length}\r\n\r\n`, form.body.subarray(0, -10)]
  ]
  for (const [head, body] of bodies) {
    for (const end of ['reset', 'end'] as const) {
      const connection = await openRaw(t, gateway.port)
      connection.socket.write(`POST ${CHARTS} HTTP/1.1\r\n${auth}${head}`)
      connection.socket.write(body)
      while ((await spooled()).length === 0) await sleep(5)
      if (end === 'reset') connection.socket.resetAndDestroy()
      else connection.socket.end()
      await connection.closed
      while ((await spooled()).length > 0) await sleep(5)
    }
  }
  t.equal(asked, 0)
})

await t.test('an upload whose framing breaks is answered once, and leaves nothing', async t => {
  upstream.answer = (_request, response) => { t.fail('the upstream was asked'); response.end() }
  const answer = await sendRaw(gateway.port, `POST ${CHARTS} HTTP/1.1\r\n${auth}Transfer-Encoding: chunked\r\n\r\n5\r\nhelloXX\r\n0\r\n\r\n`, { quiet: 300 })
  t.same(answersIn(answer.text).map(each => each.status), [400])
  while ((await spooled()).length > 0) await sleep(5)
})

await t.test('a client that stops in the middle of its upload is left after a silence', async t => {
  const connection = await openRaw(t, gateway.port)
  connection.socket.write(`POST ${CHARTS} HTTP/1.1\r\n${auth}Content-Length: 100000\r\n\r\nxxx`)
  while ((await spooled()).length === 0) await sleep(5)
  await connection.closed
  while ((await spooled()).length > 0) await sleep(5)
  t.pass('and its part of the spool is free')
})

await t.test('a spool that cannot be written is no fault of the client, also while it still sends', async t => {
  const write = gateway.spool.write
  gateway.spool.write = async () => { throw Object.assign(new Error('EIO: i/o error, write'), { code: 'EIO' }) }
  t.teardown(() => { gateway.spool.write = write })
  const answer = await sendRaw(gateway.port, `POST ${CHARTS} HTTP/1.1\r\n${auth}Content-Length: 100000\r\n\r\nxxx`)
  t.same([answer.status, answer.body], [500, '{"error":"internal error"}'])
  t.same(answer.headers['connection'], ['close'])
})

await t.test('a client that closes its half has left: nobody goes on reading for it', async t => {
  const asked = new Promise<ServerResponse>(resolve => { upstream.answer = (_request, response) => { resolve(response) } })
  const connection = await openRaw(t, gateway.port, { allowHalfOpen: true })
  connection.socket.write(`GET ${FILE} HTTP/1.1\r\n${auth}\r\n`)
  const response = await asked
  const gone = once(response, 'close')
  connection.socket.end()
  await Promise.all([connection.closed, gone])
  t.equal(connection.text(), '')
  t.match(gateway.log.findLast(line => line['decision'] === 'aborted'), { route: 'chart-file' })
})

await t.test('whoever leaves before a change is made keeps nothing of it out of the log', async t => {
  const chart = await chartOf('a', '1.0.0')
  const cases: [name: string, request: string | Buffer, made: { status: number, body: string }, logged: object][] = [
    ['an upload', Buffer.concat([Buffer.from(`POST ${CHARTS} HTTP/1.1\r\n${auth}Content-Length: ${chart.length}\r\n\r\n`), chart]), { status: 201, body: '{"saved":true}' }, { route: 'upload-chart', chart: 'a', version: '1.0.0', decision: 'allowed', status: 201, digest: String }],
    ['a delete', `DELETE ${CHARTS}/a/1.0.0 HTTP/1.1\r\n${auth}\r\n`, { status: 200, body: '{"deleted":true}' }, { route: 'delete-version', chart: 'a', version: '1.0.0', decision: 'allowed', status: 200 }],
    ['a delete with a body', `DELETE ${CHARTS}/a/1.0.0 HTTP/1.1\r\n${auth}Content-Length: 1\r\n\r\nx`, { status: 200, body: '{"deleted":true}' }, { route: 'delete-version', chart: 'a', version: '1.0.0', decision: 'allowed', status: 200 }],
    ['an upload that the upstream does not take', Buffer.concat([Buffer.from(`POST ${CHARTS} HTTP/1.1\r\n${auth}Content-Length: ${chart.length}\r\n\r\n`), chart]), { status: 409, body: '{"error":"x"}' }, { route: 'upload-chart', decision: 'refused', reason: 'file_exists', status: 409 }]
  ]
  for (const [name, request, made, logged] of cases) {
    const asked = new Promise<ServerResponse>(resolve => {
      upstream.answer = ({ method }, response) => { if (method === 'POST' || method === 'DELETE') resolve(response); else response.writeHead(404).end('{"error":"not found"}') }
    })
    const before = gateway.log.length
    const connection = await openRaw(t, gateway.port)
    connection.socket.write(request)
    const response = await asked
    connection.socket.destroy()
    while (gateway.log.length === before) await sleep(5)
    response.writeHead(made.status, { 'content-type': 'application/json' }).end(made.body)
    while (gateway.log.length === before + 1) await sleep(5)
    await sleep(50) // and no line more
    const [aborted, outcome, ...more] = gateway.log.slice(before)
    t.match(aborted, { decision: 'aborted', msg: 'the client went away' }, name)
    t.match(outcome, { ...logged, subject: 'key:master', reqId: aborted?.['reqId'] }, name)
    t.same(more, [], name)
  }
})

await t.test('a connection that says nothing is closed', async t => {
  const connection = await openRaw(t, gateway.port)
  await connection.closed
  t.equal(connection.text(), '')
})

await t.test('a connection that waits for its next request keeps nothing of the one before', async t => {
  const asked = new Promise<ServerResponse>(resolve => { upstream.answer = (_request, response) => { resolve(response) } })
  const { app, port, masterKey } = await startApp(t, { origin: upstream.origin })
  const connection = await openRaw(t, port)
  connection.socket.write(`GET ${FILE} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${masterKey}\r\n\r\n`)
  const answer = new WeakRef(await until(() => app.running()[0]?.raw))
  const response = await asked
  response.writeHead(200, { 'content-type': 'application/x-tar' }).end('the last bytes')
  await connection.received(/the last bytes/)
  await untilTrue(() => {
    collectGarbage()
    return answer.deref() === undefined
  })
  t.equal(connection.socket.readyState, 'open')
})

await t.test('who is refused early reads why, however much is still to be sent', async t => {
  const heads: [string, number][] = [
    [`POST ${CHARTS} HTTP/1.1\r\nHost: x\r\nContent-Length: 52428800\r\n\r\n`, 401],
    [`POST ${CHARTS} HTTP/1.1\r\n${auth}Content-Length: 52428800\r\n\r\n`, 413],
    [`POST ${CHARTS} HTTP/1.1\r\n${auth}Transfer-Encoding: chunked\r\n\r\n3200000\r\n`, 413],
    [`POST /nowhere HTTP/1.1\r\n${auth}Content-Length: 52428800\r\n\r\n`, 404]
  ]
  const body = Buffer.alloc(50 * 1024 * 1024, 'x')
  for (const [head, status] of heads) {
    let socket: { bytesRead: number } | undefined
    gateway.app.server.once('connection', each => { socket = each })
    const before = gateway.log.length
    const connection = await openRaw(t, gateway.port)
    connection.socket.pause()
    connection.socket.write(head)
    connection.socket.write(body)
    // The answer is under way while the client still sends; it reads only now.
    while (gateway.log.length === before) await sleep(10)
    connection.socket.resume()
    await connection.received(/"error":"[^"]+"}$/)
    t.same(answersIn(connection.text()).map(each => each.status), [status])
    connection.socket.destroy()
    t.ok(Number(socket?.bytesRead) < 4 * 1024 * 1024, `${socket?.bytesRead} bytes were read of it`)
  }
})
