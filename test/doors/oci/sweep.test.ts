// What is of a version that was deleted elsewhere goes, a day later and not before.
import { mkdir, readdir, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { createKeptShelf } from '../../../src/doors/oci/kept-shelf.ts'
import type { OciRepository } from '../../../src/doors/oci/names.ts'
import type { StoredVersions } from '../../../src/doors/oci/stored-versions.ts'
import { createSweep } from '../../../src/doors/oci/sweep.ts'
import { RefusalError } from '../../../src/http/errors.ts'
import { attachmentOf } from '../../helpers/attached.ts'
import { attachingIn, hexOf, repositoryOf, storeVersion, type Attaching, type AttachingParts } from '../../helpers/attaching.ts'
import { temporaryFolder } from '../../helpers/processes.ts'
import { untilTrue } from '../../helpers/until.ts'

const [ONE, OTHER] = [repositoryOf('org1/repo1/one'), repositoryOf('org1/repo1/other')]
const HOUR = 60 * 60_000

interface Lab {
  readonly dir: string
  readonly worker: Attaching
  readonly parts: AttachingParts
  /** Who was asked about, since the last time. */
  asked (): string[]
  /** What the upstream says instead. */
  says: (() => Promise<void>) | undefined
  /** Looks, when some more hours have gone. */
  after (hours: number): Promise<void>
  /** Stores a version of which something is kept and something attached. */
  store (repository: OciRepository, version: string, archive?: string): Promise<void>
  delete (repository: OciRepository, version: string): void
  /** How much is kept and attached. */
  countOf (repository: OciRepository): Promise<readonly [kept: number, attached: number]>
}

async function labOf (t: Test): Promise<Lab> {
  const dir = await temporaryFolder(t)
  const parts: AttachingParts = { stored: new Map() }
  const worker = attachingIn(dir, parts)
  let [now, asked] = [0, [] as string[]]
  const stored: Pick<StoredVersions, 'archives'> = {
    async archives ({ name }, asker) {
      asked.push(`${name} by ${asker.party}`)
      await lab.says?.()
      return [...parts.stored].map(([key, archive]) => ({ key: key.split(' '), archive }))
        .filter(({ key }) => key[0] === name).map(({ key, archive }) => ({ version: key[1] as string, archive }))
    }
  }
  const oci = join(dir, 'oci')
  // Files are as old as the test says that hours have gone.
  const shelves = [worker.attachments, createKeptShelf(oci, () => Date.now() + now)]
  const sweep = createSweep({ dir: oci, shelves, stored, depth: 2, clock: () => now })
  const filesIn = async ({ name }: OciRepository, ...folders: string[]): Promise<number> => {
    const all = await Promise.all(folders.map(async folder => await readdir(join(oci, name, folder)).catch(() => [])))
    return all.flat().length
  }
  const lab: Lab = {
    dir: oci,
    worker,
    parts,
    says: undefined,
    asked () {
      const before = asked.sort()
      asked = []
      return before
    },
    async after (hours) {
      now += hours * HOUR
      await sweep()
    },
    async store (repository, version, archive) {
      const subject = await storeVersion(worker, parts, repository, version, archive)
      const hex = parts.stored.get(`${repository.name} ${version}`) as string
      await worker.kept.keepVersion(repository, version, { archive: hex, size: 1, tagged: hexOf(subject.manifest) })
      await worker.attach(repository, attachmentOf({ subject, blobs: [Buffer.from('SBOM')] }))
    },
    delete ({ name }, version) { parts.stored.delete(`${name} ${version}`) },
    countOf: async repository => [await filesIn(repository, '_content', '_versions'), await filesIn(repository, '_attachments')]
  }
  return lab
}

await t.test('it is left while its version may come back, and while nobody says whether it is there', async t => {
  const lab = await labOf(t)
  const { after, countOf, asked } = lab
  for (const version of ['1.0.0', '2.0.0']) await lab.store(ONE, version)
  await lab.store(OTHER, '1.0.0')
  await after(0)
  t.strictSame(asked(), ['org1/repo1/one by the gateway itself', 'org1/repo1/other by the gateway itself'], 'each chart is asked for once')

  await after(1)
  t.strictSame(asked(), [], 'and not again on the same day')
  lab.delete(ONE, '1.0.0')
  await after(23)
  t.strictSame(asked().length, 2)
  for (let hour = 0; hour < 23; hour++) await after(1)
  t.strictSame(asked(), Array(23).fill('org1/repo1/one by the gateway itself'), 'of which something is missing, each hour')
  t.strictSame(await countOf(ONE), [4, 2], 'missing for 23 hours')
  await lab.store(ONE, '1.0.0')
  await after(1)
  lab.delete(ONE, '1.0.0')
  await after(24)
  await after(20)
  lab.says = async () => { throw new RefusalError({ code: 'upstream_away' }) }
  await after(10)
  t.strictSame(await countOf(ONE), [4, 2], 'missing anew, and nobody says of now')
  lab.says = undefined
  await after(1)
  t.strictSame(await countOf(ONE), [2, 1], 'and still, which is more than a day')
  t.strictSame(await countOf(OTHER), [2, 1])
})

await t.test('what is of another archive than is stored goes, and what is of that one stays', async t => {
  const lab = await labOf(t)
  await lab.store(ONE, '1.0.0')
  await lab.after(0)
  await lab.store(ONE, '1.0.0', 'another')
  for (const hours of [24, 23]) await lab.after(hours)
  t.strictSame(await lab.countOf(ONE), [3, 2])
  await lab.after(1)
  t.strictSame(await lab.countOf(ONE), [2, 1])
  const archive = lab.parts.stored.get(`${ONE.name} 1.0.0`) as string
  t.match(await lab.worker.kept.version(ONE, '1.0.0'), { archive })
  for (const hours of [24, 24, 24]) await lab.after(hours)
  t.strictSame(await lab.countOf(ONE), [2, 1])
})

await t.test('of a chart that is gone all goes, and it is asked for no more', async t => {
  const lab = await labOf(t)
  for (const version of ['1.0.0', '2.0.0']) await lab.store(ONE, version)
  lab.delete(ONE, '1.0.0')
  lab.delete(ONE, '2.0.0')
  await lab.after(0)
  await lab.after(24)
  t.strictSame(await lab.countOf(ONE), [0, 0])
  lab.asked()
  await lab.after(24)
  t.strictSame(lab.asked(), [])
})

await t.test('what was pushed again on the last moment stays, although no list has it yet', async t => {
  const lab = await labOf(t)
  await lab.store(ONE, '1.0.0')
  lab.delete(ONE, '1.0.0')
  await lab.after(0)
  const manifest = Buffer.from(JSON.stringify({ of: 'one 1.0.0 a' }))
  const archive = hexOf('org1/repo1/one 1.0.0 a')
  await lab.after(23)
  lab.says = async () => {
    for (const path of ['_content', '_versions']) for (const name of await readdir(join(lab.dir, ONE.name, path))) await utimes(join(lab.dir, ONE.name, path, name), 1, 1)
    const at = Date.now() / 1000 + 24 * 3_600 // as the clock says by then
    await lab.worker.kept.keep(ONE, [[hexOf(manifest), { kind: 'manifest', version: '1.0.0', archive, bytes: manifest }]])
    await lab.worker.kept.keepVersion(ONE, '1.0.0', { archive, size: 1, tagged: hexOf(manifest) })
    for (const path of [`_content/${hexOf(manifest)}`, '_versions/1.0.0']) await utimes(join(lab.dir, ONE.name, path), at, at)
  }
  await lab.after(1)
  t.equal((await lab.countOf(ONE))[0], 2)
  lab.parts.stored.set(`${ONE.name} 1.0.0`, archive)
  lab.says = undefined
  for (const hours of [24, 24, 24]) await lab.after(hours)
  t.match(await lab.worker.kept.find(ONE, hexOf(manifest)), { archive })
  t.match(await lab.worker.kept.version(ONE, '1.0.0'), { tagged: hexOf(manifest) })
})

await t.test('a chart of another depth and one that cannot be read lose nothing, and are in nobody\'s way', async t => {
  const lab = await labOf(t)
  await lab.store(ONE, '1.0.0')
  await lab.store(OTHER, '1.0.0')
  for (const repository of [ONE, OTHER]) lab.delete(repository, '1.0.0')
  const deeper = join(lab.dir, 'org1', 'repo1', 'deeper', 'chart', '_content')
  await mkdir(deeper, { recursive: true })
  await writeFile(join(deeper, 'a'.repeat(64)), `config 1.0.0 ${'a'.repeat(64)}\n{}`)
  const odd = join(lab.dir, ONE.name, '_content', 'b'.repeat(64))
  await symlink('b'.repeat(64), odd)
  for (const hours of [0, 24, 24]) await lab.after(hours)
  t.strictSame(await lab.countOf(ONE), [3, 1])
  t.strictSame(await lab.countOf(OTHER), [0, 0])
  t.strictSame(await readdir(deeper), ['a'.repeat(64)])
  await rm(odd)
  for (const hours of [0, 24]) await lab.after(hours)
  t.strictSame(await lab.countOf(ONE), [0, 0])
})

await t.test('a folder that cannot be read now is looked at later', async t => {
  const lab = await labOf(t)
  await lab.store(ONE, '1.0.0')
  await rename(lab.dir, `${lab.dir} aside`)
  await symlink(lab.dir, lab.dir) // a link to itself: as unreadable to root as to anybody
  await lab.after(0)
  t.strictSame(lab.asked(), [])
  await rm(lab.dir)
  await rename(`${lab.dir} aside`, lab.dir)
  await lab.after(0)
  t.strictSame(lab.asked().length, 1)
})

await t.test('one look is under way at a time, however long the upstream takes', async t => {
  const lab = await labOf(t)
  await lab.store(ONE, '1.0.0')
  let answer = (): void => {}
  lab.says = async () => { await new Promise<void>(resolve => { answer = resolve }) }
  const [first, second] = [lab.after(0), lab.after(24)]
  await second
  await untilTrue(() => lab.asked().length > 0)
  answer()
  await first
  t.strictSame(lab.asked(), [])
})

await t.test('what was never written to its end goes with the first look', async t => {
  const lab = await labOf(t)
  await lab.store(ONE, '1.0.0')
  for (const folder of ['_content', '_versions', '_attachments']) {
    const half = join(lab.dir, ONE.name, folder, '.half')
    await writeFile(half, 'half')
    await utimes(half, 1, 1)
  }
  t.strictSame(await lab.countOf(ONE), [4, 2])
  await lab.after(0)
  t.strictSame(await lab.countOf(ONE), [2, 1])
})
