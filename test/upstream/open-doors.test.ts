import t from 'tap'
import { createUpstream } from '../../src/upstream/client.ts'
import { isOpen, versionOf } from '../../src/upstream/open-doors.ts'
import type { Depth } from '../../src/words/tenant.ts'
import { EMPTY_INDEX, startStubUpstream } from '../helpers/stub-upstream.ts'

await t.test('its version is what it says at /info, or at depth 1 below a tenant', async t => {
  const stub = await startStubUpstream(t)
  const cases: [depth: Depth, pages: Record<string, string>, version: string | undefined][] = [
    [2, { '/cm/info': '{"version":"0.16.5"}' }, '0.16.5'],
    [0, { '/cm/info': '{"version":"0.13.1"}' }, '0.13.1'],
    [1, { '/cm/info': '<html>welcome', '/cm/nobody/info': '{"version":"0.16.5"}' }, '0.16.5'],
    ['dynamic', {}, undefined],
    [2, { '/cm/info': '{"version":5}' }, undefined],
    [2, { '/cm/info': '{"version":"0.1\\nx"}' }, undefined]
  ]
  const upstream = createUpstream({ origin: stub.origin, contextPath: '/cm', auth: { kind: 'basic', account: () => ({ username: 'a', password: 'b' }) } })
  t.teardown(async () => { await upstream.close() })
  for (const [depth, pages, version] of cases) {
    stub.answer = ({ target }) => ({ status: pages[target] === undefined ? 404 : 200, body: pages[target] ?? '{"error":"not found"}' })
    t.equal(await versionOf(upstream, depth), version, JSON.stringify(pages))
  }
  t.ok(stub.seen.every(({ headers }) => headers.authorization === undefined))
})

await t.test('it is open when it gives an index without a credential, in either of its forms', async t => {
  const stub = await startStubUpstream(t)
  const upstream = createUpstream({ origin: stub.origin, contextPath: '', auth: { kind: 'none' } })
  t.teardown(async () => { await upstream.close() })
  const cases: [status: number, body: string, open: boolean][] = [
    [200, EMPTY_INDEX, true],
    [200, '{"apiVersion":"v1","entries":{}}', true],
    [200, `${EMPTY_INDEX}${'#'.repeat(100_000)}`, true],
    [200, '<html>log in</html>', false],
    [401, '{"error":"unauthorized"}', false]
  ]
  for (const [status, body, open] of cases) {
    stub.answer = () => ({ status, body })
    t.equal(await isOpen(upstream, 2), open, body.slice(0, 20))
  }
  t.equal(stub.seen.at(-1)?.target, '/nobody/nobody/index.yaml')
})
