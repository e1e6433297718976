// Class 31, exhaustion: a few bytes of a client cost the server memory, time or
// connections without end. golang-jwt CVE-2025-30204 (a token of dots), fastify
// CVE-2026-25224 (no back-pressure), gzip bombs, slow readers, half requests.
import { once } from 'node:events'
import { readFile, readdir } from 'node:fs/promises'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo, Server, Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { startApp, type TestGateway } from '../helpers/app.ts'
import { startGateway } from '../helpers/gateway.ts'
import { notTried } from '../helpers/not-tried.ts'
import { archiveOf, chartYaml } from '../helpers/packages.ts'
import { answersIn, askRaw, openRaw, type RawConnection } from '../helpers/raw.ts'
import { startStubUpstream } from '../helpers/stub-upstream.ts'

const MIB = 1024 * 1024
const INDEX = '/org1/repo1/index.yaml'
const FILE = '/org1/repo1/charts/a-1.0.0.tgz'
const CHARTS = '/api/org1/repo1/charts'

async function connectionsOf (server: Server): Promise<number> {
  return await new Promise((resolve, reject) => { server.getConnections((error, count) => { if (error === null) resolve(count); else reject(error) }) })
}

/** Waits until the gateway has let go of every connection. */
async function released ({ app }: TestGateway): Promise<void> {
  while (await connectionsOf(app.server) > 0) await sleep(20)
}

/** Waits until nothing is spooled any more. */
async function cleaned ({ config }: TestGateway): Promise<void> {
  while ((await readdir(join(config.stateDir, 'spool'))).length > 0) await sleep(20)
}

const stub = await startStubUpstream(t)
stub.answer = () => ({ body: 'hello' })
const gateway = await startApp(t, { origin: stub.origin, limits: { headers: 400, request: 2_000, silence: 600, look: 50 }, config: config => ({ ...config, charts: { ...config.charts, maxUploadSize: MIB } }) })
const auth = `Host: x\r\nAuthorization: Bearer ${gateway.masterKey}\r\n`

await t.test('a token of a million dots is never read to its end, and one that fits is one bad token', async t => {
  let socket: Socket | undefined
  gateway.app.server.once('connection', (each: Socket) => { socket = each })
  const connection = await openRaw(t, gateway.port)
  connection.socket.write(`GET ${INDEX} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${'.'.repeat(1_000_000)}\r\n\r\n`)
  await connection.closed
  t.same(answersIn(connection.text()).map(answer => answer.status), [431])
  t.ok(Number(socket?.bytesRead) <= MIB + 65_536)
  for (const token of ['.'.repeat(15_000), 'eyJ' + '.'.repeat(15_000), 'eyJ.'.repeat(3_700), `eyJhbGciOiJSUzI1NiJ9.${'e'.repeat(14_000)}.`, '='.repeat(15_000), 'Og=='.repeat(3_700)]) {
    for (const scheme of ['Bearer ', 'Basic ', '']) t.equal((await askRaw(gateway.port, `GET ${INDEX} HTTP/1.1\r\nHost: x\r\nAuthorization: ${scheme}${token}\r\n\r\n`)).status, 401)
  }
})

await t.test('headers have an end', async t => {
  const flood = async (line: string): Promise<number[]> => {
    const connection = await openRaw(t, gateway.port)
    connection.socket.write(`GET ${INDEX} HTTP/1.1\r\n${auth}${line.repeat(Math.ceil(20_000 / line.length))}\r\n`)
    await connection.closed
    return answersIn(connection.text()).map(answer => answer.status)
  }
  for (const line of ['a: b\r\n', 'a:\r\n']) t.same(await flood(line), [400], 'many, and small')
  for (const line of [`X: ${'x'.repeat(4_000)}\r\n`, `Cookie: ${'a=b; '.repeat(400)}\r\n`, `X-Forwarded-For: ${'1.1.1.1,'.repeat(200)}\r\n`]) t.same(await flood(line), [431], line.slice(0, 20))
})

await t.test('a push without end is read to the limit and not much further, and leaves nothing', async t => {
  const body = Buffer.alloc(64 * 1024, 'x')
  const chunk = Buffer.concat([Buffer.from(`${body.length.toString(16)}\r\n`), body, Buffer.from('\r\n')])
  let socket: Socket | undefined
  gateway.app.server.once('connection', (each: Socket) => { socket = each })
  const connection = await openRaw(t, gateway.port)
  connection.socket.write(`POST ${CHARTS} HTTP/1.1\r\n${auth}Transfer-Encoding: chunked\r\n\r\n`)
  for (let sent = 0; sent < 50 * MIB && connection.text() === ''; sent += chunk.length) {
    if (!connection.socket.write(chunk)) await Promise.race([once(connection.socket, 'drain'), connection.received(/./)])
  }
  await connection.received(/"error":"[^"]*"}/)
  connection.socket.destroy()
  t.same(answersIn(connection.text()).map(answer => answer.status), [413])
  t.ok(Number(socket?.bytesRead) < 4 * MIB, `${socket?.bytesRead} bytes were read`)
  await released(gateway)
  await cleaned(gateway)
})

