// What is left of a push to the registry that goes wrong at its tag: the chart as a whole or
// nothing of it, and what waits as long as trying again may help.
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import type { ToldChange } from '../../src/upstream/change.ts'
import { NO_PEERS, type Peers } from '../../src/upstream/peers.ts'
import { startApp, type TestGateway } from '../helpers/app.ts'
import { ociAsker, digestOfBytes, pushBlob, pushOci, pushOf, putManifest, type AskOci } from '../helpers/oci.ts'
import { chartOf, provenanceOf } from '../helpers/packages.ts'
import { temporaryFolder } from '../helpers/processes.ts'
import { askAs, overEachRepository } from '../helpers/repositories.ts'
import { startFaultyUpstream } from '../helpers/faulty-upstream.ts'
import { until } from '../helpers/until.ts'
import { OPEN, startEmbedded } from '../repository/servers.ts'
import { startStubUpstream } from '../helpers/stub-upstream.ts'

const TENANT = 'org1/repo1'

async function waitingOf ({ config }: Pick<TestGateway, 'config'>): Promise<number> {
  const files = await readdir(join(config.stateDir, 'spool'), { recursive: true, withFileTypes: true })
  return files.filter(entry => entry.isFile() && entry.name !== '_key').length
}

const asker = (gateway: TestGateway): AskOci => ociAsker(gateway.url, () => `Bearer ${gateway.masterKey}`)

await overEachRepository(t, { allowOverwrite: true }, async (t, repository) => {
  const { gateway, between } = repository
  const ask = asker(gateway)

  await t.test('while the repository fails the blobs wait, and the same manifest again is enough', async t => {
    for (const [fault, name] of [['500', 'refused'], ['cut', 'cut']] as const) {
      const push = pushOf(name, '1.0.0', { chart: await chartOf(name, '1.0.0'), provenance: provenanceOf(name, '1.0.0') })
      for (const blob of push.blobs) t.equal((await pushBlob(ask, `${TENANT}/${name}`, blob)).status, 201)
      between.fault = request => request.startsWith('POST ') ? fault : undefined
      t.match(await putManifest(ask, `${TENANT}/${name}`, '1.0.0', push.manifest), { status: 502, codes: ['UNAVAILABLE'] }, fault)
      between.fault = () => undefined
      t.match(await ask(`${TENANT}/${name}/manifests/1.0.0`), { status: 404 })
      t.strictSame(await repository.files(TENANT), (await repository.files(TENANT)).filter(file => !file.startsWith(name)))
      t.equal(await waitingOf(gateway), 3)
      t.equal((await putManifest(ask, `${TENANT}/${name}`, '1.0.0', push.manifest)).status, 201)
      t.equal(await waitingOf(gateway), 0)
      t.ok((await ask(`${TENANT}/${name}/manifests/1.0.0`)).bytes.equals(push.manifest))
    }
  })

  await t.test('what the repository does not say is no blob that is missing', async t => {
    const chart = await chartOf('silent', '1.0.0')
    const push = pushOf('silent', '1.0.0', { chart })
    between.fault = request => request.startsWith('GET ') ? '500' : undefined
    t.match(await putManifest(ask, `${TENANT}/silent`, push.digest, push.manifest), { status: 502, codes: ['UNAVAILABLE'] })
    t.match(await ask(`org2/repo2/silent/blobs/uploads/?mount=${digestOfBytes(chart)}&from=${TENANT}/silent`, { method: 'POST' }), { status: 502, codes: ['UNAVAILABLE'] })
    between.fault = () => undefined
    t.match(await putManifest(ask, `${TENANT}/silent`, push.digest, push.manifest), { status: 400, codes: ['MANIFEST_BLOB_UNKNOWN'] })
  })

  await t.test('an answer that is lost behind a chart that was stored is a push that is done', async t => {
    const push = pushOf('lost', '1.0.0', { chart: await chartOf('lost', '1.0.0') })
    let lost = 0
    between.fault = request => request.startsWith('POST ') && lost++ === 0 ? 'lost' : undefined
    t.equal((await pushOci(ask, `${TENANT}/lost`, '1.0.0', push)).status, 201)
    between.fault = () => undefined
    t.ok((await ask(`${TENANT}/lost/manifests/1.0.0`)).bytes.equals(push.manifest))
    t.equal(await waitingOf(gateway), 0)
  })

  await t.test('when the second half of a pair fails there is none of it', async t => {
    const push = pushOf('half', '1.0.0', { chart: await chartOf('half', '1.0.0'), provenance: provenanceOf('half', '1.0.0') })
    between.fault = request => request.startsWith('POST ') && request.endsWith('/prov') ? '500' : undefined
    t.match(await pushOci(ask, `${TENANT}/half`, '1.0.0', push), { status: 502 })
    between.fault = () => undefined
    t.strictSame((await repository.files(TENANT)).filter(file => file.startsWith('half')), [])
    t.equal((await putManifest(ask, `${TENANT}/half`, '1.0.0', push.manifest)).status, 201)
    t.equal(await waitingOf(gateway), 0)
  })

  await t.test('a repository that does not list what it has stored is waited for, and not for ever', async t => {
    const push = pushOf('late', '1.0.0', { chart: await chartOf('late', '1.0.0') })
    let looks = 0
    between.fault = request => request.startsWith(`GET /api/${TENANT}/charts/late/1.0.0`) && looks++ < 5 ? '500' : undefined
    t.equal((await pushOci(ask, `${TENANT}/late`, '1.0.0', push)).status, 201)
    t.ok(looks > 5, 'until it does')
    looks = -1_000
    const other = pushOf('late', '2.0.0', { chart: await chartOf('late', '2.0.0') })
    between.fault = request => request.startsWith(`GET /api/${TENANT}/charts/late/2.0.0`) ? '500' : undefined
    t.equal((await pushOci(ask, `${TENANT}/late`, '2.0.0', other)).status, 201)
    between.fault = () => undefined
    t.ok((await ask(`${TENANT}/late/manifests/2.0.0`)).bytes.equals(other.manifest))
  })
})

