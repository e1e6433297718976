// What is attached lies in one file: whole or not there, and what is no such file is none.
import { createHash } from 'node:crypto'
import { readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import t, { type Test } from 'tap'
import { readHead, readItsBlob, readItsManifest, writeAttachment, type AttachmentHead } from '../../../src/doors/oci/attachment-file.ts'
import { temporaryFolder } from '../../helpers/processes.ts'

const hexOf = (text: string): string => createHash('sha256').update(text).digest('hex')
const MANIFEST = '{"a":\n1}'
const BLOBS = ['one', '', 'x'.repeat(200_000)]

const HEAD: AttachmentHead = {
  subject: 'a'.repeat(64),
  isReferrer: true,
  isNested: false,
  version: '1.0.0+b',
  archive: 'b'.repeat(64),
  manifest: { hex: hexOf(MANIFEST), size: MANIFEST.length },
  blobs: BLOBS.map(text => ({ hex: hexOf(text), size: text.length }))
}

async function written (t: Test): Promise<{ dir: string, path: string, blobs: { path: string }[] }> {
  const [dir, from] = [await temporaryFolder(t), await temporaryFolder(t)]
  const blobs = await Promise.all(BLOBS.map(async (text, at) => {
    await writeFile(join(from, String(at)), text)
    return { path: join(from, String(at)) }
  }))
  const path = join(dir, 'made', 'file')
  await writeAttachment(path, HEAD, Buffer.from(MANIFEST), blobs)
  return { dir, path, blobs }
}

const read = async (path: string, hex: string): Promise<string> => Buffer.concat(await Readable.from(readItsBlob(path, hex)).toArray() as Buffer[]).toString()

await t.test('what was written is read, each part of it', async t => {
  const { path } = await written(t)
  t.strictSame(await readHead(path), HEAD)
  t.strictSame(await readItsManifest(path), { hex: hexOf(MANIFEST), bytes: Buffer.from(MANIFEST) })
  for (const text of BLOBS) t.equal(await read(path, hexOf(text)), text)
  t.equal(await read(path, 'c'.repeat(64)), '', 'a blob that it has not')
})

await t.test('who stops reading leaves nothing open, and who reads has what was there', async t => {
  const { path, blobs } = await written(t)
  const leaving = readItsBlob(path, hexOf(BLOBS[2] as string))
  t.ok(((await leaving.next()).value as Buffer).length < 200_000)
  await leaving.return(undefined)
  const reading = readItsBlob(path, hexOf(BLOBS[2] as string))
  const first = await reading.next()
  await writeAttachment(path, { ...HEAD, blobs: [] }, Buffer.from(MANIFEST), [])
  let length = (first.value as Buffer).length
  for await (const chunk of reading) length += chunk.length
  t.equal(length, 200_000)
  t.equal(await read(path, hexOf('one')), '', 'and is not any more')
  await rm(path)
  t.strictSame([await readHead(path), await readItsManifest(path), await read(path, hexOf('one'))], [undefined, undefined, ''])
  t.equal(blobs.length, 3)
})

await t.test('what cannot be written leaves nothing', async t => {
  const { dir, path } = await written(t)
  await t.rejects(writeAttachment(join(dir, 'made', 'other'), HEAD, Buffer.from(MANIFEST), [{ path: join(dir, 'nothing') }]), { code: 'ENOENT' })
  t.strictSame(await readdir(join(dir, 'made')), ['file'])
  t.strictSame(await readHead(path), HEAD, 'what was there stays')
})

await t.test('a file of another kind is none', async t => {
  const dir = await temporaryFolder(t)
  const cases = ['', 'no line end', '\n', '[]\n', '{}\n', '{"manifest":{}}\n', '{"manifest":1,"blobs":[]}\n', 'x'.repeat(70_000) + '\n']
  for (const [at, text] of cases.entries()) {
    const path = join(dir, String(at))
    await writeFile(path, text)
    t.equal(await readHead(path), undefined, JSON.stringify(text.slice(0, 30)))
    t.equal(await readItsManifest(path), undefined)
    t.equal(await read(path, hexOf('one')), '')
  }
  const size = (bytes: unknown): AttachmentHead['manifest'] => ({ hex: hexOf(MANIFEST), size: bytes as number })
  const changed: Partial<Record<keyof AttachmentHead, unknown>>[] = [
    { subject: 'a' }, { archive: 5 }, { isReferrer: 1 }, { isNested: undefined }, { version: '../1.0.0' }, { version: 7 }, { version: `1.0.0-${'x'.repeat(128)}` },
    ...[-1, 0.5, '8', undefined, 5_000_000].map(bytes => ({ manifest: size(bytes) })), ...[null, { size: 1 }, size(-1)].map(blob => ({ blobs: [blob] })), { blobs: { length: 1 } }
  ]
  for (const each of changed) {
    await writeFile(join(dir, 'head'), `${JSON.stringify({ ...HEAD, ...each })}\n${MANIFEST}`)
    t.equal(await readHead(join(dir, 'head')), undefined, JSON.stringify(each).slice(0, 100))
    t.equal(await readItsManifest(join(dir, 'head')), undefined)
  }
  await writeFile(join(dir, 'changed'), `${JSON.stringify(HEAD)}\n${MANIFEST.replace('1', '2')}`)
  t.equal(await readItsManifest(join(dir, 'changed')), undefined, 'other bytes than its digest says')
})
