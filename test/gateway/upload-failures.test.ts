// What is left of an upload that goes wrong: nothing in the spool, whose room is given
// back, nothing in the upstream, and an answer in the one form.
import { mkdir, readdir, rm } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import type { Locks } from '../../src/lib/locks.ts'
import { startApp, type TestGateway } from '../helpers/app.ts'
import { chartOf, formOf, provenanceOf } from '../helpers/packages.ts'
import { sendRaw } from '../helpers/raw.ts'
import { startStubUpstream, type StubAnswer, type StubUpstream } from '../helpers/stub-upstream.ts'

const CHARTS = '/api/org1/repo1/charts'
const MIB = 1024 * 1024
const NOT_FOUND: StubAnswer = { status: 404, body: '{"error":"object not found"}' }
const SAVED: StubAnswer = { status: 201, body: '{"saved":true}' }

interface Body { readonly contentType: string, readonly body: Buffer }

const chart = await chartOf('mychart', '1.2.3')
const form = formOf([{ field: 'chart', filename: 'x', body: chart }, { field: 'prov', filename: 'x', body: provenanceOf('mychart', '1.2.3') }])
const GOOD: readonly Body[] = [{ contentType: 'application/octet-stream', body: chart }, form]

/** A gateway whose spool has room for one upload at a time, in front of a repository that has nothing. */
async function start (t: Test): Promise<{ gateway: TestGateway, stub: StubUpstream }> {
  const stub = await startStubUpstream(t)
  empty(stub)
  const gateway = await startApp(t, { origin: stub.origin, config: config => ({ ...config, charts: { ...config.charts, spool: { maxBytes: form.body.length } } }) })
  return { gateway, stub }
}

function empty (stub: StubUpstream, toPost: () => StubAnswer = () => SAVED): void {
  stub.answer = ({ method }) => method === 'GET' ? NOT_FOUND : toPost()
}

async function post (gateway: TestGateway, { contentType, body }: Body, path = CHARTS): Promise<number> {
  const answer = await fetch(gateway.url + path, { method: 'POST', body: new Uint8Array(body), headers: { authorization: `Bearer ${gateway.masterKey}`, 'content-type': contentType } })
  const { error, saved } = await answer.json() as { error?: string, saved?: boolean }
  return typeof error === 'string' || saved === true ? answer.status : NaN
}

function headOf (gateway: TestGateway, ...lines: string[]): string {
  return [`POST ${CHARTS} HTTP/1.1`, 'Host: x', `Authorization: Bearer ${gateway.masterKey}`, ...lines, '', ''].join('\r\n')
}

async function spooled ({ config }: TestGateway): Promise<string[]> {
  return await readdir(join(config.stateDir, 'spool'))
}

/** The spool is empty, on the disk and in its books: both forms find room. */
async function nothingIsLeft (t: Test, { gateway, stub }: { gateway: TestGateway, stub: StubUpstream }, what: string): Promise<void> {
  t.same(await spooled(gateway), [], what)
  empty(stub)
  for (const body of GOOD) t.equal(await post(gateway, body), 201, `${what}, and the next upload`)
}

await t.test('an upload that is no chart leaves nothing', async t => {
  const both = await start(t)
  const cut = form.body.subarray(0, form.body.length - 30)
  const bad: [string, Body][] = [
    ['a text', { contentType: 'text/plain', body: Buffer.from('hello') }],
    ['half an archive', { contentType: 'text/plain', body: chart.subarray(0, 100) }],
    ['a form with half an archive', formOf([{ field: 'chart', filename: 'x', body: chart.subarray(0, 100) }, { field: 'prov', filename: 'x', body: 'p' }])],
    ['a form that has no end', { contentType: form.contentType, body: cut }],
    ['a form with a part too many', formOf([{ field: 'chart', filename: 'x', body: chart }, { field: 'more', filename: 'x', body: 'x' }])]
  ]
  for (const [what, body] of bad) {
    t.equal(await post(both.gateway, body), 400, what)
    t.same(both.stub.seen, [], what)
    await nothingIsLeft(t, both, what)
    both.stub.seen.length = 0
  }
})

await t.test('an upload that the upstream does not take leaves nothing', async t => {
  const both = await start(t)
  const answers: [number, StubAnswer][] = [[409, { status: 409, body: '{"error":"file already exists"}' }], [507, { status: 507 }], [507, { status: 507, body: 'x'.repeat(100_000) }], [502, { status: 500 }], [400, { status: 400, body: 'no JSON' }], [413, { status: 413, body: 'too large' }], [502, { status: 200 }], [502, { status: 302, headers: { location: '/' } }]]
  for (const body of GOOD) {
    for (const [expected, answer] of answers) {
      empty(both.stub, () => answer)
      t.equal(await post(both.gateway, body), expected, `${answer.status}`)
      await nothingIsLeft(t, both, `${answer.status}`)
    }
  }
})

