// The same charts, pulled: what is pushed through the API is had at /v2/, over the embedded
// repository and a real ChartMuseum, with the digests of Helm and for those alone who may.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { createKept } from '../../src/doors/oci/kept.ts'
import { grant, startApp } from '../helpers/app.ts'
import { askOci, digestOfBytes, manifestIn, type OciAnswer, type OciOptions } from '../helpers/oci.ts'
import { archiveOf, chartOf, chartYaml, formOf, provenanceOf } from '../helpers/packages.ts'
import { temporaryFolder } from '../helpers/processes.ts'
import { overEachRepository, type Repository } from '../helpers/repositories.ts'
import { startStubUpstream } from '../helpers/stub-upstream.ts'
import { basic, startTeam } from '../helpers/team.ts'
import { newPassword } from '../helpers/secrets.ts'
import { startGateway } from '../helpers/gateway.ts'
import { ending } from '../helpers/museum.ts'
import type { Grant } from '../../src/words/access.ts'

const CHART = 'org1/repo1/mychart'
const ARCHIVE_TYPE = 'application/vnd.cncf.helm.chart.content.v1.tar+gzip'
const PROVENANCE_TYPE = 'application/vnd.cncf.helm.chart.provenance.v1.prov'
const NOTHING = `sha256:${'0'.repeat(64)}`

/** With every right. */
const asker = ({ gateway }: Pick<Repository, 'gateway'>) => async (path: string, options?: OciOptions): Promise<OciAnswer> =>
  await askOci(gateway.url, path, `Bearer ${gateway.masterKey}`, options)

async function push (t: Test, { ask }: Repository, chart: Buffer, query = '', tenant = 'org1/repo1'): Promise<void> {
  t.equal((await ask('POST', `/api/${tenant}/charts${query}`, chart)).status, 201)
}

