// What the registry keeps, on a disk that takes it and on one that does not.
import { mkdir, readdir, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { createKept, type Kept } from '../../../src/doors/oci/kept.ts'
import type { KeptContent } from '../../../src/doors/oci/kept-file.ts'
import { hexOf } from '../../helpers/attaching.ts'
import { temporaryFolder } from '../../helpers/processes.ts'
import { untilTrue } from '../../helpers/until.ts'

const PLACE = { name: 'org1/repo1/mychart' }
const [A, B, C] = ['a', 'b', 'c'].map(digit => digit.repeat(64)) as [string, string, string]

function content (kind: KeptContent['kind'], version: string, archive: string, text: string): KeptContent {
  return { kind, version, archive, bytes: Buffer.from(text) }
}

function keptIn (dir: string, failures: unknown[] = []): Kept {
  return createKept(dir, error => { failures.push(error) })
}

await t.test('what is kept is found by whoever opens the folder, in that repository alone', async t => {
  const dir = join(await temporaryFolder(t), 'oci')
  const [small, long] = ['{}\n\u00e4', 'x\n'.repeat(5_000)]
  const large = content('provenance', '1.0.0+b', A, long)
  const one = keptIn(dir)
  await one.keep(PLACE, [[hexOf(small), content('manifest', '1.0.0+b', A, small)]])
  await one.keep(PLACE, [[hexOf(long), large]])
  await one.keep(PLACE, [[hexOf(long), large]])
  await one.keep(PLACE, [[A, content('archive', '1.0.0+b', A, '')]])
  await one.keepVersion(PLACE, '1.0.0+b', { archive: A, size: 5, tagged: B })
  for (const kept of [one, keptIn(dir)]) {
    t.strictSame(await kept.find(PLACE, hexOf(small)), content('manifest', '1.0.0+b', A, small))
    t.strictSame(await kept.find(PLACE, hexOf(long)), large)
    t.strictSame(await kept.find(PLACE, A), content('archive', '1.0.0+b', A, ''))
    t.strictSame(await kept.version(PLACE, '1.0.0+b'), { archive: A, size: 5, tagged: B })
    t.equal(await kept.find(PLACE, B), undefined)
    t.equal(await kept.version(PLACE, '1.0.0'), undefined)
    for (const name of ['org1/repo1', 'org1/repo1/mychart2', 'org2/repo1/mychart']) t.equal(await kept.find({ name }, hexOf(small)), undefined, name)
  }
})

await t.test('what has not changed for a moment is not read again, and what has is', async t => {
  const dir = await temporaryFolder(t)
  const kept = keptIn(dir)
  const long = new Date(Date.now() - 60_000)
  const hex = hexOf('bytes')
  const [folder, version] = [join(dir, PLACE.name, '_content'), join(dir, PLACE.name, '_versions', '1.0.0')]
  await kept.keep(PLACE, [[hex, content('manifest', '1.0.0', A, 'bytes')]])
  await kept.keepVersion(PLACE, '1.0.0', { archive: A, size: 1, tagged: hex })
  for (const path of [folder, version]) await utimes(path, long, long)
  for (const what of ['what was written', 'what was read']) t.equal((await kept.find(PLACE, hex))?.archive, A, what)
  t.match(await kept.version(PLACE, '1.0.0'), { size: 1 })
  // As nobody does: so that only another look shows it.
  await rm(join(folder, hex))
  await writeFile(version, JSON.stringify({ archive: A, size: 2, tagged: hex }))
  for (const path of [folder, version]) await utimes(path, long, long)
  t.equal((await kept.find(PLACE, hex))?.archive, A)
  t.match(await kept.version(PLACE, '1.0.0'), { size: 1 })
  for (const path of [folder, version]) await utimes(path, new Date(), new Date())
  t.equal(await kept.find(PLACE, hex), undefined)
  t.match(await kept.version(PLACE, '1.0.0'), { size: 2 })
})

await t.test('what another worker has kept of another archive in its place is not taken for what is remembered', async t => {
  const dir = await temporaryFolder(t)
  const [one, two] = [keptIn(dir), keptIn(dir)]
  const keep = async (kept: Kept, archive: string): Promise<void> => { await kept.keep(PLACE, [[hexOf('a config of both'), content('config', '1.0.0', archive, 'a config of both')]]) }
  await keep(one, A)
  await one.find(PLACE, hexOf('a config of both'))
  await keep(two, B)
  await keep(one, A)
  await two.forget(PLACE, '1.0.0', A)
  t.match(await one.find(PLACE, hexOf('a config of both')), { archive: A })
})

await t.test('what another worker has forgotten is not remembered, and is kept anew', async t => {
  const dir = await temporaryFolder(t)
  const [one, two] = [keptIn(dir), keptIn(dir)]
  for (const archive of [A, A]) {
    await two.keep(PLACE, [[hexOf('bytes'), content('manifest', '1.0.0', archive, 'bytes')]])
    for (const kept of [one, two]) t.equal((await kept.find(PLACE, hexOf('bytes')))?.archive, A)
    await one.forget(PLACE, '1.0.0', undefined)
    for (const kept of [one, two]) t.equal(await kept.find(PLACE, hexOf('bytes')), undefined)
  }
})

await t.test('what is of an archive that is gone is forgotten, and what is of others stays', async t => {
  const dir = await temporaryFolder(t)
  const kept = keptIn(dir)
  await kept.keep(PLACE, [[hexOf('old'), content('manifest', '1.0.0', A, 'old')]])
  await kept.keep(PLACE, [[hexOf('new'), content('manifest', '1.0.0', B, 'new')]])
  await kept.keep(PLACE, [[hexOf('other'), content('manifest', '2.0.0', C, 'other')]])
  await kept.learnVersion(PLACE, '1.0.0', { archive: B, size: 1 }, undefined)
  await kept.forget(PLACE, '1.0.0', B)
  for (const each of [kept, keptIn(dir)]) {
    t.equal(await each.find(PLACE, hexOf('old')), undefined)
    t.match(await each.find(PLACE, hexOf('new')), { bytes: Buffer.from('new') })
  }
  t.strictSame(await kept.version(PLACE, '1.0.0'), { archive: B, size: 1 })
  await kept.forget(PLACE, '1.0.0', undefined)
  t.equal(await kept.version(PLACE, '1.0.0'), undefined)
  t.strictSame(await readdir(join(dir, PLACE.name, '_content')), [hexOf('other')])
  t.strictSame(await readdir(join(dir, PLACE.name, '_versions')), [])
  await kept.forget({ name: 'never/asked/for' }, '1.0.0', undefined)
})

await t.test('what two archives of a version have in common is of the one that is stored, for every process', async t => {
  const dir = await temporaryFolder(t)
  const [one, other] = [keptIn(dir), keptIn(dir)]
  for (const [kept, archive] of [[one, A], [other, B], [one, A]] as const) {
    await kept.keep(PLACE, [[hexOf('{}'), content('config', '1.0.0', archive, '{}')]])
    for (const each of [one, other, keptIn(dir)]) t.match(await each.find(PLACE, hexOf('{}'), archive), { archive })
  }
})

await t.test('a disk that takes nothing is said, and what is small is remembered as long as the process runs', async t => {
  const dir = join(await temporaryFolder(t), 'oci')
  await writeFile(dir, 'a file in the way')
  const failures: unknown[] = []
  const kept = keptIn(dir, failures)
  await kept.keep(PLACE, [[A, content('config', '1.0.0', A, '{}')]])
  t.equal(await kept.learnVersion(PLACE, '1.0.0', { archive: A, size: 1 }, undefined), true)
  t.match(await kept.find(PLACE, A), { kind: 'config' })
  t.match(await kept.find(PLACE, A, B), { kind: 'config', archive: A }, 'also where it is asked for as of another one, which it may be')
  t.strictSame(await kept.version(PLACE, '1.0.0'), { archive: A, size: 1 })
  t.equal(failures.length, 2)
  await kept.keepVersion(PLACE, '1.0.0', { archive: B, size: 1, tagged: C })
  t.equal(await kept.learnVersion(PLACE, '1.0.0', { archive: B, size: 1 }, A), false)
  t.strictSame(await kept.version(PLACE, '1.0.0'), { archive: B, size: 1, tagged: C }, 'what was pushed meanwhile stays')
  failures.length = 2
  await rm(dir)
  await mkdir(join(dir, PLACE.name, '_versions', '2.0.0'), { recursive: true })
  await kept.keepVersion(PLACE, '2.0.0', { archive: A, size: 1, tagged: B })
  t.equal(failures.length, 3, 'also of a folder in a file\'s place')
  t.strictSame(await readdir(join(dir, PLACE.name, '_versions')), ['2.0.0'], 'and nothing half done is left')
})

await t.test('what was in a folder that is gone as a whole is known no more', async t => {
  const dir = await temporaryFolder(t)
  const kept = keptIn(dir)
  await kept.keep(PLACE, [[hexOf('{}'), content('config', '1.0.0', A, '{}')]])
  await rm(join(dir, PLACE.name), { recursive: true })
  t.equal(await kept.find(PLACE, hexOf('{}')), undefined)
  await kept.keep(PLACE, [[hexOf('{}'), content('config', '1.0.0', A, '{}')]])
  t.match(await keptIn(dir).find(PLACE, hexOf('{}')), { archive: A })
})

await t.test('what the disk does not take is not tried again with each answer', async t => {
  const dir = join(await temporaryFolder(t), 'oci')
  await writeFile(dir, 'a file in the way')
  const failures: unknown[] = []
  const kept = keptIn(dir, failures)
  const of = (text: string): [string, KeptContent] => [hexOf(text), content('config', '1.0.0', A, text)]
  for (let again = 0; again < 2; again++) await kept.keep(PLACE, [of('{}')])
  t.equal(failures.length, 1)
  await rm(dir)
  await kept.keep(PLACE, [of('{}'), of('{ }')])
  t.equal(failures.length, 1)
  t.match(await keptIn(dir).find(PLACE, hexOf('{}')), { archive: A }, 'but with what is new')
})

await t.test('among many files those that go are found by their first line, and what is being written is left to who writes it', async t => {
  const dir = await temporaryFolder(t)
  const kept = keptIn(dir)
  const texts = Array.from({ length: 40 }, (_, i) => `${i}`.padEnd(i * 100, 'x'))
  for (const [i, text] of texts.entries()) await kept.keep(PLACE, [[hexOf(text), content('manifest', `1.0.${i % 2}`, A, text)]])
  const half = join(dir, PLACE.name, '_content', '.half')
  await writeFile(half, `manifest 1.0.0 ${A}\n`)
  await kept.forget(PLACE, '1.0.0', undefined)
  for (const [i, text] of texts.entries()) t.equal((await kept.find(PLACE, hexOf(text)))?.version, i % 2 === 0 ? undefined : '1.0.1')
  t.equal((await readdir(join(dir, PLACE.name, '_content'))).length, 21)
})

await t.test('what is pushed while much is being forgotten of the same version stays', async t => {
  const dir = await temporaryFolder(t)
  const [one, other] = [keptIn(dir), keptIn(dir)]
  for (let i = 0; i < 200; i++) await one.keep(PLACE, [[hexOf(`${i}`), content('manifest', '1.0.0', A, `${i}`)]])
  await one.keepVersion(PLACE, '1.0.0', { archive: A, size: 1, tagged: hexOf('0') })
  const forgetting = one.forget(PLACE, '1.0.0', undefined)
  await untilTrue(async () => (await readdir(join(dir, PLACE.name, '_content'))).length < 200)
  await other.keep(PLACE, [[hexOf('new'), content('manifest', '1.0.0', B, 'new')]])
  await other.keepVersion(PLACE, '1.0.0', { archive: B, size: 1, tagged: hexOf('new') })
  await forgetting
  t.strictSame(await one.version(PLACE, '1.0.0'), { archive: B, size: 1, tagged: hexOf('new') })
  t.match(await one.find(PLACE, hexOf('new')), { archive: B })
  t.strictSame(await readdir(join(dir, PLACE.name, '_content')), [hexOf('new')])
})

await t.test('what was found of an archive takes the place of what was known before, and of nothing that was pushed since', async t => {
  const dir = await temporaryFolder(t)
  const [one, other] = [keptIn(dir), keptIn(dir)]
  const pushed = { archive: B, size: 1, tagged: C }
  for (const [before, isKept] of [[undefined, true], [undefined, false], [B, false], [A, true]] as const) {
    t.equal(await one.learnVersion(PLACE, '1.0.0', { archive: A, size: 1 }, before), isKept, `in the place of ${before}`)
  }
  await other.keepVersion(PLACE, '1.0.0', pushed)
  for (const before of [undefined, A]) t.equal(await one.learnVersion(PLACE, '1.0.0', { archive: A, size: 1 }, before), false)
  for (const each of [one, other]) t.strictSame(await each.version(PLACE, '1.0.0'), pushed)
  t.strictSame(await readdir(join(dir, PLACE.name, '_versions')), ['1.0.0'])
})

await t.test('what is known of a version is looked for before anybody says of which archive, and may be wanted by nobody', async t => {
  const dir = await temporaryFolder(t)
  const kept = keptIn(dir)
  await kept.keepVersion(PLACE, '1.0.0', { archive: A, size: 1, tagged: B })
  const knownOf = kept.beginVersion(PLACE, '1.0.0')
  await rm(join(dir, PLACE.name, '_versions', '1.0.0'))
  await symlink('2.0.0', join(dir, PLACE.name, '_versions', '2.0.0'))
  kept.beginVersion(PLACE, '2.0.0')
  t.match(await knownOf(A), { tagged: B })
})

await t.test('a file that cannot be read now is no file that is not there', async t => {
  const dir = await temporaryFolder(t)
  for (const [folder, name] of [['_content', A], ['_versions', '1.0.0']] as const) {
    await mkdir(join(dir, PLACE.name, folder), { recursive: true })
    await symlink(name, join(dir, PLACE.name, folder, name)) // a link to itself: as unreadable to root as to anybody
  }
  const failures: { code?: string }[] = []
  const kept = keptIn(dir, failures)
  await t.rejects(kept.find(PLACE, A), { code: 'ELOOP' })
  await t.rejects(kept.version(PLACE, '1.0.0'), { code: 'ELOOP' })
  await t.rejects(kept.learnVersion(PLACE, '1.0.0', { archive: A, size: 1 }, undefined), { code: 'ELOOP' })
  failures.length = 0
  await kept.forget(PLACE, '1.0.0', B)
  t.match(failures, [{ code: 'ELOOP' }, { code: 'ELOOP' }], 'what is to go is not in the way of anybody')
})

await t.test('a file that somebody else has put there is none', async t => {
  const dir = await temporaryFolder(t)
  await mkdir(join(dir, PLACE.name, '_content'), { recursive: true })
  await mkdir(join(dir, PLACE.name, '_versions'), { recursive: true })
  const kept = keptIn(dir)
  const hex = hexOf('{}')
  const heads = ['', 'manifest', 'manifest 1.0.0 x\n', `other 1.0.0 ${A}\n`, `manifest  ${A}\n`, `manifest ../1.0.0 ${A}\n`, `manifest 1.0.0-${'x'.repeat(128)} ${A}\n`]
  for (const text of [...heads.map(head => head + '{}'), `manifest 1.0.0 ${A}\n{`, `manifest 1.0.0 ${A}\n{} `]) {
    await writeFile(join(dir, PLACE.name, '_content', hex), text)
    t.equal(await kept.find(PLACE, hex), undefined, JSON.stringify(text))
  }
  await writeFile(join(dir, PLACE.name, '_content', hex), `manifest 1.0.0 ${A}\n{}`)
  t.match(await kept.find(PLACE, hex), { version: '1.0.0' })
  const good = { archive: A, size: 5, tagged: B, taggedAt: 7, pushed: 1 }
  for (const text of ['{', '5', 'null', '[]', ...[{ archive: 'a' }, { tagged: '../' }, { size: '5' }, { size: -1 }, { pushed: 0.5 }, { taggedAt: 'now' }].map(bad => JSON.stringify({ ...good, ...bad }))]) {
    await writeFile(join(dir, PLACE.name, '_versions', '1.0.0'), text)
    t.equal(await kept.version(PLACE, '1.0.0'), undefined, text)
  }
  await writeFile(join(dir, PLACE.name, '_versions', '1.0.0'), JSON.stringify(good))
  t.strictSame(await kept.version(PLACE, '1.0.0'), good)
})
