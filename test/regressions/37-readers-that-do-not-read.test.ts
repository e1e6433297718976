// Class 37: readers that do not read. 140 connections that asked for a large file and did
// not read it had all connections to the upstream, and every other tenant waited two
// minutes for a connection that was closed then. As long as a kernel takes a little of all
// of them, and for those who read a little of each, nobody made place at all.
import { randomBytes } from 'node:crypto'
import { get } from 'node:http'
import type { Socket } from 'node:net'
import t, { type Test } from 'tap'
import { chartMuseum, NO_CHARTMUSEUM, startChartMuseum } from '../helpers/chartmuseum.ts'
import { startApp, type TestGateway } from '../helpers/app.ts'
import { startGateway, type Gateway } from '../helpers/gateway.ts'
import { bytes, startHeldUpstream, type HeldUpstream } from '../helpers/held-upstream.ts'
import { skipped } from '../helpers/not-tried.ts'
import { chartOf } from '../helpers/packages.ts'
import { askRaw, openRaw, type RawResponse } from '../helpers/raw.ts'
import { newMasterKey } from '../helpers/secrets.ts'
import { until } from '../helpers/until.ts'
import { inShort, WORKER_COUNTS } from '../helpers/in-short.ts'

/** Bytes: more than the buffers between both ends hold. */
const LARGE = 24 * 1024 * 1024
const INDEX = '/org2/repo2/index.yaml'
const SMALL = '/org2/repo2/charts/small-1.0.0.tgz'
const CHARTS = '/api/org2/repo2/charts'
const YAML = 'apiVersion: v1\nentries: {}\n'
const OPEN = [{ repositories: ['*/*'], subjects: ['anonymous'], actions: ['pull' as const] }]

/** Connections to the upstream that large downloads may have, of all. */
const [MOST_LARGE, MOST] = [96, 128]

/** The second one where the machine is so slow that what nobody reads still fills the buffers on the way. */
const MADE_PLACE = /^download_(?:not_read|over_share)$/

interface Lab {
  readonly gateway: TestGateway
  readonly upstream: HeldUpstream
  /** A request with every right. */
  master (line: string, more?: string): string
}

/** Everything that is asked of org1/repo1 is large, whatever it is. */
async function startLab (t: Test): Promise<Lab> {
  const upstream = await startHeldUpstream(t)
  const gateway = await startApp(t, { origin: upstream.origin, config: config => ({ ...config, policy: OPEN, trustedProxies: ['127.0.0.9'] }) })
  upstream.answer = (request, response) => {
    const { method, url = '' } = request
    if (method === 'POST') response.writeHead(201).end('{"saved":true}')
    else if (method === 'DELETE') response.end('{"deleted":true}')
    else if (url.includes('large')) bytes(LARGE, { chunked: url.includes('chunked') })(request, response)
    else if (url.includes('small')) response.end('hello')
    else if (url.endsWith('index.yaml')) response.end(YAML)
    else response.writeHead(404).end('{"error":"not found"}')
  }
  const master = (line: string, more = ''): string => `${line} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${gateway.masterKey}\r\n${more}\r\n`
  return { gateway, upstream, master }
}

const anonymous = (line: string, more = ''): string => `${line} HTTP/1.1\r\nHost: x\r\n${more}\r\n`

/** So many connections that ask, and do not read. */
async function unread (t: Test, port: number, count: number, { request, localAddress = '127.0.0.1' }: { readonly request: string, readonly localAddress?: string }): Promise<Socket[]> {
  return await Promise.all(Array.from({ length: count }, async () => {
    const { socket } = await openRaw(t, port, { localAddress })
    socket.pause()
    socket.write(request)
    return socket
  }))
}

interface Download { readonly status: number, readonly length: number, readonly retryAfter: boolean }