await overEachRepository(t, { allowOverwrite: true }, async (t, repository) => {
  const pull = asker(repository)
  const big = await chartOf('mychart', '0.3.0', [{ name: 'mychart/files/noise', body: Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * i * 7919) % 251)) }])
  const charts = new Map<string, Buffer>()
  for (const version of ['0.1.0', '0.2.0+build.5', '0.10.0', 'v1.0.0']) charts.set(version, await chartOf('mychart', version))
  charts.set('0.3.0', big)
  const deprecated = await archiveOf([{ name: 'mychart/Chart.yaml', body: chartYaml('mychart', '0.4.0') + 'deprecated: true\n' }])
  charts.set('0.4.0', deprecated)
  for (const chart of charts.values()) await push(t, repository, chart)

  await t.test('a version is had by its tag, and each of its blobs by its digest', async t => {
    for (const [version, chart] of charts) {
      const answer = await pull(`${CHART}/manifests/${version.replace('+', '_')}`)
      t.match(answer, { status: 200, headers: { 'content-type': 'application/vnd.oci.image.manifest.v1+json', 'docker-content-digest': digestOfBytes(answer.bytes), 'docker-distribution-api-version': 'registry/2.0', 'content-length': String(answer.bytes.length) } }, version)
      t.equal(answer.headers['warning'], version === '0.4.0' ? '299 - "mychart 0.4.0 is deprecated"' : undefined)
      const { config, layers } = manifestIn(answer)
      t.strictSame(layers, [{ mediaType: ARCHIVE_TYPE, digest: digestOfBytes(chart), size: chart.length }], version)
      const blob = await pull(`${CHART}/blobs/${layers[0]?.digest as string}`)
      t.ok(blob.bytes.equals(chart), `${version}: byte for byte`)
      t.match(blob, { status: 200, headers: { 'content-length': String(chart.length), 'docker-content-digest': layers[0]?.digest as string, 'accept-ranges': 'bytes' } })
      const read = await pull(`${CHART}/blobs/${config.digest}`)
      t.strictSame([digestOfBytes(read.bytes), read.bytes.length], [config.digest, config.size])
      t.match(JSON.parse(read.bytes.toString()), { name: 'mychart', version })
      t.equal('urls' in (JSON.parse(read.bytes.toString()) as object), false)
      t.ok((await pull(`${CHART}/manifests/${digestOfBytes(answer.bytes)}`)).bytes.equals(answer.bytes), 'and the manifest by its digest')
    }
  })

  await t.test('HEAD says the same without a body, and who has it already is told so', async t => {
    const manifest = await pull(`${CHART}/manifests/0.3.0`)
    const { layers: [layer], config } = manifestIn(manifest)
    for (const path of ['manifests/0.3.0', `manifests/${digestOfBytes(manifest.bytes)}`, `blobs/${layer?.digest as string}`, `blobs/${config.digest}`, 'tags/list', `referrers/${NOTHING}`]) {
      const [get, head] = [await pull(`${CHART}/${path}`), await pull(`${CHART}/${path}`, { method: 'HEAD' })]
      const said = ({ headers }: OciAnswer): object => Object.fromEntries(Object.entries(headers).filter(([name]) => !['date', 'x-request-id', 'connection', 'keep-alive'].includes(name)))
      t.strictSame([head.status, head.bytes.length, said(head)], [200, 0, said(get)], path)
      if (get.headers['etag'] === undefined) continue
      t.strictSame((await pull(`${CHART}/${path}`, { headers: { 'if-none-match': String(get.headers['etag']) } })).status, 304, path)
    }
  })

  await t.test('a part of a blob is had, of a small one and of one that streams', async t => {
    for (const version of ['0.1.0', '0.3.0']) {
      const { layers: [layer], config } = manifestIn(await pull(`${CHART}/manifests/${version}`))
      const chart = charts.get(version) as Buffer
      const whole: [digest: string, bytes: Buffer][] = [[layer?.digest as string, chart], [config.digest, (await pull(`${CHART}/blobs/${config.digest}`)).bytes]]
      for (const [digest, bytes] of whole) {
        const part = async (range: string): Promise<OciAnswer> => await pull(`${CHART}/blobs/${digest}`, { headers: { range } })
        const middle = await part('bytes=10-29')
        t.strictSame([middle.status, middle.bytes, middle.headers['content-range']], [206, bytes.subarray(10, 30), `bytes 10-29/${bytes.length}`])
        t.strictSame((await part('bytes=-7')).bytes, bytes.subarray(-7))
        t.match(await part(`bytes=${bytes.length}-`), { status: 416, headers: { 'content-range': `bytes */${bytes.length}` } })
        t.match(await part('bytes=0-1,3-4'), { status: 200, bytes })
      }
    }
  })

  await t.test('tags are the versions in their order, whole and in parts', async t => {
    const tags = ['0.1.0', '0.10.0', '0.2.0_build.5', '0.3.0', '0.4.0', 'v1.0.0']
    t.strictSame(JSON.parse((await pull(`${CHART}/tags/list`)).bytes.toString()), { name: CHART, tags })
    const first = await pull(`${CHART}/tags/list?n=2`)
    t.strictSame([JSON.parse(first.bytes.toString()), first.headers['link']], [{ name: CHART, tags: tags.slice(0, 2) }, `</v2/${CHART}/tags/list?n=2&last=0.10.0>; rel="next"`])
    const rest = await pull(`${CHART}/tags/list?n=100&last=0.10.0`)
    t.strictSame([JSON.parse(rest.bytes.toString()), rest.headers['link']], [{ name: CHART, tags: tags.slice(2) }, undefined])
  })

  await t.test('a provenance that comes is a layer, and both manifests are there from then on', async t => {
    const before = await pull(`${CHART}/manifests/0.1.0`)
    const provenance = provenanceOf('mychart', '0.1.0')
    t.equal((await repository.ask('POST', '/api/org1/repo1/prov', provenance)).status, 201)
    const signed = await pull(`${CHART}/manifests/0.1.0`)
    const layer = manifestIn(signed).layers.find(({ mediaType }) => mediaType === PROVENANCE_TYPE)
    t.match(layer, { digest: digestOfBytes(Buffer.from(provenance)), size: provenance.length })
    t.equal((await pull(`${CHART}/blobs/${layer?.digest as string}`)).bytes.toString(), provenance)
    for (const { bytes } of [before, signed]) t.ok((await pull(`${CHART}/manifests/${digestOfBytes(bytes)}`)).bytes.equals(bytes))
  })

  await t.test('what is overwritten or deleted is not answered any more', async t => {
    const old = await pull(`${CHART}/manifests/0.2.0_build.5`)
    const { layers: [layer], config } = manifestIn(old)
    const paths = [`manifests/${digestOfBytes(old.bytes)}`, `blobs/${layer?.digest as string}`, `blobs/${config.digest}`]
    await push(t, repository, await chartOf('mychart', '0.2.0+build.5', [{ name: 'mychart/new', body: 'new' }]), '?force')
    for (const path of paths) t.match(await pull(`${CHART}/${path}`), { status: 404 }, path)
    const now = await pull(`${CHART}/manifests/0.2.0_build.5`)
    t.not(digestOfBytes(now.bytes), digestOfBytes(old.bytes))
    for (const path of paths.slice(0, 2)) t.match(await pull(`${CHART}/${path}`), { status: 404 }, `${path}, also when it was forgotten`)
    t.equal((await repository.ask('DELETE', '/api/org1/repo1/charts/mychart/0.2.0+build.5')).status, 200)
    t.match(await pull(`${CHART}/manifests/0.2.0_build.5`), { status: 404, codes: ['MANIFEST_UNKNOWN'] })
    t.match(await pull(`${CHART}/manifests/${digestOfBytes(now.bytes)}`), { status: 404, codes: ['MANIFEST_UNKNOWN'] })
  })

  await t.test('what is not there is said in the codes of a registry', async t => {
    const cases: [path: string, status: number, code: string][] = [
      [`${CHART}/manifests/9.9.9`, 404, 'MANIFEST_UNKNOWN'],
      [`${CHART}/manifests/latest`, 404, 'MANIFEST_UNKNOWN'],
      [`${CHART}/manifests/0.1`, 404, 'MANIFEST_UNKNOWN'],
      [`${CHART}/manifests/${NOTHING}`, 404, 'MANIFEST_UNKNOWN'],
      [`${CHART}/manifests/sha512:${'0'.repeat(128)}`, 404, 'MANIFEST_UNKNOWN'],
      [`${CHART}/blobs/${NOTHING}`, 404, 'BLOB_UNKNOWN'],
      [`${CHART}/blobs/sha512:${'0'.repeat(128)}`, 404, 'BLOB_UNKNOWN'],
      [`${CHART}/blobs/${digestOfBytes((await pull(`${CHART}/manifests/0.3.0`)).bytes)}`, 404, 'BLOB_UNKNOWN'],
      ['org1/repo1/other/tags/list', 404, 'NAME_UNKNOWN'],
      ['org1/repo1/other/manifests/1.0.0', 404, 'MANIFEST_UNKNOWN'],
      [`org1/repo1/other/blobs/${digestOfBytes(charts.get('0.3.0') as Buffer)}`, 404, 'BLOB_UNKNOWN'],
      ['_catalog', 405, 'UNSUPPORTED']
    ]
    for (const [path, status, code] of cases) {
      const answer = await pull(path)
      t.match(answer, { status, codes: [code] }, path)
      t.type((JSON.parse(answer.bytes.toString()) as { error?: unknown }).error, 'string')
    }
  })

  await t.test('nothing refers to a manifest, and a filter is said to be applied', async t => {
    for (const digest of [NOTHING, `sha512:${'0'.repeat(128)}`]) {
      const answer = await pull(`${CHART}/referrers/${digest}?artifactType=application/x`)
      t.match(answer, { status: 200, headers: { 'content-type': 'application/vnd.oci.image.index.v1+json', 'oci-filters-applied': 'artifactType' } })
      t.strictSame(JSON.parse(answer.bytes.toString()), { schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json', manifests: [] })
    }
  })

  await t.test('an archive that nobody asked for by tag is found by its digest', async t => {
    const chart = await chartOf('fresh', '1.0.0')
    await push(t, repository, chart)
    const answer = await pull(`org1/repo1/fresh/blobs/${digestOfBytes(chart)}`, { method: 'HEAD' })
    t.match(answer, { status: 200, headers: { 'content-length': String(chart.length) } })
  })

  await t.test('many who ask at once for what was never asked for get the same', async t => {
    await push(t, repository, await chartOf('crowd', '1.0.0', [{ name: 'crowd/noise', body: big }]))
    const answers = await Promise.all(Array.from({ length: 16 }, async () => await pull('org1/repo1/crowd/manifests/1.0.0')))
    t.equal(new Set(answers.map(({ status, bytes }) => `${status} ${digestOfBytes(bytes)}`)).size, 1)
    t.equal(answers[0]?.status, 200)
  })

  await t.test('a pair that is pushed as a form has both layers', async t => {
    const { contentType, body } = formOf([{ field: 'chart', body: await chartOf('pair', '1.0.0'), filename: 'x' }, { field: 'prov', body: provenanceOf('pair', '1.0.0'), filename: 'y' }])
    t.equal((await repository.ask('POST', '/api/org1/repo1/charts', body, contentType)).status, 201)
    t.equal(manifestIn(await pull('org1/repo1/pair/manifests/1.0.0')).layers.length, 2)
  })
})

