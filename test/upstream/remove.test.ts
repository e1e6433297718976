// A delete removes what it names, in whatever file that is, and nothing else.
import { createHash } from 'node:crypto'
import t, { type Test } from 'tap'
import type { ChartRequest } from '../../src/chartmuseum/chart-request.ts'
import { RefusalError } from '../../src/http/errors.ts'
import { createLocks } from '../../src/lib/locks.ts'
import { onlyUpstream } from '../../src/upstream/upstreams.ts'
import { createUpstream } from '../../src/upstream/client.ts'
import { createRemover } from '../../src/upstream/remove.ts'
import { fillStub, type StubRepository } from '../helpers/stub-repository.ts'
import { someAsker } from '../helpers/askers.ts'
import { startStubUpstream } from '../helpers/stub-upstream.ts'

const TENANT = 'org1/repo1'

interface Started { readonly repository: StubRepository, readonly asked: () => string[], readonly remove: (name: string, version: string, archive?: string) => Promise<string>, /** Is it said, from now on, before anything is sent that changes something? */ readonly said: () => boolean }

async function start (t: Test): Promise<Started> {
  const stub = await startStubUpstream(t)
  const repository = fillStub(stub, TENANT)
  const upstream = createUpstream({ origin: stub.origin, contextPath: '', auth: { kind: 'none' } })
  t.teardown(async () => { await upstream.close() })
  const remover = createRemover(onlyUpstream(upstream), createLocks(), '/helm')
  let isSaid = false
  return {
    repository,
    said () {
      const said = isSaid
      isSaid = false
      return said
    },
    asked: () => stub.seen.splice(0).map(({ method, target }) => `${method} ${target}`),
    async remove (chart, version, archive) {
      const request: ChartRequest = { route: 'delete-version', method: 'DELETE', tenant: TENANT, tenantPath: TENANT, chart, version, query: {}, access: { type: 'artifact-repository', name: TENANT, action: 'delete' } }
      return await remover.remove(request, someAsker(), () => { isSaid = !stub.seen.some(({ method }) => method === 'DELETE') }, archive)
        .then(({ body }) => body, (error: unknown) => error instanceof RefusalError ? `${error.refusal.code}: ${error.message}` : String(error))
    }
  }
}

const entry = (name: string, version: string, file = `${name}-${version}.tgz`) => ({ name, version, urls: [`charts/${file}`] })
const DELETED = '{"deleted":true}'

await t.test('a version in its own file goes with two questions, and with its provenance', async t => {
  const { repository, asked, remove, said } = await start(t)
  repository.listed.push(entry('foo', '1.0.0'))
  for (const file of ['foo-1.0.0.tgz', 'foo-1.0.0.tgz.prov', 'foo-1.0.1.tgz']) repository.files.set(file, 'x')
  t.equal(await remove('foo', '1.0.0'), DELETED)
  t.same(asked(), [`GET /api/${TENANT}/charts/foo/1.0.0`, `DELETE /api/${TENANT}/charts/foo/1.0.0`])
  t.same([...repository.files.keys()], ['foo-1.0.1.tgz'])
  t.ok(said())
  t.match(await remove('foo', '1.0.0'), /^not_in_upstream/)
  t.ok(said(), 'it was asked to')
})

await t.test('what is deleted by its archive stays when that is another one by now', async t => {
  const { repository, asked, remove } = await start(t)
  const digest = createHash('sha256').update('x').digest('hex')
  for (const file of ['foo-1.0.0.tgz', 'odd-2.0.0.tgz']) {
    const version = file === 'foo-1.0.0.tgz' ? '1.0.0' : '2.0.0'
    repository.listed.splice(0, Infinity, entry('foo', version, file))
    repository.files.set(file, 'stored since')
    t.match(await remove('foo', version, digest), /^not_in_upstream/, file)
    t.notOk(asked().some(request => request.startsWith('DELETE') && request.endsWith(file === 'foo-1.0.0.tgz' ? '/foo/1.0.0' : '/odd/2.0.0')))
    t.ok(repository.files.has(file))
    repository.files.set(file, 'x')
    t.equal(await remove('foo', version, digest), DELETED)
  }
})