/** Reads an answer to its end, as it comes; nothing of one that breaks off. */
async function download (port: number, path: string, key?: string): Promise<Download | undefined> {
  const headers = key === undefined ? {} : { authorization: `Bearer ${key}` }
  return await new Promise(resolve => {
    get({ host: '127.0.0.1', port, path, headers, agent: false }, response => {
      let length = 0
      response.on('data', (chunk: Buffer) => { length += chunk.length })
      response.on('end', () => { resolve({ status: response.statusCode as number, length, retryAfter: response.headers['retry-after'] !== undefined }) })
      response.on('error', () => { resolve(undefined) })
    }).on('error', () => { resolve(undefined) })
  })
}

const ended = ({ gateway }: Lab): Record<string, unknown>[] => gateway.log.filter(({ decision }) => decision === 'ended')

async function free (t: Test, { upstream }: Lab, name: string): Promise<void> {
  t.equal(await until(() => upstream.held().length === 0 ? 0 : undefined), 0, `${name}: the upstream has all its connections back`)
}

await t.test('what one client does not read takes nothing from the others, whichever of both is an account', async t => {
  const CASES = [['an address', anonymous, 'master'], ['an account', 'master', anonymous]] as const
  for (const [i, path] of ['/org1/repo1/charts/large-1.0.0.tgz', '/org1/repo1/charts/large-chunked-1.0.0.tgz', '/api/org1/repo1/charts/large', '/api/org1/repo1/charts/large-chunked'].entries()) {
    for (const [name, theirs, ours] of CASES.filter((_, j) => inShort(i + j === 2, true))) {
      const what = `${path} of ${name}`
      const lab = await startLab(t)
      const { port } = lab.gateway
      const asking = theirs === 'master' ? lab.master : theirs
      const mine = ours === 'master' ? lab.master : ours
      const sockets = await unread(t, port, 140, { request: asking(`GET ${path}`) })
      await until(() => lab.upstream.held().length >= MOST_LARGE || undefined)
      for (const target of [INDEX, SMALL, `${CHARTS}/small`]) t.equal((await askRaw(port, mine(`GET ${target}`))).status, 200, `${what}: ${target}`)
      const chart = await chartOf('a', '1.0.0')
      t.equal((await askRaw(port, Buffer.concat([Buffer.from(lab.master(`POST ${CHARTS}`, `Content-Length: ${chart.length}\r\n`)), chart]))).status, 201, `${what}: a push`)
      t.equal((await askRaw(port, lab.master(`DELETE ${CHARTS}/a/1.0.0`))).status, 200, `${what}: a delete`)
      t.same(ended(lab), [], `${what}: nothing had to be ended for these`)
      t.equal(lab.upstream.held().length, MOST_LARGE, what)
      t.same(await download(port, '/org2/repo2/charts/large-1.0.0.tgz', ours === 'master' ? lab.gateway.masterKey : undefined), { status: 200, length: LARGE, retryAfter: false }, `${what}: a large file of another client`)
      t.equal(ended(lab).length, 1, `${what}: one had to be ended for it`)
      t.match(ended(lab)[0], { tenant: 'org1/repo1', reason: MADE_PLACE, reqId: String })
      t.equal(lab.gateway.log.filter(({ reqId }) => reqId === ended(lab)[0]?.['reqId']).length, 1, `${what}: and one line of log says so`)
      for (const socket of sockets) socket.destroy()
      await free(t, lab, what)
    }
  }
})

await t.test('who waits for a place among the large ones and gets none is told when to come again', async t => {
  const lab = await startLab(t)
  const { port } = lab.gateway
  const sockets = await unread(t, port, MOST_LARGE, { request: anonymous('GET /org1/repo1/charts/large-1.0.0.tgz') })
  await until(() => lab.upstream.held().length === MOST_LARGE || undefined)
  const targets = ['/org1/repo1/charts/large-1.0.0.tgz', '/org1/repo1/charts/large-2.0.0.tgz', '/api/org1/repo1/charts/large']
  for (const answer of await Promise.all(targets.map(async target => await askRaw(port, anonymous(`GET ${target}`))))) {
    t.equal(answer.status, 503)
    t.same(answer.headers['retry-after'], ['5'])
    t.type((JSON.parse(answer.body) as { error: unknown }).error, 'string')
    t.match(lab.gateway.log.findLast(({ decision }) => decision === 'refused'), { reason: 'upstream_no_room' })
  }
  t.same(ended(lab), [], 'the same client gains nothing by asking once more')
  for (const socket of sockets) socket.destroy()
  await free(t, lab, 'a client that has all of its part')
})