await t.test('every digest that was answered is there after a restart, before anybody asks for a tag', async t => {
  const stateDir = await temporaryFolder(t)
  const masterKey = newPassword() + newPassword()
  const first = await startGateway(t, { masterKey }, { stateDir })
  const chart = await chartOf('mychart', '1.0.0')
  const headers = { authorization: `Bearer ${masterKey}` }
  t.equal((await fetch(`${first.url}/api/org1/repo1/charts`, { method: 'POST', headers, body: new Uint8Array(chart) })).status, 201)
  const manifest = await askOci(first.url, `${CHART}/manifests/1.0.0`, headers.authorization)
  const { config, layers: [layer] } = manifestIn(manifest)
  await ending(first)()
  const second = await startGateway(t, { masterKey }, { stateDir })
  for (const path of [`blobs/${config.digest}`, `manifests/${digestOfBytes(manifest.bytes)}`, `blobs/${layer?.digest as string}`]) t.equal((await askOci(second.url, `${CHART}/${path}`, headers.authorization)).status, 200, path)
})

await t.test('who may not is refused as a registry does, with the scope to ask for', async t => {
  const [alice, stranger] = [newPassword(), newPassword()]
  const { gateway, stub } = await startTeam(t, {
    people: [{ name: 'alice', password: alice }, { name: 'stranger', password: stranger }],
    policy: [{ repositories: ['org1/repo1'], subjects: ['user:alice'], actions: ['pull'] }, { repositories: ['public/charts'], subjects: ['anonymous'], actions: ['pull'] }]
  })
  stub.answer = () => ({ status: 404, body: '{}' })
  const token = async (...grants: Grant[]): Promise<string> => `Bearer ${await gateway.token(grants, 'user:alice')}`
  const ofChart = (name: string, ...actions: Grant['actions']): Grant => ({ type: 'repository', name, actions })
  const manifest = `${CHART}/manifests/1.0.0`
  const cases: [name: string, path: string, authorization: string | undefined, status: number, code: string | undefined, method?: string][] = [
    ['nobody at the base', '', undefined, 401, 'UNAUTHORIZED'],
    ['nobody at the base of what is public', '', undefined, 401, 'UNAUTHORIZED'],
    ['Basic at the base', '', basic('alice', alice), 200, undefined],
    ['a token for nothing at the base', '', await token(), 200, undefined],
    ['a token of nobody at the base', '', `Bearer ${await gateway.token([], 'anonymous')}`, 200, undefined],
    ['a wrong password at the base', '', basic('alice', stranger), 401, 'UNAUTHORIZED'],
    ['nobody', manifest, undefined, 401, 'UNAUTHORIZED'],
    ['nobody, where it is public', 'public/charts/x/manifests/1.0.0', undefined, 404, 'MANIFEST_UNKNOWN'],
    ['Basic, by a rule', manifest, basic('alice', alice), 404, 'MANIFEST_UNKNOWN'],
    ['Basic, without one', manifest, basic('stranger', stranger), 403, 'DENIED'],
    ['a token for the chart', manifest, await token(ofChart(CHART, 'pull')), 404, 'MANIFEST_UNKNOWN'],
    ['a token for the tenant', manifest, await token(grant('org1/repo1', 'pull')), 404, 'MANIFEST_UNKNOWN'],
    ['a token for another chart', manifest, await token(ofChart('org1/repo1/mychart2', 'pull')), 401, 'UNAUTHORIZED'],
    ['a token for a shorter name', manifest, await token(ofChart('org1/repo1', 'pull')), 401, 'UNAUTHORIZED'],
    ['a token for another tenant', manifest, await token(grant('org1/repo2', 'pull')), 401, 'UNAUTHORIZED'],
    ['a token to push', manifest, await token(ofChart(CHART, 'push')), 401, 'UNAUTHORIZED'],
    ['a token to pull, for a push', `${CHART}/blobs/uploads/`, await token(ofChart(CHART, 'pull')), 401, 'UNAUTHORIZED', 'POST'],
    ['a token to push, for a delete', manifest, await token(ofChart(CHART, 'push')), 401, 'UNAUTHORIZED', 'DELETE']
  ]
  for (const [name, path, authorization, status, code, method = 'GET'] of cases) t.match(await askOci(gateway.url, path, authorization, { method }), { status, codes: code === undefined ? [] : [code] }, name)
  const challenges = async (path: string, method: string, authorization?: string): Promise<unknown> => (await askOci(gateway.url, path, authorization, { method })).headers['www-authenticate']
  const bearer = 'Bearer realm="http://charts.example.test/oauth/token",service="charts.example.test"'
  const second = 'Basic realm="charts.example.test", charset="UTF-8"'
  t.strictSame(await challenges('', 'GET'), [bearer, second], 'Bearer comes first')
  t.strictSame(await challenges(manifest, 'HEAD'), [`${bearer},scope="repository:${CHART}:pull"`, second])
  t.strictSame(await challenges(manifest, 'PUT'), [`${bearer},scope="repository:${CHART}:pull,push"`, second])
  t.strictSame(await challenges(manifest, 'DELETE'), [`${bearer},scope="repository:${CHART}:pull,delete"`, second])
  t.strictSame(await challenges(manifest, 'GET', await token()), [`${bearer},scope="repository:${CHART}:pull",error="insufficient_scope"`, second])
  t.match(await askOci(gateway.url, manifest, undefined), { headers: { 'docker-distribution-api-version': 'registry/2.0' } })
  t.equal((await fetch(`${gateway.url}/org1/repo1/index.yaml`, { headers: { authorization: await token(ofChart(CHART, 'pull')) } })).status, 401, 'a grant of a chart opens no chart route')
})

