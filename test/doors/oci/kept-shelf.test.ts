// What is kept goes by its version and archive, when nobody has wanted it for long.
import { existsSync, rmSync, utimesSync } from 'node:fs'
import { mkdir, readdir, stat, symlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { createKept, type Kept } from '../../../src/doors/oci/kept.ts'
import { createKeptShelf } from '../../../src/doors/oci/kept-shelf.ts'
import { hexOf } from '../../helpers/attaching.ts'
import { temporaryFolder } from '../../helpers/processes.ts'

const PLACE = { name: 'org1/repo1/mychart' }
const [A, B] = ['a', 'b'].map(digit => digit.repeat(64)) as [string, string]
const LONG_AGO = Date.now() / 1000 - 24 * 3_600

interface Lab {
  readonly dir: string
  readonly kept: Kept
  /** Files of a folder, of which each was last written a day ago. */
  age (): Promise<string[]>
  files (): Promise<string[]>
}

async function labOf (t: Test): Promise<Lab> {
  const dir = await temporaryFolder(t)
  const kept = createKept(dir, error => { throw error })
  const files = async (): Promise<string[]> => {
    const found = await readdir(join(dir, PLACE.name), { recursive: true, withFileTypes: true })
    return found.filter(entry => !entry.isDirectory()).map(({ parentPath, name }) => join(parentPath, name)).sort()
  }
  const age = async (): Promise<string[]> => {
    const all = await files()
    for (const path of all) await utimes(path, LONG_AGO, LONG_AGO)
    return all
  }
  return { dir, kept, age, files }
}

/** A version with a manifest that was pushed. */
async function keep ({ kept }: Pick<Lab, 'kept'>, version: string, archive: string, config = `config of ${version}`): Promise<string> {
  const manifest = `manifest of ${version} ${archive}`
  await kept.keep(PLACE, [[hexOf(config), { kind: 'config', version, archive, bytes: Buffer.from(config) }]])
  await kept.keep(PLACE, [[archive, { kind: 'archive', version, archive, bytes: Buffer.alloc(0) }]])
  await kept.keep(PLACE, [[hexOf(manifest), { kind: 'manifest', version, archive, bytes: Buffer.from(manifest) }]])
  await kept.keepVersion(PLACE, version, { archive, size: 1, tagged: hexOf(manifest) })
  return hexOf(manifest)
}

await t.test('each version of which something is kept is said with its archive, and what is no file of it with nothing', async t => {
  const lab = await labOf(t)
  const shelf = createKeptShelf(lab.dir, () => Date.now())
  t.strictSame(await shelf.of(PLACE), [])
  await keep(lab, '1.0.0+b', A)
  await lab.kept.keepVersion(PLACE, '2.0.0', { archive: B, size: 1, tagged: B })
  await lab.kept.keep(PLACE, [[hexOf('old'), { kind: 'provenance', version: '2.0.0', archive: A, bytes: Buffer.from('old') }]])
  const [content, versions] = ['_content', '_versions'].map(name => join(lab.dir, PLACE.name, name)) as [string, string]
  for (const path of [join(content, 'e'.repeat(64)), join(versions, '3.0.0'), join(versions, 'no-version')]) await writeFile(path, `{"archive":"${A}"}\n`)
  await writeFile(join(versions, 'no-version'), JSON.stringify({ archive: A, size: 1 }))
  for (const path of [join(content, 'd'.repeat(64)), join(versions, '4.0.0')]) await mkdir(path)
  for (const path of [join(content, '.half'), join(versions, '.half')]) await writeFile(path, `manifest 9.0.0 ${A}\n`)
  const all = (await shelf.of(PLACE)).map(({ version, archive }) => `${version} ${archive}`).sort()
  t.strictSame(all, [`1.0.0+b ${A}`, `2.0.0 ${A}`, `2.0.0 ${B}`])
  t.strictSame(await shelf.of({ name: 'org1/repo1/other' }), [])
})

await t.test('what is of a version and archive that are gone goes, and what is of others stays', async t => {
  const lab = await labOf(t)
  const shelf = createKeptShelf(lab.dir, () => Date.now())
  const gone = await keep(lab, '1.0.0', A)
  const other = await keep(lab, '2.0.0', B)
  t.equal((await lab.age()).length, 8)
  await shelf.remove(PLACE, () => false)
  t.equal((await lab.files()).length, 8)
  await shelf.remove(PLACE, ({ version, archive }) => version === '1.0.0' && archive === A)
  t.strictSame([await lab.kept.find(PLACE, gone), await lab.kept.version(PLACE, '1.0.0')], [undefined, undefined])
  t.match([await lab.kept.find(PLACE, other), await lab.kept.version(PLACE, '2.0.0')], [{ archive: B }, { archive: B, tagged: other }])
  t.equal((await lab.files()).length, 4, 'and nothing is left aside')
  await shelf.remove({ name: 'org1/repo1/other' }, () => true)
})

await t.test('what somebody has kept within an hour stays, also what was there already', async t => {
  const lab = await labOf(t)
  const later = Date.now() + 59 * 60_000
  const shelf = createKeptShelf(lab.dir, () => later)
  await keep(lab, '1.0.0', A)
  await lab.age()
  await keep({ kept: createKept(lab.dir, () => {}) }, '1.0.0', A) // another worker, and the same push again
  await shelf.remove(PLACE, () => true)
  t.equal((await lab.files()).length, 4)
  await createKeptShelf(lab.dir, () => later + 2 * 60_000).remove(PLACE, () => true)
  t.equal((await lab.files()).length, 0)
})

await t.test('who keeps what is there writes no more on its file than that, and that twice in an hour at most', async t => {
  const lab = await labOf(t)
  await keep(lab, '1.0.0', A)
  const content = join(lab.dir, PLACE.name, '_content')
  const stamps = async (): Promise<{ name: string, ino: number, at: number }[]> => await Promise.all((await readdir(content)).map(async name => {
    const { ino, mtimeMs: at } = await stat(join(content, name))
    return { name, ino, at }
  }))
  let before = await stamps()
  const now = Date.now
  t.teardown(() => { Date.now = now })
  for (const [minutes, isRenewed] of [[0, false], [29, false], [31, true], [59, false], [62, true]] as const) {
    Date.now = () => now() + minutes * 60_000
    await keep(lab, '1.0.0', A)
    await keep({ kept: createKept(lab.dir, () => {}) }, '1.0.0', A) // another worker
    const after = await stamps()
    t.strictSame(after.map(({ name, ino }) => ({ name, ino })), before.map(({ name, ino }) => ({ name, ino })))
    for (const [i, { at }] of after.entries()) t.equal(at !== before[i]?.at, isRenewed, `after ${minutes} minutes`)
    if (isRenewed) for (const { at } of after) t.ok(Math.abs(at - Date.now()) < 30_000)
    before = after
  }
})

await t.test('what is kept while it is being removed is there afterwards', async t => {
  for (const version of [false, true]) {
    const lab = await labOf(t)
    const manifest = await keep(lab, '1.0.0', A)
    await lab.age()
    const path = join(lab.dir, PLACE.name, version ? '_versions/1.0.0' : `_content/${manifest}`)
    let looks = 0
    const shelf = createKeptShelf(lab.dir, () => {
      // After the first look at the file, and before it is taken out of sight.
      if (looks++ === 0) utimesSync(path, new Date(), new Date())
      return Date.now()
    })
    await rmOthers(lab, path)
    await shelf.remove(PLACE, () => true)
    t.equal(looks, 2)
    t.strictSame(await lab.files(), [path])
  }
})

await t.test('what is kept when it has just been taken out of sight is written anew', async t => {
  const lab = await labOf(t)
  const manifest = await keep(lab, '1.0.0', A)
  await lab.age()
  const path = join(lab.dir, PLACE.name, '_content', manifest)
  await rmOthers(lab, path)
  const again: Promise<unknown>[] = []
  const shelf = createKeptShelf(lab.dir, () => {
    if (!existsSync(path) && again.length === 0) again.push(keep(lab, '1.0.0', A))
    return Date.now()
  })
  await shelf.remove(PLACE, () => true)
  t.equal(again.length, 1)
  await again[0]
  t.match(await createKept(lab.dir, () => {}).find(PLACE, manifest), { archive: A })
})

await t.test('what another worker removes at the same time is removed', async t => {
  const lab = await labOf(t)
  const manifest = await keep(lab, '1.0.0', A)
  const path = join(lab.dir, PLACE.name, '_content', manifest)
  await rmOthers(lab, path)
  await lab.age()
  await createKeptShelf(lab.dir, () => {
    rmSync(path, { force: true })
    return Date.now()
  }).remove(PLACE, () => true)
  t.strictSame(await lab.files(), [])
  await keep(lab, '1.0.0', A)
  await createKeptShelf(lab.dir, () => Date.now()).remove(PLACE, () => {
    for (const each of ['_versions/1.0.0', `_content/${manifest}`]) rmSync(join(lab.dir, PLACE.name, each), { force: true })
    return true
  })
  t.notOk(existsSync(path))
})

await t.test('what cannot be read now is not taken for what is not there', async t => {
  const lab = await labOf(t)
  await keep(lab, '1.0.0', A)
  for (const folder of ['_content', '_versions']) {
    const path = join(lab.dir, PLACE.name, folder, B)
    await symlink(B, path) // a link to itself: as unreadable to root as to anybody
    const shelf = createKeptShelf(lab.dir, () => Date.now())
    await t.rejects(shelf.of(PLACE), { code: 'ELOOP' })
    await t.rejects(shelf.remove(PLACE, () => false), { code: 'ELOOP' })
    rmSync(path)
  }
})

await t.test('what a process has begun to write and never finished goes', async t => {
  const lab = await labOf(t)
  await keep(lab, '1.0.0', A)
  for (const folder of ['_content', '_versions']) {
    await writeFile(join(lab.dir, PLACE.name, folder, '.old'), 'half')
    await utimes(join(lab.dir, PLACE.name, folder, '.old'), 1, 1)
    await writeFile(join(lab.dir, PLACE.name, folder, '.new'), 'half')
  }
  await createKeptShelf(lab.dir, () => Date.now()).tidy(PLACE, 60_000)
  t.equal((await lab.files()).length, 4 + 2)
})

/** Removes what there is but for one file. */
async function rmOthers ({ files }: Lab, path: string): Promise<void> {
  for (const each of await files()) if (each !== path) rmSync(each)
}
