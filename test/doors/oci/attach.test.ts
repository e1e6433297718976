// How much may be attached to a chart and in a tenant, and what becomes of what goes wrong on its way.
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { MOST_BLOBS } from '../../../src/doors/oci/attached-manifest.ts'
import { RefusalError } from '../../../src/http/errors.ts'
import type { Hold } from '../../../src/lib/locks.ts'
import { attachmentOf, cosignTag } from '../../helpers/attached.ts'
import { attachingIn, hexOf, repositoryOf, storeVersion, type AttachingParts } from '../../helpers/attaching.ts'
import { someAsker } from '../../helpers/askers.ts'
import { temporaryFolder } from '../../helpers/processes.ts'

const CHART = repositoryOf('org1/repo1/mychart')
const KIB = 1024

const refusalOf = async (work: Promise<unknown>): Promise<unknown> => await work.then(() => 'taken', (error: unknown) => error instanceof RefusalError ? error.refusal : error)
const sbom = (subject: { digest: string, manifest: Buffer }, text: string): ReturnType<typeof attachmentOf> => attachmentOf({ subject, blobs: [Buffer.from(text)] })

async function filesIn (dir: string, { name } = CHART): Promise<string[]> {
  return await readdir(join(dir, 'oci', name, '_attachments')).catch(() => [])
}

async function waitingIn (dir: string): Promise<string[]> {
  return (await readdir(join(dir, 'spool'), { recursive: true, withFileTypes: true })).filter(entry => entry.isFile()).map(({ name }) => name)
}

