// What is attached to a chart at /v2/ is had there as long as that chart is stored, and is nothing
// of any other one: over the embedded repository and a real ChartMuseum.
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import type { Config } from '../../src/config/schema.ts'
import { startApp } from '../helpers/app.ts'
import { attach, attachmentOf, cosignTag, referrersOf } from '../helpers/attached.ts'
import { ARCHIVE_TYPE, digestOfBytes, MANIFEST_TYPE, ociAsker, pushBlob, pushOci, pushOf, putManifest, type AskOci, type OciPush } from '../helpers/oci.ts'
import { chartOf, provenanceOf } from '../helpers/packages.ts'
import { overEachRepository, type Repository } from '../helpers/repositories.ts'
import { startStubUpstream } from '../helpers/stub-upstream.ts'
import { until } from '../helpers/until.ts'

const TENANT = 'org1/repo1'
const SBOM = 'application/spdx+json'

const asker = ({ gateway }: Pick<Repository, 'gateway'>): AskOci => ociAsker(gateway.url, () => `Bearer ${gateway.masterKey}`)

/** Files below a folder of the gateway's. */
async function filesIn ({ gateway }: Pick<Repository, 'gateway'>, ...folder: string[]): Promise<string[]> {
  const files = await readdir(join(gateway.config.stateDir, ...folder), { recursive: true, withFileTypes: true }).catch(() => [])
  return files.filter(entry => entry.isFile() && entry.name !== '_key').map(({ name }) => name).sort()
}

