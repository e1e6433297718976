// What the upstream holds of a version, and how much is asked to know it.
import { createHash } from 'node:crypto'
import type { Socket } from 'node:net'
import t, { type Test } from 'tap'
import { RefusalError } from '../../src/http/errors.ts'
import { createUpstream } from '../../src/upstream/client.ts'
import type { SpoolFile } from '../../src/uploads/spool.ts'
import { compareFile, findVersion, hasFile, provenanceOfFile, type TenantPlace } from '../../src/upstream/stored.ts'
import { fillStub, type StubRepository } from '../helpers/stub-repository.ts'
import { someAsker } from '../helpers/askers.ts'
import { startStubUpstream, type StubUpstream } from '../helpers/stub-upstream.ts'

const TENANT = 'org1/repo1'

async function start (t: Test): Promise<{ stub: StubUpstream, repository: StubRepository, place: TenantPlace, asked: () => string[] }> {
  const stub = await startStubUpstream(t)
  const upstream = createUpstream({ origin: stub.origin, contextPath: '', auth: { kind: 'none' } })
  t.teardown(async () => { await upstream.close() })
  const caller = someAsker()
  return { stub, repository: fillStub(stub, TENANT), place: { upstream, tenant: TENANT, tenantPath: TENANT, caller }, asked: () => stub.seen.splice(0).map(({ method, target }) => `${method} ${target}`) }
}

const entry = (name: string, version: string, file = `${name}-${version}.tgz`) => ({ name, version, urls: [`charts/${file}`] })

/** The code of the refusal that it ends with. */
async function refusalOf (work: Promise<unknown>): Promise<string> {
  return await work.then(() => 'none', (error: unknown) => error instanceof RefusalError ? error.refusal.code : String(error))
}

await t.test('a version that is listed in its own file needs one question', async t => {
  const { repository, place, asked } = await start(t)
  repository.listed.push(entry('foo', '1-1.0'))
  t.same(await findVersion(place, 'foo', '1-1.0'), { holds: 'this' })
  t.same(asked(), [`GET /api/${TENANT}/charts/foo/1-1.0`])
  repository.listed[0] = { ...entry('foo', '1-1.0'), urls: ['https://user:secret@cdn.example.test/a/charts/foo-1-1.0.tgz'] }
  t.same(await findVersion(place, 'foo', '1-1.0'), { holds: 'this' }, 'wherever its link leads')
})

await t.test('a file that is not there holds nothing, and no list is asked for', async t => {
  const { repository, place, asked } = await start(t)
  t.same(await findVersion(place, 'foo', '1-1.0'), { holds: 'nothing' })
  t.same(asked(), [`GET /api/${TENANT}/charts/foo/1-1.0`, `GET /${TENANT}/charts/foo-1-1.0.tgz`])
  repository.listed.push(entry('foo', '2.0.0'))
  t.same(await findVersion(place, 'foo', '1-1.0'), { holds: 'nothing' }, 'one that fits is not it')
  repository.listed.push(entry('foo', '1-1.0', 'other-1.tgz'))
  t.same(await findVersion(place, 'foo', '1-1.0'), { holds: 'nothing', elsewhere: 'other-1.tgz' })
})

await t.test('another version is found by where its name may be divided, and else in the list', async t => {
  const { repository, place, asked } = await start(t)
  repository.files.set('foo-1-1.0.tgz', 'x')
  t.same(await findVersion(place, 'foo', '1-1.0'), { holds: 'this' }, 'nobody has it')
  t.same(asked().slice(2), [`GET /api/${TENANT}/charts/foo-1/1.0`, `GET /api/${TENANT}/charts`])
  repository.listed.push(entry('foo-1', '1.0'))
  t.same(await findVersion(place, 'foo', '1-1.0'), { holds: { name: 'foo-1', version: '1.0' } })
  t.same(asked().slice(2), [`GET /api/${TENANT}/charts/foo-1/1.0`])
  repository.listed.splice(0, 1, entry('bar', '2.0.0', 'foo-1-1.0.tgz'), entry('foo', '1-1.0', 'copy.tgz'))
  t.same(await findVersion(place, 'foo', '1-1.0'), { holds: { name: 'bar', version: '2.0.0' }, elsewhere: 'copy.tgz' })
  repository.listed[0] = entry('b r', '2.0.0', 'foo-1-1.0.tgz')
  t.same((await findVersion(place, 'foo', '1-1.0')).holds, {}, 'what no chart can be called is not repeated')
  repository.listed[0] = { ...entry('bar', '2.0.0'), urls: ['x/foo-1-1.0.tgz', 'y'] }
  t.same((await findVersion(place, 'foo', '1-1.0')).holds, { name: 'bar', version: '2.0.0' })
  const odd: unknown[] = [null, 1, { name: 'x' }, { name: 'x', version: 1, urls: ['/foo-1-1.0.tgz'] }, { name: 'x', version: '1', urls: 'x' }, { name: 'x', version: '1', urls: [] }, { ...entry('x', '1'), icon: 'https://x/foo-1-1.0.tgz' }]
  repository.instead = request => request === `GET /api/${TENANT}/charts` ? { body: JSON.stringify({ a: odd, b: null, c: {} }) } : undefined
  t.same((await findVersion(place, 'foo', '1-1.0')).holds, 'this', 'what is no entry is nobody')
})

