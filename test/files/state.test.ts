// What tells one state of a file or folder from another.
import { mkdir, rename, symlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { stateOf } from '../../src/files/state.ts'
import { testFolder } from '../helpers/folder.ts'

await t.test('a change gives another stamp, once the last one was a moment ago', async t => {
  const folder = testFolder(t)
  const [file, next] = [join(folder, 'file'), join(folder, 'next')]
  const long = new Date(Date.now() - 60_000)
  await writeFile(file, 'one')
  t.match(await stateOf(file), { isSettled: false, size: 3 })
  for (const path of [file, folder]) await utimes(path, long, long)
  const [before, around] = [await stateOf(file), await stateOf(folder)]
  t.match([before, around], [{ isSettled: true }, { isSettled: true }])
  t.same([await stateOf(file), await stateOf(folder)], [before, around])
  await writeFile(next, 'two')
  t.not((await stateOf(folder))?.stamp, around?.stamp, 'one was added')
  await utimes(next, long, long)
  await rename(next, file)
  t.not((await stateOf(file))?.stamp, before?.stamp, 'another file with the time and size of the one before')
  await writeFile(file, 'three')
  t.match(await stateOf(file), { isSettled: false, size: 5 })
})

await t.test('there is none where nothing is, and what cannot be looked at is another matter', async t => {
  const folder = testFolder(t)
  t.equal(await stateOf(join(folder, 'none')), undefined)
  await mkdir(join(folder, 'some'))
  t.match(await stateOf(join(folder, 'some')), { isSettled: false })
  await symlink('loop', join(folder, 'loop'))
  await t.rejects(stateOf(join(folder, 'loop')), { code: 'ELOOP' })
})
