// A push at /v2/ becomes a version: over the embedded repository and a real ChartMuseum, it is
// what the classic API has, under the digest that its pusher was told, and nothing of it waits.
import { createHash } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import t from 'tap'
import { Client } from 'undici'
import {
  ARCHIVE_TYPE, askOci, configOf, CONFIG_TYPE, descriptorOf, digestOfBytes, manifestIn, MANIFEST_TYPE, ociAsker, placeOf,
  pushBlob, pushOci, pushOf, putManifest, type AskOci, type OciPush
} from '../helpers/oci.ts'
import { chartOf, formOf, provenanceOf } from '../helpers/packages.ts'
import { overEachRepository, type Repository } from '../helpers/repositories.ts'
import { until } from '../helpers/until.ts'

const TENANT = 'org1/repo1'
const CHART = `${TENANT}/mychart`

/** What no archive makes smaller: 200 KiB. */
const NOISE = Buffer.concat(Array.from({ length: 6_400 }, (_, i) => createHash('sha256').update(String(i)).digest()))

/** With every right. */
const asker = ({ gateway }: Pick<Repository, 'gateway'>): AskOci => ociAsker(gateway.url, () => `Bearer ${gateway.masterKey}`)

/** What waits for a tag: the files below the spool's folder. */
async function waitingOf ({ gateway }: Pick<Repository, 'gateway'>): Promise<string[]> {
  const files = await readdir(join(gateway.config.stateDir, 'spool'), { recursive: true, withFileTypes: true })
  return files.filter(entry => entry.isFile() && entry.name !== '_key').map(({ parentPath, name }) => join(parentPath, name).split('/spool/oci/')[1] ?? name)
}

