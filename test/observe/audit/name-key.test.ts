import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { openNameHash } from '../../../src/observe/audit/name-key.ts'
import { testFolder } from '../../helpers/folder.ts'

await t.test('a name has one hash in every process of a stateDir, and another elsewhere', async t => {
  const [here, there] = [testFolder(t, { a: {}, b: {} }), 'b']
  const one = await openNameHash(join(here, 'a'))
  const same = await openNameHash(join(here, 'a'))
  t.match(one('alice'), /^[0-9a-f]{64}$/)
  t.equal(one('alice'), same('alice'))
  t.equal((await openNameHash(join(here, 'a')))('alice'), one('alice'), 'also after a restart')
  t.not((await openNameHash(join(here, there)))('alice'), one('alice'))
  t.not(one('alice'), one('bob'))
  t.equal((await stat(join(here, 'a', 'audit.key'))).mode & 0o777, 0o600)
  t.equal((await readFile(join(here, 'a', 'audit.key'), 'latin1')).length, 65)
})

await t.test('those that look for it at once, made or not, have the same', async t => {
  const dir = testFolder(t)
  const hashes: string[] = []
  for (let i = 0; i < 50; i++) {
    const each = [0, 1, 0].map(async turns => {
      for (let turn = 0; turn < turns; turn++) await new Promise(resolve => { setImmediate(resolve) })
      return (await openNameHash(dir))('alice')
    })
    hashes.push(...await Promise.all(each))
  }
  t.equal(new Set(hashes).size, 1)
  t.strictSame(await readdir(dir), ['audit.key'], 'and nothing else is left')
})

await t.test('a file that holds no key is said, and is not written over', async t => {
  const folder = testFolder(t)
  await writeFile(join(folder, 'audit.key'), 'short\n')
  await t.rejects(openNameHash(folder), { message: /audit\.key holds no key .*: take it away, and a new one is made/ })
  await t.rejects(openNameHash(join(folder, 'missing')), { code: 'ENOENT' })
})