await t.test('an upstream that breaks off in any place is one that cannot be reached', async t => {
  const both = await start(t)
  const { stub, gateway } = both
  const ways: [string, (socket: Socket) => void][] = [
    ['without an answer', socket => { socket.destroy() }],
    ['in its headers', socket => { socket.end('HTTP/1.1 201 Crea') }],
    ['in its body', socket => { socket.end('HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\n{"saved":') }]
  ]
  for (const method of ['GET', 'POST']) {
    for (const [what, breakOff] of ways) {
      const refuse = stub.server.listeners('request') as ((...args: unknown[]) => void)[]
      stub.server.removeAllListeners('request')
      stub.server.on('request', (request, response) => {
        if (request.method === method) breakOff(response.socket as Socket)
        else for (const listener of refuse) listener(request, response)
      })
      for (const body of GOOD) t.equal(await post(gateway, body), 502, `${method} ${what}`)
      stub.server.removeAllListeners('request')
      for (const listener of refuse) stub.server.on('request', listener)
      await nothingIsLeft(t, both, `${method} ${what}`)
    }
  }
  stub.server.close()
  stub.server.closeAllConnections()
  for (const body of GOOD) t.equal(await post(gateway, body), 502, 'nobody listens')
  t.same(await spooled(gateway), [])
})

await t.test('an upload that finds no room is asked to come again, and leaves nothing', async t => {
  const both = await start(t)
  const large = { contentType: 'text/plain', body: Buffer.alloc(form.body.length + 1) }
  const parts = formOf([{ field: 'prov', filename: 'x', body: 'p' }, { field: 'chart', filename: 'x', body: large.body }])
  for (const body of [large, parts]) {
    t.equal(await post(both.gateway, body), 503)
    await nothingIsLeft(t, both, 'no room')
  }
})

await t.test('an upload that the client breaks off leaves nothing, wherever it does', async t => {
  const both = await start(t)
  const { gateway, stub } = both
  for (const { contentType, body } of GOOD) {
    for (const [what, length, end] of [['a reset', body.length, 'destroy'], ['a half-closed connection', body.length, 'end'], ['a chunk that never comes', undefined, 'destroy']] as const) {
      const aborted = gateway.log.filter(line => line['decision'] !== 'allowed').length
      const socket = connect(gateway.port, '127.0.0.1').on('error', () => {}).resume()
      socket.write(headOf(gateway, `Content-Type: ${contentType}`, length === undefined ? 'Transfer-Encoding: chunked' : `Content-Length: ${length}`))
      const half = body.subarray(0, Math.floor(body.length / 2))
      socket.write(length === undefined ? Buffer.concat([Buffer.from(`${body.length.toString(16)}\r\n`), half]) : half)
      while ((await spooled(gateway)).length === 0) await sleep(5)
      socket[end]()
      while ((await spooled(gateway)).length > 0 || gateway.log.filter(line => line['decision'] !== 'allowed').length === aborted) await sleep(5)
      t.same(stub.seen, [], what)
      await nothingIsLeft(t, both, what)
      stub.seen.length = 0
      socket.destroy()
    }
  }
})

await t.test('a client that leaves while its upload is stored leaves nothing in the spool', async t => {
  const both = await start(t)
  const { gateway, stub } = both
  const socket = connect(gateway.port, '127.0.0.1').on('error', () => {})
  const answer = await new Promise<() => void>(resolve => {
    stub.answer = async ({ method }) => {
      if (method === 'GET') return NOT_FOUND
      await new Promise<void>(_resolve => { resolve(_resolve) })
      return SAVED
    }
    socket.write(Buffer.concat([Buffer.from(headOf(gateway, `Content-Length: ${chart.length}`)), chart]))
  })
  t.equal((await spooled(gateway)).length, 1)
  socket.destroy()
  answer()
  while ((await spooled(gateway)).length > 0) await sleep(5)
  await nothingIsLeft(t, both, 'gone')
})

await t.test('a spool that cannot be written is no fault of the client, and not named to it', async t => {
  const both = await start(t)
  const { gateway } = both
  const folder = join(gateway.config.stateDir, 'spool')
  await rm(folder, { recursive: true })
  for (const { contentType, body } of GOOD) {
    const answer = await sendRaw(gateway.port, Buffer.concat([Buffer.from(headOf(gateway, `Content-Type: ${contentType}`, `Content-Length: ${body.length}`)), body]))
    t.equal(answer.status, 500)
    t.same(JSON.parse(answer.body), { error: 'internal error' })
  }
  await mkdir(folder)
  await nothingIsLeft(t, both, 'the folder is back')
})