await overEachRepository(t, { allowOverwrite: true }, async (t, repository) => {
  const ask = asker(repository)
  const { gateway } = repository
  const index = async (): Promise<string> => (await repository.ask('GET', `/${TENANT}/index.yaml`)).bytes.toString()

  await t.test('what is pushed is found in the index, and pulled under the digest that was told', async t => {
    const chart = await chartOf('mychart', '0.1.0+build.5')
    const push = pushOf('mychart', '0.1.0+build.5', { chart })
    const done = await pushOci(ask, CHART, '0.1.0_build.5', push)
    t.match(done, { status: 201, headers: { 'docker-content-digest': push.digest, location: `/v2/${CHART}/manifests/${push.digest}` } })
    t.match(await index(), /version: 0\.1\.0\+build\.5/)
    t.ok((await repository.ask('GET', `/${TENANT}/charts/mychart-0.1.0+build.5.tgz`)).bytes.equals(chart))
    for (const reference of ['0.1.0_build.5', push.digest]) {
      t.strictSame((await ask(`${CHART}/manifests/${reference}`)).bytes.toString(), push.manifest.toString(), reference)
    }
    for (const blob of push.blobs) t.ok((await ask(`${CHART}/blobs/${digestOfBytes(blob)}`)).bytes.equals(blob))
    t.strictSame(JSON.parse((await ask(`${CHART}/tags/list`)).bytes.toString()), { name: CHART, tags: ['0.1.0_build.5'] })
    t.strictSame(await waitingOf(repository), [], 'nothing waits')
    t.equal(gateway.spool.standing().files, 0)
    const { route, action, chart: name, version, digest } = gateway.log.findLast(line => line['route'] === 'oci-push') ?? {}
    t.strictSame({ route, action, name, version, digest }, { route: 'oci-push', action: 'push', name: 'mychart', version: '0.1.0+build.5', digest: digestOfBytes(chart).slice(7) })
    t.match(gateway.audit.findLast(each => each.action === 'push'), { outcome: 'success', chart: 'mychart', version: '0.1.0+build.5', digest: digestOfBytes(chart).slice(7), size: chart.length })
  })

  await t.test('the same again is a push that is done, also as another manifest, and each digest stays', async t => {
    const chart = await chartOf('mychart', '0.2.0')
    const pushes = ['2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z'].map(created => pushOf('mychart', '0.2.0', { chart, created }))
    for (const push of [...pushes, ...pushes]) {
      t.equal((await pushOci(ask, CHART, '0.2.0', push)).status, 201)
      t.equal((await ask(`${CHART}/manifests/0.2.0`)).headers['docker-content-digest'], push.digest, 'the last one has the tag')
      for (const { digest } of push === pushes[0] ? [push] : pushes) if (digest === push.digest) t.equal((await ask(`${CHART}/manifests/${digest}`)).status, 200)
    }
    for (const { digest } of pushes) t.equal((await ask(`${CHART}/manifests/${digest}`)).status, 200, 'and both are there')
    t.strictSame(await waitingOf(repository), [])
  })

  await t.test('of pushes of one version at once one is taken, the others are done or denied, and all that it names stays', async t => {
    const name = `${TENANT}/atonce`
    for (const version of ['1.0.0', '1.0.1', '1.0.2', '1.0.3', '1.0.4']) {
      // Two builds: the config is the same.
      const [one, other] = await Promise.all(['one', 'other'].map(async body => pushOf('atonce', version, { chart: await chartOf('atonce', version, [{ name: 'atonce/mark', body }]) }))) as [OciPush, OciPush]
      const pushes = [one, one, one, other]
      const answers = await Promise.all(pushes.map(async push => await pushOci(ask, name, version, push)))
      const won = pushes[answers.findIndex(({ status }) => status === 201)] as OciPush
      for (const [i, push] of pushes.entries()) {
        if (push === won) t.equal(answers[i]?.status, 201)
        else t.match(answers[i], { status: 409, codes: ['DENIED'] })
      }
      for (const reference of [version, won.digest]) t.equal((await ask(`${name}/manifests/${reference}`)).headers['docker-content-digest'], won.digest)
      for (const blob of won.blobs) t.ok((await ask(`${name}/blobs/${digestOfBytes(blob)}`)).bytes.equals(blob))
    }
  })

  await t.test('other bytes are denied, with what to do, whatever the rights', async t => {
    await pushOci(ask, CHART, '0.3.0', pushOf('mychart', '0.3.0', { chart: await chartOf('mychart', '0.3.0') }))
    const before = await ask(`${CHART}/manifests/0.3.0`)
    const other = pushOf('mychart', '0.3.0', { chart: await chartOf('mychart', '0.3.0', [{ name: 'mychart/other', body: 'x' }]) })
    const denied = await pushOci(ask, CHART, '0.3.0', other)
    t.match(denied, { status: 409, codes: ['DENIED'] })
    t.match(denied.bytes.toString(), /delete its tag first, or overwrite it at the API with \?force/)
    t.strictSame((await ask(`${CHART}/manifests/0.3.0`)).bytes, before.bytes)
    t.strictSame(await waitingOf(repository), [])
    t.match(await ask(`${CHART}/manifests/${other.digest}`), { status: 404, codes: ['MANIFEST_UNKNOWN'] })
    t.match(gateway.log.findLast(({ route }) => route === 'oci-push'), { decision: 'refused', reason: 'chart_exists', status: 409 })
  })

  await t.test('who is denied first takes nothing from the answer of who pushes the same at the same time', async t => {
    const name = `${TENANT}/twice`
    const [chart, provenance] = [await chartOf('twice', '1.0.0'), provenanceOf('twice', '1.0.0')]
    const other = await chartOf('twice', '1.0.0', [{ name: 'twice/other', body: 'x' }])
    t.equal((await pushOci(ask, name, '1.0.0', pushOf('twice', '1.0.0', { chart, provenance }))).status, 201)
    const pushes = [{ chart: other }, { chart: other, provenance }, { chart, provenance: `${provenance}\n` }]
    for (const { manifest, blobs } of pushes.map(parts => pushOf('twice', '1.0.0', parts))) {
      for (const blob of blobs) await pushBlob(ask, name, blob)
      for (const when of ['first', 'second']) t.match(await putManifest(ask, name, '1.0.0', manifest), { status: 409, codes: ['DENIED'] }, when)
    }
    const unknown = pushOf('twice', '2.0.0', { chart: other })
    t.match(await putManifest(ask, name, '2.0.0', unknown.manifest), { status: 400, codes: ['MANIFEST_BLOB_UNKNOWN'] }, 'of no version')
    const wrong = { ...unknown, manifest: pushOf('twice', '1.0.0', { chart, config: Buffer.from('{"name":"a"}') }).manifest }
    t.match(await putManifest(ask, name, '1.0.0', wrong.manifest), { status: 400, codes: ['MANIFEST_BLOB_UNKNOWN'] }, 'of the same bytes')
    t.strictSame(await waitingOf(repository), [])
  })

  await t.test('a provenance is a layer that lies beside its chart, from the start or later', async t => {
    const [chart, later] = [await chartOf('signed', '1.0.0'), await chartOf('signed', '2.0.0')]
    const provenance = provenanceOf('signed', '1.0.0')
    const name = `${TENANT}/signed`
    const push = pushOf('signed', '1.0.0', { chart, provenance })
    t.equal((await pushOci(ask, name, '1.0.0', push)).status, 201)
    t.equal((await repository.ask('GET', `/${TENANT}/charts/signed-1.0.0.tgz.prov`)).bytes.toString(), provenance)
    t.ok((await ask(`${name}/manifests/1.0.0`)).bytes.equals(push.manifest))
    t.ok((await ask(`${name}/blobs/${digestOfBytes(Buffer.from(provenance))}`)).bytes.equals(Buffer.from(provenance)))
    t.equal((await pushOci(ask, name, '1.0.0', push)).status, 201, 'once more')

    const plain = pushOf('signed', '2.0.0', { chart: later })
    t.equal((await pushOci(ask, name, '2.0.0', plain)).status, 201)
    const signed = pushOf('signed', '2.0.0', { chart: later, provenance: provenanceOf('signed', '2.0.0') })
    t.equal((await pushOci(ask, name, '2.0.0', signed)).status, 201, 'the archive is stored already')
    t.ok((await ask(`${name}/manifests/2.0.0`)).bytes.equals(signed.manifest))
    t.ok((await ask(`${name}/manifests/${plain.digest}`)).bytes.equals(plain.manifest), 'the one before stays known')
    t.equal((await repository.ask('GET', `/${TENANT}/charts/signed-2.0.0.tgz.prov`)).status, 200)

    const strange = pushOf('signed', '2.0.0', { chart: later, provenance: provenanceOf('signed', '1.0.0') + '\n' })
    t.match(await pushOci(ask, name, '2.0.0', strange), { status: 400, codes: ['MANIFEST_INVALID'] }, 'of another version')
    const another = pushOf('signed', '2.0.0', { chart: later, provenance: provenanceOf('signed', '2.0.0') + '\n' })
    t.match(await pushOci(ask, name, '2.0.0', another), { status: 409, codes: ['DENIED'] }, 'other bytes')
    t.strictSame(await waitingOf(repository), [])
  })

  await t.test('what came by the API is pushed once more without an upload, and takes the tag', async t => {
    const chart = await chartOf('classic', '1.0.0')
    const name = `${TENANT}/classic`
    t.equal((await repository.ask('POST', `/api/${TENANT}/charts`, chart)).status, 201)
    const push = pushOf('classic', '1.0.0', { chart })
    t.equal((await ask(`${name}/blobs/${digestOfBytes(chart)}`, { method: 'HEAD' })).status, 200)
    t.equal((await pushOci(ask, name, '1.0.0', push)).status, 201)
    t.equal((await ask(`${name}/manifests/1.0.0`)).headers['docker-content-digest'], push.digest)
    t.match(await putManifest(ask, name, '1.0.1', push.manifest), { status: 400, codes: ['MANIFEST_INVALID'] }, 'under a tag of another version')
  })

  await t.test('an overwrite at the API takes the tag back, and what was pushed goes', async t => {
    const push = pushOf('over', '1.0.0', { chart: await chartOf('over', '1.0.0') })
    const name = `${TENANT}/over`
    t.equal((await pushOci(ask, name, '1.0.0', push)).status, 201)
    const kept = async (): Promise<string[]> => (await readdir(join(gateway.config.stateDir, 'oci', name), { recursive: true })).filter(file => file.includes(push.digest.slice(7)))
    t.equal((await kept()).length, 1)
    const other = await chartOf('over', '1.0.0', [{ name: 'over/x', body: 'x' }])
    t.equal((await repository.ask('POST', `/api/${TENANT}/charts?force`, other)).status, 201)
    const pair = formOf([{ field: 'chart', body: await chartOf('over', '1.0.0', [{ name: 'over/y', body: 'y' }]), filename: 'c' }, { field: 'prov', body: provenanceOf('over', '1.0.0'), filename: 'p' }])
    t.strictSame(await kept(), [], 'before the API has answered')
    t.equal((await repository.ask('POST', `/api/${TENANT}/charts?force`, pair.body, pair.contentType)).status, 201)
    t.match(await ask(`${name}/manifests/${push.digest}`), { status: 404 })
    t.not((await ask(`${name}/manifests/1.0.0`)).headers['docker-content-digest'], push.digest)
  })

  await t.test('a delete by tag or digest takes the version away, with all that was kept of it', async t => {
    const name = `${TENANT}/gone`
    for (const [version, how] of [['1.0.0', 'tag'], ['2.0.0+x', 'tag'], ['3.0.0', 'digest'], ['4.0.0', 'api']] as const) {
      const tag = version.replace('+', '_')
      const push = pushOf('gone', version, { chart: await chartOf('gone', version) })
      t.equal((await pushOci(ask, name, tag, push)).status, 201)
      if (how === 'api') t.equal((await repository.ask('DELETE', `/api/${TENANT}/charts/gone/${version}`)).status, 200)
      else t.equal((await ask(`${name}/manifests/${how === 'tag' ? tag : push.digest}`, { method: 'DELETE' })).status, 202)
      t.match(await repository.ask('GET', `/${TENANT}/charts/gone-${version}.tgz`), { status: 404 })
      for (const reference of [tag, push.digest]) t.match(await ask(`${name}/manifests/${reference}`), { status: 404 }, `${reference} is gone`)
      t.match(await ask(`${name}/manifests/${tag}`, { method: 'DELETE' }), { status: 404, codes: ['MANIFEST_UNKNOWN'] })
      t.strictSame(await readdir(join(gateway.config.stateDir, 'oci', name, '_versions')), [])
      if (how === 'digest') t.match(gateway.audit.findLast(each => each.action === 'delete' && each.outcome === 'success'), { chart: 'gone', version, file: `gone-${version}.tgz` })
      t.equal((await pushOci(ask, name, tag, push)).status, 201, 'and may come again')
      t.equal((await ask(`${name}/manifests/${tag}`, { method: 'DELETE' })).status, 202)
    }
    t.match(await ask(`${name}/manifests/latest`, { method: 'DELETE' }), { status: 404, codes: ['MANIFEST_UNKNOWN'] })
    for (const digest of [`sha256:${'0'.repeat(64)}`, `sha512:${'0'.repeat(128)}`]) t.match(await ask(`${name}/manifests/${digest}`, { method: 'DELETE' }), { status: 404 })
  })

  await t.test('what oras pushes is a chart for Helm too: the tag has a config of Helm\'s', async t => {
    const name = `${TENANT}/bare`
    const chart = await chartOf('bare', '1.0.0')
    const empty = { mediaType: 'application/vnd.oci.empty.v1+json', digest: digestOfBytes(Buffer.from('{}')), size: 2, data: 'e30=' }
    t.equal((await ask(`${name}/blobs/${empty.digest}`, { method: 'HEAD' })).status, 200, 'which every repository has')
    const manifest = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MANIFEST_TYPE, artifactType: 'application/vnd.unknown.artifact.v1', config: empty, layers: [{ ...descriptorOf(ARCHIVE_TYPE, chart), annotations: { 'org.opencontainers.image.title': 'bare-1.0.0.tgz' } }] }))
    t.equal((await pushBlob(ask, name, chart)).status, 201)
    t.equal((await putManifest(ask, name, '1.0.0', manifest)).status, 201)
    t.ok((await ask(`${name}/manifests/${digestOfBytes(manifest)}`)).bytes.equals(manifest), 'the pushed one is had by its digest')
    const tagged = manifestIn(await ask(`${name}/manifests/1.0.0`))
    t.equal(tagged.config.mediaType, CONFIG_TYPE)
    t.ok((await ask(`${name}/blobs/${tagged.config.digest}`)).bytes.equals(configOf('bare', '1.0.0')))
  })

  await t.test('what the config says besides name and version does not get under the tag', async t => {
    const name = `${TENANT}/liar`
    const chart = await chartOf('liar', '1.0.0')
    const config = Buffer.from('{"name":"liar","version":"1.0.0","description":"another one"}')
    const push = pushOf('liar', '1.0.0', { chart, config })
    t.equal((await pushOci(ask, name, '1.0.0', push)).status, 201)
    t.equal(manifestIn(await ask(`${name}/manifests/1.0.0`)).config.digest, digestOfBytes(configOf('liar', '1.0.0')))
    for (const text of ['{"name":"other","version":"1.0.0"}', '{"name":"liar","version":"2.0.0"}', '[]', 'x', '{"name":"liar","version":"1.0.0"']) {
      t.match(await pushOci(ask, name, '1.0.0', pushOf('liar', '1.0.0', { chart, config: Buffer.from(text) })), { status: 400, codes: ['MANIFEST_INVALID'] }, text)
    }
    t.strictSame(await waitingOf(repository), [])
  })

  await t.test('what is no chart, or another one than its name and tag say, is not taken, and nothing stays', async t => {
    const chart = await chartOf('mychart', '9.0.0')
    const cases: [name: string, repository: string, tag: string, bytes: Buffer, sentence: RegExp][] = [
      ['another tag', CHART, '9.0.1', chart, /the archive is mychart 9\.0\.0/],
      ['a tag of no version', CHART, 'latest', chart, /the archive is mychart 9\.0\.0/],
      ['another name', `${TENANT}/other`, '9.0.0', chart, /called mychart/],
      ['no archive', CHART, '9.0.0', Buffer.from('no archive'), /gzip/],
      ['an archive without a chart', CHART, '9.0.0', (await chartOf('mychart', 'one')), /version/]
    ]
    for (const [what, name, tag, bytes, sentence] of cases) {
      const refused = await pushOci(ask, name, tag, pushOf('mychart', '9.0.0', { chart: bytes }))
      t.match(refused, { status: 400, codes: ['MANIFEST_INVALID'] }, what)
      t.match(refused.bytes.toString(), sentence, what)
      t.strictSame(await waitingOf(repository), [], what)
    }
    t.match(await ask(`${CHART}/manifests/9.0.0`), { status: 404 })
  })

  await t.test('a manifest that names one blob for another is not taken, and nothing stays', async t => {
    const name = `${TENANT}/mixed`
    const chart = await chartOf('mixed', '1.0.0')
    const config = configOf('mixed', '1.0.0')
    t.equal((await pushOci(ask, name, '1.0.0', pushOf('mixed', '1.0.0', { chart }))).status, 201)
    const asArchive = JSON.stringify({ schemaVersion: 2, config: descriptorOf(CONFIG_TYPE, config), layers: [descriptorOf(ARCHIVE_TYPE, config)] })
    t.match(await putManifest(ask, name, '2.0.0', asArchive), { status: 400, codes: ['MANIFEST_BLOB_UNKNOWN'] }, 'the config for the archive')
    t.match(await putManifest(ask, name, '1.0.0', asArchive), { status: 409, codes: ['DENIED'] }, 'which is not the archive that is there')
    const asConfig = JSON.stringify({ schemaVersion: 2, config: descriptorOf(CONFIG_TYPE, chart), layers: [descriptorOf(ARCHIVE_TYPE, chart)] })
    t.match(await putManifest(ask, name, '1.0.0', asConfig), { status: 400, codes: ['MANIFEST_INVALID'] }, 'the archive for the config')
    const long = Buffer.from(`{"name":"mixed","version":"1.0.0","description":"${'x'.repeat(1024 * 1024)}"}`)
    t.match(await pushOci(ask, name, '1.0.0', pushOf('mixed', '1.0.0', { chart, config: long })), { status: 400, codes: ['MANIFEST_INVALID'] }, 'a config that is too long')
    t.match(await ask(`${name}/manifests/${digestOfBytes(chart)}`, { method: 'DELETE' }), { status: 404, codes: ['MANIFEST_UNKNOWN'] }, 'an archive is no manifest')
    t.strictSame(await waitingOf(repository), [])
  })

  await t.test('where two versions have one file name, who comes second is told which one is there', async t => {
    t.equal((await pushOci(ask, `${TENANT}/foo-1`, '1.0.0', pushOf('foo-1', '1.0.0', { chart: await chartOf('foo-1', '1.0.0') }))).status, 201)
    const denied = await pushOci(ask, `${TENANT}/foo`, '1-1.0.0', pushOf('foo', '1-1.0.0', { chart: await chartOf('foo', '1-1.0.0') }))
    t.match(denied, { status: 409, codes: ['DENIED'] })
    t.match(denied.bytes.toString(), /foo-1-1\.0\.0\.tgz holds foo-1 1\.0\.0/)
  })

  await t.test('what somebody changed behind the gateway is seen as it is', async t => {
    const name = `${TENANT}/behind`
    const [one, other, third] = await Promise.all(['one', 'other', 'third'].map(async body => pushOf('behind', '1.0.0', { chart: await chartOf('behind', '1.0.0', [{ name: 'behind/which', body }]) }))) as [OciPush, OciPush, OciPush]
    const behind = async (method: string, path: string, body?: Buffer): Promise<number> => (await fetch(`${repository.origin}/api/${TENANT}${path}`, { method, ...(body === undefined ? {} : { body: new Uint8Array(body) }) })).status
    t.equal((await pushOci(ask, name, '1.0.0', one)).status, 201)
    t.equal(await behind('POST', '/charts?force', other.blobs[1]), 201)
    await until(async () => (await ask(`${name}/manifests/${one.digest}`)).status === 404 ? true : undefined)
    t.match(await ask(`${name}/manifests/${one.digest}`, { method: 'DELETE' }), { status: 404 }, 'and is not deleted for what it was')
    t.equal(await behind('DELETE', '/charts/behind/1.0.0'), 200)
    await until(async () => (await ask(`${name}/manifests/1.0.0`)).status === 404 ? true : undefined)
    t.equal((await pushOci(ask, name, '1.0.0', third)).status, 201)
    t.equal((await ask(`${name}/manifests/1.0.0`)).headers['docker-content-digest'], third.digest)
    t.match(await ask(`${name}/manifests/${one.digest}`), { status: 404 })
  })

  await t.test('charts that no registry can name come and go at the API as ever', async t => {
    for (const name of ['Capitals', 'mychart2']) {
      const path = repository.depth === 'dynamic' ? '/api/charts' : `/api/${TENANT}/charts`
      for (const query of ['', '?force']) t.equal((await repository.ask('POST', path + query, await chartOf(name, '1.0.0', [{ name: `${name}/x`, body: query }]))).status, 201)
      t.equal((await repository.ask('DELETE', `${path}/${name}/1.0.0`)).status, 200)
    }
  })

  await t.test('blobs come in one go, in chunks, as a stream, or in the last request', async t => {
    const chart = await chartOf('mychart', '5.0.0', [{ name: 'mychart/noise', body: NOISE }])
    const digest = digestOfBytes(chart)
    const whole = await ask(`${CHART}/blobs/uploads/?digest=${digest}`, { method: 'POST', body: chart })
    t.match(whole, { status: 201, headers: { location: `/v2/${CHART}/blobs/${digest}`, 'docker-content-digest': digest } })
    t.match(await ask(`${CHART}/blobs/${digest}`, { method: 'HEAD' }), { status: 200, headers: { 'content-length': String(chart.length) } })
    t.ok((await ask(`${CHART}/blobs/${digest}`)).bytes.equals(chart))
    t.match(await ask(`${CHART}/blobs/${digest}`, { headers: { range: 'bytes=100000-100019' } }), { status: 206, bytes: chart.subarray(100_000, 100_020) }, 'a part of what waits')

    const [first, second, third] = [chart.subarray(0, 1000), chart.subarray(1000, 2000), chart.subarray(2000)]
    let place = placeOf(await ask(`${CHART}/blobs/uploads/`, { method: 'POST' }))
    const went = async (method: string, body: Buffer | undefined, headers: Record<string, string> = {}, query = ''): Promise<{ status: number, range: unknown }> => {
      const answer = await ask(place + query, { method, headers, ...(body === undefined ? {} : { body }) })
      place = placeOf(answer)
      return { status: answer.status, range: answer.headers['range'] }
    }
    t.strictSame(await went('GET', undefined), { status: 204, range: '0-0' })
    t.strictSame(await went('PATCH', first, { 'content-range': '0-999' }), { status: 202, range: '0-999' })
    t.strictSame(await went('PATCH', second), { status: 202, range: '0-1999' }, 'without its range')
    t.strictSame(await went('HEAD', undefined), { status: 204, range: '0-1999' })
    t.strictSame(await went('PUT', third, {}, `&digest=${digest}`), { status: 201, range: undefined })

    place = placeOf(await ask(`${CHART}/blobs/uploads/`, { method: 'POST', body: Readable.from([]) }))
    const streamed = await ask(place, { method: 'PATCH', body: Readable.from([first, second, third]) })
    t.match(streamed, { status: 202, headers: { range: `0-${chart.length - 1}` } })
    t.match(await ask(`${placeOf(streamed)}&digest=${digest}`, { method: 'PUT' }), { status: 201 })
    t.equal((await waitingOf(repository)).length, 1, 'one blob, however often it came')
    t.equal((await pushOci(ask, CHART, '5.0.0', pushOf('mychart', '5.0.0', { chart }))).status, 201)
    t.strictSame(await waitingOf(repository), [])
  })

  await t.test('a blob is mounted from where it may be read, stored or waiting, and else an upload begins', async t => {
    const chart = await chartOf('mychart', '6.0.0')
    const digest = digestOfBytes(chart)
    const target = 'org2/repo2/mychart'
    const mount = async (query: string): Promise<number> => {
      const answer = await ask(`${target}/blobs/uploads/?${query}`, { method: 'POST' })
      if (answer.status === 202) t.equal((await ask(placeOf(answer), { method: 'DELETE' })).status, 204)
      return answer.status
    }
    for (const query of [`mount=${digest}&from=${CHART}`, `mount=${digest}`, `mount=x&from=${CHART}`, `mount=${digest}&from=X`, `mount=sha512:${'0'.repeat(128)}&from=${CHART}`]) t.equal(await mount(query), 202, query)
    t.equal((await pushBlob(ask, CHART, chart)).status, 201)
    t.equal(await mount(`mount=${digest}&from=${CHART}`), 201, 'what waits there')
    t.equal((await pushOci(ask, CHART, '6.0.0', pushOf('mychart', '6.0.0', { chart }))).status, 201)
    const config = configOf('mychart', '6.0.0')
    for (const each of [digest, digestOfBytes(config)]) t.equal(await mount(`mount=${each}&from=${CHART}`), 201, 'what is stored there')
    t.equal((await pushOci(ask, target, '6.0.0', pushOf('mychart', '6.0.0', { chart }))).status, 201)
    t.equal((await repository.ask('GET', '/org2/repo2/charts/mychart-6.0.0.tgz')).status, 200)
    t.strictSame(await waitingOf(repository), [])
  })

  await t.test('a manifest waits under its digest, and can be taken back', async t => {
    const push = pushOf('mychart', '7.0.0', { chart: await chartOf('mychart', '7.0.0') })
    for (const blob of push.blobs) await pushBlob(ask, CHART, blob)
    t.match(await putManifest(ask, CHART, push.digest, push.manifest), { status: 201, headers: { 'docker-content-digest': push.digest } })
    t.match(await ask(`${CHART}/manifests/${push.digest}`, { method: 'HEAD' }), { status: 200, headers: { 'content-type': MANIFEST_TYPE, 'content-length': String(push.manifest.length) } })
    t.match(await ask(`${CHART}/blobs/${push.digest}`), { status: 404 }, 'and is no blob')
    t.match(await ask(`${CHART}/manifests/7.0.0`), { status: 404 }, 'and has no tag')
    t.notMatch(await index(), /version: 7\.0\.0/)
    t.equal((await ask(`${CHART}/manifests/${push.digest}`, { method: 'DELETE' })).status, 202)
    t.match(await ask(`${CHART}/manifests/${push.digest}`), { status: 404 })
    t.equal((await putManifest(ask, CHART, '7.0.0', push.manifest)).status, 201)
  })

  await t.test('who sends anything else is told what is wrong in the codes of a registry', async t => {
    const chart = await chartOf('mychart', '8.0.0')
    const push = pushOf('mychart', '8.0.0', { chart })
    const nothing = `sha256:${'0'.repeat(64)}`
    const cases: [name: string, status: number, code: string, path: string, method: string, body?: Buffer | string, headers?: Record<string, string>][] = [
      ['a manifest that names what was not pushed', 400, 'MANIFEST_BLOB_UNKNOWN', `${CHART}/manifests/8.0.0`, 'PUT', push.manifest, { 'content-type': MANIFEST_TYPE }],
      ['the same by its digest', 400, 'MANIFEST_BLOB_UNKNOWN', `${CHART}/manifests/${push.digest}`, 'PUT', push.manifest, { 'content-type': MANIFEST_TYPE }],
      ['another digest than the manifest\'s', 400, 'DIGEST_INVALID', `${CHART}/manifests/${nothing}`, 'PUT', push.manifest, { 'content-type': MANIFEST_TYPE }],
      ['a digest of another kind', 400, 'DIGEST_INVALID', `${CHART}/manifests/sha512:${'0'.repeat(128)}`, 'PUT', push.manifest, { 'content-type': MANIFEST_TYPE }],
      ['another media type', 400, 'MANIFEST_INVALID', `${CHART}/manifests/8.0.0`, 'PUT', push.manifest, { 'content-type': 'application/json' }],
      ['no media type', 400, 'MANIFEST_INVALID', `${CHART}/manifests/8.0.0`, 'PUT', push.manifest],
      ['a manifest of more than 4 MiB', 413, 'SIZE_INVALID', `${CHART}/manifests/8.0.0`, 'PUT', Buffer.alloc(4 * 1024 * 1024 + 1), { 'content-type': MANIFEST_TYPE }],
      ['a blob with another digest', 400, 'DIGEST_INVALID', `${CHART}/blobs/uploads/?digest=${nothing}`, 'POST', chart],
      ['a blob with a digest of another kind', 400, 'DIGEST_INVALID', `${CHART}/blobs/uploads/?digest=sha512:${'0'.repeat(128)}`, 'POST', chart],
      ['a blob that is too large', 413, 'SIZE_INVALID', `${CHART}/blobs/uploads/?digest=${nothing}`, 'POST', Buffer.alloc(20 * 1024 * 1024 + 1)],
      ['an upload that begins with bytes', 400, 'UNSUPPORTED', `${CHART}/blobs/uploads/`, 'POST', 'bytes'],
      ['an upload that never was', 404, 'BLOB_UPLOAD_UNKNOWN', `${CHART}/blobs/uploads/00000000-0000-0000-0000-000000000000`, 'GET'],
      ['the delete of a blob', 405, 'UNSUPPORTED', `${CHART}/blobs/${nothing}`, 'DELETE']
    ]
    for (const [name, status, code, path, method, body, headers = {}] of cases) {
      const answer = await ask(path, { method, headers, ...(body === undefined ? {} : { body }) })
      t.match(answer, { status, codes: [code] }, name)
      t.type((JSON.parse(answer.bytes.toString()) as { error?: unknown }).error, 'string', name)
    }
    t.strictSame(await waitingOf(repository), [], 'and nothing stays of it')
    const streams: [name: string, path: string, type: string, length: number][] = [['a manifest', `${CHART}/manifests/8.0.0`, MANIFEST_TYPE, 5], ['a blob', `${CHART}/blobs/uploads/?digest=${nothing}`, 'application/octet-stream', 21]]
    for (const [name, path, type, length] of streams) {
      const body = Readable.from(Array.from({ length }, () => Buffer.alloc(1024 * 1024)))
      t.match(await ask(path, { method: path.includes('uploads') ? 'POST' : 'PUT', body, headers: { 'content-type': type } }).catch(() => ({ status: 413 })), { status: 413 }, `${name} without a length that has no end`)
    }
    t.strictSame(await waitingOf(repository), [])
    t.equal((await pushBlob(ask, CHART, chart)).status, 201)
    const sizes = JSON.parse(push.manifest.toString()) as { layers: { size: number }[] }
    for (const layer of sizes.layers) layer.size++
    t.equal((await pushBlob(ask, CHART, configOf('mychart', '8.0.0'))).status, 201)
    t.match(await putManifest(ask, CHART, '8.0.0', JSON.stringify(sizes)), { status: 400, codes: ['SIZE_INVALID'] })
    t.strictSame(await waitingOf(repository), [], 'a push that cannot be made leaves nothing')
  })

  await t.test('an upload goes on where it is, for who began it, and nowhere else', async t => {
    const begun = await ask(`${CHART}/blobs/uploads/`, { method: 'POST' })
    const place = placeOf(begun)
    const [path, state = ''] = place.split('?_state=')
    const bytes = Buffer.from('0123456789')
    const digest = digestOfBytes(bytes)
    const forged = Buffer.from(state, 'base64url')
    forged[0] = 1
    for (const [name, asked] of [['no state', path], ['half of one', `${path}?_state=${state.slice(1)}`], ['another one', `${path}?_state=${forged.toString('base64url')}`], ['of another repository', place.replace(CHART, `${TENANT}/other`)], ['of another upload', place.replace(/uploads\/[^?]*/, 'uploads/00000000-0000-0000-0000-000000000000')]] as const) {
      for (const method of ['GET', 'PATCH', 'DELETE']) t.match(await ask(asked as string, { method, ...(method === 'PATCH' ? { body: 'x' } : {}) }), { status: 404, codes: method === 'HEAD' ? [] : ['BLOB_UPLOAD_UNKNOWN'] }, `${name}, ${method}`)
    }
    const other = `Bearer ${await gateway.token([{ type: 'repository', name: CHART, actions: ['push'] }], 'anonymous')}`
    t.match(await askOci(gateway.url, place, other, { method: 'PATCH', body: 'x' }), { status: 404 }, 'of another pusher')

    const next = await ask(place, { method: 'PATCH', body: bytes.subarray(0, 4) })
    t.equal(next.status, 202)
    const replayed = await ask(place, { method: 'PATCH', body: bytes.subarray(0, 4) })
    t.match(replayed, { status: 416, codes: ['BLOB_UPLOAD_INVALID'], headers: { range: '0-3' } }, 'used again')
    t.match(await ask(placeOf(replayed), { method: 'PATCH', body: 'x', headers: { 'content-range': '5-5' } }), { status: 416, headers: { range: '0-3' } }, 'a part is missing')
    t.match(await ask(placeOf(replayed), { method: 'PATCH', body: 'x', headers: { 'content-range': '4-6' } }), { status: 400, codes: ['SIZE_INVALID'] }, 'a part is shorter than it says')
    t.match(await ask(placeOf(replayed), { method: 'PATCH', body: 'x', headers: { 'content-range': '4-3' } }), { status: 400, codes: ['SIZE_INVALID'] }, 'a part that is none')
    t.match(await ask(placeOf(replayed), { method: 'GET' }), { status: 204, headers: { range: '0-3' } }, 'and it is as it was')
    t.match(await ask(placeOf(replayed), { method: 'PUT', body: bytes.subarray(4) }), { status: 400, codes: ['DIGEST_INVALID'] }, 'an end without a digest')
    t.match(await ask(`${placeOf(next)}&digest=${digest}`, { method: 'PUT', body: bytes.subarray(4) }), { status: 201 })
    t.match(await ask(`${placeOf(next)}&digest=${digest}`, { method: 'PUT', body: bytes.subarray(4) }), { status: 404, codes: ['BLOB_UPLOAD_UNKNOWN'] }, 'after its end')

    const wrong = await ask(`${CHART}/blobs/uploads/`, { method: 'POST' })
    t.match(await ask(`${placeOf(wrong)}&digest=${digest}`, { method: 'PUT', body: 'others' }), { status: 400, codes: ['DIGEST_INVALID'] })
    t.match(await ask(placeOf(wrong)), { status: 404 }, 'and it has ended')
    const cancelled = await ask(`${CHART}/blobs/uploads/`, { method: 'POST' })
    t.equal((await ask(placeOf(cancelled), { method: 'DELETE' })).status, 204)
    t.match(await ask(placeOf(cancelled), { method: 'DELETE' }), { status: 404 })
    t.strictSame(await waitingOf(repository), [`${CHART}/_blobs/${digest.slice(7)}`])
  })

  await t.test('who has read all of a blob that waits may ask the next thing at once', async t => {
    const bytes = NOISE.subarray(0, 100_000)
    t.equal((await pushBlob(ask, CHART, bytes)).status, 201)
    const client = new Client(gateway.url)
    t.teardown(async () => { await client.close() })
    const headers = { authorization: `Bearer ${gateway.masterKey}` }
    const path = `/v2/${CHART}/blobs/${digestOfBytes(bytes)}`
    for (let i = 0; i < 20; i++) {
      const read = await client.request({ path, method: 'GET', headers })
      t.equal((await read.body.arrayBuffer()).byteLength, bytes.length)
      t.equal((await client.request({ path, method: 'HEAD', headers })).statusCode, 200)
    }
    t.strictSame(gateway.log.filter(({ decision }) => decision === 'dropped'), [])
  })
})
