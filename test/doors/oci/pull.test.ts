// What is read may be gone, another one by now, or not be given: a digest gets its own bytes or none.
import { hash } from 'node:crypto'
import { Readable } from 'node:stream'
import t, { type Test } from 'tap'
import { contentOf } from '../../../src/doors/oci/entry.ts'
import { createLocks, type Locks } from '../../../src/lib/locks.ts'
import { createKept, type Kept } from '../../../src/doors/oci/kept.ts'
import { readRepository, type OciRepository } from '../../../src/doors/oci/names.ts'
import { createPuller, type Puller } from '../../../src/doors/oci/pull.ts'
import type { StoredVersion, StoredVersions } from '../../../src/doors/oci/stored-versions.ts'
import { RefusalError } from '../../../src/http/errors.ts'
import type { ReadAnswer } from '../../../src/upstream/read-through.ts'
import { NOTHING_ATTACHED } from '../../helpers/attached.ts'
import { someAsker } from '../../helpers/askers.ts'
import { temporaryFolder } from '../../helpers/processes.ts'

const REPOSITORY = readRepository('org1/repo1/mychart', 2) as OciRepository
const DIGEST = `sha256:${'a'.repeat(64)}`

const hexOf = (text: string): string => hash('sha256', text, 'hex')
const codeOf = async (work: Promise<unknown>): Promise<unknown> => await work.then(() => undefined, (error: unknown) => error instanceof RefusalError ? error.refusal.code : error)

/** A version 1.0.0 whose archive is this. */
function versionOf (archive: string): StoredVersion {
  const metadata = { name: 'mychart', version: '1.0.0' }
  return { ...metadata, file: 'mychart-1.0.0.tgz', archive: hexOf(archive), config: contentOf(Buffer.from(JSON.stringify(metadata))), metadata, provenance: undefined }
}

/** A repository with this archive, which answers so when it is asked for. */
async function storedOf (t: Test, archive: () => string, answer: () => ReadAnswer): Promise<{ puller: Puller, kept: Kept }> {
  const kept = createKept(await temporaryFolder(t), error => { throw error })
  const current = async (): Promise<StoredVersion> => versionOf(archive())
  const stored = { read: current, listed: current, measure: async () => archive().length, open: async () => answer() } as Partial<StoredVersions> as StoredVersions
  return { kept, puller: createPuller({ stored, kept, attached: NOTHING_ATTACHED, waiting: { find: async () => undefined }, locks: createLocks() }) }
}

await t.test('what was there a moment ago, and is not any more, is unknown', async t => {
  const folder = await temporaryFolder(t)
  const kept = createKept(folder, error => { throw error })
  const puller = createPuller({ stored: {} as StoredVersions, kept, attached: NOTHING_ATTACHED, waiting: { find: async () => ({ path: `${folder}/gone`, size: 5 }) }, locks: createLocks() })
  const blob = await puller.blob(REPOSITORY, DIGEST, someAsker())
  t.match(blob, { kind: 'stream', size: 5 })
  const body = blob.kind === 'stream' ? await blob.open() : []
  t.equal(await codeOf(Readable.from(body as AsyncIterable<Uint8Array>).toArray()), 'oci_blob_unknown')
  t.equal(await codeOf(puller.manifest(REPOSITORY, { kind: 'digest', digest: DIGEST }, someAsker())), 'oci_manifest_unknown')
})

await t.test('of an archive that is another one by now nothing is kept that was of the first', async t => {
  let archive = 'the first'
  const { puller, kept } = await storedOf(t, () => archive, () => { throw new Error('no archive is asked for') })
  const tag = { kind: 'tag', tag: '1.0.0', version: '1.0.0' } as const
  const [first, again] = [await puller.manifest(REPOSITORY, tag, someAsker()), await puller.manifest(REPOSITORY, tag, someAsker())]
  t.strictSame(again, first)
  archive = 'the second one'
  const second = await puller.manifest(REPOSITORY, tag, someAsker())
  t.not(second.hex, first.hex)
  t.strictSame(await kept.version(REPOSITORY, '1.0.0'), { archive: hexOf(archive), size: archive.length })
  for (const hex of [first.hex, hexOf('the first')]) t.equal(await kept.find(REPOSITORY, hex), undefined)
  for (const hex of [second.hex, hexOf(archive), versionOf(archive).config.hex]) t.match(await kept.find(REPOSITORY, hex), { archive: hexOf(archive) })
})

