// What the registry keeps, on a disk that takes it and on one that does not.
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { createKept, type Kept, type KeptContent } from '../../../src/doors/oci/kept.ts'
import { temporaryFolder } from '../../helpers/processes.ts'

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
  const large = content('provenance', '1.0.0+b', A, 'x\n'.repeat(5_000))
  const one = keptIn(dir)
  await one.keep(PLACE, B, content('manifest', '1.0.0+b', A, '{}\n\u00e4'))
  await one.keep(PLACE, C, large)
  await one.keep(PLACE, C, large)
  await one.keepVersion(PLACE, '1.0.0+b', { archive: A, size: 5, tagged: B })
  for (const kept of [one, keptIn(dir)]) {
    t.strictSame(await kept.find(PLACE, B), content('manifest', '1.0.0+b', A, '{}\n\u00e4'))
    t.strictSame(await kept.find(PLACE, C), large)
    t.strictSame(await kept.version(PLACE, '1.0.0+b'), { archive: A, size: 5, tagged: B })
    t.equal(await kept.find(PLACE, A), undefined)
    t.equal(await kept.version(PLACE, '1.0.0'), undefined)
    for (const name of ['org1/repo1', 'org1/repo1/mychart2', 'org2/repo1/mychart']) t.equal(await kept.find({ name }, B), undefined, name)
  }
})

await t.test('what another worker has forgotten is not remembered, and is kept anew', async t => {
  const dir = await temporaryFolder(t)
  const [one, two] = [keptIn(dir), keptIn(dir)]
  for (const archive of [A, A]) {
    await two.keep(PLACE, C, content('manifest', '1.0.0', archive, 'bytes'))
    for (const kept of [one, two]) t.equal((await kept.find(PLACE, C))?.archive, A)
    await one.forget(PLACE, '1.0.0', undefined)
    for (const kept of [one, two]) t.equal(await kept.find(PLACE, C), undefined)
  }
})

await t.test('what is of an archive that is gone is forgotten, and what is of others stays', async t => {
  const dir = await temporaryFolder(t)
  const kept = keptIn(dir)
  await kept.keep(PLACE, A, content('manifest', '1.0.0', A, 'old'))
  await kept.keep(PLACE, B, content('manifest', '1.0.0', B, 'new'))
  await kept.keep(PLACE, C, content('manifest', '2.0.0', C, 'other'))
  await kept.keepVersion(PLACE, '1.0.0', { archive: B, size: 1 })
  await kept.forget(PLACE, '1.0.0', B)
  for (const each of [kept, keptIn(dir)]) {
    t.equal(await each.find(PLACE, A), undefined)
    t.match(await each.find(PLACE, B), { bytes: Buffer.from('new') })
  }
  t.strictSame(await kept.version(PLACE, '1.0.0'), { archive: B, size: 1 })
  await kept.forget(PLACE, '1.0.0', undefined)
  t.equal(await kept.version(PLACE, '1.0.0'), undefined)
  t.strictSame(await readdir(join(dir, PLACE.name, '_content')), [C])
  t.strictSame(await readdir(join(dir, PLACE.name, '_versions')), [])
  await kept.forget({ name: 'never/asked/for' }, '1.0.0', undefined)
})

await t.test('what two archives of a version have in common is of the one that is stored, for every process', async t => {
  const dir = await temporaryFolder(t)
  const [one, other] = [keptIn(dir), keptIn(dir)]
  for (const [kept, archive] of [[one, A], [other, B], [one, A]] as const) {
    await kept.keep(PLACE, C, content('config', '1.0.0', archive, '{}'))
    for (const each of [one, other, keptIn(dir)]) t.match(await each.find(PLACE, C, archive), { archive })
  }
})

await t.test('a disk that takes nothing is said, and what is small is remembered as long as the process runs', async t => {
  const dir = join(await temporaryFolder(t), 'oci')
  await writeFile(dir, 'a file in the way')
  const failures: unknown[] = []
  const kept = keptIn(dir, failures)
  await kept.keep(PLACE, A, content('config', '1.0.0', A, '{}'))
  await kept.keepVersion(PLACE, '1.0.0', { archive: A, size: 1 })
  t.match(await kept.find(PLACE, A), { kind: 'config' })
  t.match(await kept.find(PLACE, A, B), { kind: 'config', archive: A }, 'also where it is asked for as of another one, which it may be')
  t.strictSame(await kept.version(PLACE, '1.0.0'), { archive: A, size: 1 })
  t.equal(failures.length, 2)
  await rm(dir)
  await mkdir(join(dir, PLACE.name, '_versions', '2.0.0'), { recursive: true })
  await kept.keepVersion(PLACE, '2.0.0', { archive: A, size: 1 })
  t.equal(failures.length, 3, 'also of a folder in a file\'s place')
  t.strictSame(await readdir(join(dir, PLACE.name, '_versions')), ['2.0.0'], 'and nothing half done is left')
})

await t.test('a file that somebody else has put there is none', async t => {
  const dir = await temporaryFolder(t)
  await mkdir(join(dir, PLACE.name, '_content'), { recursive: true })
  await mkdir(join(dir, PLACE.name, '_versions'), { recursive: true })
  const kept = keptIn(dir)
  for (const text of ['', 'manifest', 'manifest 1.0.0 x\n', `other 1.0.0 ${A}\n`, `manifest  ${A}\n`]) {
    await writeFile(join(dir, PLACE.name, '_content', A), text)
    t.equal(await kept.find(PLACE, A), undefined, JSON.stringify(text))
  }
  await writeFile(join(dir, PLACE.name, '_versions', '1.0.0'), '{')
  t.equal(await kept.version(PLACE, '1.0.0'), undefined)
})
