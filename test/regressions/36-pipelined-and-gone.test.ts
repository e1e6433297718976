// Class 36: what is done for a client outlives the client. 140 pipelined requests of one
// large file on one connection, which is then closed, were 139 connections to the upstream
// that nobody ever gave back, and after 128 no tenant was answered any more; requests for
// whoever leaves before an answer were waited for to their end.
import { readdir } from 'node:fs/promises'
import { IncomingMessage, ServerResponse } from 'node:http'
import { join } from 'node:path'
import v8 from 'node:v8'
import t, { type Test } from 'tap'
import { chartMuseum, NO_CHARTMUSEUM, startChartMuseum } from '../helpers/chartmuseum.ts'
import { startApp, type TestGateway } from '../helpers/app.ts'
import { startGateway, type Gateway } from '../helpers/gateway.ts'
import { bytes, startHeldUpstream, type HeldUpstream } from '../helpers/held-upstream.ts'
import { skipped } from '../helpers/not-tried.ts'
import { chartOf } from '../helpers/packages.ts'
import { answersIn, askRaw, openRaw, type RawConnection } from '../helpers/raw.ts'
import { newMasterKey } from '../helpers/secrets.ts'
import { until } from '../helpers/until.ts'
import { inShort, WORKER_COUNTS } from '../helpers/in-short.ts'

const MIB = 1024 * 1024
const FILE = '/org1/repo1/charts/a-1.0.0.tgz'
const API = '/api/org1/repo1/charts'
const INDEX = '/org1/repo1/index.yaml'
const YAML = 'apiVersion: v1\nentries: {}\n'

interface Lab {
  readonly gateway: TestGateway
  readonly upstream: HeldUpstream
  /** A request, as bytes. */
  ask (line: string, more?: string): string
}

async function startLab (t: Test): Promise<Lab> {
  const upstream = await startHeldUpstream(t)
  const gateway = await startApp(t, { origin: upstream.origin })
  const ask = (line: string, more = ''): string => `${line} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${gateway.masterKey}\r\n${more}\r\n`
  return { gateway, upstream, ask }
}

/** Answers whatever is held, and whatever still comes. */
function release ({ upstream }: Lab, held: readonly (() => void)[]): void {
  upstream.answer = answerAll
  for (const answer of held) answer()
}

const answerAll: HeldUpstream['answer'] = (request, response) => { response.end(request.url === INDEX ? YAML : 'hello') }

/** Holds every answer; what answers those that were asked for so far. */
function hold ({ upstream }: Lab): (() => void)[] {
  const held: (() => void)[] = []
  upstream.answer = (request, response) => { held.push(() => { answerAll(request, response) }) }
  return held
}

/** Waits until nothing is done any more for anybody, and a neighbour is served. */
async function isFree (t: Test, lab: Lab, name: string): Promise<void> {
  t.same(await until(() => lab.upstream.held().length === 0 ? [] : undefined), [], `${name}: the upstream has all its connections back`)
  lab.upstream.answer = answerAll
  t.equal((await askRaw(lab.gateway.port, lab.ask('GET /org2/repo2/charts/b-1.0.0.tgz'))).status, 200, `${name}: and a neighbour is answered`)
}

const leave = {
  'with an end': (connection: RawConnection) => { connection.socket.end() },
  'with a reset': (connection: RawConnection) => { connection.socket.resetAndDestroy() }
}

