// Files that somebody writes: read when they are at rest, and told from what they were.
import { appendFileSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { readAtRest, readText, stampOf, stampsOf } from '../../src/files/files.ts'
import { testFolder } from '../helpers/folder.ts'

await t.test('a stamp is another one for every way in which a file changes', async t => {
  const dir = testFolder(t, { a: '1', v1: { data: 'x' }, v2: { data: 'x' } })
  const file = join(dir, 'a')
  const seen = [await stampOf(file)]
  const changes: (() => void)[] = [
    () => { writeFileSync(file, 'longer') },
    () => { writeFileSync(`${file}.new`, 'longer'); renameSync(`${file}.new`, file) },
    () => { renameSync(file, `${file}.gone`) },
    () => { mkdirSync(file) }
  ]
  for (const change of changes) {
    change()
    seen.push(await stampOf(file))
  }
  t.equal(new Set(seen).size, 5)
  t.equal(seen[3], 'ENOENT')
  symlinkSync('v1', join(dir, '..data')) // as Kubernetes mounts secrets
  symlinkSync('..data/data', join(dir, 'mounted'))
  const before = await stampsOf([join(dir, 'mounted')])
  symlinkSync('v2', join(dir, '..new'))
  renameSync(join(dir, '..new'), join(dir, '..data'))
  t.notSame([...await stampsOf([join(dir, 'mounted')])], [...before])
})

await t.test('a text comes with the stamp that it had, or with why there is none', async t => {
  const dir = testFolder(t, { a: 'text' })
  for (const read of [readText, readAtRest]) {
    t.strictSame(await read(join(dir, 'a')), { ok: true, text: 'text', stamp: await stampOf(join(dir, 'a')) })
    t.strictSame(await read(join(dir, 'none')), { ok: false, mistake: `${join(dir, 'none')}: the file cannot be read (ENOENT)`, stamp: 'ENOENT' })
    t.match(await read(dir), { ok: false, mistake: /: the file cannot be read \(EISDIR\)$/ })
  }
})

await t.test('a file that is being written is read when nobody writes any more', async t => {
  const file = join(testFolder(t, { a: 'users:\n' }), 'a')
  let written = 0
  const writing = setInterval(() => {
    appendFileSync(file, '- one\n')
    if (++written === 4) clearInterval(writing)
  }, 20)
  t.teardown(() => { clearInterval(writing) })
  t.match(await readAtRest(file), { ok: true, text: 'users:\n- one\n- one\n- one\n- one\n' })
})

await t.test('one that is written all the time is not read at all', async t => {
  const file = join(testFolder(t, { a: '' }), 'a')
  const writing = setInterval(() => { appendFileSync(file, 'x') }, 5)
  t.teardown(() => { clearInterval(writing) })
  t.match(await readAtRest(file), { ok: false, mistake: /: the file cannot be read \(somebody writes it all the time\)$/ })
})