await t.test('what is no version speaks of its file, unless that is a version\'s own', async t => {
  const { repository, place, asked } = await start(t)
  for (const [name, version] of [['bar', '2.0.0(1)'], ['bar', '2.0.0_2'], ['b!r', '2.0.0(1)']] as const) {
    repository.files.set(`${name}-${version}.tgz`, 'x')
    repository.listed.splice(0, 1, entry('bar', '2.0.0', `${name}-${version}.tgz`))
    t.same(await findVersion(place, name, version), { holds: 'this' }, `${name} ${version}`)
    t.notOk(asked().includes(`GET /api/${TENANT}/charts`))
  }
  repository.files.set('b!r-2.0.0.tgz', 'x')
  repository.listed.splice(0, 1, entry('bar', '2.0.0', 'b!r-2.0.0.tgz'))
  t.same(await findVersion(place, 'b!r', '2.0.0'), { holds: { name: 'bar', version: '2.0.0' } }, 'a version speaks of a version, whatever the name is')
  repository.files.set('foo-1.0.0-x.tgz', 'x')
  repository.listed.push(entry('foo', '1.0.0-x'))
  t.same(await findVersion(place, 'foo-1.0.0', 'x'), { holds: { name: 'foo', version: '1.0.0-x' } })
})

await t.test('a chart that is called charts is looked for in the list: its path is another tenant\'s at dynamic depth', async t => {
  const { repository, place, asked } = await start(t)
  const list = `GET /api/${TENANT}/charts`
  repository.files.set('charts-1.0.0.tgz', 'x')
  for (const holds of ['this', 'this', { name: 'bar', version: '1.0.0' }] as const) {
    t.same(await findVersion(place, 'charts', '1.0.0'), { holds })
    t.same(new Set(asked()), new Set([`GET /${TENANT}/charts/charts-1.0.0.tgz`, list]))
    repository.listed.splice(0, 1, repository.listed.length === 0 ? entry('charts', '1.0.0') : entry('bar', '1.0.0', 'charts-1.0.0.tgz'))
  }
  repository.files.set('charts-1-1.0.tgz', 'x')
  repository.listed.splice(0, 1, entry('charts', '1-1.0'))
  t.same(await findVersion(place, 'charts-1', '1.0'), { holds: { name: 'charts', version: '1-1.0' } })
  repository.files.set('charts-1-1.0-x.tgz', 'x')
  repository.listed.splice(0, 1, entry('charts', '1-1.0-x'))
  t.same(await findVersion(place, 'charts-1-1.0', 'x'), { holds: { name: 'charts', version: '1-1.0-x' } }, 'also by what is no version')
  t.notOk(asked().some(request => request.includes('/charts/charts/')))
})

await t.test('a name with very many ends is looked for in the list, in one go', async t => {
  const { repository, place, asked } = await start(t)
  const [name, version] = ['a', `1${'-1'.repeat(100)}`]
  const file = `${name}-${version}.tgz`
  repository.files.set(file, 'x')
  t.same(await findVersion(place, name, version), { holds: 'this' })
  t.equal(asked().length, 3)
  repository.listed.push(entry('a-1', version.slice(2)))
  t.same(await findVersion(place, name, version), { holds: { name: 'a-1', version: version.slice(2) } })
  t.equal(asked().length, 4)
  const odd = `a${'-1'.repeat(100)}-x`
  repository.files.set(`${odd}.tgz`, 'x')
  repository.listed.splice(0, 1, entry('bar', '1.0.0', `${odd}.tgz`))
  t.same(await findVersion(place, odd.slice(0, -2), 'x'), { holds: 'this' }, 'what is no version speaks of its file')
  repository.listed.push(entry('a', odd.slice(2)))
  repository.listed.shift()
  t.same(await findVersion(place, odd.slice(0, -2), 'x'), { holds: { name: 'a', version: odd.slice(2) } })
})

