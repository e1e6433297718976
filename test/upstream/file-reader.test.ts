// Small files are shared by who asks at once, large ones stream to each alone; neither is
// ever older than the request.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import t, { type Test } from 'tap'
import type { ChartRequest } from '../../src/chartmuseum/chart-request.ts'
import { parseRequestTarget } from '../../src/doors/request-target.ts'
import { onlyUpstream } from '../../src/upstream/upstreams.ts'
import { createUpstream, type UpstreamAuth } from '../../src/upstream/client.ts'
import { until } from '../helpers/until.ts'
import { someAsker } from '../helpers/askers.ts'
import { createFileReader } from '../../src/upstream/file-reader.ts'
import type { ReadAnswer } from '../../src/upstream/read-through.ts'

const LARGE = 100_000

interface Lab {
  /** Requests that came, with how to answer each. */
  readonly seen: { readonly request: IncomingMessage, readonly response: ServerResponse }[]
  /** Answers each request at once, if it is set. */
  answer: ((response: ServerResponse) => void) | undefined
  read (file?: string, tenant?: string): Promise<ReadAnswer>
  /** Waits until so many requests have come in all. */
  until (count: number): Promise<void>
}

async function lab (t: Test, { most, auth = { kind: 'none' } }: { most?: number, auth?: UpstreamAuth } = {}): Promise<Lab> {
  const seen: Lab['seen'] = []
  const server = createServer((request, response) => {
    seen.push({ request, response })
    state.answer?.(response)
  })
  await new Promise<void>(resolve => { server.listen(0, '127.0.0.1', resolve) })
  const upstream = createUpstream({ origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, contextPath: '/cm', auth })
  const files = createFileReader(onlyUpstream(upstream), most)
  t.teardown(async () => {
    await upstream.close()
    server.closeAllConnections()
    server.close()
  })
  let callers = 0
  const state: Lab = {
    seen,
    answer: undefined,
    read: async (file = 'a-1.0.0.tgz', tenant = 'org1/repo1') => {
      const parsed = parseRequestTarget('GET', `/${tenant}/charts/${file}`, { depth: 2, basePath: '' }) as { request: ChartRequest }
      return await files.read(parsed.request, someAsker({ requestId: `caller-${++callers}`, tenant }))
    },
    until: async count => { await until(() => seen.length >= count || undefined) }
  }
  return state
}

const whole = (response: ServerResponse, body: string): void => { response.setHeader('content-length', body.length).setHeader('content-type', 'application/x-tar').end(body) }
const inWords = async (answer: ReadAnswer): Promise<string> => answer.kind === 'failed' ? answer.refusal.code : answer.kind === 'whole' ? answer.body.toString() : await text(answer.body)

await t.test('whoever asks for a small file while it is fetched shares the next fetch, which tells the upstream of nobody', async t => {
  const l = await lab(t, { auth: { kind: 'basic', account: () => ({ username: 'a', password: 'b' }) } })
  const first = l.read()
  await l.until(1)
  const others = [l.read(), l.read(), l.read()]
  const elsewhere = [l.read('b-1.0.0.tgz'), l.read('a-1.0.0.tgz', 'org2/repo2')]
  await l.until(3)
  t.same(l.seen.map(({ request: { url } }) => url), ['/cm/org1/repo1/charts/a-1.0.0.tgz', '/cm/org1/repo1/charts/b-1.0.0.tgz', '/cm/org2/repo2/charts/a-1.0.0.tgz'])
  for (const [i, { response }] of l.seen.entries()) whole(response, `answer ${i}`)
  t.equal(await inWords(await first), 'answer 0')
  t.same(await Promise.all(elsewhere.map(async each => await inWords(await each))), ['answer 1', 'answer 2'])
  await l.until(4)
  whole(l.seen[3]?.response as ServerResponse, 'answer 3')
  t.same(await Promise.all(others.map(async each => await inWords(await each))), ['answer 3', 'answer 3', 'answer 3'])
  t.match(l.seen[0]?.request.headers, { 'x-request-id': 'caller-1', 'x-forwarded-for': '192.0.2.1' })
  t.notOk('x-request-id' in (l.seen[3]?.request.headers ?? {}) || 'x-forwarded-for' in (l.seen[3]?.request.headers ?? {}))
  t.ok(l.seen.every(({ request: { headers } }) => headers.authorization === 'Basic YTpi'), 'and always with the credential of the gateway')
  const after = l.read()
  await l.until(5)
  whole(l.seen[4]?.response as ServerResponse, 'changed')
  t.equal(await inWords(await after), 'changed', 'nothing is kept')
})

await t.test('a large file streams to each from a request of its own, and then nobody waits for another one', async t => {
  const l = await lab(t)
  const body = 'x'.repeat(LARGE)
  const first = l.read()
  await l.until(1)
  const others = [l.read(), l.read()]
  whole(l.seen[0]?.response as ServerResponse, body)
  await l.until(2)
  whole(l.seen[1]?.response as ServerResponse, body)
  // Both were on a request that turned out to be for a large file: neither can have its stream.
  await l.until(4)
  const late = l.read()
  await l.until(5)
  for (const { response } of l.seen.slice(2)) whole(response, body)
  const answers = await Promise.all([first, ...others, late])
  t.same(answers.map(({ kind }) => kind), ['streamed', 'streamed', 'streamed', 'streamed'])
  t.same(await Promise.all(answers.map(inWords)), [body, body, body, body])
  l.answer = response => { whole(response, 'small now') }
  t.match(await l.read(), { kind: 'whole' })
  t.equal(await inWords(await l.read()), 'small now')
})

await t.test('a file without a length is read whole up to 64 KiB, streams beyond, and only so many names of large files are remembered', async t => {
  const l = await lab(t, { most: 1 })
  const half = 'x'.repeat(LARGE / 2)
  for (const [rest, kind] of [['', 'whole'], [half.slice(0, 64 * 1024 - half.length), 'whole'], [half.slice(0, 64 * 1024 - half.length + 1), 'streamed'], [half, 'streamed']] as const) {
    l.answer = response => { response.write(half, () => { response.end(rest) }) }
    for (const file of ['a-1.0.0.tgz', 'b-1.0.0.tgz', 'a-1.0.0.tgz']) {
      const answer = await l.read(file)
      t.equal(answer.kind, kind)
      t.equal(await inWords(answer), half + rest)
    }
  }
})

await t.test('what is no file is one refusal', async t => {
  const l = await lab(t)
  const cases: [name: string, answer: (response: ServerResponse) => void, code: string, cause: RegExp][] = [
    ['not found', response => { response.statusCode = 404; whole(response, '{"error":"not found"}') }, 'not_in_upstream', /answered 404/],
    ['a long refusal', response => { response.statusCode = 404; whole(response, 'x'.repeat(LARGE)) }, 'not_in_upstream', /answered 404/],
    ['a page', response => { response.setHeader('content-type', 'text/html').end('<html>') }, 'upstream_bad_answer', /200 with a page/],
    ['a broken one', response => { response.writeHead(200, { 'content-length': '10' }).write('x'); setTimeout(() => { response.destroy() }, 10) }, 'upstream_unreachable', /./],
    ['none', response => { response.destroy() }, 'upstream_unreachable', /./]
  ]
  for (const [name, answer, code, cause] of cases) {
    l.answer = answer
    const result = await l.read()
    t.match(result, { kind: 'failed', refusal: { code } }, name)
    t.match(String(result.kind === 'failed' && result.cause), cause, name)
  }
})