await t.test('readers that do not read hold no more than their own answer, and not for long', async t => {
  let written = 0
  const open = new Set<ServerResponse>()
  const upstream = createServer((request, response) => {
    open.add(response.on('close', () => { open.delete(response) }))
    const piece = Buffer.alloc(64 * 1024, 'x')
    let left = request.url === INDEX ? 8 * MIB : Infinity
    const more = (): void => {
      for (let room = true; room && left > 0 && !response.destroyed; left -= piece.length) {
        written += piece.length
        room = response.write(piece)
      }
      if (left <= 0) response.end()
    }
    response.on('drain', more)
    more()
  })
  await new Promise<void>(resolve => { upstream.listen(0, '127.0.0.1', resolve) })
  t.teardown(() => { upstream.close(); upstream.closeAllConnections() })
  const slow = await startApp(t, { origin: `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`, limits: { silence: 600, idle: 600 } })
  const arrived = { count: 0 }
  slow.app.server.on('connection', () => { arrived.count++ })
  const head = `HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${slow.masterKey}\r\n\r\n`
  for (const [path, readers, most] of [[FILE, 20, 32 * MIB], [INDEX, 10, 8 * MIB]] as const) {
    written = 0
    arrived.count = 0
    for (let i = 0; i < readers; i++) {
      const { socket } = await openRaw(t, slow.port)
      socket.pause()
      socket.write(`GET ${path} ${head}`)
    }
    while (arrived.count < readers) await sleep(10)
    await released(slow)
    while (open.size > 0) await sleep(10)
    t.ok(written <= readers * most, `${path}: ${written} bytes for ${readers} readers`)
  }
})

await t.test('a thousand half requests are answered and closed, and others are served meanwhile', async t => {
  const halves = ['GET', `GET ${INDEX} HTTP/1.1\r\nHost: x\r\n`, `GET ${INDEX} HTTP/1.1\r\nX: `, '', `POST ${CHARTS} HTTP/1.1\r\n${auth}Content-Length: 100\r\n\r\nx`]
  const connections: RawConnection[] = []
  for (let i = 0; i < 1_000; i += 50) {
    connections.push(...await Promise.all(Array.from({ length: 50 }, async (_, j) => {
      const connection = await openRaw(t, gateway.port)
      connection.socket.write(halves[j % halves.length] as string)
      return connection
    })))
    if (i % 200 === 0) t.equal((await askRaw(gateway.port, `GET ${FILE} HTTP/1.1\r\n${auth}\r\n`)).status, 200)
  }
  await Promise.all(connections.map(async each => { await each.closed }))
  const statuses = new Set(connections.flatMap(each => answersIn(each.text())).map(answer => answer.status))
  t.same([...statuses].filter(status => status !== 408), [], 'each says why, or nothing to who said nothing')
  await released(gateway)
  await cleaned(gateway)
})

/** The most memory that a process ever had, bytes. */
async function peakOf (pid: number): Promise<number> {
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024
}

async function expand (t: Test): Promise<void> {
  const program = await startGateway(t, { masterKey: 'a-key-of-this-test', upstream: { url: stub.origin } })
  const port = Number(new URL(program.url).port)
  const post = async (path: string, body: Buffer): Promise<number> => (await askRaw(port, Buffer.concat([Buffer.from(`POST ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer a-key-of-this-test\r\nContent-Length: ${body.length}\r\n\r\n`), body]))).status
  const zeros = (size: number): Buffer => Buffer.alloc(size)
  const chart = { name: 'a/Chart.yaml', body: chartYaml('a', '1.0.0') }
  const bombs: [string, Buffer][] = [
    ['one huge file', await archiveOf([chart, { name: 'a/zeros', body: zeros(110 * MIB) }])],
    ['many files', await archiveOf([chart, ...Array.from({ length: 25 }, (_, i) => ({ name: `a/${i}`, body: zeros(5 * MIB) }))])],
    ['a huge Chart.yaml', await archiveOf([{ name: 'a/Chart.yaml', body: zeros(110 * MIB) }])],
    ['no archive at all', gzipSync(zeros(110 * MIB))],
    ['gzip in gzip', gzipSync(gzipSync(zeros(60 * MIB)))]
  ]
  await post(CHARTS, gzipSync(zeros(1_000)))
  const before = await peakOf(program.pid)
  for (const [name, body] of bombs) t.equal(await post(CHARTS, body), 400, `${name}: ${body.length} bytes`)
  await Promise.all(bombs.map(async ([, body]) => await post(CHARTS, body)))
  const grown = await peakOf(program.pid) - before
  t.ok(grown < 96 * MIB, `the process grew by ${Math.round(grown / MIB)} MiB at most`)
}

await t.test('an archive that expands a thousand times is refused in little memory', async t => {
  // The built gateway asks once at its start whether it is let in, and an accepted upload is asked for before it is stored.
  stub.answer = ({ method }) => {
    if (method !== 'GET') t.fail(`the upstream was asked to ${method}`)
    return { status: 404 }
  }
  if (await readFile('/proc/self/status').then(() => true, () => false)) await expand(t)
  else await notTried(t, 'the memory of an inspection', 'there is no /proc to read the memory of a process from')
})
