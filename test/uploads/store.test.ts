// Who is first when several uploads want one file, and what the upstream sees of it.
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import type { ChartRequest } from '../../src/chartmuseum/chart-request.ts'
import { RefusalError } from '../../src/http/errors.ts'
import { onlyUpstream } from '../../src/upstream/upstreams.ts'
import { createUpstream, type UpstreamAuth } from '../../src/upstream/client.ts'
import { readUpload } from '../../src/uploads/inspect.ts'
import { openSpool } from '../../src/uploads/spool.ts'
import { createLocks, type Hold, type Locks } from '../../src/lib/locks.ts'
import { later } from '../../src/lib/timers.ts'
import { createUploader } from '../../src/uploads/store.ts'
import { someAsker } from '../helpers/askers.ts'
import { archiveOf, chartOf, formOf, provenanceOf } from '../helpers/packages.ts'
import { fillStub, type StubRepository } from '../helpers/stub-repository.ts'
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
  const spool = await openSpool(join(testFolder(t), 'spool'), () => 1_000_000)
  const uploader = createUploader({ upstreams: onlyUpstream(upstream), locks: createLocks(), allowOverwrite: () => false, later })
  const push = async (tenant: string, route: 'upload-chart' | 'upload-prov', body: Buffer): Promise<string> => {
    const upload = await readUpload({ route, contentType: '', body: Readable.from([body]), depth: 2, fields: { chart: 'chart', prov: 'prov' }, namesProvenanceBy: 'its text' }, spool, 100_000)
    return await uploader.store({ ...pushTo(tenant), route }, upload, someAsker({ tenant }), () => {}).then(() => 'saved', (error: RefusalError) => error.refusal.code).finally(upload.remove)
  }
  const chart = await archiveOf([{ name: 'x/Chart.yaml', body: 'name: foo-bar\nversion: "1.0"\n' }])
  const same = await Promise.all(Array.from({ length: 5 }, async () => await push('a/b', 'upload-chart', chart)))
  t.same(same.sort(), ['file_exists', 'file_exists', 'file_exists', 'file_exists', 'saved'])
  t.equal(most, 1)
  t.equal(await push('c/d', 'upload-chart', chart), 'saved', 'another tenant has a file of its own')
  t.equal(await push('a/b', 'upload-prov', Buffer.from(provenanceOf('foo-bar', '1.0'))), 'saved', 'a provenance file is another file')
  t.equal(await push('a/b', 'upload-prov', Buffer.from(provenanceOf('foo-bar', '1.0'))), 'file_exists')
})

const [CHART, PROV] = [await chartOf('x', '1.0.0'), provenanceOf('x', '1.0.0')]
const digestOf = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')
const OTHER_PROV = `${PROV}# signed by somebody else`
const FILES = ['x-1.0.0.tgz', 'x-1.0.0.tgz.prov'] as const

interface Started {
  readonly repository: StubRepository
  readonly asked: () => string[]
  /** Stores a form with these parts; 'saved', or the refusal. */
  readonly store: (parts: readonly ('chart' | 'prov')[], action?: 'push' | 'overwrite') => Promise<string>
}

/** @param holds what is known of the lock of a file, one time after another; the last one stays */
async function start (t: Test, auth: UpstreamAuth = { kind: 'none' }, holds: readonly Hold[] = []): Promise<Started> {
  const stub = await startStubUpstream(t)
  const repository = fillStub(stub, 'a/b')
  const upstream = createUpstream({ origin: stub.origin, contextPath: '', auth })
  t.teardown(async () => { await upstream.close() })
  const spool = await openSpool(join(testFolder(t), 'spool'), () => 1_000_000)
  const locks = holds.length === 0 ? createLocks() : locksThatAre(holds)
  const uploader = createUploader({ upstreams: onlyUpstream(upstream), locks, allowOverwrite: () => false, later })
  return {
    repository,
    asked: () => stub.seen.splice(0).map(({ method, target }) => `${method} ${target}`),
    async store (parts, action = 'push') {
      const { body, contentType } = formOf(parts.map(field => ({ field, filename: 'x', body: field === 'chart' ? CHART : PROV })))
      const upload = await readUpload({ route: 'upload-chart', contentType, depth: 2, fields: { chart: 'chart', prov: 'prov' }, namesProvenanceBy: 'its text', body: Readable.from([body]) }, spool, 100_000)
      const request: ChartRequest = { ...pushTo('a/b'), access: { type: 'artifact-repository', name: 'a/b', action } }
      return await uploader.store(request, upload, someAsker(), () => {})
        .then(isNew => isNew ? 'saved, and it is new' : 'saved', (error: unknown) => error instanceof RefusalError ? `${error.refusal.code}: ${error.message}` : `${error}`).finally(upload.remove)
    }
  }
}

/** @param holds one time after another; the last one stays */
function locksThatAre (holds: readonly Hold[]): Locks {
  const left = [...holds]
  return { hold: async (_name, work) => await work(() => (left.length > 1 ? left.shift() : left[0]) as Hold) }
}

