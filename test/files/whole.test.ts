// A file comes whole or not at all, is made with its folders, and is no other one's business.
import { mkdir, readFile, readdir, stat, symlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { isAside, readWhole, tidyFolder, withFile, writeWhole } from '../../src/files/whole.ts'
import { temporaryFolder } from '../helpers/processes.ts'

async function * pieces (...texts: readonly string[]): AsyncGenerator<Buffer> {
  for (const text of texts) yield Buffer.from(text)
}

await t.test('what is written is there whole, in the place of what was, and is read', async t => {
  const dir = await temporaryFolder(t)
  const path = join(dir, 'made', 'for it', 'file')
  t.equal(await readWhole(path), undefined)
  t.equal(await writeWhole(path, Buffer.from('one')), true)
  t.equal(await writeWhole(path, pieces('an', 'other')), true)
  t.equal(String(await readWhole(path)), 'another')
  t.equal((await stat(path)).mode & 0o777, 0o600)
  t.equal((await stat(join(dir, 'made'))).mode & 0o777, 0o700)
  t.strictSame(await readdir(join(dir, 'made', 'for it')), ['file'])
})

await t.test('until it has its name it is a file that nobody takes for it', async t => {
  const dir = await temporaryFolder(t)
  const path = join(dir, 'file')
  let beside: string[] = []
  t.equal(await writeWhole(path, Buffer.from('new'), async () => {
    beside = await readdir(dir)
    return false
  }), false)
  t.strictSame(beside.map(isAside), [true])
  t.strictSame(await readdir(dir), [], 'and one that is not wanted any more is not there')
})

await t.test('what cannot be written leaves nothing', async t => {
  const dir = await temporaryFolder(t)
  await mkdir(join(dir, 'folder', 'in it'), { recursive: true })
  await writeFile(join(dir, 'file'), 'stays')
  const broken = async function * (): AsyncGenerator<Buffer> {
    yield Buffer.from('half')
    throw new Error('it ends')
  }
  await t.rejects(writeWhole(join(dir, 'file'), broken()), { message: 'it ends' })
  await t.rejects(writeWhole(join(dir, 'folder'), Buffer.from('')))
  await t.rejects(writeWhole(join(dir, 'file', 'below a file'), Buffer.from('')), { code: 'EEXIST' })
  t.strictSame((await readdir(dir)).sort(), ['file', 'folder'])
  t.equal(await readFile(join(dir, 'file'), 'utf8'), 'stays')
})

await t.test('what is no file is none, and what cannot be read now is no file that is not there', async t => {
  const dir = await temporaryFolder(t)
  await writeFile(join(dir, 'file'), '')
  for (const name of ['.', 'nothing', 'file/below']) t.equal(await readWhole(join(dir, name)), undefined, name)
  await symlink('itself', join(dir, 'itself'))
  await t.rejects(readWhole(join(dir, 'itself')), { code: 'ELOOP' })
})

await t.test('an open file is closed, whatever is read of it', async t => {
  const dir = await temporaryFolder(t)
  const path = join(dir, 'file')
  await writeFile(path, 'text')
  const open: number[] = []
  t.equal(await withFile(path, async file => {
    open.push(file.fd)
    return await file.readFile('utf8')
  }), 'text')
  await t.rejects(withFile(path, async ({ fd }) => {
    open.push(fd)
    throw new Error('it ends')
  }), { message: 'it ends' })
  t.equal(open[0], open[1], 'the number was free again')
  for (const name of ['.', 'nothing']) t.equal(await withFile(join(dir, name), async file => await file.readFile()), undefined, name)
})

await t.test('what was never finished goes when it is old, and nothing else', async t => {
  const dir = await temporaryFolder(t)
  for (const name of ['.old', '.new', 'old']) await writeFile(join(dir, name), '')
  await symlink('.itself', join(dir, '.itself'))
  for (const name of ['.old', 'old']) await utimes(join(dir, name), 1, 1)
  await tidyFolder(dir, 60_000)
  t.strictSame((await readdir(dir)).sort(), ['.itself', '.new', 'old'])
  await tidyFolder(join(dir, 'nothing'), 0)
})
