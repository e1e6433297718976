// One chart repository at two addresses, as clients see it: who reads from where while the
// first is away, and that no read is older than what was answered before.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import t from 'tap'
import { FOLLOWER_STATES } from '../../src/upstream/follower.ts'
import type { OpenedKeys } from '../../src/live/live-keys.ts'
import { OPEN, startEmbedded } from '../repository/servers.ts'
import { createPeers, createRelay } from '../../src/serve/workers/changes.ts'
import { fakeWorker } from '../helpers/channels.ts'
import { startApp, type TestGateway } from '../helpers/app.ts'
import { startFaultyUpstream, type FaultyUpstream } from '../helpers/faulty-upstream.ts'
import { chartOf } from '../helpers/packages.ts'
import type { TestLike } from '../helpers/folder.ts'
import { temporaryFolder } from '../helpers/processes.ts'
import { askAs, type Answered } from '../helpers/repositories.ts'
import { until, untilTrue } from '../helpers/until.ts'

// The embedded repository is one process here, so that both addresses say the same at once.

interface Lab {
  readonly gateway: TestGateway
  /** Another worker of it. */
  readonly sibling: TestGateway
  readonly first: FaultyUpstream
  readonly other: FaultyUpstream
  /** Keeps what the other address answered, as a ChartMuseum with a cache of its own. */
  readonly cache: { on: boolean }
  ask (method: string, path: string, body?: Buffer): Promise<Answered>
  push (version: string): Promise<number>
  /** Versions in the index, or the status of another answer. @param by default: the first worker */
  index (by?: TestGateway): Promise<string[] | number>
  state (by?: TestGateway): string | undefined
  /** Pushes until the other address follows. */
  follow (): Promise<void>
}

const INDEX = '/org1/repo1/index.yaml'

let keys: OpenedKeys | undefined
let made = 0

async function open (t: TestLike): Promise<Lab> {
  const { port } = await startEmbedded(t, await temporaryFolder(t), OPEN)
  const cache = { on: false }
  const first = await startFaultyUpstream(t, `http://127.0.0.1:${port}`)
  const other = await startFaultyUpstream(t, await startCache(t, `http://127.0.0.1:${port}`, cache))
  const relay = createRelay()
  const start = async (pid: number): Promise<TestGateway> => {
    const worker = fakeWorker(pid)
    relay.join(worker.process)
    const started = await startApp(t, {
      origin: first.origin,
      config: config => ({ ...config, upstream: { ...config.upstream, auth: 'none', further: [other.origin] } }),
      peers: createPeers(worker.own),
      ...(keys === undefined ? {} : { keys })
    })
    keys ??= started.opened
    return started
  }
  const [gateway, sibling] = [await start(1), await start(2)]
  const ask: Lab['ask'] = async (method, path, body) => await askAs(gateway, method, path, body)
  const lab: Lab = {
    gateway,
    sibling,
    first,
    other,
    cache,
    ask,
    push: async version => (await ask('POST', '/api/org1/repo1/charts', await chartOf('web', version))).status,
    async index (by = gateway) {
      const { status, bytes } = await askAs(by, 'GET', INDEX)
      return status === 200 ? [...bytes.toString().matchAll(/^ {4}version: (.*)$/gm)].map(([, version]) => version as string).sort() : status
    },
    state: (by = gateway) => FOLLOWER_STATES[by.meter.snapshot().rows.chartgate_upstream_followers?.find(([, value]) => value === 1)?.[0] ?? -1],
    async follow () {
      await until(async () => {
        if (await lab.push(`9.0.${made++}`) !== 201) throw new Error('it is not stored')
        return [gateway, sibling].every(each => lab.state(each) === 'follows') ? true : undefined
      })
    }
  }
  return lab
}