await t.test('a slow client holds no connection to the upstream', async t => {
  const { gateway, stub } = await start(t)
  let connections = 0
  stub.server.on('connection', () => { connections++ })
  for (const { contentType, body } of GOOD) {
    connections = 0
    const socket = connect(gateway.port, '127.0.0.1')
    let answer = ''
    socket.on('data', chunk => { answer += String(chunk) })
    socket.write(headOf(gateway, `Content-Type: ${contentType}`, `Content-Length: ${body.length}`, 'Connection: close'))
    for (const part of [body.subarray(0, 200), body.subarray(200, -1)]) {
      socket.write(part)
      while ((await spooled(gateway)).length === 0) await sleep(5)
      await sleep(20)
      t.equal(connections, 0, 'before its last byte')
    }
    socket.write(body.subarray(-1))
    await new Promise(resolve => { socket.once('close', resolve) })
    t.match(answer, /^HTTP\/1\.1 201 /)
    t.ok(stub.seen.some(({ method }) => method === 'POST'))
    stub.server.closeAllConnections()
  }
})

/** Sends megabytes to whoever takes them; how many bytes were taken, and the answer. */
async function pour (port: number, head: string, piece: Buffer): Promise<{ taken: number, answer: string }> {
  let taken = head.length
  let answer = ''
  const socket = connect(port, '127.0.0.1')
  socket.on('data', chunk => { answer += String(chunk) })
  socket.on('error', () => {})
  const closed = new Promise<void>(resolve => { socket.once('close', () => { resolve() }) })
  socket.write(head)
  const next = (error?: Error | null): void => {
    if (error != null || socket.destroyed || taken > 256 * MIB) return
    taken += piece.length
    socket.write(piece, next)
  }
  next()
  await closed
  return { taken, answer }
}

await t.test('a body that is refused is not read to its end: its connection is closed', async t => {
  const stub = await startStubUpstream(t)
  const gateway = await startApp(t, { origin: stub.origin, config: config => ({ ...config, charts: { ...config.charts, maxUploadSize: MIB } }) })
  const piece = Buffer.alloc(64 * 1024, 'x')
  const chunk = Buffer.concat([Buffer.from('10000\r\n'), piece, Buffer.from('\r\n')])
  const formHead = '--b\r\nContent-Disposition: form-data; name="chart"; filename="x"\r\n\r\n'
  const cases: [string, number, string, Buffer][] = [
    ['declared', 413, headOf(gateway, `Content-Length: ${1024 * MIB}`), piece],
    ['chunked', 413, headOf(gateway, 'Transfer-Encoding: chunked'), chunk],
    ['a chunked form', 413, headOf(gateway, 'Transfer-Encoding: chunked', 'Content-Type: multipart/form-data; boundary=b') + `${formHead.length.toString(16)}\r\n${formHead}\r\n`, chunk],
    ['without credentials', 401, `POST ${CHARTS} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n`, chunk]
  ]
  for (const [what, status, head, bytes] of cases) {
    const { taken, answer } = await pour(gateway.port, head, bytes)
    t.match(answer, new RegExp(`^HTTP/1\\.1 ${status} `), what)
    t.match(answer, /\r\nconnection: close\r\n/i, what)
    t.match(answer, /\r\ncontent-type: application\/json/i, what)
    // What the kernel holds for both sides comes on top of the limit.
    t.ok(taken < 32 * MIB, `${what}: ${taken} bytes of at least 256 MiB`)
  }
  t.same(stub.seen, [])
  t.same(await spooled(gateway), [])
  const kept = await sendRaw(gateway.port, headOf(gateway, 'Content-Length: 5') + 'hello')
  t.equal(kept.headers['connection']?.[0], 'keep-alive', 'a body that was read keeps its connection')
})

await t.test('while nobody can say who else stores it, nothing is stored in an upstream that would store it twice', async t => {
  const stub = await startStubUpstream(t)
  empty(stub)
  const locks: Locks = { hold: async (_name, work) => await work(() => 'none') }
  const gateway = await startApp(t, { origin: stub.origin, locks, config: config => ({ ...config, charts: { ...config.charts, allowOverwrite: true } }) })
  const answer = await sendRaw(gateway.port, Buffer.concat([Buffer.from(headOf(gateway, `Content-Length: ${chart.length}`)), chart]))
  t.match(answer, { status: 503, headers: { 'retry-after': [String] } })
  t.match(JSON.parse(answer.body.toString()), { error: 'nobody can say now whether another replica stores the same version: try again in a few seconds' })
  t.same(stub.seen.filter(({ method }) => method !== 'GET'), [])
  t.same(await spooled(gateway), [])
})