await t.test('what is free goes to who has the fewest, whoever was first, and the file that they want does not matter', async t => {
  const lab = await startLab(t)
  const { port } = lab.gateway
  const held: { readonly url: string, answer (): void }[] = []
  lab.upstream.answer = (request, response) => { held.push({ url: request.url as string, answer: () => { response.end('hello') } }) }
  const many = await Promise.all(Array.from({ length: MOST + 100 }, async (_, i) => {
    const connection = await openRaw(t, port)
    connection.socket.write(anonymous(`GET /org1/repo1/charts/many-${i}.0.0.tgz`))
    return connection
  }))
  await until(() => held.length === MOST || undefined)
  // It has asked for this file too, and waits for a connection as long as anybody.
  const shared = `/org1/repo1/charts/many-${MOST + 50}.0.0.tgz`
  const waiting = Array.from({ length: MOST + 100 }, (_, i) => `/org1/repo1/charts/many-${i}.0.0.tgz`).filter(url => !held.some(each => each.url === url))
  const wanted = waiting.includes(shared) ? shared : waiting[50] as string
  const neighbour = askRaw(port, lab.master(`GET ${wanted}`))
  const other = askRaw(port, anonymous('GET /org2/repo2/charts/own-1.0.0.tgz'))
  await until(() => lab.gateway.app.running().length === MOST + 102 || undefined)
  t.equal(held.length, MOST)
  held[0]?.answer()
  t.equal((await until(() => held[MOST])).url, wanted)
  held[MOST]?.answer()
  t.equal((await neighbour).status, 200)
  for (const { socket } of many) socket.destroy()
  await until(() => held.find(({ url }) => url.includes('own')))
  for (const { answer } of held) answer()
  t.equal((await other).status, 200, 'and when they leave, what waits for others is next')
  await free(t, lab, 'many small ones')
})

await t.test('who reads steadily is not cut, however slowly, as long as others of the same client do not read', async t => {
  const lab = await startLab(t)
  const { port } = lab.gateway
  const [reader] = await unread(t, port, 1, { request: anonymous('GET /org1/repo1/charts/large-2.0.0.tgz') }) as [Socket]
  await until(() => lab.upstream.held().length === 1 || undefined)
  await unread(t, port, MOST_LARGE - 1, { request: anonymous('GET /org1/repo1/charts/large-1.0.0.tgz') })
  await until(() => lab.upstream.held().length === MOST_LARGE || undefined)
  const reading = setInterval(() => { reader.read() }, 50)
  t.teardown(() => { clearInterval(reading) })
  for (let i = 0; i < 3; i++) t.equal((await download(port, '/org2/repo2/charts/large-1.0.0.tgz', lab.gateway.masterKey))?.status, 200)
  t.equal(ended(lab).length, 1, 'one is ended for all three, because a place that is given back is there for the next')
  t.notOk(reader.destroyed)
})

await t.test('who reads all of theirs a little keeps nobody out', async t => {
  const lab = await startLab(t)
  const { port } = lab.gateway
  const sockets = await unread(t, port, MOST_LARGE, { request: anonymous('GET /org1/repo1/charts/large-1.0.0.tgz') })
  const reading = setInterval(() => { for (const socket of sockets) socket.read(16 * 1024) }, 100)
  t.teardown(() => { clearInterval(reading) })
  await until(() => lab.upstream.held().length === MOST_LARGE || undefined)
  t.equal((await download(port, '/org2/repo2/charts/large-1.0.0.tgz', lab.gateway.masterKey))?.status, 200)
  t.match(ended(lab), [{ reason: MADE_PLACE, tenant: 'org1/repo1' }])
})

