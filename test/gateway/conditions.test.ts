// Parts and conditions of reads: the embedded repository's answers come through, and no other
// upstream hears of them.
import { randomBytes } from 'node:crypto'
import { mkdir, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { OPEN, startEmbedded } from '../repository/servers.ts'
import { startApp, type TestGateway } from '../helpers/app.ts'
import { chartOf } from '../helpers/packages.ts'
import { temporaryFolder } from '../helpers/processes.ts'
import { startStubUpstream } from '../helpers/stub-upstream.ts'

const SMALL = '/org1/repo1/charts/small-1.0.0.tgz'
const LARGE = '/org1/repo1/charts/large-1.0.0.tgz'
const API = '/api/org1/repo1/charts'
const TIME = new Date('2026-02-03T04:05:06Z')

const storage = await temporaryFolder(t)
const charts: Record<string, Buffer> = {
  [SMALL]: await chartOf('small', '1.0.0'),
  [LARGE]: await chartOf('large', '1.0.0', [{ name: 'large/noise', body: randomBytes(300_000) }])
}
await mkdir(join(storage, 'org1/repo1'), { recursive: true })
for (const [path, bytes] of Object.entries(charts)) {
  const file = join(storage, path.replace('/charts/', '/'))
  await writeFile(file, bytes)
  await utimes(file, TIME, TIME)
}
const { port } = await startEmbedded(t, storage, OPEN)
const gateway = await startApp(t, {
  origin: `http://127.0.0.1:${port}`,
  takesConditions: true,
  config: config => ({ ...config, upstream: { ...config.upstream, auth: 'none' } })
})

async function ask (line: string, headers: Readonly<Record<string, string>> = {}, of: TestGateway = gateway): Promise<Response> {
  const [method, path] = line.split(' ') as [string, string]
  return await fetch(of.url + path, { method, headers: { authorization: `Bearer ${of.masterKey}`, ...headers } })
}

for (const path of [SMALL, LARGE]) {
  const bytes = charts[path] as Buffer
  const { length } = bytes

  await t.test(`a file has a tag, its time, and can be had in parts: ${path}`, async t => {
    const whole = await ask(`GET ${path}`)
    const tag = whole.headers.get('etag') ?? ''
    t.match(tag, /^"[0-9a-f]{64}"$/)
    t.equal(whole.headers.get('last-modified'), TIME.toUTCString())
    t.equal(whole.headers.get('accept-ranges'), 'bytes')
    t.ok(Buffer.from(await whole.arrayBuffer()).equals(bytes))
    const parts: readonly (readonly [string, Readonly<Record<string, string>>, number, number, number])[] = [
      ['its beginning', { range: 'bytes=0-9' }, 206, 0, 10],
      ['its end', { range: 'bytes=-7' }, 206, length - 7, length],
      ['the rest', { range: 'bytes=100-' }, 206, 100, length],
      ['the rest, if it is the same', { range: 'bytes=100-', 'if-range': tag }, 206, 100, length],
      ['all, if it is another', { range: 'bytes=100-', 'if-range': '"other"' }, 200, 0, length],
      ['all, for what is no part', { range: 'lines=1-2' }, 200, 0, length],
      ['all, for two parts', { range: 'bytes=0-1,3-4' }, 200, 0, length]
    ]
    for (const [what, headers, status, from, to] of parts) {
      const answer = await ask(`GET ${path}`, headers)
      t.equal(answer.status, status, what)
      t.equal(answer.headers.get('etag'), tag, 'the tag is that of the whole')
      t.equal(answer.headers.get('content-range'), status === 200 ? null : `bytes ${from}-${to - 1}/${length}`)
      t.ok(Buffer.from(await answer.arrayBuffer()).equals(bytes.subarray(from, to)), what)
    }
    const beyond = await ask(`GET ${path}`, { range: `bytes=${length}-` })
    t.same([beyond.status, beyond.headers.get('content-range'), await beyond.text()], [416, `bytes */${length}`, ''])
    const head = await ask(`HEAD ${path}`, { range: 'bytes=0-9' })
    t.same([head.status, head.headers.get('content-length'), head.headers.get('etag')], [200, String(length), tag], 'HEAD is of the whole')
  })

  await t.test(`who has a file is told so, and gets no body: ${path}`, async t => {
    const tag = (await ask(`HEAD ${path}`)).headers.get('etag') ?? ''
    for (const method of ['GET', 'HEAD']) {
      for (const [headers, status] of [
        [{ 'if-none-match': tag }, 304],
        [{ 'if-none-match': `"x", W/${tag}` }, 304],
        [{ 'if-none-match': '"x"' }, 200],
        [{ 'if-none-match': '"x"', 'if-modified-since': TIME.toUTCString() }, 200],
        [{ 'if-none-match': tag, range: 'bytes=0-1' }, 304],
        [{ 'if-modified-since': TIME.toUTCString() }, 304],
        [{ 'if-modified-since': new Date(TIME.getTime() - 1000).toUTCString() }, 200],
        [{ 'if-modified-since': 'once' }, 200],
        [{ 'if-none-match': `${tag},${'"x",'.repeat(300)}` }, 304]
      ] as const) {
        const answer = await ask(`${method} ${path}`, headers)
        const { length } = await answer.arrayBuffer().then(buffer => new Uint8Array(buffer))
        const given = Object.entries(headers).map(([name, value]) => `${name}: ${value.slice(0, 100)}`).join(', ')
        const expected = path === LARGE && given.length > 100 ? 200 : status // a list of a thousand letters is not passed on
        t.equal(answer.status, expected, `${method} ${given}`)
        t.equal(answer.headers.get('etag'), tag)
        if (method === 'HEAD' || expected === 304) t.equal(length, 0)
      }
    }
  })
}

await t.test('reads of the API have a tag too', async t => {
  for (const path of [API, `${API}/small`, `${API}/small/1.0.0`, `${API}/large/1.0.0/templates`]) {
    const answer = await ask(`GET ${path}`)
    const tag = answer.headers.get('etag') ?? ''
    t.match(tag, /^"[0-9a-f]{64}"$/, path)
    for (const method of ['GET', 'HEAD']) {
      const same = await ask(`${method} ${path}`, { 'if-none-match': tag })
      t.same([same.status, await same.text()], [304, ''], `${method} ${path}`)
      t.equal((await ask(`${method} ${path}`, { 'if-none-match': '"x"', range: 'bytes=0-1' })).status, 200)
    }
  }
})

await t.test('conditions ask for nothing that may not be read', async t => {
  for (const headers of [{ range: 'bytes=0-1' }, { 'if-none-match': '*' }] as const) {
    t.equal((await fetch(gateway.url + SMALL, { headers })).status, 401)
    t.equal((await ask('GET /org1/repo1/charts/none-1.0.0.tgz', headers)).status, 404)
  }
})

await t.test('another upstream hears of no condition, and promises no parts', async t => {
  const stub = await startStubUpstream(t)
  const body = Buffer.alloc(200_000, 'x')
  stub.answer = () => ({ headers: { 'content-length': String(body.length), 'accept-ranges': 'bytes', 'content-range': 'bytes 0-1/2' }, body })
  const other = await startApp(t, { origin: stub.origin })
  for (const path of [LARGE, API]) {
    const answer = await ask(`GET ${path}`, { range: 'bytes=0-1', 'if-range': '"a"', 'if-none-match': '"a"', 'if-modified-since': TIME.toUTCString() }, other)
    t.same([answer.status, answer.headers.get('accept-ranges'), answer.headers.get('content-range')], [200, null, null])
    t.equal((await answer.arrayBuffer()).byteLength, body.length)
  }
  t.notOk(stub.seen.some(({ headers }) => ['range', 'if-range', 'if-none-match', 'if-modified-since'].some(name => name in headers)))
  for (const [status, expected] of [[206, 502], [304, 502], [416, 400]] as const) {
    stub.answer = () => ({ status, headers: {}, body: '' })
    t.equal((await ask(`GET ${SMALL}`, { range: 'bytes=0-1' }, other)).status, expected, `${status} is no answer of it`)
  }
})
