// Which forms are taken apart, in whatever pieces they come, and what is left of the rest.
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import fc from 'fast-check'
import t from 'tap'
import { RefusalError } from '../../src/http/errors.ts'
import { readParts as readPartsCalled, type FormFields, type UploadParts } from '../../src/uploads/multipart.ts'
import { openSpool, type Spool } from '../../src/uploads/spool.ts'
import { formOf } from '../helpers/packages.ts'
import { testFolder } from '../helpers/folder.ts'

const part = (field: string, body: string): { field: string, filename: string, body: string } => ({ field, filename: '/tmp/x/a.tgz', body })
const FIELDS: FormFields = { chart: 'chart', prov: 'prov' }
const readParts = async (contentType: string, body: Readable, spool: Spool, fields = FIELDS): Promise<UploadParts> => await readPartsCalled(contentType, body, spool, fields)
const inPieces = (body: Buffer, size: number): Readable => Readable.from(Array.from({ length: Math.ceil(body.length / size) }, (_, i) => body.subarray(i * size, (i + 1) * size)))

await t.test('a form is the same in pieces of any size', async t => {
  const dir = join(testFolder(t), 'spool')
  const spool = await openSpool(dir, () => 1_000_000)
  const { contentType, body } = formOf([part('prov', 'proven\r\n--test'), part('chart', 'c\r\n'.repeat(300))])
  await fc.assert(fc.asyncProperty(fc.integer({ min: 1, max: body.length }), async size => {
    const { chart, prov } = await readParts(contentType, inPieces(body, size), spool)
    const texts = [await readFile(chart?.path ?? '', 'utf8'), await readFile(prov?.path ?? '', 'utf8')]
    await chart?.remove()
    await prov?.remove()
    return texts[0] === 'c\r\n'.repeat(300) && texts[1] === 'proven\r\n--test'
  }), { numRuns: 30 })
  t.same(await readdir(dir), [])
})

await t.test('a form that ends anywhere but at its end is refused, and leaves nothing', async t => {
  const dir = join(testFolder(t), 'spool')
  const spool = await openSpool(dir, () => 1_000_000)
  const { contentType, body } = formOf([part('chart', 'c'.repeat(2000)), part('prov', 'p')])
  // The last line end belongs to no part.
  await fc.assert(fc.asyncProperty(fc.nat(body.length - 5), fc.integer({ min: 1, max: 500 }), async (end, size) => {
    const error = await readParts(contentType, inPieces(body.subarray(0, end), size), spool).catch((error: unknown) => error)
    return error instanceof RefusalError && error.refusal.code === 'invalid_upload'
  }), { numRuns: 60 })
  t.same(await readdir(dir), [])
})

await t.test('a body that breaks off, or finds no room, leaves nothing', async t => {
  const dir = join(testFolder(t), 'spool')
  const { contentType, body } = formOf([part('prov', 'p'), part('chart', 'c'.repeat(100_000))])
  const breaking = Readable.from((async function * () {
    yield body.subarray(0, 60_000)
    throw new RefusalError({ code: 'body_too_large' })
  })())
  t.match(await readParts(contentType, breaking, await openSpool(dir, () => 1_000_000)).catch((error: unknown) => error), { refusal: { code: 'body_too_large' } })
  t.same(await readdir(dir), [])
  const reset = Readable.from((async function * () {
    yield body.subarray(0, 60_000)
    throw Object.assign(new Error('aborted'), { code: 'ECONNRESET' })
  })())
  t.match(await readParts(contentType, reset, await openSpool(dir, () => 1_000_000)).catch((error: unknown) => error), { code: 'ECONNRESET' }, 'who broke off, the caller wants to know')
  t.same(await readdir(dir), [])
  t.match(await readParts(contentType, inPieces(body, 1000), await openSpool(dir, () => 50_000)).catch((error: unknown) => error), { refusal: { code: 'spool_full' } })
  t.same(await readdir(dir), [])
})

await t.test('a form whose inputs have other names has those alone', async t => {
  const spool = await openSpool(join(testFolder(t), 'spool'), () => 1_000_000)
  const fields = { chart: 'package', prov: 'signature' }
  const read = async (...names: string[]): Promise<unknown> => {
    const { contentType, body } = formOf(names.map(name => part(name, name)))
    const { chart, prov } = await readParts(contentType, inPieces(body, 100), spool, fields)
    return [await readFile(chart?.path ?? '', 'utf8'), await readFile(prov?.path ?? '', 'utf8')]
  }
  t.same(await read('package', 'signature'), ['package', 'signature'])
  for (const name of ['chart', 'prov', 'Package']) {
    await t.rejects(read('package', name), { message: `the upload has a part named "${name}": send the chart as package and its provenance as signature, each as a file (\`curl -F package=@FILE.tgz -F signature=@FILE.tgz.prov\`)` })
  }
  await t.rejects(read('package', 'package'), { message: 'the upload has two parts named package' })
})