await t.test('a config that several archives of a version have is answered, of whichever it was kept', async t => {
  const { puller, kept } = await storedOf(t, () => 'the one that is stored', () => { throw new Error('no archive is asked for') })
  const { config } = versionOf('the one that is stored')
  await kept.keep(REPOSITORY, [[config.hex, { kind: 'config', version: '1.0.0', archive: hexOf('one that was there before'), bytes: config.bytes }]])
  t.match(await puller.blob(REPOSITORY, `sha256:${config.hex}`, someAsker()), { kind: 'bytes', bytes: config.bytes })
})

await t.test('a manifest that waited, and has become a version while it was looked for, is answered', async t => {
  const own = createKept(await temporaryFolder(t), error => { throw error })
  const [archive, bytes] = [versionOf('an archive'), Buffer.from('{}')]
  const { hex } = contentOf(bytes)
  const waiting = {
    async find () {
      await own.keep(REPOSITORY, [[hex, { kind: 'manifest', version: '1.0.0', archive: archive.archive, bytes }]])
      return undefined
    }
  }
  const puller = createPuller({ stored: { listed: async () => archive } as Partial<StoredVersions> as StoredVersions, kept: own, attached: NOTHING_ATTACHED, waiting, locks: createLocks() })
  t.match(await puller.manifest(REPOSITORY, { kind: 'digest', digest: `sha256:${hex}` }, someAsker()), { bytes, hex })
})

await t.test('a push that is made while its version is learned of keeps the tag', async t => {
  const dir = await temporaryFolder(t)
  const [own, other] = [0, 1].map(() => createKept(dir, error => { throw error })) as [Kept, Kept]
  const [archive, pushed] = [versionOf('an archive'), 'b'.repeat(64)]
  const stored = {
    read: async () => archive,
    listed: async () => archive,
    async measure () {
      await other.keepVersion(REPOSITORY, '1.0.0', { archive: archive.archive, size: 10, tagged: pushed })
      return 10
    }
  } as Partial<StoredVersions> as StoredVersions
  const puller = createPuller({ stored, kept: own, attached: NOTHING_ATTACHED, waiting: { find: async () => undefined }, locks: createLocks() })
  await puller.manifest(REPOSITORY, { kind: 'tag', tag: '1.0.0', version: '1.0.0' }, someAsker())
  for (const kept of [own, other]) t.match(await kept.version(REPOSITORY, '1.0.0'), { tagged: pushed })
})

await t.test('of what is another version by the time that it is to be kept nothing is kept, and nothing of the other goes', async t => {
  const kept = createKept(await temporaryFolder(t), error => { throw error })
  const [first, second] = [versionOf('the first'), versionOf('the second')]
  const [tag, pushed] = [{ kind: 'tag', tag: '1.0.0', version: '1.0.0' } as const, Buffer.from('a manifest')]
  const content = { kind: 'manifest', version: '1.0.0', archive: second.archive, bytes: pushed } as const
  let isOver = true
  const stored = {
    read: async () => first,
    listed: async () => isOver ? second : first,
    async measure () {
      await kept.keep(REPOSITORY, [[contentOf(pushed).hex, content]])
      await kept.keepVersion(REPOSITORY, '1.0.0', { archive: second.archive, size: 1, tagged: contentOf(pushed).hex })
      return 1
    }
  } as Partial<StoredVersions> as StoredVersions
  const puller = createPuller({ stored, kept, attached: NOTHING_ATTACHED, waiting: { find: async () => undefined }, locks: createLocks() })
  const { hex } = await puller.manifest(REPOSITORY, tag, someAsker())
  for (const each of [hex, first.archive, first.config.hex]) t.equal(await kept.find(REPOSITORY, each), undefined, 'it is answered, and not kept')
  t.match(await kept.find(REPOSITORY, contentOf(pushed).hex), content)
  t.match(await kept.version(REPOSITORY, '1.0.0'), { archive: second.archive })
  await kept.forget(REPOSITORY, '1.0.0', undefined)
  isOver = false
  t.equal((await puller.manifest(REPOSITORY, tag, someAsker())).hex, hex)
  t.match(await kept.find(REPOSITORY, hex), { archive: first.archive })
})