await t.test('of requests that are sent at once the first is answered, as the last of its connection, and no other is looked at', async t => {
  const lab = await startLab(t)
  const upload = 'Content-Length: 5\r\n\r\nhello'
  const cases: [name: string, first: string, rest: string][] = [
    ...['GET', 'HEAD'].flatMap(method => [`${API}/a`, INDEX].map((path): [string, string, string] => [`${method} ${path}`, lab.ask(`${method} ${path}`), lab.ask(`${method} ${path}`)])),
    ['files', lab.ask(`GET ${FILE}`), lab.ask(`GET ${FILE}`)],
    ['a delete behind a read', lab.ask(`GET ${FILE}`), lab.ask(`DELETE ${API}/a/1.0.0`)],
    ['an upload behind a read', lab.ask(`GET ${FILE}`), lab.ask(`POST ${API}`, upload)],
    ['half an upload behind a read', lab.ask(`GET ${FILE}`), lab.ask(`POST ${API}`, 'Content-Length: 100000\r\n\r\nxxx')],
    ['an expectation behind a read', lab.ask(`GET ${FILE}`), lab.ask(`POST ${API}`, 'Content-Length: 5\r\nExpect: 100-continue\r\n')],
    ['an upgrade behind a read', lab.ask(`GET ${FILE}`), lab.ask(`GET ${FILE}`, 'Connection: Upgrade\r\nUpgrade: h2c\r\n')],
    ['a read behind an upgrade', lab.ask(`GET ${FILE}`, 'Connection: Upgrade\r\nUpgrade: h2c\r\n'), lab.ask(`GET ${FILE}`)],
    ...['CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n', '\u0001 x\r\n\r\n', `GET /${'x'.repeat(20_000)} HTTP/1.1\r\n\r\n`, 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n']
      .map((junk): [string, string, string] => [`what is no request, ${JSON.stringify(junk.slice(0, 9))}`, lab.ask(`GET ${FILE}`), junk]),
    ['a read behind a delete', lab.ask(`DELETE ${API}/a/1.0.0`), lab.ask(`GET ${FILE}`)]
  ]
  for (const [name, first, rest] of cases) {
    release(lab, [])
    lab.upstream.asked.length = 0
    const asked = await openRaw(t, lab.gateway.port)
    asked.socket.write(first)
    await asked.received(/^HTTP\/1.1 .*\r\n\r\n/s)
    const alone = [...lab.upstream.asked]
    for (const count of [1, 139]) {
      lab.upstream.asked.length = 0
      const held = hold(lab)
      const connection = await openRaw(t, lab.gateway.port)
      connection.socket.write(first + rest.repeat(count))
      await until(() => held[0])
      // What came behind it has been looked at by now, if it ever is.
      t.equal((await askRaw(lab.gateway.port, 'GET /health HTTP/1.1\r\nHost: x\r\n\r\n')).status, 200)
      release(lab, held)
      await connection.closed
      t.strictSame(lab.upstream.asked, alone, `${name}, ${count}`)
      const text = connection.text()
      t.equal(text.split('HTTP/1.1 ').length, 2, `${name}, ${count}: one answer`)
      t.match(text, /^HTTP\/1\.1 200 OK\r\n(?:.+\r\n)*connection: close\r\n/i, `${name}, ${count}`)
    }
  }
  // Node parses nothing of what stands behind an upgrade, and what is no request is none that is dropped.
  const dropped = cases.filter(([name]) => !/behind an upgrade|no request/.test(name))
  t.equal(lab.gateway.log.filter(({ decision }) => decision === 'dropped').length, dropped.length * 2, 'and one line of log for each connection says so')
})

await t.test('an answer whose head is out ends whole, and its connection with it', async t => {
  const lab = await startLab(t)
  let finish = (): void => {}
  lab.upstream.answer = (_request, response) => {
    response.writeHead(200, { 'content-length': 200_000 }).write('x'.repeat(100_000))
    finish = () => { response.end('x'.repeat(100_000)) }
  }
  for (const path of [FILE, API]) {
    const connection = await openRaw(t, lab.gateway.port)
    connection.socket.write(lab.ask(`GET ${path}`))
    await connection.received(/x{1000}/)
    connection.socket.write(lab.ask(`GET ${path}`).repeat(2_000))
    await until(() => lab.gateway.log.some(({ decision }) => decision === 'dropped') || undefined)
    finish()
    await connection.closed
    t.same(answersIn(connection.text()).map(({ status, body }) => [status, body.length]), [[200, 200_000]], path)
  }
  t.equal(lab.upstream.asked.length, 2)
})

await t.test('what is refused or answered without the upstream ends its connection too, when others stand behind it', async t => {
  const lab = await startLab(t)
  const body = 'x'.repeat(20)
  const cases: [name: string, first: string, status: number][] = [
    ['the gateway\'s own', 'GET /health HTTP/1.1\r\nHost: x\r\n\r\n', 200],
    ['no credentials', `GET ${FILE} HTTP/1.1\r\nHost: x\r\n\r\n`, 401],
    ['no such route', lab.ask('GET /nowhere'), 404],
    ['a head that can be read in two ways', lab.ask(`GET ${FILE}`, 'Host: y\r\n'), 400],
    ['a body that is not wanted', `POST ${API} HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`, 401],
    ['an expectation that is refused', `POST ${API} HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\nExpect: 100-continue\r\n\r\n${body}`, 401],
    ['a body that is no chart', lab.ask(`POST ${API}`, `Content-Length: ${body.length}\r\n`) + body, 400]
  ]
  for (const [name, first, status] of cases) {
    const connection = await openRaw(t, lab.gateway.port)
    connection.socket.write(first + lab.ask(`DELETE ${API}/a/1.0.0`).repeat(100))
    await connection.closed
    t.same(answersIn(connection.text()).map(answer => answer.status), [status], name)
    t.same(lab.upstream.asked, [], `${name}: nothing of what stands behind it is done`)
  }
})

await t.test('a connection that is closed behind 140 requests gives everything back', async t => {
  const lab = await startLab(t)
  for (const path of [FILE, API, INDEX]) {
    for (const [how, close] of Object.entries(leave)) {
      for (const answer of [() => {}, bytes(64 * MIB), bytes(64 * MIB, { chunked: true })]) {
        lab.upstream.answer = answer
        lab.upstream.asked.length = 0
        const connections = await Promise.all([1, 2, 3].map(async () => await openRaw(t, lab.gateway.port)))
        for (const connection of connections) {
          connection.socket.pause()
          connection.socket.write(lab.ask(`GET ${path}`).repeat(140))
        }
        await until(() => lab.upstream.asked[0])
        for (const connection of connections) close(connection)
        await isFree(t, lab, `${path} ${how}`)
        t.ok(lab.upstream.asked.length <= 7, `${path} ${how}: ${lab.upstream.asked.length} were asked for`)
      }
    }
  }
})

await t.test('thousands of requests on a connection are not kept, and its end is seen behind them', async t => {
  const lab = await startLab(t)
  const held = hold(lab)
  const count = (): number => Number(v8.queryObjects(IncomingMessage)) + Number(v8.queryObjects(ServerResponse))
  const before = count()
  const connections = await Promise.all(Array.from({ length: 10 }, async () => await openRaw(t, lab.gateway.port)))
  for (const connection of connections) connection.socket.write(lab.ask(`GET ${FILE}`).repeat(inShort(1_000, 10_000)))
  await until(() => connections.every(({ socket }) => socket.writableLength === 0) || undefined)
  await until(() => held[0])
  t.ok(count() - before < 100, `${count() - before} requests and responses more`)
  t.equal(lab.upstream.asked.length, 1, 'all of them want the same file')
  for (const connection of connections) connection.socket.end()
  await isFree(t, lab, 'thousands')
})

await t.test('a client that waits for each answer keeps its connection, whatever it asks for', async t => {
  const lab = await startLab(t)
  const chart = await chartOf('a', '1.0.0')
  lab.upstream.answer = (request, response) => {
    if (request.method === 'POST') response.writeHead(201).end('{"saved":true}')
    else if (request.url === INDEX) response.end(YAML)
    else if (request.url?.includes('large')) bytes(300_000)(request, response)
    else if (request.url?.includes('chunked')) bytes(300_000, { chunked: true })(request, response)
    else if (request.url?.includes('none')) response.writeHead(404).end('{"error":"not found"}')
    else response.end('hello')
  }
  const requests: [line: string | Buffer, status: number][] = [
    [lab.ask(`GET ${INDEX}`), 200],
    [lab.ask(`GET ${FILE}`), 200],
    [lab.ask('GET /org1/repo1/charts/large-1.0.0.tgz'), 200],
    [lab.ask('GET /org1/repo1/charts/chunked-1.0.0.tgz'), 200],
    [lab.ask('GET /org1/repo1/charts/none-1.0.0.tgz'), 404],
    [lab.ask(`GET ${API}`), 200],
    [lab.ask(`GET ${API}/large`), 200],
    [lab.ask(`DELETE ${API}/a/1.0.0`), 200],
    [Buffer.concat([Buffer.from(lab.ask(`POST ${API}?force`, `Content-Length: ${chart.length}\r\n`)), chart]), 201],
    ['GET /health HTTP/1.1\r\nHost: x\r\n\r\n', 200],
    [`GET ${INDEX} HTTP/1.1\r\nHost: x\r\n\r\n`, 401]
  ]
  const connection = await openRaw(t, lab.gateway.port)
  for (let i = 0; i < requests.length * inShort(4, 50); i++) {
    const [line, status] = requests[i % requests.length] as [string, number]
    const before = connection.text().length
    connection.socket.write(line)
    const answer = await until(() => wholeAnswer(connection.text().slice(before)))
    if (answer !== status) t.equal(answer, status, String(line))
    if (connection.socket.destroyed) throw new Error(`closed after ${String(line)}`)
  }
  t.equal(lab.gateway.log.filter(({ decision }) => decision === 'dropped').length, 0)
})

/** The status of the one answer that this is, as soon as its last byte is there. */
function wholeAnswer (text: string): number | undefined {
  try {
    const [answer, ...more] = answersIn(text)
    return more.length === 0 ? answer?.status : undefined
  } catch {
    return undefined
  }
}

await t.test('whoever leaves before an answer leaves nothing behind, and the last who waits for the same takes it along', async t => {
  const lab = await startLab(t)
  for (const path of [FILE, API, INDEX, `${API}/a`, '/org1/repo1/artifacthub-repo.yml']) {
    for (const [how, close] of Object.entries(leave)) {
      lab.upstream.answer = () => {}
      lab.upstream.asked.length = 0
      const connections: RawConnection[] = []
      for (let i = 0; i < 5; i++) {
        const connection = await openRaw(t, lab.gateway.port)
        connection.socket.write(lab.ask(`GET ${path}`))
        if (i === 0) await until(() => lab.upstream.asked[0])
        connections.push(connection)
      }
      // They have arrived when somebody behind them is answered.
      await askRaw(lab.gateway.port, 'GET /health HTTP/1.1\r\nHost: x\r\n\r\n')
      const shared = lab.upstream.held().length === 1
      for (const connection of connections.slice(1, -1)) close(connection)
      await until(() => lab.gateway.app.running().length === 2 || undefined)
      const left = shared ? 1 : 2
      t.equal(await until(() => lab.upstream.held().length === left ? left : undefined), left, `${path} ${how}: those who are there are waited for`)
      close(connections[0] as RawConnection)
      await until(() => lab.upstream.held().length === 1 || undefined)
      close(connections[4] as RawConnection)
      await isFree(t, lab, `${path} ${how}`)
    }
  }
})

await t.test('who still waits gets an answer, whoever of the others has left', async t => {
  const lab = await startLab(t)
  for (const path of [FILE, INDEX]) {
    const held = hold(lab)
    const [first, second, third] = [await openRaw(t, lab.gateway.port), await openRaw(t, lab.gateway.port), await openRaw(t, lab.gateway.port)]
    first.socket.write(lab.ask(`GET ${path}`))
    await until(() => held[0])
    second.socket.write(lab.ask(`GET ${path}`))
    third.socket.write(lab.ask(`GET ${path}`))
    await until(() => lab.gateway.app.running().length === 3 || undefined)
    first.socket.resetAndDestroy()
    second.socket.resetAndDestroy()
    await until(() => held[1])
    release(lab, held)
    await third.received(/hello|entries/)
    t.match(third.text(), /^HTTP\/1\.1 200 /, path)
    t.equal(lab.upstream.held().length, 0)
  }
})

await t.test('a body that nobody wants hides no end of a connection', async t => {
  const lab = await startLab(t)
  for (const path of [FILE, API, INDEX]) {
    for (const [how, close] of Object.entries(leave)) {
      lab.upstream.answer = () => {}
      lab.upstream.asked.length = 0
      const connection = await openRaw(t, lab.gateway.port)
      connection.socket.write(lab.ask(`GET ${path}`, `Content-Length: ${4 * MIB}\r\n`))
      connection.socket.write('x'.repeat(2 * MIB))
      await until(() => lab.upstream.asked[0])
      close(connection)
      await isFree(t, lab, `${path} ${how}`)
    }
  }
})

await t.test('a change that is on its way goes on to its end, and one that is not is never sent', async t => {
  const lab = await startLab(t)
  const chart = await chartOf('a', '1.0.0')
  const push = Buffer.concat([Buffer.from(lab.ask(`POST ${API}`, `Content-Length: ${chart.length}\r\n`)), chart])
  const sent = new Promise<() => void>(resolve => {
    lab.upstream.answer = ({ method }, response) => {
      if (method === 'POST') resolve(() => { response.writeHead(201).end('{"saved":true}') })
      else response.writeHead(404).end('{"error":"not found"}')
    }
  })
  const going = await openRaw(t, lab.gateway.port)
  going.socket.write(push)
  const answer = await sent
  going.socket.resetAndDestroy()
  await until(() => lab.gateway.log.find(({ decision }) => decision === 'aborted'))
  t.same(lab.upstream.held(), [`POST ${API}`])
  answer()
  await until(() => lab.gateway.log.find(({ decision, status }) => decision === 'allowed' && status === 201))

  lab.upstream.asked.length = 0
  lab.upstream.answer = () => {} // it is asked whether the version is there
  const before = lab.gateway.log.length
  const early = await openRaw(t, lab.gateway.port)
  early.socket.write(push)
  await until(() => lab.upstream.held()[0])
  early.socket.resetAndDestroy()
  await isFree(t, lab, 'a push that had not begun')
  await until(async () => (await readdir(join(lab.gateway.config.stateDir, 'spool'))).length === 0 || undefined)
  t.notOk(lab.upstream.asked.some(line => line.startsWith('POST')))
  t.same(lab.gateway.log.slice(before).filter(({ route }) => route === 'upload-chart').map(({ decision }) => decision), ['aborted'])
})

/** A chart file of so many bytes, which does not get smaller by gzip. */
async function largeChart (size: number): Promise<Buffer> {
  const { randomBytes } = await import('node:crypto')
  return await chartOf('a', '1.0.0', [1, 2, 3, 4].map(i => ({ name: `a/files/${i}`, body: randomBytes(size / 4) })))
}

async function openConnections (pid: number): Promise<number> {
  const { execFile } = await import('node:child_process')
  const { readlink } = await import('node:fs/promises')
  const children = await new Promise<string>(resolve => { execFile('pgrep', ['-P', String(pid)], (_error, stdout) => { resolve(stdout) }) })
  let count = 0
  for (const each of [pid, ...children.trim().split('\n').filter(line => line !== '').map(Number)]) {
    for (const fd of await readdir(`/proc/${each}/fd`)) {
      if ((await readlink(`/proc/${each}/fd/${fd}`).catch(() => '')).startsWith('socket:')) count++
    }
  }
  return count
}

async function overARealRepository (t: Test, gateway: Gateway, { workers, key }: { readonly workers: number, readonly key: string }): Promise<void> {
  const port = Number(new URL(gateway.url).port)
  await until(() => gateway.stdout().split('a worker listens').length > (workers === 1 ? 0 : workers) || undefined)
  const auth = `Host: x\r\nAuthorization: Bearer ${key}\r\n`
  const chart = await largeChart(8 * MIB)
  t.equal((await askRaw(port, Buffer.concat([Buffer.from(`POST ${API} HTTP/1.1\r\n${auth}Content-Length: ${chart.length}\r\n\r\n`), chart]))).status, 201)
  for (const path of [FILE, API]) await askRaw(port, `GET ${path} HTTP/1.1\r\n${auth}\r\n`)
  const before = await openConnections(gateway.pid)
  for (let round = 0; round < 3; round++) {
    for (const path of [FILE, API, INDEX]) {
      const connections = await Promise.all(Array.from({ length: 8 }, async () => await openRaw(t, port)))
      for (const { socket } of connections) {
        socket.pause()
        await new Promise(resolve => { socket.write(`GET ${path} HTTP/1.1\r\n${auth}\r\n`.repeat(140), resolve) })
      }
      for (const connection of connections) connection.socket.end()
    }
  }
  t.equal((await askRaw(port, `GET ${INDEX} HTTP/1.1\r\n${auth}\r\n`)).status, 200)
  t.equal((await askRaw(port, `GET ${FILE} HTTP/1.1\r\n${auth}\r\n`)).status, 200)
  // An idle connection to the repository may stay, one in each process.
  const left = await until(async () => {
    const now = await openConnections(gateway.pid)
    return now <= before + 6 ? now - before : undefined
  })
  t.ok(left <= 6, `${left} sockets more than before`)
}

for (const workers of WORKER_COUNTS) {
  await t.test(`over the embedded repository a worker that was flooded answers everybody (workers: ${workers})`, async t => {
    const key = newMasterKey()
    await overARealRepository(t, await startGateway(t, { workers, masterKey: key }), { workers, key })
  })
  if (chartMuseum === undefined) await skipped(t, `the same in front of ChartMuseum (workers: ${workers})`, NO_CHARTMUSEUM)
  else {
    await t.test(`the same in front of ChartMuseum (workers: ${workers})`, async t => {
      const key = newMasterKey()
      const { url, stateDir } = await startChartMuseum(t)
      await overARealRepository(t, await startGateway(t, { workers, masterKey: key, upstream: { url } }, { stateDir }), { workers, key })
    })
  }
}
