// Who is first when several uploads want one file, and what the upstream sees of it.
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import type { ChartRequest } from '../../src/charts/request-target.ts'
import type { RefusalError } from '../../src/http/errors.ts'
import { createUpstream } from '../../src/upstream/client.ts'
import { readUpload } from '../../src/upstream/inspect.ts'
import { openSpool } from '../../src/upstream/spool.ts'
import { createLocks } from '../../src/lib/locks.ts'
import { createUploader } from '../../src/upstream/upload.ts'
import { someAsker } from '../helpers/askers.ts'
import { archiveOf, provenanceOf } from '../helpers/packages.ts'
import { startStubUpstream } from '../helpers/stub-upstream.ts'
import { testFolder } from '../helpers/folder.ts'

function pushTo (tenant: string): ChartRequest {
  return { route: 'upload-chart', method: 'POST', tenant, tenantPath: tenant, query: {}, access: { type: 'artifact-repository', name: tenant, action: 'push' } }
}

await t.test('one file has one lock and one answer, also where the upstream would overwrite', async t => {
  const stub = await startStubUpstream(t)
  const saved = new Set<string>()
  let together = 0
  let most = 0
  stub.answer = async ({ method, target, body }) => {
    if (method === 'GET') return { status: saved.has(target) ? 200 : 404, body: 'x'.repeat(50_000) }
    most = Math.max(most, ++together)
    await sleep(30)
    together--
    // An upstream that overwrites without a word.
    const prov = target.endsWith('/prov') ? '.prov' : ''
    saved.add(`${target.replace('/api', '').replace(/(?:charts|prov)$/, 'charts/')}foo-bar-1.0.tgz${prov}`)
    return { status: body.length > 0 ? 201 : 400, body: '{"saved":true}' }
  }
  const upstream = createUpstream({ origin: stub.origin, contextPath: '', auth: { kind: 'none' } })
  t.teardown(async () => { await upstream.close() })
  const spool = await openSpool(join(testFolder(t), 'spool'), 1_000_000)
  const uploader = createUploader(upstream, createLocks())
  const push = async (tenant: string, route: 'upload-chart' | 'upload-prov', body: Buffer): Promise<string> => {
    const upload = await readUpload({ route, contentType: '', body: Readable.from([body]) }, spool, 100_000)
    return await uploader.store({ ...pushTo(tenant), route }, upload, someAsker({ tenant })).then(() => 'saved', (error: RefusalError) => error.refusal.code).finally(upload.remove)
  }
  const chart = await archiveOf([{ name: 'x/Chart.yaml', body: 'name: foo-bar\nversion: "1.0"\n' }])
  const same = await Promise.all(Array.from({ length: 5 }, async () => await push('a/b', 'upload-chart', chart)))
  t.same(same.sort(), ['file_exists', 'file_exists', 'file_exists', 'file_exists', 'saved'])
  t.equal(most, 1)
  t.equal(await push('c/d', 'upload-chart', chart), 'saved', 'another tenant has a file of its own')
  t.equal(await push('a/b', 'upload-prov', Buffer.from(provenanceOf('foo-bar', '1.0'))), 'saved', 'a provenance file is another file')
  t.equal(await push('a/b', 'upload-prov', Buffer.from(provenanceOf('foo-bar', '1.0'))), 'file_exists')
})