const PAIR = ['chart', 'prov'] as const
const POST_PROV = /^POST .*\/prov/

await t.test('a provenance that came from somebody else between the two does not go with what is undone', async t => {
  for (const [action, foreign, left] of [['push', OTHER_PROV, 2], ['overwrite', OTHER_PROV.replace('sha256:0000', () => 'sha256:DIGEST'), 2], ['overwrite', OTHER_PROV, 0]] as const) {
    const { repository, store } = await start(t)
    repository.instead = request => {
      if (!POST_PROV.test(request)) return undefined
      const digest = foreign.includes('DIGEST') ? foreign.replace('DIGEST', digestOf(CHART)) : foreign
      repository.files.set(FILES[1], digest)
      return { status: 409 }
    }
    const said = await store(PAIR, action)
    t.equal(said, `chart_exists: chart already exists; ${left === 0 ? 'neither the chart nor its provenance is stored' : 'the chart is stored, with a provenance file that may not be its own: send it again'}`)
    t.equal(repository.files.size, left)
  }
})

await t.test('a pair of which half is stored is not undone', async t => {
  const { repository, store } = await start(t)
  repository.files.set(FILES[0], CHART)
  repository.instead = request => POST_PROV.test(request) ? { status: 507, body: '{"error":"repo has reached storage limit"}' } : undefined
  t.equal(await store(PAIR), 'storage_full: repo has reached storage limit; the chart is stored, its provenance is not: send it again')
  t.same([...repository.files.keys()], [FILES[0]])
})

await t.test('of what is left it is said what it is', async t => {
  const { repository, store } = await start(t)
  repository.instead = request => {
    if (request.startsWith('DELETE')) repository.files.delete(FILES[0]) // but not its provenance
    if (request.startsWith('DELETE')) return { body: '{"deleted":true}' }
    if (!POST_PROV.test(request)) return undefined
    repository.files.set(FILES[1], OTHER_PROV)
    return { status: 500 }
  }
  t.match(await store(PAIR, 'overwrite'), /the chart is not stored, a provenance file is: send it again$/)
})

await t.test('where the upstream allows no deletes an old provenance stays, and one that speaks of nothing does', async t => {
  for (const prov of [OTHER_PROV, 'no provenance']) {
    const { repository, asked, store } = await start(t)
    repository.files.set(FILES[0], 'old').set(FILES[1], prov)
    repository.listed.push({ name: 'x', version: '1.0.0', urls: [`charts/${FILES[0]}`] })
    repository.instead = request => request.startsWith('DELETE') ? { status: 404, body: '{"error":"not found"}' } : undefined
    t.equal(await store(['chart'], 'overwrite'), 'saved')
    t.same([String(repository.files.get(FILES[0])) === String(CHART), repository.files.get(FILES[1])], [true, prov])
    t.equal(asked().filter(request => request.startsWith('DELETE')).length, prov === OTHER_PROV ? 1 : 0)
  }
})

await t.test('a chart that went with its old provenance and cannot be stored again is told so', async t => {
  const { repository, store } = await start(t)
  repository.files.set(FILES[0], 'old').set(FILES[1], OTHER_PROV)
  let posts = 0
  repository.instead = request => request.startsWith('POST') && ++posts > 1 ? { status: 503 } : undefined
  t.equal(await store(['chart'], 'overwrite'), 'upstream_busy: the chart repository is busy: try again shortly; neither the chart nor its provenance is stored')
  t.equal(posts, 3)
})

await t.test('a provenance is stored alone, and not beside another version that nobody can name', async t => {
  const { repository, store } = await start(t)
  t.equal(await store(['prov']), 'saved')
  t.equal(await store(['prov']), 'already_stored: already stored, identical')
  t.equal(await store(['prov'], 'overwrite'), 'saved')
  repository.files.clear()
  repository.files.set(FILES[0], 'x')
  repository.listed.push({ name: '<<', version: '1', urls: [`charts/${FILES[0]}`] })
  for (const action of ['push', 'overwrite'] as const) t.equal(await store(['prov'], action), `chart_exists: ${FILES[0]} holds another version: two versions cannot have one file, so use another name or version`)
  t.same([...repository.files.keys()], [FILES[0]])
})

await t.test('what fails in this process between the two is passed on, when what was stored is undone', async t => {
  let minted = 0
  const { repository, store } = await start(t, {
    kind: 'bearer',
    mint: async () => {
      if (++minted === 4) throw new Error('broken clock')
      return 'token'
    }
  })
  t.equal(await store(PAIR), 'Error: broken clock')
  t.same([...repository.files.keys()], [])
})