await t.test('what the repository cannot say is a refusal, and nothing is kept of it', async t => {
  const stub = await startStubUpstream(t)
  const gateway = await startApp(t, { origin: stub.origin })
  const pull = asker({ gateway })
  const chart = await chartOf('mychart', '1.0.0')
  const hex = digestOfBytes(chart).slice('sha256:'.length)
  const entry = (digest: string, more = ''): string => `{"name":"mychart","version":"1.0.0"${more},"urls":["charts/mychart-1.0.0.tgz"],"created":"2026-01-01T00:00:00Z","digest":"${digest}"}`
  let list = entry(hex)
  let [file, provenance] = [{ status: 200, body: chart as Buffer | string }, { status: 404, body: '{}' as Buffer | string }]
  stub.answer = ({ target }) => target.endsWith('.prov') ? provenance : target.endsWith('.tgz') ? file : target.endsWith('/1.0.0') ? { body: list } : { body: `[${list}]` }

  list = entry('0'.repeat(64))
  t.match(await pull(`${CHART}/manifests/1.0.0`), { status: 502, codes: ['UNAVAILABLE'] }, 'an archive that is another one than the list says')
  t.match(await pull(`${CHART}/blobs/${NOTHING}`), { status: 502 }, 'also by its digest')
  list = entry(hex)
  file = { status: 500, body: '' }
  t.match(await pull(`${CHART}/manifests/1.0.0`), { status: 502, codes: ['UNAVAILABLE'] }, 'an archive that is not to be had')
  file = { status: 200, body: chart }
  provenance = { status: 500, body: '' }
  t.match(await pull(`${CHART}/manifests/1.0.0`), { status: 502 }, 'a provenance of which nobody knows')
  provenance = { status: 200, body: 'x'.repeat(2 * 1024 * 1024) }
  t.equal(manifestIn(await pull(`${CHART}/manifests/1.0.0`)).layers.length, 1, 'one that is none is none')
  provenance = { status: 200, body: 'x'.repeat(100_000) }
  t.equal(manifestIn(await pull(`${CHART}/manifests/1.0.0`)).layers.length, 2, 'a long one is one')
  file = { status: 500, body: '' }
  t.match(await pull(`${CHART}/blobs/sha256:${hex}`), { status: 502 }, 'a blob that is known, and not to be had')
  file = { status: 200, body: await chartOf('mychart', '1.0.0', [{ name: 'mychart/x', body: 'changed' }]) }
  t.match(await pull(`${CHART}/blobs/sha256:${hex}`), { status: 404, codes: ['BLOB_UNKNOWN'] }, 'a file that has changed meanwhile')
  list = entry(hex, ',"version":"1.0.1"')
  t.match(await pull(`${CHART}/manifests/1.0.0`), { status: 404 }, 'another version that fits what was asked for')
  for (const text of ['<html>', '{"error":1}', '[]']) {
    list = text
    t.match(await pull(`${CHART}/manifests/1.0.0`), { status: 404, codes: ['MANIFEST_UNKNOWN'] }, text)
  }
  stub.answer = () => ({ body: '{}' })
  t.match(await pull(`${CHART}/tags/list`), { status: 404, codes: ['NAME_UNKNOWN'] }, 'a list that is none')
  stub.answer = () => ({ headers: { 'content-type': 'text/html' }, body: '<html>' })
  t.match(await pull(`${CHART}/tags/list`), { status: 502, codes: ['UNAVAILABLE'] }, 'a page of somebody between')
  stub.answer = () => ({ status: 503 })
  t.match(await pull(`${CHART}/tags/list`), { status: 503, headers: { 'retry-after': '5' } })
})