/** Passes everything on; while it keeps, a GET is answered as it was the last time, and what it was not asked for is not there. */
async function startCache (t: TestLike, origin: string, cache: { on: boolean }): Promise<string> {
  interface Kept { readonly status: number, readonly bytes: Buffer }
  const kept = new Map<string, Kept>()
  const server = createServer((request, response) => {
    void (async () => {
      const [method, url] = [request.method as string, request.url as string]
      const body = await buffer(request)
      const passed = async (): Promise<Kept> => {
        const answer = await fetch(origin + url, { method, ...(body.length === 0 ? {} : { body: new Uint8Array(body) }) })
        return { status: answer.status, bytes: Buffer.from(await answer.arrayBuffer()) }
      }
      const isKept = cache.on && method === 'GET'
      const answer = isKept ? kept.get(url) ?? { status: 404, bytes: Buffer.from('{"error":"chart not found"}') } : await passed()
      if (!isKept) kept.set(url, answer)
      response.writeHead(answer.status, { 'content-type': 'application/json' }).end(answer.bytes)
    })().catch(() => { response.destroy() })
  })
  await new Promise<void>(resolve => { server.listen(0, '127.0.0.1', resolve) })
  t.teardown(() => { server.close(); server.closeAllConnections() })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

await t.test('while the first is away reads go on at an address that follows it, and changes are 503 with Retry-After', async t => {
  const { first, follow, push, index, ask, other } = await open(t)
  t.equal(await push('1.0.0'), 201)
  await follow()
  const before = await index()
  other.seen.length = 0
  t.match(await ask('GET', '/org1/repo1/charts/web-1.0.0.tgz'), { status: 200 })
  t.strictSame(other.seen, [], 'while the first answers, nothing is read elsewhere')
  await first.leave()
  t.strictSame(await index(), before)
  for (const path of ['/org1/repo1/charts/web-1.0.0.tgz', '/api/org1/repo1/charts', '/api/org1/repo1/charts/web/1.0.0']) t.match(await ask('GET', path), { status: 200 }, path)
  t.match(await ask('GET', '/org1/repo1/charts/web-2.0.0.tgz'), { status: 404 })
  for (let i = 0; i < 8; i++) { // also when it is not even asked any more
    t.match(await ask('POST', '/api/org1/repo1/charts', await chartOf('web', '2.0.0')), { status: 503, retryAfter: /^\d+$/ })
    for (const version of ['web/1.0.0', 'charts/9.9.9']) t.match(await ask('DELETE', `/api/org1/repo1/charts/${version}`), { status: 503, retryAfter: /^\d+$/ })
    t.strictSame(await index(), before)
  }
  t.notOk(other.seen.some(request => /^(?:POST|DELETE)/.test(request)), 'no change goes elsewhere')
  await first.comeBack()
  await untilTrue(async () => await push('2.0.0') === 201)
  t.strictSame(await index(), [...before as string[], '2.0.0'].sort())
})

await t.test('until an address has shown that it follows, reads stay', async t => {
  const { first, index, push, state } = await open(t)
  t.equal(await push('1.0.0'), 201)
  t.equal(state(), 'unproven')
  await first.leave()
  t.equal(await index(), 502)
})

await t.test('an address with an index of its own is never read from', async t => {
  const { first, cache, index, push, state } = await open(t)
  cache.on = true
  await until(async () => {
    await push(`9.0.${made++}`)
    return state() === 'behind' ? true : undefined
  })
  await first.leave()
  t.equal(await index(), 502)
})

await t.test('one that falls behind is not read from any more when the push is answered that shows it', async t => {
  const { first, cache, follow, index, push, ask, state } = await open(t)
  await follow()
  t.equal((await ask('GET', '/api/org1/repo1/charts/web/1.0.0')).status, 404)
  await first.leave()
  const before = await index()
  t.type(before, Array)
  t.equal((await ask('GET', '/api/org1/repo1/charts/web/1.0.0')).status, 404, 'which is what it answers from now on')
  cache.on = true
  await first.comeBack()
  await untilTrue(async () => await push('1.0.0') === 201)
  t.equal(state(), 'behind')
  await first.leave()
  t.type(await index(), 'number')
})

await t.test('nor by another worker, which has seen the same changes', async t => {
  const { sibling, first, cache, follow, index, push, ask, state } = await open(t)
  await follow()
  t.equal(state(sibling), 'follows', 'it pushed nothing itself')
  await first.leave()
  t.type(await index(sibling), Array)
  t.equal((await ask('GET', '/api/org1/repo1/charts/web/1.0.0')).status, 404, 'which is what it answers from now on')
  cache.on = true
  await first.comeBack()
  await untilTrue(async () => await push('1.0.0') === 201)
  t.equal(state(sibling), 'behind')
  await first.leave()
  t.type(await index(sibling), 'number')
})

await t.test('that another address is away is noticed by nobody', async t => {
  const { other, follow, push, index, ask, state } = await open(t)
  await follow()
  await other.leave()
  t.equal(await push('1.0.0'), 201)
  t.equal(state(), 'unproven')
  for (let i = 1; i < 9; i++) t.equal(await push(`1.0.${i}`), 201)
  t.match(await index(), /1\.0\.8/)
  t.equal((await ask('DELETE', '/api/org1/repo1/charts/web/1.0.8')).status, 200)
  t.notMatch(await index(), /1\.0\.8/)
  await other.comeBack()
  await follow()
})

await t.test('a read whose connection breaks is sent once more, to an address that follows', async t => {
  const { first, other, follow, index } = await open(t)
  await follow()
  first.seen.length = other.seen.length = 0
  first.fault = request => request === `GET ${INDEX}` ? 'cut' : undefined
  t.type(await index(), Array)
  t.strictSame([first.seen, other.seen], [[`GET ${INDEX}`], [`GET ${INDEX}`]])
})

await t.test('and to the first itself while the other address is down, which nobody has noticed', async t => {
  const { first, other, follow, index, state } = await open(t)
  await follow()
  await other.leave()
  first.seen.length = 0
  let cut = 0
  first.fault = request => request === `GET ${INDEX}` && cut++ === 0 ? 'cut' : undefined
  t.type(await index(), Array)
  t.strictSame([first.seen, state()], [[`GET ${INDEX}`, `GET ${INDEX}`], 'follows'])
})

await t.test('a delete that is shown, and one that is refused, leave an address as it was', async t => {
  const { follow, ask, push, state } = await open(t)
  await follow()
  t.equal(await push('1.0.0'), 201)
  t.equal((await ask('DELETE', '/api/org1/repo1/charts/web/1.0.0')).status, 200)
  t.equal((await ask('DELETE', '/api/org1/repo1/charts/web/1.0.0')).status, 404)
  t.equal((await ask('POST', '/api/org1/repo1/charts?force', await chartOf('web', '1.0.0'))).status, 201)
  t.equal(state(), 'follows')
})