await t.test('who pulls what is kept, however large, waits for nobody, and many who are the first ask once for what is kept of it', async t => {
  const kept = createKept(await temporaryFolder(t), error => { throw error })
  const metadata = { name: 'mychart', version: '1.0.0', annotations: { changes: 'x'.repeat(64 * 1024) } }
  const version = { ...versionOf('an archive'), config: contentOf(Buffer.from(JSON.stringify(metadata))), metadata, provenance: contentOf(Buffer.alloc(64 * 1024)) }
  let [held, looked] = [0, 0]
  const own = createLocks()
  const locks: Locks = {
    async hold (name, work) {
      held++
      return await own.hold(name, work)
    }
  }
  const stored = {
    read: async () => version,
    async listed () {
      looked++
      return version
    },
    measure: async () => 10
  } as Partial<StoredVersions> as StoredVersions
  const puller = createPuller({ stored, kept, attached: NOTHING_ATTACHED, waiting: { find: async () => undefined }, locks })
  const pull = async (): Promise<string> => (await puller.manifest(REPOSITORY, { kind: 'tag', tag: '1.0.0', version: '1.0.0' }, someAsker())).hex
  const all = await Promise.all(Array.from({ length: 20 }, pull))
  t.equal(new Set(all).size, 1)
  t.equal(looked, 2, 'for the archive, and for what its manifest names')
  held = looked = 0
  t.equal(await pull(), all[0])
  t.strictSame([held, looked], [0, 0])
})

await t.test('an archive comes whole, in pieces, or not: with other bytes than its digest says it never ends', async t => {
  const head = { status: 200, headers: {} }
  const whole = (text: string): ReadAnswer => ({ ...head, kind: 'whole', body: Buffer.from(text) })
  const streamed = (...texts: string[]): ReadAnswer => ({ ...head, kind: 'streamed', body: Readable.from(texts.map(text => Buffer.from(text))) })
  const cases: [name: string, answer: ReadAnswer, comes: string, ends: unknown][] = [
    ['whole', whole('an archive'), 'an archive', undefined],
    ['whole, and another one', whole('an archivist'), '', 'oci_blob_unknown'],
    ['in pieces', streamed('an ', 'arch', 'ive'), 'an archive', undefined],
    ['in pieces of another one', streamed('an ', 'arch', 'ivist'), 'an arch', { message: 'the blob changed while it was read' }],
    ['in no pieces, because it has just gone', streamed(), '', 'oci_blob_unknown'],
    ['not any more', { kind: 'failed', refusal: { code: 'not_in_upstream' }, cause: undefined }, '', 'oci_blob_unknown'],
    ['not at all', { kind: 'failed', refusal: { code: 'upstream_away' }, cause: new Error('away') }, '', 'upstream_away']
  ]
  for (const [name, answer, comes, ends] of cases) {
    const { puller } = await storedOf(t, () => 'an archive', () => answer)
    await puller.manifest(REPOSITORY, { kind: 'tag', tag: '1.0.0', version: '1.0.0' }, someAsker())
    const blob = await puller.blob(REPOSITORY, `sha256:${hexOf('an archive')}`, someAsker())
    t.match(blob, { kind: 'stream', size: 10 }, name)
    let came = ''
    const read = async (): Promise<void> => {
      const body = blob.kind === 'stream' ? await blob.open() : blob.bytes
      for await (const chunk of Buffer.isBuffer(body) ? [body] : body) came += String(chunk)
    }
    t.match(await codeOf(read()), ends, name)
    t.equal(came, comes, name)
  }
})