await t.test('what may not be recorded is not made, and may be tried again', async t => {
  const stub = await startStubUpstream(t)
  stub.answer = ({ method }) => method === 'POST' ? { status: 201, body: '{"saved":true}' } : { status: 404, body: '{}' }
  let records = true
  const gateway = await startApp(t, { origin: stub.origin, config: config => ({ ...config, audit: { reads: true, required: true } }), records: async () => records })
  const ask = asker(gateway)
  const push = pushOf('mychart', '1.0.0', { chart: await chartOf('mychart', '1.0.0') })
  for (const blob of push.blobs) await pushBlob(ask, `${TENANT}/mychart`, blob)
  records = false
  t.match(await putManifest(ask, `${TENANT}/mychart`, '1.0.0', push.manifest), { status: 503, codes: ['UNAVAILABLE'] })
  t.strictSame(stub.seen.filter(({ method }) => method === 'POST'), [])
  t.match(await ask(`${TENANT}/mychart/manifests/1.0.0`, { method: 'DELETE' }), { status: 503 })
  t.strictSame(stub.seen.filter(({ method }) => method === 'DELETE'), [])
  records = true
  t.equal((await putManifest(ask, `${TENANT}/mychart`, '1.0.0', push.manifest)).status, 201)
  t.strictSame(gateway.audit.filter(({ action, outcome }) => action === 'push' && outcome !== 'failure').map(({ phase, version, digest }) => ({ phase, version, digest })), [
    { phase: 'intent', version: '1.0.0', digest: digestOfBytes(push.blobs[1] as Buffer).slice(7) },
    { phase: 'outcome', version: '1.0.0', digest: digestOfBytes(push.blobs[1] as Buffer).slice(7) }
  ])
})

await t.test('so many manifests of a version are kept as have 4 MiB together, and then its tag has to go first', async t => {
  const stub = await startStubUpstream(t)
  const chart = await chartOf('mychart', '1.0.0')
  const hex = digestOfBytes(chart).slice(7)
  let isStored = false
  stub.answer = ({ method, target }) => {
    if (method === 'POST' || method === 'DELETE') isStored = method === 'POST'
    if (method === 'POST') return { status: 201, body: '{"saved":true}' }
    if (method === 'DELETE') return { body: '{"deleted":true}' }
    if (!isStored || target.endsWith('.prov')) return { status: 404, body: '{}' }
    const entry = `{"name":"mychart","version":"1.0.0","urls":["charts/mychart-1.0.0.tgz"],"digest":"${hex}"}`
    return { body: target.endsWith('.tgz') ? chart : target.endsWith('/1.0.0') ? entry : `[${entry}]` }
  }
  const gateway = await startApp(t, { origin: stub.origin })
  const ask = asker(gateway)
  const long = (digit: string): ReturnType<typeof pushOf> => pushOf('mychart', '1.0.0', { chart, created: digit.repeat(1_500_000) })
  for (const digit of ['1', '2']) t.equal((await pushOci(ask, `${TENANT}/mychart`, '1.0.0', long(digit))).status, 201)
  t.match(await pushOci(ask, `${TENANT}/mychart`, '1.0.0', long('3')), { status: 409, codes: ['DENIED'] })
  t.equal((await pushOci(ask, `${TENANT}/mychart`, '1.0.0', long('1'))).status, 201, 'one that is known')
  t.equal((await pushOci(ask, `${TENANT}/mychart`, '1.0.0', pushOf('mychart', '1.0.0', { chart }))).status, 201, 'a small one')
  t.equal((await ask(`${TENANT}/mychart/manifests/1.0.0`, { method: 'DELETE' })).status, 202)
  t.equal((await pushOci(ask, `${TENANT}/mychart`, '1.0.0', long('3'))).status, 201)
})