await t.test('a name is found in a list wherever its pieces are cut', async t => {
  const { stub, repository, place } = await start(t)
  repository.files.set('foo-1.0.0.tgz', 'x')
  const list = JSON.stringify({ bar: [entry('bar', '2.0.0', 'foo-1.0.0.tgz')] })
  const answer = stub.server.listeners('request') as ((...args: unknown[]) => void)[]
  stub.server.removeAllListeners('request')
  stub.server.on('request', (request, response) => {
    if (request.url !== `/api/${TENANT}/charts`) for (const listener of answer) listener(request, response)
    else void (async () => { for (const character of list) await new Promise(resolve => { response.write(character, resolve) }) })().then(() => { response.end() })
  })
  t.same(await findVersion(place, 'foo', '1.0.0'), { holds: { name: 'bar', version: '2.0.0' } })
})

await t.test('files are compared as far as they can be the same', async t => {
  const { repository, place } = await start(t)
  const wanted = { size: 3, digest: createHash('sha256').update('abc').digest('hex') } as SpoolFile
  for (const [content, expected] of [['abc', 'same'], ['abd', 'other'], ['ab', 'other'], ['abcd', 'other'], ['x'.repeat(10_000_000), 'other'], [undefined, 'missing']] as const) {
    if (content === undefined) repository.files.clear()
    else repository.files.set('x-1.0.0.tgz', content)
    t.equal(await compareFile(place, 'x-1.0.0.tgz', wanted), expected)
    t.equal(await hasFile(place, 'x-1.0.0.tgz'), content !== undefined)
  }
  t.equal(await provenanceOfFile(place, 'x-1.0.0.tgz'), undefined)
  repository.files.set('x-1.0.0.tgz.prov', 'text')
  t.equal(await provenanceOfFile(place, 'x-1.0.0.tgz'), 'text')
  repository.files.set('x-1.0.0.tgz.prov', 'x'.repeat(1024 * 1024 + 1))
  t.equal(await provenanceOfFile(place, 'x-1.0.0.tgz'), undefined, 'too long for one')
})

await t.test('an upstream that does not say is no answer', async t => {
  const { stub, repository, place } = await start(t)
  repository.files.set('foo-1-1.0.tgz', 'x')
  const targets = [`GET /api/${TENANT}/charts/foo/1-1.0`, `GET /${TENANT}/charts/foo-1-1.0.tgz`, `GET /api/${TENANT}/charts/foo-1/1.0`, `GET /api/${TENANT}/charts`]
  for (const target of targets) {
    for (const [answer, code] of [[{ status: 500 }, 'upstream_bad_answer'], [{ status: 401 }, 'upstream_refused_us'], [{ headers: { 'content-type': 'text/html' }, body: '<html>' }, 'upstream_bad_answer']] as const) {
      repository.instead = request => request === target ? answer : undefined
      t.equal(await refusalOf(findVersion(place, 'foo', '1-1.0')), code, `${target} ${JSON.stringify(answer)}`)
    }
  }
  for (const body of ['', 'no JSON', 'null', '[]', '"x"']) {
    repository.instead = request => request.startsWith('GET /api/') ? { body } : undefined
    t.same(await findVersion(place, 'foo', '1-1.0'), { holds: 'this' }, `${body} is no entry`)
  }
  repository.instead = request => request.endsWith('/charts') ? { status: 404 } : undefined
  t.same(await findVersion(place, 'foo', '1-1.0'), { holds: 'this' }, 'no list, no entry')
  let lists = 0
  repository.instead = request => !request.endsWith('/charts') ? undefined : ++lists === 1 ? { body: '"/foo-1-1.0.tgz"' } : { status: 404 }
  t.same(await findVersion(place, 'foo', '1-1.0'), { holds: 'this' }, 'nor a list that is gone the second time')
  repository.instead = request => request.includes('/charts/foo/') ? { body: 'x'.repeat(9 * 1024 * 1024) } : undefined
  t.equal(await refusalOf(findVersion(place, 'foo', '1-1.0')), 'upstream_bad_answer', 'an entry without end')

  repository.instead = () => undefined
  const refuse = stub.server.listeners('request') as ((...args: unknown[]) => void)[]
  stub.server.removeAllListeners('request')
  // What is short is read whole before it is looked at, what is long while it comes.
  for (const length of [100, 200_000]) {
    for (const target of targets.filter(each => each !== targets[1])) {
      stub.server.removeAllListeners('request')
      stub.server.on('request', (request, response) => {
        if (`GET ${request.url}` === target) (response.socket as Socket).end(`HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\n\r\n{"x":${' '.repeat(length / 2)}`)
        else for (const listener of refuse) listener(request, response)
      })
      t.equal(await refusalOf(findVersion(place, 'foo', '1-1.0')), 'upstream_unreachable', `${target} breaks off`)
    }
  }
})
