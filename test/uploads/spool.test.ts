import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import t from 'tap'
import { limited, openSpool } from '../../src/uploads/spool.ts'
import { testFolder } from '../helpers/folder.ts'

const of = (...texts: string[]): Readable => Readable.from(texts.map(text => Buffer.from(text)))

await t.test('a spool is empty at its start, private, and gives its room back', async t => {
  const dir = join(testFolder(t, { spool: { left: 'over' } }), 'spool')
  const spool = await openSpool(dir, () => 10)
  t.same(await readdir(dir), [])
  t.equal((await stat(dir)).mode & 0o777, 0o700)
  const file = await spool.write(of('hello', 'world'))
  t.match(file, { size: 10, digest: '936a185caaa266bb9cbe981e9e05cb78cd732b0b3280eb944412bb6f8f8f07af' })
  t.equal((await stat(file.path)).mode & 0o777, 0o600)
  t.equal(await readFile(file.path, 'utf8'), 'helloworld')
  t.match(await spool.write(of('x')).catch((error: unknown) => error), { refusal: { code: 'spool_full' } })
  t.equal((await readdir(dir)).length, 1)
  await file.remove()
  await file.remove()
  t.same(await readdir(dir), [])
  const again = await spool.write(of('0123456789'))
  await writeFile(join(dir, 'other'), '')
  await again.remove()
})

await t.test('what else takes room counts in the bound', async t => {
  const spool = await openSpool(join(testFolder(t), 'spool'), () => 10)
  t.equal(spool.left(), 10)
  let others = 4
  spool.besides(() => others)
  const file = await spool.write(of('123456'))
  t.equal(spool.left(), 0)
  t.match(await spool.write(of('x')).catch((error: unknown) => error), { refusal: { code: 'spool_full' } })
  others = 0
  t.equal(spool.left(), 4)
  await file.remove()
  t.equal(spool.standing().used, 0, 'and is not the spool\'s own')
})

await t.test('what breaks off leaves nothing, and a full disk is a full spool', async t => {
  const dir = testFolder(t)
  const spool = await openSpool(dir, () => 10)
  const breaking = (code: string): Readable => Readable.from((async function * () {
    yield Buffer.from('12345678')
    throw Object.assign(new Error(code), { code })
  })())
  t.match(await spool.write(breaking('ECONNRESET')).catch((error: unknown) => error), { code: 'ECONNRESET' })
  for (const code of ['ENOSPC', 'EDQUOT']) t.match(await spool.write(breaking(code)).catch((error: unknown) => error), { refusal: { code: 'spool_full' }, cause: { code } })
  t.same(await readdir(dir), [])
  t.equal((await spool.write(of('0123456789'))).size, 10, 'the room was given back')
})

await t.test('a body passes up to its limit, the limit included', async t => {
  const read = async (limit: number): Promise<string> => {
    let text = ''
    for await (const chunk of limited(of('abc', 'def'), limit)) text += Buffer.from(chunk).toString()
    return text
  }
  t.equal(await read(6), 'abcdef')
  t.match(await read(5).catch((error: unknown) => error), { refusal: { code: 'body_too_large' } })
})