await t.test('a delete or an overwrite that is heard of late takes nothing from who pushed the version again meanwhile', async t => {
  const { port } = await startEmbedded(t, await temporaryFolder(t), { ...OPEN, allowOverwrite: true, depth: 2 })
  const between = await startFaultyUpstream(t, `http://127.0.0.1:${port}`)
  const held: Array<() => void> = []
  let holds = false
  const peers: Peers = { ...NO_PEERS, changed: async () => { if (holds) await new Promise<void>(resolve => { held.push(resolve) }) } }
  const gateway = await startApp(t, { origin: between.origin, peers, config: config => ({ ...config, upstream: { ...config.upstream, auth: 'none' } }) })
  const ask = asker(gateway)
  const [same, other] = [await chartOf('again', '1.0.0'), await chartOf('again', '1.0.0', [{ name: 'again/more', body: 'x' }])]
  const name = `${TENANT}/again`
  const dir = join(gateway.config.stateDir, 'oci', name, '_content')
  const api = async (method: string, path: string, body?: Buffer): Promise<number> => (await askAs(gateway, method, `/api/${TENANT}/charts${path}`, body)).status

  const ways = {
    'a delete, then the same bytes': { change: async () => await api('DELETE', '/again/1.0.0'), again: same },
    'a delete, then other bytes': { change: async () => await api('DELETE', '/again/1.0.0'), again: other },
    'an overwrite and a delete, then the same bytes': {
      async change () {
        await api('POST', '?force', other)
        return 0
      },
      again: same
    }
  }
  for (const [way, { change, again }] of Object.entries(ways)) {
    const first = pushOf('again', '1.0.0', { chart: same, created: '2026-01-01T00:00:00Z' })
    t.equal((await pushOci(ask, name, '1.0.0', first)).status, 201)
    holds = true
    const changing = change()
    await until(() => held.length > 0 || undefined)
    holds = false
    if (way.startsWith('an overwrite')) t.equal(await api('DELETE', '/again/1.0.0'), 200)
    const push = pushOf('again', '1.0.0', { chart: again, created: '2026-02-02T00:00:00Z' })
    t.equal((await pushOci(ask, name, '1.0.0', push)).status, 201, way)
    for (const go of held.splice(0)) go()
    await changing
    for (const reference of ['1.0.0', push.digest]) t.ok((await ask(`${name}/manifests/${reference}`)).bytes.equals(push.manifest), `${way}: ${reference}`)
    t.equal(await api('DELETE', '/again/1.0.0'), 200)
    t.strictSame(await readdir(dir), [], `${way}: and nothing stays`)
  }

  const push = pushOf('again', '1.0.0', { chart: same })
  t.equal((await pushOci(ask, name, '1.0.0', push)).status, 201)
  between.fault = request => request.startsWith('GET ') && request.includes('.tgz') ? '500' : undefined
  t.equal(await api('DELETE', '/again/1.0.0'), 200)
  between.fault = () => undefined
  t.not((await readdir(dir)).length, 0, 'what the repository does not say is left to the sweep')
  t.match(await ask(`${name}/manifests/${push.digest}`), { status: 404 }, 'and not answered')
})

await t.test('a push of what is there already is told as well: whoever stored it may not have come to that', async t => {
  const { port } = await startEmbedded(t, await temporaryFolder(t), { ...OPEN, depth: 2 })
  const told: ToldChange[] = []
  const peers: Peers = { ...NO_PEERS, changed: async change => { told.push(change) } }
  const gateway = await startApp(t, { origin: `http://127.0.0.1:${port}`, peers, config: config => ({ ...config, upstream: { ...config.upstream, auth: 'none' } }) })
  for (const [chartName, provenance] of [['told', {}], ['signed', { provenance: provenanceOf('signed', '1.0.0') }]] as const) {
    const chart = await chartOf(chartName, '1.0.0')
    for (const isNew of [true, false]) {
      t.equal((await pushOci(asker(gateway), `${TENANT}/${chartName}`, '1.0.0', pushOf(chartName, '1.0.0', { chart, ...provenance }))).status, 201)
      t.match(told.splice(0), [{ tenant: TENANT, chart: chartName, version: '1.0.0', became: digestOfBytes(chart).slice(7), isNew, isShown: true }])
    }
  }
})