await t.test('where other replicas may store too, who stored finds its own bytes there, or is refused', async t => {
  const stub = await startStubUpstream(t)
  const upstream = createUpstream({ origin: stub.origin, contextPath: '', auth: { kind: 'none' } })
  t.teardown(async () => { await upstream.close() })
  const spool = await openSpool(join(testFolder(t), 'spool'), () => 1_000_000)
  let waited = 0
  const push = async (holds: readonly Hold[], there: Buffer | undefined, allowOverwrite = false): Promise<string> => {
    let posted = 0
    stub.answer = ({ method }) => {
      if (method === 'POST') {
        posted++
        return { status: 201, body: '{"saved":true}' }
      }
      return posted === 0 || there === undefined ? { status: 404 } : { status: 200, body: there }
    }
    waited = 0
    const uploader = createUploader({ upstreams: onlyUpstream(upstream), locks: locksThatAre(holds), allowOverwrite: () => allowOverwrite, later: (_ms, run) => { waited++; setImmediate(run); return () => {} } })
    const upload = await readUpload({ route: 'upload-chart', contentType: '', body: Readable.from([CHART]), depth: 2, fields: { chart: 'chart', prov: 'prov' }, namesProvenanceBy: 'its text' }, spool, 100_000)
    const result = await uploader.store(pushTo('a/b'), upload, someAsker({ tenant: 'a/b' }), () => {}).then(() => 'saved', (error: RefusalError) => error.refusal.code).finally(upload.remove)
    return `${result}, ${posted} sent, ${waited} waited`
  }
  const other = await chartOf('x', '1.0.0', [{ name: 'x/other', body: 'other' }])
  t.equal(await push(['own'], undefined), 'saved, 1 sent, 0 waited', 'nobody else is there, and nothing is looked at')
  t.equal(await push(['proved'], CHART), 'saved, 1 sent, 0 waited')
  t.equal(await push(['proved'], other), 'file_exists, 1 sent, 0 waited')
  t.equal(await push(['proved', 'proved', 'proved', 'lost'], CHART), 'saved, 1 sent, 1 waited', 'the lock ended meanwhile')
  t.equal(await push(['proved', 'proved', 'lost'], undefined), 'lock_unproved, 0 sent, 0 waited', 'it ended while it was sent: it is broken off')
  t.equal(await push(['doubted'], other), 'file_exists, 1 sent, 1 waited', 'one that does not ask for locks was later')
  t.equal(await push(['none'], CHART), 'saved, 1 sent, 1 waited')
  t.equal(await push(['none'], CHART, true), 'lock_unproved, 0 sent, 0 waited', 'an upstream that overwrites would not refuse the second one')
  t.equal(await push(['doubted'], CHART, true), 'saved, 1 sent, 1 waited')
  t.equal(await push(['lost'], CHART), 'lock_unproved, 0 sent, 0 waited')
  t.equal(await push(['proved'], undefined), 'upstream_bad_answer, 1 sent, 0 waited')
})

await t.test('a version that was not there is new, however it is pushed, and one of which anything was there is not', async t => {
  const LISTED = { name: 'x', version: '1.0.0', urls: [`charts/${FILES[0]}`] }
  const cases: ReadonlyArray<readonly [string, Readonly<Record<string, string | Buffer>>, Parameters<Started['store']>, boolean]> = [
    ['a chart', {}, [['chart']], true],
    ['a chart and its provenance', {}, [PAIR], true],
    ['a chart whose provenance was there', { [FILES[1]]: PROV }, [PAIR], true],
    ['a provenance whose chart was there', { [FILES[0]]: CHART }, [PAIR], false],
    ['a provenance alone', {}, [['prov']], false],
    ['a chart, overwriting nothing', {}, [['chart'], 'overwrite'], true],
    ['a chart and its provenance, overwriting nothing', {}, [PAIR, 'overwrite'], true],
    ['a provenance alone, overwriting nothing', {}, [['prov'], 'overwrite'], false],
    ['a chart, overwriting one', { [FILES[0]]: 'old' }, [['chart'], 'overwrite'], false],
    ['a chart and its provenance, overwriting one', { [FILES[0]]: 'old' }, [PAIR, 'overwrite'], false]
  ]
  for (const [what, files, how, isNew] of cases) {
    const { repository, store } = await start(t)
    for (const [name, body] of Object.entries(files)) repository.files.set(name, body)
    if (FILES[0] in files) repository.listed.push(LISTED)
    t.equal(await store(...how), isNew ? 'saved, and it is new' : 'saved', what)
  }
  const { repository, store } = await start(t)
  repository.listed.push({ ...LISTED, urls: ['charts/another-file.tgz'] })
  t.equal(await store(['chart'], 'overwrite'), 'saved', 'the version is in another file')
})

await t.test('what is stored over nothing is new only where nobody else can have stored it meanwhile', async t => {
  for (const hold of ['own', 'proved', 'doubted', 'lost', 'none'] as const) {
    const { store } = await start(t, { kind: 'none' }, hold === 'lost' ? ['proved', 'proved', 'lost'] : [hold])
    t.equal(await store(['chart'], 'overwrite'), hold === 'own' || hold === 'proved' ? 'saved, and it is new' : 'saved', hold)
  }
})
