// What is attached, as each worker on its folder sees it: at once, whoever changed it.
import { mkdir, readdir, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import type { AttachmentHead } from '../../../src/doors/oci/attachment-file.ts'
import { createAttachments, type Attachments } from '../../../src/doors/oci/attachments.ts'
import { hexOf } from '../../helpers/attaching.ts'
import { temporaryFolder } from '../../helpers/processes.ts'

const PLACE = { name: 'org1/repo1/mychart' }

/** @param of a text whose hash is a subject, or a version's */
function headOf (text: string, of = 'chart', more: Partial<AttachmentHead> = {}): AttachmentHead {
  return { subject: hexOf(of), isReferrer: true, isNested: false, version: '1.0.0', archive: hexOf('archive'), manifest: { hex: hexOf(text), size: text.length }, blobs: [], ...more }
}

async function put (attachments: Attachments, text: string, head = headOf(text), name = hexOf(text), place = PLACE): Promise<void> {
  await attachments.put(place, name, head, Buffer.from(text), [])
}

const namesIn = async (attachments: Attachments, place = PLACE): Promise<string[]> => (await attachments.of(place)).map(({ name }) => name).sort()

await t.test('each worker sees what any other puts, replaces and removes, at once and later', async t => {
  const dir = join(await temporaryFolder(t), 'oci')
  const [one, two] = [createAttachments(dir), createAttachments(dir)]
  t.strictSame(await one.of(PLACE), [])
  const tag = `sha256-${hexOf('chart')}.sig`
  for (const pause of [0, 150]) {
    for (const text of ['first', 'second']) {
      await put(one, text)
      for (const each of [one, two, one, two]) t.ok((await namesIn(each)).includes(hexOf(text)))
      await sleep(pause) // by then a folder is remembered
      for (const each of [one, two, one, two]) t.ok((await namesIn(each)).includes(hexOf(text)))
      await put(two, text, headOf(text), tag)
      for (const each of [one, two]) t.equal((await each.of(PLACE)).find(({ name }) => name === tag)?.manifest.hex, hexOf(text))
    }
    await one.remove(PLACE, ({ name }) => name === hexOf('first'))
    for (const each of [one, two]) t.strictSame(await namesIn(each), [hexOf('second'), tag].sort())
    await sleep(pause)
    await two.remove(PLACE, () => true)
    for (const each of [one, two]) t.strictSame(await namesIn(each), [])
  }
  await put(one, 'first')
  await rm(dir, { recursive: true })
  for (const each of [one, two]) t.strictSame(await namesIn(each), [], 'also with the folder')
})

await t.test('a folder is read once while it stays as it is', async t => {
  const dir = await temporaryFolder(t)
  const attachments = createAttachments(dir)
  await put(attachments, 'text')
  await sleep(150)
  const first = await attachments.of(PLACE)
  t.equal(await attachments.of(PLACE), first, 'the same list')
  await put(attachments, 'more')
  t.equal((await attachments.of(PLACE)).find(({ name }) => name === hexOf('text')), first[0], 'and of a file what was read of it')
})

await t.test('of a tenant with more charts than are remembered it is known how many bytes they have', async t => {
  const dir = await temporaryFolder(t)
  const attachments = createAttachments(dir)
  const places = Array.from({ length: 80 }, (_, at) => ({ name: `org1/repo1/chart${at}` }))
  for (const place of places) await put(attachments, 'text', headOf('text'), hexOf('text'), place)
  await sleep(150)
  const sum = async (): Promise<number> => await attachments.bytesOfTenant({ tenantPath: 'org1/repo1' })
  t.equal(await sum(), 80 * 4096)
  // Nobody reads it again: another text of the same length would have another size then.
  for (const { name } of places) await writeFile(join(dir, name, '_attachments', hexOf('text')), 'x'.repeat(5_000))
  t.equal(await sum(), 80 * 4096)
  await put(attachments, 'more', headOf('more'), hexOf('more'), { name: 'org1/repo1/another' })
  t.equal(await sum(), 81 * 4096)
})

await t.test('what goes takes along what is attached to it, and what is attached to that, as long as nobody else has it', async t => {
  const attachments = createAttachments(await temporaryFolder(t))
  await put(attachments, 'sbom')
  await put(attachments, 'signature', headOf('signature', 'sbom', { isNested: true }))
  await put(attachments, 'stamp', headOf('stamp', 'signature', { isNested: true }))
  await put(attachments, 'sbom', headOf('sbom'), `sha256-${hexOf('chart')}.sbom`)
  await attachments.remove(PLACE, ({ name }) => name === hexOf('sbom'))
  t.equal((await attachments.of(PLACE)).length, 3, 'its tag has it still')
  await attachments.remove(PLACE, ({ name }) => name.endsWith('.sbom'))
  t.strictSame(await attachments.of(PLACE), [])
})

await t.test('a chain of a thousand goes with its first one, each once', async t => {
  const attachments = createAttachments(await temporaryFolder(t))
  for (let at = 0; at < 1_000; at++) await put(attachments, `${at}`, headOf(`${at}`, `${at - 1}`, { isNested: at > 0 }))
  let looks = 0
  const { of } = attachments
  attachments.of = async place => {
    looks++
    return await of(place)
  }
  await attachments.remove(PLACE, ({ name }) => name === hexOf('0'))
  t.strictSame(await of(PLACE), [])
  t.equal(looks, 2, 'before, and for what came meanwhile')
})

await t.test('bytes are those of the disk, of all charts of a tenant and of no other', async t => {
  const attachments = createAttachments(await temporaryFolder(t))
  const places: [name: string, text: string][] = [['org1/repo1/a', 'small'], ['org1/repo1/b', 'x'.repeat(5_000)], ['org1/repo2/a', 'other'], ['org1/repo1', 'above'], ['root', 'of the root']]
  for (const [name, text] of places) await put(attachments, text, headOf(text), hexOf(text), { name })
  t.equal(await attachments.bytesOfTenant({ tenantPath: 'org1/repo1' }), 4096 + 8192)
  t.equal(await attachments.bytesOfTenant({ tenantPath: 'org1' }), 4096)
  t.equal(await attachments.bytesOfTenant({ tenantPath: '' }), 4096)
  t.equal(await attachments.bytesOfTenant({ tenantPath: 'org3' }), 0)
})

await t.test('what cannot be read now is not taken for what is not there, and takes nothing along', async t => {
  const dir = await temporaryFolder(t)
  const attachments = createAttachments(dir)
  await put(attachments, 'sbom')
  await put(attachments, 'signature', headOf('signature', 'sbom', { isNested: true }))
  const path = join(dir, PLACE.name, '_attachments', hexOf('sbom'))
  await rename(path, join(dir, 'aside'))
  await symlink(path, path) // a link to itself: as unreadable to root as to anybody
  await sleep(150) // by then a folder is remembered
  const other = createAttachments(dir)
  for (let again = 0; again < 2; again++) {
    await t.rejects(other.of(PLACE), { code: 'ELOOP' })
    await t.rejects(other.remove(PLACE, () => false), { code: 'ELOOP' })
    await t.rejects(other.bytesOfTenant({ tenantPath: 'org1/repo1' }), { code: 'ELOOP' })
  }
  await t.rejects(other.manifest(PLACE, hexOf('sbom')), { code: 'ELOOP' })
  await t.rejects(other.blob(PLACE, hexOf('sbom'), hexOf('blob')).next(), { code: 'ELOOP' })
  await rename(join(dir, 'aside'), path)
  t.equal((await other.of(PLACE)).length, 2)
})

await t.test('what is no attachment is not looked at, and what was never finished goes when it is old', async t => {
  const dir = await temporaryFolder(t)
  const attachments = createAttachments(dir)
  await put(attachments, 'text')
  const folder = join(dir, PLACE.name, '_attachments')
  for (const name of ['.old', '.new', 'other', 'A'.repeat(64), 'b'.repeat(64)]) await writeFile(join(folder, name), 'no head')
  await mkdir(join(dir, 'org1', 'repo1', '_content'), { recursive: true })
  await utimes(join(folder, '.old'), 1, 1)
  t.strictSame(await namesIn(attachments), [hexOf('text')])
  await attachments.tidy(PLACE, 60_000)
  t.strictSame((await readdir(folder)).sort(), ['.new', 'A'.repeat(64), 'b'.repeat(64), hexOf('text'), 'other'].sort())
  await attachments.tidy({ name: 'org1/repo1/nothing' }, 0)
  t.equal(await attachments.manifest(PLACE, 'c'.repeat(64)), undefined)
  await mkdir(join(dir, 'org1', 'repo1', 'odd'))
  await writeFile(join(dir, 'org1', 'repo1', 'odd', '_attachments'), 'no folder')
  t.strictSame(await attachments.of({ name: 'org1/repo1/odd' }), [])
})
