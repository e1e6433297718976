// Keys of a token server that comes, goes, changes its mind and misbehaves.
import { generateKeyPairSync } from 'node:crypto'
import t from 'tap'
import { createRemoteKeys, FETCH_LIMITS, type RemoteKeys } from '../../src/tokens/remote-keys.ts'
import { startStubUpstream, type StubAnswer, type StubUpstream } from '../helpers/stub-upstream.ts'

const jwks = (...kids: readonly string[]): StubAnswer => ({ body: JSON.stringify({ keys: kids.map(kid => ({ ...generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' }), kid })) }) })
const NO_ROUTE = { status: 500, body: 'no' }

interface Lab {
  readonly server: StubUpstream
  readonly remote: RemoteKeys
  readonly said: string[]
  /** Asks for keys as if that much time had passed. */
  fetchAfter (milliseconds: number): Promise<void>
  kids (): (string | undefined)[]
  pass (milliseconds: number): void
}

async function lab (t: { teardown (fn: () => unknown): unknown }, answer: StubUpstream['answer'], limits: Partial<typeof FETCH_LIMITS> = {}): Promise<Lab> {
  const server = await startStubUpstream(t)
  server.answer = answer
  let time = 1_000_000
  const remote = createRemoteKeys({ jwksUrl: `${server.origin}/keys` }, { ...FETCH_LIMITS, ...limits }, () => time)
  t.teardown(() => { remote.close() })
  const said: string[] = []
  remote.follow({ fetched: keys => { said.push(`fetched ${keys.length}`) }, failed: reason => { said.push(`failed: ${reason}`) } })
  await remote.refresh()
  return {
    server,
    remote,
    said,
    kids: () => remote.keys().map(({ kid }) => kid),
    pass (milliseconds) { time += milliseconds },
    async fetchAfter (milliseconds) {
      time += milliseconds
      await remote.refresh()
    }
  }
}

await t.test('keys are fetched at once, and anew when they change', async t => {
  const { server, said, kids, fetchAfter, remote } = await lab(t, () => jwks('a'))
  t.strictSame([kids(), said], [['a'], ['fetched 1']])
  const first = remote.keys()
  const same = server.seen.length
  server.answer = () => jwks('b', 'c')
  await fetchAfter(FETCH_LIMITS.between)
  t.strictSame([kids(), said, server.seen.length], [['b', 'c'], ['fetched 1', 'fetched 2'], same + 1])
  t.not(remote.keys(), first)
  const { body = '' } = jwks('d')
  server.answer = () => ({ body })
  await fetchAfter(FETCH_LIMITS.between)
  const fetched = remote.keys()
  await fetchAfter(FETCH_LIMITS.between)
  t.equal(remote.keys(), fetched, 'the same set is the same keys')
  server.answer = () => ({ body: '{"keys":[]}' })
  await fetchAfter(FETCH_LIMITS.between)
  t.strictSame(kids(), [], 'a server that takes all back is believed')
})

await t.test('however often somebody asks, it is fetched once in a while, and once for all who ask together', async t => {
  const { server, remote, pass } = await lab(t, () => NO_ROUTE)
  for (let i = 0; i < 100; i++) t.equal(remote.refresh(), undefined)
  pass(FETCH_LIMITS.between - 1)
  t.equal(remote.refresh(), undefined)
  t.equal(server.seen.length, 1)
  pass(1)
  const both = [remote.refresh(), remote.refresh()]
  t.ok(both[0] !== undefined && both[0] === both[1])
  await both[0]
  t.equal(server.seen.length, 2)
})

await t.test('keys stay while the server is away, which is said once, and for a day at most', async t => {
  const { server, said, kids, fetchAfter, pass } = await lab(t, () => jwks('a'))
  const broken: [string, StubUpstream['answer'], RegExp][] = [
    ['an error', () => NO_ROUTE, /^failed: it answered 500$/],
    ['no JSON', () => ({ body: '<html>' }), /^failed: it is not JSON$/],
    ['no set', () => ({ body: '{}' }), /^failed: it is not a JSON Web Key Set/],
    ['a redirect', () => ({ status: 302, headers: { location: `${server.origin}/elsewhere` }, body: '' }), /^failed: it answered 302$/],
    ['too much', () => ({ body: Buffer.alloc(FETCH_LIMITS.bytes + 1, ' ') }), /^failed: it sent more than 262144 bytes$/],
    ['a connection that breaks', () => { throw new Error('x') }, /^failed: UND_ERR_SOCKET$/]
  ]
  for (const [name, answer, expected] of broken) {
    server.answer = answer
    said.length = 0
    await fetchAfter(FETCH_LIMITS.between)
    t.match(said, [expected], name)
    await fetchAfter(FETCH_LIMITS.between)
    t.equal(said.length, 1, 'once')
    t.strictSame(kids(), ['a'], name)
    server.answer = () => jwks('a')
    await fetchAfter(FETCH_LIMITS.between)
    t.match(said, [expected, 'fetched 1'], 'and that it is back')
  }
  t.equal(server.seen.some(({ target }) => target !== '/keys'), false, 'nobody is followed anywhere')
  pass(FETCH_LIMITS.keep - 1)
  t.strictSame(kids(), ['a'])
  pass(1)
  t.strictSame(kids(), [])
})

await t.test('a server that does not answer, or is not there, holds nobody up', async t => {
  const silent = await lab(t, async () => await new Promise(() => {}), { timeout: 50 })
  t.strictSame(silent.said, ['failed: it did not answer in time'])
  const slow = await lab(t, () => ({ body: '' }), { timeout: 50 })
  slow.server.server.removeAllListeners('request')
  slow.server.server.on('request', (_request, response) => { response.writeHead(200).write('{') })
  slow.said.length = 0
  slow.remote.follow({ fetched: () => {}, failed: () => {} })
  await slow.fetchAfter(FETCH_LIMITS.between)
  t.strictSame(slow.kids(), [], 'nor one that never ends')
  const remote = createRemoteKeys({ jwksUrl: 'http://127.0.0.1:9/' })
  const said: string[] = []
  remote.follow({ fetched: () => {}, failed: reason => { said.push(reason) } })
  await remote.refresh()
  remote.close()
  t.strictSame(said, ['ECONNREFUSED'])
})

await t.test('keys are fetched again and again, until it is closed', async t => {
  const { server, remote } = await lab(t, () => jwks('a'), { every: 10, between: 0 })
  while (server.seen.length < 4) await new Promise(resolve => setTimeout(resolve, 5))
  remote.close()
  await remote.refresh()
  const count = server.seen.length
  await new Promise(resolve => setTimeout(resolve, 60))
  t.equal(server.seen.length, count)
})