await t.test('an archive that is found elsewhere than by its name is had all the same, with the provenance beside it', async t => {
  const stub = await startStubUpstream(t)
  const gateway = await startApp(t, { origin: stub.origin })
  const chart = await chartOf('mychart', '1.0.0')
  const hex = digestOfBytes(chart).slice('sha256:'.length)
  stub.answer = ({ target }) => {
    if (target.endsWith('/mychart/1.0.0')) return { body: `{"name":"mychart","version":"1.0.0","urls":["charts/renamed.tgz"],"digest":"${hex}"}` }
    if (target.endsWith('/renamed.tgz')) return { body: chart }
    return target.endsWith('/renamed.tgz.prov') ? { body: 'signed' } : { status: 404, body: '{}' }
  }
  const answer = await asker({ gateway })(`${CHART}/manifests/1.0.0`)
  t.equal(manifestIn(answer).layers.length, 2)
})

await t.test('a large archive that changes while it is read breaks off, and an unknown digest costs one question', async t => {
  const stub = await startStubUpstream(t)
  const gateway = await startApp(t, { origin: stub.origin })
  const pull = asker({ gateway })
  const chart = Buffer.concat([await chartOf('mychart', '1.0.0'), Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * 31) % 253))])
  const hex = digestOfBytes(chart).slice('sha256:'.length)
  const list = `{"name":"mychart","version":"1.0.0","urls":["charts/mychart-1.0.0.tgz"],"digest":"${hex}"}`
  let file = chart
  stub.answer = ({ target }) => target.endsWith('.prov') ? { status: 404, body: '{}' } : target.endsWith('.tgz') ? { body: file } : target.endsWith('/1.0.0') ? { body: list } : { body: `[${list}]` }
  t.equal((await pull(`${CHART}/manifests/1.0.0`)).status, 200)
  t.ok((await pull(`${CHART}/blobs/sha256:${hex}`)).bytes.equals(chart))
  file = Buffer.from(chart)
  file[200_000] = (file[200_000] as number) ^ 1
  await t.rejects(pull(`${CHART}/blobs/sha256:${hex}`), 'what is not what its digest says never comes to its end')
  stub.seen.length = 0
  t.equal((await pull(`${CHART}/blobs/${NOTHING}`)).status, 404)
  t.equal((await pull(`${CHART}/manifests/${NOTHING}`)).status, 404)
  t.strictSame(stub.seen.map(({ target }) => target), ['/api/org1/repo1/charts/mychart'])
})