await t.test('behind a proxy that says of nobody each connection is a client, and one that says whom counts for them', async t => {
  const lab = await startLab(t)
  const { port } = lab.gateway
  const large = (more = ''): string => anonymous('GET /org1/repo1/charts/large-1.0.0.tgz', more)
  await unread(t, port, MOST_LARGE / 2, { request: large(), localAddress: '127.0.0.9' })
  await unread(t, port, MOST_LARGE / 2, { request: large('X-Forwarded-For: 2001:db8:1:2::7\r\n'), localAddress: '127.0.0.9' })
  await until(() => lab.upstream.held().length === MOST_LARGE || undefined)
  t.equal((await download(port, '/org2/repo2/charts/large-1.0.0.tgz', lab.gateway.masterKey))?.status, 200)
  t.match(ended(lab), [{ ip: '2001:db8:1:2::7' }], 'whose are many, and not one of those who may be anybody')
})

/** A chart file that the kernel does not swallow. */
async function largeChart (): Promise<Buffer> {
  return await chartOf('large', '1.0.0', [1, 2, 3, 4].map(i => ({ name: `large/files/${i}`, body: randomBytes(4 * 1024 * 1024) })))
}

async function overARealRepository (t: Test, gateway: Gateway, { workers, key }: { readonly workers: number, readonly key: string }): Promise<void> {
  const port = Number(new URL(gateway.url).port)
  await until(() => gateway.stdout().split('a worker listens').length > (workers === 1 ? 0 : workers) || undefined)
  const master = (line: string, more = ''): string => `${line} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key}\r\n${more}\r\n`
  const push = async (tenant: string, chart: Buffer): Promise<RawResponse> => await askRaw(port, Buffer.concat([Buffer.from(master(`POST /api/${tenant}/charts`, `Content-Length: ${chart.length}\r\n`)), chart]))
  const chart = await largeChart()
  for (const [tenant, each] of [['org1/repo1', chart], ['org2/repo2', chart], ['org2/repo2', await chartOf('small', '1.0.0')]] as const) t.equal((await push(tenant, each)).status, 201)
  const sockets = await unread(t, port, 140 * workers, { request: anonymous('GET /org1/repo1/charts/large-1.0.0.tgz') })
  const gone = Promise.all(sockets.map(async socket => { await new Promise(resolve => { socket.once('close', resolve) }) }))
  for (let i = 0; i < inShort(2, 4) * workers; i++) {
    for (const target of [INDEX, SMALL, `${CHARTS}/small`]) t.equal((await askRaw(port, master(`GET ${target}`))).status, 200, target)
    t.equal((await fetch(`${gateway.adminUrl}/readyz`)).status, 200)
    t.same(await download(port, '/org2/repo2/charts/large-1.0.0.tgz', key), { status: 200, length: chart.length, retryAfter: false })
  }
  t.equal((await push('org2/repo2', await chartOf('other', '1.0.0'))).status, 201)
  // Of several workers the one that the others came to may have had room.
  if (workers === 1) t.match(gateway.stdout(), /"decision":"ended","reason":"download_(?:not_read|over_share)"/)
  if (workers === 1) t.match(gateway.stdout(), /"category":"audit".*"action":"pull".*"reason":"download_(?:not_read|over_share)"/)
  for (const socket of sockets) socket.destroy()
  await gone
}

for (const workers of WORKER_COUNTS) {
  await t.test(`over the embedded repository (workers: ${workers})`, async t => {
    const key = newMasterKey()
    await overARealRepository(t, await startGateway(t, { workers, masterKey: key, policy: OPEN }), { workers, key })
  })
  if (chartMuseum === undefined) await skipped(t, `in front of ChartMuseum (workers: ${workers})`, NO_CHARTMUSEUM)
  else {
    await t.test(`in front of ChartMuseum (workers: ${workers})`, async t => {
      const key = newMasterKey()
      const { url, stateDir } = await startChartMuseum(t)
      await overARealRepository(t, await startGateway(t, { workers, masterKey: key, policy: OPEN, upstream: { url } }, { stateDir }), { workers, key })
    })
  }
}