await t.test('a file of another version stays, and who asked is told which, and below which path', async t => {
  const { repository, asked, remove, said } = await start(t)
  repository.files.set('foo-1-1.0+b.tgz', 'x')
  repository.listed.push(entry('foo-1', '1.0+b'))
  t.equal(await remove('foo', '1-1.0+b'), `not_in_upstream: foo-1-1.0+b.tgz holds foo-1 1.0+b: that is deleted with DELETE /helm/api/${TENANT}/charts/foo-1/1.0+b`)
  repository.listed[0] = entry('<<', '1', 'foo-1-1.0+b.tgz')
  t.equal(await remove('foo', '1-1.0+b'), 'not_in_upstream: foo-1-1.0+b.tgz holds another version, of which the index has no name that a chart can have')
  t.notOk(asked().some(request => request.startsWith('DELETE')))
  t.notOk(said())
  t.same([...repository.files.keys()], ['foo-1-1.0+b.tgz'])
})

await t.test('what no listed version lives in goes by the name of its file', async t => {
  const { repository, remove } = await start(t)
  for (const [name, version] of [['broken', '1.0.0'], ['four', '1.2.3.4'], ['bar', '2.0.0(1)']] as const) {
    repository.files.set(`${name}-${version}.tgz`, 'x')
    repository.listed.splice(0, 1, entry('bar', '2.0.0', 'bar-2.0.0(1).tgz'))
    t.equal(await remove(name, version), DELETED, name)
    t.same([...repository.files.keys()], [])
  }
})

await t.test('a version that is listed in a file of another name goes with that', async t => {
  const { repository, remove } = await start(t)
  for (const file of ['bar-2.0.0_copy.tgz', '-2.tgz', 'a-b-c.tgz', '.-1.tgz', 'x-...tgz', '.-x-1.tgz']) {
    repository.files.set(file, 'x')
    repository.listed.splice(0, 1, entry('bar', '2.0.0', file))
    const divided = /^\.?-\d|\.{3}/.test(file) ? /whose name the chart repository's API cannot say$/ : DELETED
    t.match(await remove('bar', '2.0.0'), divided, file)
    t.equal(repository.files.delete(file), divided !== DELETED)
  }
  repository.listed.splice(0, 1, entry('bar', '2.0.0', 'nodash.tgz'))
  t.match(await remove('bar', '2.0.0'), /bar 2\.0\.0 is in a file whose name the chart repository's API cannot say/)
  repository.files.set('bar-3.tgz', 'x')
  repository.listed.splice(0, 1, entry('bar', '2.0.0', 'bar-3.tgz'))
  repository.instead = request => {
    if (request.startsWith('DELETE')) repository.listed.length = 0 // by somebody else, meanwhile
    return undefined
  }
  t.equal(await remove('bar', '2.0.0'), 'not_in_upstream: not found')
  t.same([...repository.files.keys()], ['bar-3.tgz'])
})

await t.test('when nobody knows what is in the file, nothing is removed', async t => {
  const { repository, asked, remove } = await start(t)
  repository.files.set('foo-1-1.0.tgz', 'x')
  repository.instead = request => request.startsWith('GET /api') ? { status: 500 } : undefined
  t.match(await remove('foo', '1-1.0'), /^upstream_bad_answer/)
  t.notOk(asked().some(request => request.startsWith('DELETE')))
  repository.instead = request => request.startsWith('DELETE') ? { headers: { 'content-type': 'text/html' }, body: '<html>' } : undefined
  t.match(await remove('foo', '1-1.0'), /^upstream_bad_answer/, 'a page is no answer')
  repository.instead = request => request.startsWith('DELETE') ? { status: 500 } : undefined
  repository.listed.push(entry('foo', '1-1.0', 'other-1.tgz'))
  t.match(await remove('foo', '1-1.0'), /^upstream_bad_answer/)
})