await t.test('what is asked is logged, recorded and counted as of every door', async t => {
  const stub = await startStubUpstream(t)
  const gateway = await startApp(t, { origin: stub.origin, config: config => ({ ...config, audit: { ...config.audit, reads: true }, metrics: { tenants: true } }) })
  const pull = asker({ gateway })
  await pull('')
  await pull(`${CHART}/manifests/1.0.0`)
  await pull(`${CHART}/blobs/${NOTHING}`)
  await askOci(gateway.url, `${CHART}/manifests/1.0.0`, undefined, { method: 'PUT' })
  t.match(gateway.log.filter(({ route }) => String(route).startsWith('oci-')), [
    { route: 'oci-manifest', tenant: 'org1/repo1', chart: 'mychart', version: '1.0.0', action: 'pull', reason: 'oci_manifest_unknown' },
    { route: 'oci-base', decision: 'allowed' },
    { route: 'oci-blob', digest: '0'.repeat(64), reason: 'oci_blob_unknown' },
    { route: 'oci-push', action: 'push', reason: 'missing_credentials' }
  ].sort((one, other) => gateway.log.findIndex(line => line['reason'] === one.reason) - gateway.log.findIndex(line => line['reason'] === other.reason)))
  t.match(gateway.audit.filter(({ chart }) => chart === 'mychart'), [{ action: 'pull', version: '1.0.0' }, { action: 'pull', digest: '0'.repeat(64) }, { action: 'push' }])
  t.ok(gateway.meter.snapshot().rows.chartgate_requests_total)
})