await t.test('a chart has as many as are allowed, also from two workers at once, and none of another one\'s count', async t => {
  const dir = await temporaryFolder(t)
  let perChart = 5
  const parts: AttachingParts = { stored: new Map(), bounds: () => ({ perChart, maxBytes: 1e9 }) }
  const worker = attachingIn(dir, parts)
  const workers = [worker, attachingIn(dir, { ...parts, locks: { hold: async (_name, work) => await work((): Hold => 'own') } })]
  const chart = await storeVersion(worker, parts, CHART, '1.0.0')
  const refusals = await Promise.all(Array.from({ length: 12 }, async (_, at) => await refusalOf(worker.attach(CHART, sbom(chart, `SBOM ${at}`)))))
  t.equal(refusals.filter(each => each === 'taken').length, 5)
  for (const each of refusals) if (each !== 'taken') t.match(each, { code: 'oci_attachments_full', detail: /mychart has 5 of them, and 5 is the most \(oci\.attachments\.perChart\)/ })
  t.equal((await filesIn(dir)).length, 5)
  t.equal((await waitingIn(dir)).length, 7, 'the blobs of those that were refused wait, and no other ones')
  for (const each of workers) t.match(await refusalOf(each.attach(CHART, sbom(chart, 'one more'))), { code: 'oci_attachments_full' })
  perChart = 2
  t.match(await refusalOf(worker.attach(CHART, sbom(chart, 'one more'))), { detail: /mychart has 5 of them, and 2 is the most \(/ }, 'where fewer are allowed than there are')
  const [again] = await worker.attached.referrers(CHART, chart.digest.slice(7), someAsker())
  t.ok(again)
  const other = repositoryOf('org1/repo1/other')
  t.equal(await refusalOf(worker.attach(other, sbom(await storeVersion(worker, parts, other, '1.0.0'), 'SBOM'))), 'taken')
})

await t.test('under a tag one takes the place of another, also where no more are allowed', async t => {
  const dir = await temporaryFolder(t)
  const parts: AttachingParts = { stored: new Map(), bounds: () => ({ perChart: 1, maxBytes: 8 * KIB }) }
  const worker = attachingIn(dir, parts)
  const chart = await storeVersion(worker, parts, CHART, '1.0.0')
  const tag = cosignTag(chart.digest, 'sig')
  for (const text of ['one', 'two'.repeat(1_500), 'three']) t.equal(await refusalOf(worker.attach(CHART, attachmentOf({ blobs: [Buffer.from(text)] }), { tag })), 'taken')
  t.match(await refusalOf(worker.attach(CHART, sbom(chart, 'SBOM'))), { code: 'oci_attachments_full' })
})

await t.test('a tenant has as many bytes as are allowed, as the disk counts them, and takes none of another one\'s', async t => {
  const dir = await temporaryFolder(t)
  const parts: AttachingParts = { stored: new Map(), bounds: () => ({ perChart: 1_000, maxBytes: 40 * KIB }) }
  const worker = attachingIn(dir, parts)
  const [chart, other, ofOther] = [CHART, repositoryOf('org1/repo1/other'), repositoryOf('org1/repo2/mychart')].map(async repository => ({ repository, subject: await storeVersion(worker, parts, repository, '1.0.0') }))
  const { subject } = await (chart as NonNullable<typeof chart>)
  t.match(await refusalOf(worker.attach(CHART, sbom(subject, 'x'.repeat(41 * KIB)))), { code: 'oci_attachments_full', detail: /all that is attached to charts of org1\/repo1 may have 40960 bytes/ }, 'one that is too large alone')
  for (let at = 0; at < 8; at++) t.equal(await refusalOf(worker.attach(CHART, sbom(subject, `small ${at}`))), 'taken')
  t.equal(await worker.attachments.bytesOfTenant(CHART), 32 * KIB)
  const second = await (other as NonNullable<typeof other>)
  t.match(await refusalOf(worker.attach(second.repository, sbom(second.subject, 'x'.repeat(10 * KIB)))), { code: 'oci_attachments_full' }, 'of another chart')
  t.equal(await refusalOf(worker.attach(second.repository, sbom(second.subject, 'x'.repeat(5 * KIB)))), 'taken')
  const third = await (ofOther as NonNullable<typeof ofOther>)
  t.equal(await refusalOf(worker.attach(third.repository, sbom(third.subject, 'x'.repeat(30 * KIB)))), 'taken')
  await worker.attachments.remove(CHART, () => true)
  t.equal(await refusalOf(worker.attach(second.repository, sbom(second.subject, 'x'.repeat(10 * KIB)))), 'taken', 'what was removed gives its room back')
})

await t.test('the manifests that are attached to one have no more than a list of them may', async t => {
  const dir = await temporaryFolder(t)
  const parts: AttachingParts = { stored: new Map() }
  const worker = attachingIn(dir, parts)
  const [chart, other] = [await storeVersion(worker, parts, CHART, '1.0.0'), await storeVersion(worker, parts, CHART, '2.0.0')]
  const large = (subject: typeof chart, at: number): ReturnType<typeof attachmentOf> => attachmentOf({ subject, annotations: { large: String(at).repeat(1_500_000) } })
  for (const at of [1, 2]) t.equal(await refusalOf(worker.attach(CHART, large(chart, at))), 'taken')
  t.match(await refusalOf(worker.attach(CHART, large(chart, 3))), { code: 'oci_attachments_full', detail: /have 4 MiB together/ })
  t.equal(await refusalOf(worker.attach(CHART, large(other, 1))), 'taken')
  t.equal((await worker.attached.referrers(CHART, chart.digest.slice(7), someAsker())).length, 2)
})

await t.test('all that is attached to a chart has no more manifests and blobs than can be looked through for each request', async t => {
  const dir = await temporaryFolder(t)
  const parts: AttachingParts = { stored: new Map() }
  const worker = attachingIn(dir, parts)
  const [chart, other] = [await storeVersion(worker, parts, CHART, '1.0.0'), repositoryOf('org1/repo1/other')]
  const blobs = Array.from({ length: 250 }, (_, at) => Buffer.from(`blob ${at}`))
  const next = (subject: typeof chart, at: number): ReturnType<typeof attachmentOf> => attachmentOf({ subject, blobs, annotations: { at: String(at) } })
  for (let at = 0; at < 15; at++) t.equal(await refusalOf(worker.attach(CHART, next(chart, at))), 'taken')
  t.match(await refusalOf(worker.attach(CHART, next(chart, 15))), { code: 'oci_attachments_full', detail: /mychart would be 4016 manifests and blobs, and 4000 is the most/ })
  t.equal(await refusalOf(worker.attach(CHART, attachmentOf({ subject: chart, blobs: blobs.slice(0, 200) }))), 'taken')
  t.equal(await refusalOf(worker.attach(other, next(await storeVersion(worker, parts, other, '1.0.0'), 0))), 'taken')
})

await t.test('several replicas take none, and neither does who switches it off', async t => {
  const dir = await temporaryFolder(t)
  const stored = new Map<string, string>()
  for (const [bounds, detail] of [[undefined, /several replicas have no folder in common/], [{ perChart: 0, maxBytes: 1 }, /oci\.attachments\.perChart is 0/]] as const) {
    const parts: AttachingParts = { stored, bounds: () => bounds }
    const worker = attachingIn(dir, parts)
    const chart = await storeVersion(worker, parts, CHART, '1.0.0')
    t.match(await refusalOf(worker.attach(CHART, sbom(chart, 'SBOM'))), { code: 'oci_unsupported', detail })
    t.strictSame(await filesIn(dir), [])
  }
})

await t.test('a chart that goes while something is attached to it leaves nothing of that, whenever that is', async t => {
  const parts = { stored: new Map<string, string>() }
  for (let looks = 0; looks < 12; looks++) {
    const dir = await temporaryFolder(t)
    let left = looks
    const worker = attachingIn(dir, { ...parts, beforeLook: async () => { if (left-- === 0) parts.stored.clear() } })
    const chart = await storeVersion(worker, parts, CHART, '1.0.0')
    const refusal = await refusalOf(worker.attach(CHART, sbom(chart, 'SBOM')))
    if (left >= 0) t.equal(refusal, 'taken', `${looks} looks are more than are made`)
    else {
      t.match(refusal, { code: 'oci_manifest_invalid', detail: /is no manifest of mychart that is stored/ }, `at look ${looks}`)
      t.strictSame(await filesIn(dir), [])
    }
    t.equal((await waitingIn(dir)).length, left >= 0 ? 0 : 1)
  }
})

await t.test('an SBOM that goes while it is signed takes the signature along', async t => {
  const dir = await temporaryFolder(t)
  const parts: AttachingParts = { stored: new Map() }
  const worker = attachingIn(dir, parts)
  const chart = await storeVersion(worker, parts, CHART, '1.0.0')
  const one = sbom(chart, 'SBOM')
  await worker.attach(CHART, one)
  const signature = sbom(one, 'signature')
  const going = worker.attach(CHART, signature, { found: async () => { await worker.attachments.remove(CHART, ({ manifest }) => manifest.hex === one.digest.slice(7)) } })
  t.match(await refusalOf(going), { code: 'oci_manifest_invalid' })
  t.strictSame(await filesIn(dir), [])
})

await t.test('what is attached to a chart stays also where the manifest of the chart is attached to it, and goes', async t => {
  const dir = await temporaryFolder(t)
  const parts: AttachingParts = { stored: new Map() }
  const worker = attachingIn(dir, parts)
  const version = attachmentOf({ blobs: [Buffer.from('archive')] })
  const hex = version.digest.slice(7)
  parts.stored.set(`${CHART.name} 1.0.0`, hexOf('archive'))
  await worker.kept.keep(CHART, [[hex, { kind: 'manifest', version: '1.0.0', archive: hexOf('archive'), bytes: version.manifest }]])
  const tag = cosignTag(version.digest, 'sig')
  t.equal(await refusalOf(worker.attach(CHART, version, { tag })), 'taken')
  t.equal(await refusalOf(worker.attach(CHART, sbom(version, 'SBOM'))), 'taken')
  t.equal(await refusalOf(worker.attach(CHART, attachmentOf({ blobs: [Buffer.from('another')] }), { tag })), 'taken')
  t.equal((await worker.attached.referrers(CHART, hex, someAsker())).length, 1)
})

await t.test('what its upstream does not say when it is done is done', async t => {
  const dir = await temporaryFolder(t)
  const parts: AttachingParts = { stored: new Map() }
  let isAway = false
  const worker = attachingIn(dir, { ...parts, beforeLook: async () => { if (isAway) throw new RefusalError({ code: 'upstream_away' }) } })
  const chart = await storeVersion(worker, parts, CHART, '1.0.0')
  t.equal(await refusalOf(worker.attach(CHART, sbom(chart, 'SBOM'), { found: async () => { isAway = true } })), 'taken')
  t.match(await refusalOf(worker.attach(CHART, sbom(chart, 'another'))), { code: 'upstream_away' }, 'and before it is begun, it is not')
  t.equal((await waitingIn(dir)).length, 1, 'and waits')
  isAway = false
  t.equal(await refusalOf(worker.attach(CHART, sbom(chart, 'another'), { withoutBlobs: true })), 'taken')
})

await t.test('a blob that another push ends with meanwhile is unknown, or had from what that attached', async t => {
  const dir = await temporaryFolder(t)
  const parts: AttachingParts = { stored: new Map() }
  const worker = attachingIn(dir, parts)
  const chart = await storeVersion(worker, parts, CHART, '1.0.0')
  const blob = Buffer.from('shared')
  const [one, two] = ['one', 'two'].map(by => attachmentOf({ subject: chart, blobs: [Buffer.from(by), blob], annotations: { by } })) as [ReturnType<typeof attachmentOf>, ReturnType<typeof attachmentOf>]
  t.equal(await refusalOf(worker.attach(CHART, one, { found: async () => { await worker.waiting.remove(CHART, 'blob', hexOf(blob)) } }).then(() => {})).then(refusal => (refusal as { code?: string }).code), 'oci_manifest_blob_unknown')
  t.equal((await waitingIn(dir)).length, 1, 'what it held is let go of')
  t.equal(await refusalOf(worker.attach(CHART, one)), 'taken')
  t.equal(await refusalOf(worker.attach(CHART, two, { found: async () => { await worker.waiting.remove(CHART, 'blob', hexOf(blob)) } })), 'taken')
  t.strictSame(await waitingIn(dir), [])
})

await t.test('a blob that goes each time before it is held is unknown', async t => {
  const dir = await temporaryFolder(t)
  const parts: AttachingParts = { stored: new Map() }
  const worker = attachingIn(dir, parts)
  const chart = await storeVersion(worker, parts, CHART, '1.0.0')
  worker.waiting.hold = async () => undefined
  t.match(await refusalOf(worker.attach(CHART, sbom(chart, 'SBOM'))), { code: 'oci_manifest_blob_unknown' })
  t.strictSame(await filesIn(dir), [])
})

await t.test('a blob that goes just when it is read is one that was not pushed, too', async t => {
  const dir = await temporaryFolder(t)
  const parts: AttachingParts = { stored: new Map() }
  const worker = attachingIn(dir, parts)
  const chart = await storeVersion(worker, parts, CHART, '1.0.0')
  const pushed = sbom(chart, 'SBOM')
  const { waiting } = worker
  for (const blob of pushed.blobs) await waiting.put(CHART, 'blob', hexOf(blob), [blob] as unknown as AsyncIterable<Buffer>)
  const { put } = waiting
  waiting.hold = async () => undefined
  waiting.put = async (place, kind, hex, body) => {
    await waiting.remove(place, kind, hex)
    await put(place, kind, hex, body)
  }
  t.match(await refusalOf(worker.attach(CHART, pushed, { withoutBlobs: true })), { code: 'oci_manifest_blob_unknown' })
})

await t.test('a full disk is said, and what waits may do better later', async t => {
  const dir = await temporaryFolder(t)
  const parts: AttachingParts = { stored: new Map() }
  const worker = attachingIn(dir, parts)
  const chart = await storeVersion(worker, parts, CHART, '1.0.0')
  worker.attachments.put = async () => { throw Object.assign(new Error('full'), { code: 'ENOSPC' }) }
  t.match(await refusalOf(worker.attach(CHART, sbom(chart, 'SBOM'))), { code: 'spool_full' })
  t.equal((await waitingIn(dir)).length, 1)
  await rm(join(dir, 'spool'), { recursive: true })
  worker.attachments.put = async () => { throw new Error('nobody expected this') }
  t.match(await refusalOf(worker.attach(CHART, sbom(chart, 'SBOM'))), { message: 'nobody expected this' })
})

await t.test('the facts are told before anything is kept, and who may not be told of it keeps nothing', async t => {
  const dir = await temporaryFolder(t)
  const parts: AttachingParts = { stored: new Map() }
  const worker = attachingIn(dir, parts)
  const chart = await storeVersion(worker, parts, CHART, '1.0.0')
  const pushed = sbom(chart, 'SBOM')
  const told: unknown[] = []
  const refused = worker.attach(CHART, pushed, {
    found: async facts => {
      told.push(facts)
      throw new RefusalError({ code: 'audit_unavailable' })
    }
  })
  t.match(await refusalOf(refused), { code: 'audit_unavailable' })
  t.strictSame(told, [{ chart: 'mychart', version: '1.0.0', digest: pushed.digest.slice(7), bytes: pushed.manifest.length + 4, provenance: undefined, attachedTo: chart.digest.slice(7) }])
  t.strictSame(await filesIn(dir), [])
  t.equal(MOST_BLOBS, 256)
})