await overEachRepository(t, { allowOverwrite: true }, async (t, repository) => {
  const ask = asker(repository)
  const { gateway } = repository

  async function push (chart: string, version: string, more = ''): Promise<OciPush> {
    const made = pushOf(chart, version, { chart: await chartOf(chart, version, [{ name: `${chart}/more`, body: more }]) })
    const { status } = await pushOci(ask, `${TENANT}/${chart}`, version, made)
    if (status !== 201) throw new Error(`the push of ${chart} ${version} was answered ${status}`)
    return made
  }

  await t.test('what says that it is attached to a chart is had by its digest, and listed', async t => {
    const name = `${TENANT}/signed`
    const chart = await push('signed', '1.0.0')
    const [sbom, signature] = [
      attachmentOf({ subject: chart, blobs: [Buffer.from('an SBOM')], artifactType: SBOM, annotations: { by: 'ci' } }),
      attachmentOf({ subject: chart, blobs: [Buffer.from('a signature')], config: { type: 'application/vnd.cncf.notary.signature', bytes: Buffer.from('{ }') } })
    ]
    t.strictSame(await referrersOf(ask, name, chart.digest), [])
    for (const each of [sbom, signature]) {
      t.match(await attach(ask, name, each), { status: 201, headers: { 'oci-subject': chart.digest, 'docker-content-digest': each.digest, location: `/v2/${name}/manifests/${each.digest}` } })
    }
    const { log, audit } = gateway
    t.match(log.findLast(line => line['route'] === 'oci-manifest'), { action: 'push', decision: 'allowed', chart: 'signed', version: '1.0.0', digest: signature.digest.slice(7), attachedTo: chart.digest.slice(7), bytes: signature.manifest.length + 14 })
    t.match(audit.findLast(each => each.action === 'attach'), { outcome: 'success', tenant: TENANT, chart: 'signed', version: '1.0.0', digest: signature.digest.slice(7), attached_to: chart.digest.slice(7), file: undefined })
    const listed = [
      { mediaType: MANIFEST_TYPE, digest: sbom.digest, size: sbom.manifest.length, artifactType: SBOM, annotations: { by: 'ci' } },
      { mediaType: MANIFEST_TYPE, digest: signature.digest, size: signature.manifest.length, artifactType: 'application/vnd.cncf.notary.signature' }
    ].sort((one, other) => one.digest < other.digest ? -1 : 1)
    t.strictSame(await referrersOf(ask, name, chart.digest), listed)
    t.strictSame(await referrersOf(ask, name, chart.digest, `?artifactType=${encodeURIComponent(SBOM)}`), listed.filter(({ artifactType }) => artifactType === SBOM))
    t.match(await ask(`${name}/referrers/${chart.digest}?artifactType=${encodeURIComponent(SBOM)}`), { headers: { 'oci-filters-applied': 'artifactType' } })
    t.equal((await ask(`${name}/referrers/${chart.digest}`)).headers['oci-filters-applied'], undefined)
    for (const each of [sbom, signature]) {
      const got = await ask(`${name}/manifests/${each.digest}`)
      t.match(got, { status: 200, headers: { 'content-type': MANIFEST_TYPE, 'docker-content-digest': each.digest } })
      t.ok(got.bytes.equals(each.manifest))
      t.match(await ask(`${name}/manifests/${each.digest}`, { method: 'HEAD' }), { status: 200, headers: { 'content-length': String(each.manifest.length) } })
      for (const blob of each.blobs) t.ok((await ask(`${name}/blobs/${digestOfBytes(blob)}`)).bytes.equals(blob))
    }
    const part = await ask(`${name}/blobs/${digestOfBytes(Buffer.from('an SBOM'))}`, { headers: { range: 'bytes=3-6' } })
    t.match(part, { status: 206, headers: { 'content-range': 'bytes 3-6/7', 'content-type': 'application/octet-stream' } })
    t.equal(part.bytes.toString(), 'SBOM')
    t.strictSame(JSON.parse((await ask(`${name}/tags/list`)).bytes.toString()), { name, tags: ['1.0.0'] })
    t.strictSame(await filesIn(repository, 'spool', 'oci', name), [], 'nothing waits')
    t.equal((await filesIn(repository, 'oci', name, '_attachments')).length, 2)
    t.equal((await attach(ask, name, sbom)).status, 201, 'once more')
    t.equal((await referrersOf(ask, name, chart.digest)).length, 2)
    t.strictSame(await filesIn(repository, 'spool', 'oci', name), [])
  })

  await t.test('cosign\'s tags are had by their names, replaced by who may push, and are no versions', async t => {
    const name = `${TENANT}/cosigned`
    const chart = await push('cosigned', '1.0.0')
    const tag = cosignTag(chart.digest, 'sig')
    t.match(await ask(`${name}/manifests/${tag}`), { status: 404, codes: ['MANIFEST_UNKNOWN'] })
    const config = { type: 'application/vnd.oci.image.config.v1+json', bytes: Buffer.from('{"architecture":""}') }
    const [first, second] = [['one'], ['one', 'two']].map(texts => attachmentOf({ blobs: texts.map(text => Buffer.from(text)), config })) as [OciPush, OciPush]
    const done = await attach(ask, name, first, tag)
    t.match(done, { status: 201, headers: { 'docker-content-digest': first.digest } })
    t.equal(done.headers['oci-subject'], undefined)
    t.match(gateway.log.findLast(line => line['route'] === 'oci-manifest'), { decision: 'allowed', action: 'push', version: '1.0.0', digest: first.digest.slice(7) })
    for (const reference of [tag, first.digest]) t.ok((await ask(`${name}/manifests/${reference}`)).bytes.equals(first.manifest), reference)
    t.equal((await attach(ask, name, second, tag)).status, 201, 'with another signature beside the first')
    t.ok((await ask(`${name}/manifests/${tag}`)).bytes.equals(second.manifest))
    t.match(await ask(`${name}/manifests/${first.digest}`), { status: 404 }, 'nobody names the first any more')
    for (const blob of second.blobs) t.ok((await ask(`${name}/blobs/${digestOfBytes(blob)}`)).bytes.equals(blob))
    t.equal((await attach(ask, name, first, cosignTag(chart.digest, 'att'))).status, 201)
    t.strictSame(await referrersOf(ask, name, chart.digest), [], 'it does not say itself what it is attached to')
    t.strictSame(JSON.parse((await ask(`${name}/tags/list`)).bytes.toString()), { name, tags: ['1.0.0'] })
    t.equal((await ask(`${name}/manifests/${tag}`, { method: 'DELETE' })).status, 202)
    t.match(gateway.audit.findLast(each => each.action === 'detach'), { outcome: 'success', digest: second.digest.slice(7), attached_to: chart.digest.slice(7) })
    t.match(await ask(`${name}/manifests/${tag}`), { status: 404 })
    t.match(await ask(`${name}/manifests/${tag}`, { method: 'DELETE' }), { status: 404, codes: ['MANIFEST_UNKNOWN'] })
    t.equal((await ask(`${name}/manifests/${cosignTag(chart.digest, 'att')}`)).status, 200)

    const own = attachmentOf({ subject: chart, blobs: [Buffer.from('three')] })
    t.match(await attach(ask, name, own, cosignTag(chart.digest, 'sbom')), { status: 201, headers: { 'oci-subject': chart.digest } })
    t.equal((await attach(ask, name, own)).status, 201, 'by its digest too')
    t.match(await referrersOf(ask, name, chart.digest), [{ digest: own.digest }], 'listed once')
    t.equal((await ask(`${name}/manifests/${own.digest}`, { method: 'DELETE' })).status, 202)
    for (const reference of [cosignTag(chart.digest, 'sbom'), own.digest]) t.equal((await ask(`${name}/manifests/${reference}`)).status, 404, 'both are gone')
    const other = cosignTag(digestOfBytes(Buffer.from('x')), 'sig')
    t.match(await attach(ask, name, own, other), { status: 400, codes: ['MANIFEST_INVALID'] }, 'the tag of another one')
    t.match((await attach(ask, name, first, other)).bytes.toString(), /is no manifest of cosigned that is stored: push the chart first/)
    t.match(await putManifest(ask, name, '1.0.0', own.manifest), { status: 400, codes: ['MANIFEST_INVALID'] }, 'a version is no attachment')
    t.match(await putManifest(ask, name, 'latest', own.manifest), { status: 400, codes: ['MANIFEST_INVALID'] })
    t.match(await ask(`${name}/manifests/${chart.digest.replace(':', '-')}`), { status: 404, codes: ['MANIFEST_UNKNOWN'] }, 'nobody needs the tag for what refers to it')
  })

  await t.test('an SBOM has a signature of its own, which goes with it', async t => {
    const name = `${TENANT}/deep`
    const chart = await push('deep', '1.0.0')
    const sbom = attachmentOf({ subject: chart, blobs: [Buffer.from('an SBOM')], artifactType: SBOM })
    const signature = attachmentOf({ subject: sbom, blobs: [Buffer.from('a signature')] })
    const stamp = attachmentOf({ subject: signature, blobs: [Buffer.from('a time stamp')] })
    t.match(await attach(ask, name, signature), { status: 400, codes: ['MANIFEST_INVALID'] }, 'not before it')
    for (const each of [sbom, signature, stamp]) t.equal((await attach(ask, name, each)).status, 201)
    t.equal((await attach(ask, name, attachmentOf({ blobs: [Buffer.from('cosign')] }), cosignTag(sbom.digest, 'sig'))).status, 201)
    t.match(await referrersOf(ask, name, sbom.digest), [{ digest: signature.digest }])
    t.match(await referrersOf(ask, name, signature.digest), [{ digest: stamp.digest }])
    t.match(await referrersOf(ask, name, chart.digest), [{ digest: sbom.digest }])
    t.equal((await ask(`${name}/manifests/${sbom.digest}`, { method: 'DELETE' })).status, 202)
    for (const { digest } of [sbom, signature, stamp]) t.equal((await ask(`${name}/manifests/${digest}`)).status, 404)
    t.strictSame(await filesIn(repository, 'oci', name, '_attachments'), [])
    t.equal((await ask(`${name}/manifests/1.0.0`)).status, 200, 'the chart stays')
  })

  await t.test('each manifest that is answered of a chart can have attachments: pushed, canonical, with and without provenance', async t => {
    const name = `${TENANT}/ways`
    const archive = await chartOf('ways', '1.0.0')
    t.equal((await repository.ask('POST', `/api/${TENANT}/charts`, archive)).status, 201)
    const digestNow = async (): Promise<OciPush> => {
      const { bytes } = await ask(`${name}/manifests/1.0.0`)
      return { manifest: bytes, digest: digestOfBytes(bytes), blobs: [] }
    }
    const plain = await digestNow()
    t.equal((await repository.ask('POST', `/api/${TENANT}/prov`, provenanceOf('ways', '1.0.0'))).status, 201)
    const signed = await until(async () => {
      const now = await digestNow()
      return now.digest === plain.digest ? undefined : now
    })
    const pushed = pushOf('ways', '1.0.0', { chart: archive, provenance: provenanceOf('ways', '1.0.0') })
    t.equal((await pushOci(ask, name, '1.0.0', pushed)).status, 201)
    for (const [at, subject] of [plain, signed, pushed].entries()) {
      const sbom = attachmentOf({ subject, blobs: [Buffer.from(`SBOM ${at}`)] })
      t.equal((await attach(ask, name, sbom)).status, 201)
      t.match(await referrersOf(ask, name, subject.digest), [{ digest: sbom.digest }])
    }
    const layer = attachmentOf({ subject: pushed, blobs: [archive] })
    t.equal((await attach(ask, name, layer)).status, 201, 'a blob of the chart itself')
  })

  await t.test('a chart that is deleted or overwritten, by whichever door, takes what was attached to it along', async t => {
    for (const how of ['oci', 'api', 'force'] as const) {
      const name = `${TENANT}/going-${how}`
      const [chart, other] = [await push(`going-${how}`, '1.0.0'), await push(`going-${how}`, '2.0.0')]
      const [sbom, beside] = [chart, other].map(subject => attachmentOf({ subject, blobs: [Buffer.from(`an SBOM of ${subject.digest}`)] })) as [OciPush, OciPush]
      for (const each of [sbom, beside]) t.equal((await attach(ask, name, each)).status, 201)
      t.equal((await attach(ask, name, attachmentOf({ blobs: [Buffer.from('cosign')] }), cosignTag(chart.digest, 'sig'))).status, 201)
      if (how === 'oci') t.equal((await ask(`${name}/manifests/1.0.0`, { method: 'DELETE' })).status, 202)
      if (how === 'api') t.equal((await repository.ask('DELETE', `/api/${TENANT}/charts/going-api/1.0.0`)).status, 200)
      if (how === 'force') t.equal((await repository.ask('POST', `/api/${TENANT}/charts?force`, await chartOf(`going-${how}`, '1.0.0', [{ name: `going-${how}/x`, body: 'x' }]))).status, 201)
      t.strictSame(await filesIn(repository, 'oci', name, '_attachments'), [beside.digest.slice(7)], `${how}: before the answer`)
      for (const reference of [sbom.digest, cosignTag(chart.digest, 'sig')]) t.equal((await ask(`${name}/manifests/${reference}`)).status, 404)
      t.equal((await ask(`${name}/blobs/${digestOfBytes(sbom.blobs[0] as Buffer)}`)).status, 404)
      t.strictSame(await referrersOf(ask, name, chart.digest), [])
      t.match(await referrersOf(ask, name, other.digest), [{ digest: beside.digest }], 'that of another version stays')
      t.match(await attach(ask, name, sbom), { status: 400, codes: ['MANIFEST_INVALID'] })
    }
  })

  await t.test('what was deleted or overwritten behind the gateway is not answered any more, and what comes again is', async t => {
    const name = `${TENANT}/behind`
    const behind = async (method: string, path: string, body?: Buffer): Promise<number> => (await fetch(`${repository.origin}/api/${TENANT}${path}`, { method, ...(body === undefined ? {} : { body: new Uint8Array(body) }) })).status
    const chart = await push('behind', '1.0.0')
    const sbom = attachmentOf({ subject: chart, blobs: [Buffer.from('an SBOM')] })
    t.equal((await attach(ask, name, sbom)).status, 201)
    t.equal(await behind('DELETE', '/charts/behind/1.0.0'), 200)
    await until(async () => (await ask(`${name}/manifests/${sbom.digest}`)).status === 404 ? true : undefined)
    t.equal((await ask(`${name}/blobs/${digestOfBytes(Buffer.from('an SBOM'))}`)).status, 404)
    t.strictSame(await referrersOf(ask, name, chart.digest), [])
    t.match(await ask(`${name}/manifests/${sbom.digest}`, { method: 'DELETE' }), { status: 404 })
    t.equal(await behind('POST', '/charts', chart.blobs[1]), 201)
    await until(async () => (await ask(`${name}/manifests/${sbom.digest}`)).status === 200 ? true : undefined)
    t.match(await referrersOf(ask, name, chart.digest), [{ digest: sbom.digest }])
    t.equal(await behind('POST', '/charts?force', await chartOf('behind', '1.0.0', [{ name: 'behind/x', body: 'x' }])), 201)
    await until(async () => (await ask(`${name}/manifests/${sbom.digest}`)).status === 404 ? true : undefined)
  })

  await t.test('what is attached is nothing of another chart, nor of another tenant', async t => {
    const [one, other] = [await push('one', '1.0.0'), await push('two', '1.0.0')]
    const sbom = attachmentOf({ subject: one, blobs: [Buffer.from('the SBOM of one')] })
    t.equal((await attach(ask, `${TENANT}/one`, sbom)).status, 201)
    for (const name of [`${TENANT}/two`, 'org2/repo2/one']) {
      t.match(await ask(`${name}/manifests/${sbom.digest}`), { status: 404 })
      t.match(await ask(`${name}/blobs/${digestOfBytes(Buffer.from('the SBOM of one'))}`), { status: 404 })
      const own = attachmentOf({ subject: other, blobs: [Buffer.from('the SBOM of one')] })
      t.match(await putManifest(ask, name, own.digest, own.manifest), { status: 400 }, 'its blob is none of this one')
      t.match(await attach(ask, name, sbom), { status: 400, codes: ['MANIFEST_INVALID'] }, 'nor is its subject')
      t.strictSame(await referrersOf(ask, name, one.digest), [])
      t.match(await ask(`${name}/manifests/${sbom.digest}`, { method: 'DELETE' }), { status: 404 })
    }
    t.equal((await ask(`${TENANT}/two/blobs/uploads/?mount=${digestOfBytes(Buffer.from('the SBOM of one'))}&from=${TENANT}/one`, { method: 'POST' })).status, 201, 'but it can be mounted')
    t.equal((await attach(ask, `${TENANT}/two`, attachmentOf({ subject: other, blobs: [Buffer.from('the SBOM of one')] }))).status, 201)
  })

  await t.test('what is not right is not taken', async t => {
    const name = `${TENANT}/wrong`
    const chart = await push('wrong', '1.0.0')
    const blob = Buffer.from('a blob')
    const good = JSON.parse(attachmentOf({ subject: chart, blobs: [blob] }).manifest.toString()) as { subject: object, layers: [object] }
    const [layer] = good.layers
    const cases: [name: string, manifest: object, code: string, type?: string][] = [
      ['another size of its subject', { ...good, subject: { ...good.subject, size: 1 } }, 'MANIFEST_INVALID'],
      ['a subject of another kind of digest', { ...good, subject: { ...good.subject, digest: `sha512:${'a'.repeat(128)}` } }, 'MANIFEST_INVALID'],
      ['a subject that nobody knows', { ...good, subject: { ...good.subject, digest: digestOfBytes(blob) } }, 'MANIFEST_INVALID'],
      ['a blob for its subject', { ...good, subject: { ...good.subject, digest: digestOfBytes(chart.blobs[1] as Buffer) } }, 'MANIFEST_INVALID'],
      ['another size of a blob', { ...good, layers: [{ ...layer, size: 7 }] }, 'SIZE_INVALID'],
      ['two sizes of a blob', { ...good, layers: [layer, { ...layer, size: 7 }] }, 'MANIFEST_INVALID'],
      ['a blob that was not pushed', { ...good, layers: [layer, { ...layer, digest: chart.digest }] }, 'MANIFEST_BLOB_UNKNOWN'],
      ['no layers', { ...good, layers: undefined }, 'MANIFEST_INVALID'],
      ['an index', { ...good, manifests: [] }, 'MANIFEST_INVALID', 'application/vnd.oci.image.index.v1+json']
    ]
    for (const [what, manifest, code, type] of cases) {
      t.equal((await pushBlob(ask, name, blob)).status, 201)
      const bytes = Buffer.from(JSON.stringify(manifest))
      t.match(await putManifest(ask, name, digestOfBytes(bytes), bytes, type), { status: 400, codes: [code] }, what)
    }
    const wrong = await putManifest(ask, name, digestOfBytes(blob), JSON.stringify(good))
    t.match(wrong, { status: 400, codes: ['DIGEST_INVALID'] }, 'another digest')
    t.strictSame(await filesIn(repository, 'oci', name, '_attachments'), [])
    t.match(gateway.log.findLast(line => line['route'] === 'oci-manifest'), { decision: 'refused', reason: 'oci_digest_mismatch' })
  })

  await t.test('the bounds are those of the configuration as it is now', async t => {
    const name = `${TENANT}/bounded`
    const chart = await push('bounded', '1.0.0')
    const { settings } = gateway
    const whole = settings.current
    t.teardown(() => { settings.current = whole })
    const bound = (bounds: Partial<Config['oci']['attachments']>): void => {
      settings.current = { ...whole, oci: { ...whole.oci, attachments: { ...whole.oci.attachments, ...bounds } } }
    }
    const next = (text: string): OciPush => attachmentOf({ subject: chart, blobs: [Buffer.from(text)] })
    bound({ perChart: 1 })
    t.equal((await attach(ask, name, next('one'))).status, 201)
    const second = await attach(ask, name, next('two'))
    t.match(second, { status: 409, codes: ['DENIED'] })
    t.match(second.bytes.toString(), /bounded has 1 of them, and 1 is the most \(oci\.attachments\.perChart\)/)
    bound({ maxBytes: 1 })
    const third = await attach(ask, name, next('three'))
    t.match(third, { status: 409, codes: ['DENIED'] })
    t.match(third.bytes.toString(), /may have 1 bytes \(oci\.attachments\.maxBytes\)/)
    bound({})
    t.equal((await attach(ask, name, next('four'))).status, 201)
  })

  await t.test('a chart whose archive was attached to another version first is pushed all the same', async t => {
    const name = `${TENANT}/before`
    const first = await push('before', '1.0.0')
    const later = await chartOf('before', '2.0.0')
    const provenance = provenanceOf('before', '2.0.0')
    const next = pushOf('before', '2.0.0', { chart: later, provenance })
    t.equal((await attach(ask, name, attachmentOf({ subject: first, blobs: next.blobs }))).status, 201)
    for (const blob of next.blobs) t.equal((await ask(`${name}/blobs/${digestOfBytes(blob)}`, { method: 'HEAD' })).status, 200, 'its pusher sends none of it')
    t.equal((await pushOci(ask, name, '2.0.0', next)).status, 201)
    t.ok((await repository.ask('GET', `/${TENANT}/charts/before-2.0.0.tgz`)).bytes.equals(later))
    t.equal((await repository.ask('GET', `/${TENANT}/charts/before-2.0.0.tgz.prov`)).bytes.toString(), provenance)
    t.ok((await ask(`${name}/manifests/2.0.0`)).bytes.equals(next.manifest))
    t.equal((await ask(`${name}/manifests/1.0.0`, { method: 'DELETE' })).status, 202)
    for (const blob of next.blobs) t.equal((await ask(`${name}/blobs/${digestOfBytes(blob)}`)).status, 200)
    t.strictSame(await filesIn(repository, 'spool', 'oci', name), [])
    t.equal(JSON.parse(next.manifest.toString()).layers.some(({ mediaType }: { mediaType: string }) => mediaType === ARCHIVE_TYPE), true)
  })
})

await t.test('several replicas take nothing that is attached, and neither does who switches it off, and each says what to do', async t => {
  const stub = await startStubUpstream(t)
  const sbom = attachmentOf({ subject: { digest: digestOfBytes(Buffer.from('x')), manifest: Buffer.from('x') } })
  const cases: [config: (config: Config) => Config, sentence: RegExp][] = [
    [config => ({ ...config, redis: { host: 'localhost', port: 6379, database: 0 } }), /run one replica without redis\.url/],
    [config => ({ ...config, oci: { ...config.oci, attachments: { ...config.oci.attachments, perChart: 0 } } }), /oci\.attachments\.perChart is 0/]
  ]
  for (const [config, sentence] of cases) {
    const refused = await putManifest(asker({ gateway: await startApp(t, { origin: stub.origin, config }) }), `${TENANT}/mychart`, sbom.digest, sbom.manifest)
    t.match(refused, { status: 405, codes: ['UNSUPPORTED'] })
    t.match(refused.bytes.toString(), sentence)
  }
})