await t.test('a manifest that was pushed has the tag while it is of what is stored', async t => {
  const stub = await startStubUpstream(t)
  const gateway = await startApp(t, { origin: stub.origin })
  const pull = asker({ gateway })
  const chart = await chartOf('mychart', '1.0.0')
  const archive = digestOfBytes(chart).slice('sha256:'.length)
  let provenance = ''
  stub.answer = ({ target }) => {
    if (target.endsWith('.prov')) return provenance === '' ? { status: 404, body: '{}' } : { body: provenance }
    return { body: target.endsWith('.tgz') ? chart : `{"name":"mychart","version":"1.0.0","urls":["charts/mychart-1.0.0.tgz"],"digest":"${archive}"}` }
  }
  const canonical = await pull(`${CHART}/manifests/1.0.0`)
  const pushed = Buffer.from(canonical.bytes.toString().replace('"annotations":{', '"annotations":{"made":"elsewhere",'))
  const kept = createKept(join(gateway.config.stateDir, 'oci'), error => { throw error })
  const tagged = digestOfBytes(pushed).slice('sha256:'.length)
  await kept.keep({ name: CHART }, [[tagged, { kind: 'manifest', version: '1.0.0', archive, bytes: pushed }]])
  await kept.keepVersion({ name: CHART }, '1.0.0', { archive, size: chart.length, tagged })
  t.ok((await pull(`${CHART}/manifests/1.0.0`)).bytes.equals(pushed))
  t.ok((await pull(`${CHART}/manifests/${digestOfBytes(canonical.bytes)}`)).bytes.equals(canonical.bytes), 'and the canonical one is there')
  provenance = 'signed'
  t.equal(manifestIn(await pull(`${CHART}/manifests/1.0.0`)).layers.length, 2, 'not when there is provenance that it does not name')
  t.ok((await pull(`${CHART}/manifests/sha256:${tagged}`)).bytes.equals(pushed))
})

await t.test('a disk that takes nothing is said once, and pulls go on', async t => {
  const stub = await startStubUpstream(t)
  const gateway = await startApp(t, { origin: stub.origin })
  const chart = await chartOf('mychart', '1.0.0')
  const hex = digestOfBytes(chart).slice('sha256:'.length)
  stub.answer = ({ target }) => target.endsWith('.prov') ? { status: 404, body: '{}' } : { body: target.endsWith('.tgz') ? chart : `{"name":"mychart","version":"1.0.0","urls":["charts/mychart-1.0.0.tgz"],"digest":"${hex}"}` }
  await writeFile(join(gateway.config.stateDir, 'oci'), 'a file in the way')
  const pull = asker({ gateway })
  const manifest = await pull(`${CHART}/manifests/1.0.0`)
  t.equal(manifest.status, 200)
  for (const path of [`manifests/${digestOfBytes(manifest.bytes)}`, `blobs/sha256:${hex}`, `blobs/${manifestIn(manifest).config.digest}`]) t.equal((await pull(`${CHART}/${path}`)).status, 200, path)
  t.equal(gateway.log.filter(({ msg }) => String(msg).startsWith('what the registry has answered cannot be kept')).length, 1)
})

await t.test('what is longer than anybody writes is no entry', async t => {
  const stub = await startStubUpstream(t)
  const gateway = await startApp(t, { origin: stub.origin })
  stub.answer = () => ({ body: 'x'.repeat(9 * 1024 * 1024) })
  t.match(await asker({ gateway })(`${CHART}/manifests/1.0.0`), { status: 502, codes: ['UNAVAILABLE'] })
})

await t.test('where it is off there is none, and what is asked is told so', async t => {
  const stub = await startStubUpstream(t)
  const gateway = await startApp(t, { origin: stub.origin, config: config => ({ ...config, oci: { ...config.oci, enabled: false } }) })
  t.match(await asker({ gateway })(''), { status: 404, codes: [] })
  t.strictSame(gateway.meter.snapshot().rows.chartgate_oci_waiting_files, [[0, 0]], 'and nothing waits')
})
