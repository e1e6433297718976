// Where blobs wait: two workers on one folder, what breaks off, and what is removed meanwhile.
import { createHash } from 'node:crypto'
import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { createWaiting, type Bytes, type Waiting } from '../../../src/doors/oci/waiting.ts'
import { createWaitingLedger, type WaitingLedger } from '../../../src/doors/oci/waiting-ledger.ts'
import { temporaryFolder } from '../../helpers/processes.ts'

const PLACE = { name: 'org1/repo1/mychart', tenant: 'org1/repo1' }
const OTHER = { name: 'org1/repo1/other', tenant: 'org1/repo1' }

const hexOf = (text: string): string => createHash('sha256').update(text).digest('hex')

async function * of (...texts: string[]): Bytes {
  for (const text of texts) yield Buffer.from(text)
}

async function * breaking (text: string): Bytes {
  yield Buffer.from(text)
  throw Object.assign(new Error('gone'), { code: 'ECONNRESET' })
}

interface Worker { readonly waiting: Waiting, readonly ledger: WaitingLedger }

function workerOn (dir: string, { left = 1e6, most = 100, files = 10 } = {}): Worker {
  const ledger = createWaitingLedger(dir, { patience: 1e9, ofRepository: files, ofTenant: files, ofAll: files, bytesOfTenant: () => 1e6, bytesOfAll: () => 1e6 }, { clock: () => 0, wall: () => 0 })
  return { ledger, waiting: createWaiting(dir, ledger, { left: () => left }, () => most) }
}

async function filesOf (dir: string): Promise<string[]> {
  return (await readdir(dir, { recursive: true, withFileTypes: true })).filter(entry => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name).slice(dir.length + 1)).sort()
}

const codeOf = async (work: Promise<unknown>): Promise<unknown> => await work.then(() => 'done', (error: unknown) => (error as { refusal?: { code: string } }).refusal?.code ?? (error as { code?: string }).code)

async function twoWorkers (t: Test): Promise<{ dir: string, one: Waiting, two: Waiting }> {
  const dir = join(await temporaryFolder(t), 'oci')
  return { dir, one: workerOn(dir).waiting, two: workerOn(dir).waiting }
}

await t.test('an upload goes on in another worker, and waits under its digest for all of them', async t => {
  const { dir, one, two } = await twoWorkers(t)
  const id = await one.begin(PLACE)
  t.equal(await two.append(PLACE, id, { body: of('ab', 'c'), at: 0 }), 3)
  t.equal(await one.append(PLACE, id, { body: of('de'), at: 3, size: 2 }), 5)
  t.equal(await two.length(PLACE, id), 5)
  await two.finish(PLACE, id, { body: of('f'), at: 5 }, hexOf('abcdef'))
  t.strictSame(await filesOf(dir), [`${PLACE.name}/_blobs/${hexOf('abcdef')}`])
  t.match(await one.find(PLACE, 'blob', hexOf('abcdef')), { size: 6 })
  t.equal(await one.find(PLACE, 'manifest', hexOf('abcdef')), undefined)
  t.equal(await one.find(OTHER, 'blob', hexOf('abcdef')), undefined)
  t.equal(await codeOf(one.length(PLACE, id)), 'oci_upload_unknown')
  t.strictSame([one.written(), two.written()], [2, 4])
  await one.put(PLACE, 'manifest', hexOf('{}'), of('{}'))
  t.match(await two.find(PLACE, 'manifest', hexOf('{}')), { size: 2 })
  await two.remove(PLACE, 'manifest', hexOf('{}'))
  await two.remove(PLACE, 'manifest', hexOf('{}'))
  t.equal(await one.find(PLACE, 'manifest', hexOf('{}')), undefined)
})

await t.test('what comes once more takes the place of the same, and counts once', async t => {
  const { waiting, ledger } = workerOn(join(await temporaryFolder(t), 'oci'))
  for (let i = 0; i < 3; i++) await waiting.put(PLACE, 'blob', hexOf('abc'), of('abc'))
  t.strictSame(ledger.standing(), { files: 1, bytes: 3 })
  await waiting.remove(PLACE, 'blob', hexOf('abc'))
  t.strictSame(ledger.standing(), { files: 0, bytes: 0 })
})

await t.test('one request at a time writes to an upload, and at its end alone', async t => {
  const { one, two } = await twoWorkers(t)
  const id = await one.begin(PLACE)
  let release = (): void => {}
  const held = new Promise<void>(resolve => { release = resolve })
  async function * slow (): Bytes {
    yield Buffer.from('a')
    await held
  }
  const first = one.append(PLACE, id, { body: slow(), at: 0 })
  while (await codeOf(two.append(PLACE, id, { body: of('b'), at: 0 })) !== 'oci_upload_busy') await two.length(PLACE, id)
  t.equal(await codeOf(two.finish(PLACE, id, { body: of(), at: 0 }, hexOf(''))), 'oci_upload_busy')
  t.equal(await codeOf(two.cancel(PLACE, id)), 'oci_upload_busy')
  release()
  t.equal(await first, 1)
  for (const at of [0, 2]) t.equal(await codeOf(two.append(PLACE, id, { body: of('b'), at })), 'oci_upload_out_of_order')
  t.equal(await two.length(PLACE, id), 1)
  await two.cancel(PLACE, id)
  for (const work of [two.cancel(PLACE, id), two.append(PLACE, id, { body: of(), at: 0 })]) t.equal(await codeOf(work), 'oci_upload_unknown')
})

await t.test('a part that breaks off, or is not what was said, leaves an upload as it was', async t => {
  const dir = join(await temporaryFolder(t), 'oci')
  const { waiting, ledger } = workerOn(dir)
  const id = await waiting.begin(PLACE)
  await waiting.append(PLACE, id, { body: of('abc'), at: 0 })
  const cases: [name: string, body: Bytes, code: string, size?: number][] = [['breaks off', breaking('x'), 'ECONNRESET'], ['is shorter', of('x'), 'oci_size_invalid', 2], ['is longer', of('xyz'), 'oci_size_invalid', 2], ['is too large', of('x'.repeat(60), 'x'.repeat(38)), 'body_too_large']]
  for (const [name, body, code, size] of cases) {
    t.equal(await codeOf(waiting.append(PLACE, id, { body, at: 3, ...(size === undefined ? {} : { size }) })), code, name)
    t.equal(await waiting.length(PLACE, id), 3, name)
    t.strictSame(ledger.standing(), { files: 1, bytes: 3 }, name)
  }
  await waiting.finish(PLACE, id, { body: of(), at: 3 }, hexOf('abc'))
  t.equal((await readFile((await waiting.find(PLACE, 'blob', hexOf('abc')))?.path ?? '')).toString(), 'abc')
})

await t.test('what is not what its digest says, or breaks off at its end, is gone', async t => {
  const dir = join(await temporaryFolder(t), 'oci')
  const { waiting, ledger } = workerOn(dir)
  const id = await waiting.begin(PLACE)
  t.equal(await codeOf(waiting.finish(PLACE, id, { body: of('x'), at: 0 }, hexOf('y'))), 'oci_digest_mismatch')
  t.equal(await codeOf(waiting.length(PLACE, id)), 'oci_upload_unknown')
  t.equal(await codeOf(waiting.put(PLACE, 'blob', hexOf('y'), of('x'))), 'oci_digest_mismatch')
  t.equal(await codeOf(waiting.put(PLACE, 'blob', hexOf('x'), breaking('x'))), 'ECONNRESET')
  t.strictSame(await filesOf(dir), [])
  t.strictSame(ledger.standing(), { files: 0, bytes: 0 })
  await waiting.put(PLACE, 'blob', hexOf('x'), of('x'))
  await waiting.put(PLACE, 'blob', hexOf('x'), of('x'))
  t.strictSame(ledger.standing(), { files: 1, bytes: 1 }, 'what comes twice waits once')
})

await t.test('what is held stays until it is let go, whoever removes it', async t => {
  const { dir, one, two } = await twoWorkers(t)
  t.equal(await one.hold(PLACE, hexOf('x')), undefined)
  await one.put(PLACE, 'blob', hexOf('x'), of('x'))
  const held = await one.hold(PLACE, hexOf('x'))
  t.match(held, { size: 1, digest: hexOf('x') })
  await two.remove(PLACE, 'blob', hexOf('x'))
  t.equal((await readFile(held?.path ?? '')).toString(), 'x')
  await held?.remove()
  await held?.remove()
  t.strictSame(await filesOf(dir), [])
})

await t.test('bounds of files and room are told, and nothing stays of what they refuse', async t => {
  const dir = join(await temporaryFolder(t), 'oci')
  const { waiting } = workerOn(dir, { left: 2, files: 1 })
  t.equal(await codeOf(waiting.put(PLACE, 'blob', hexOf('xyz'), of('xyz'))), 'spool_full')
  t.strictSame(await filesOf(dir), [])
  const id = await waiting.begin(PLACE)
  t.equal(await codeOf(waiting.begin(PLACE)), 'oci_too_many_uploads')
  t.equal(await codeOf(waiting.put(PLACE, 'blob', hexOf('x'), of('x'))), 'oci_too_many_uploads')
  await waiting.cancel(PLACE, id)
  t.ok(await waiting.begin(PLACE))
  await writeFile(join(dir, PLACE.name, '_blobs'), 'a file in its place')
  t.equal(await codeOf(waiting.hold(PLACE, hexOf('x'))), 'ENOTDIR')
})

await t.test('a disk that does not take it is told of, and not counted', async t => {
  const dir = join(await temporaryFolder(t), 'oci')
  await writeFile(dir, 'a file in its place')
  const { waiting, ledger } = workerOn(dir)
  t.equal(await codeOf(waiting.begin(PLACE)), 'ENOTDIR')
  t.equal(await codeOf(waiting.append(PLACE, 'id', { body: of('x'), at: 0 })), 'ENOTDIR')
  t.strictSame(ledger.standing(), { files: 0, bytes: 0 })
  await rm(dir)
  t.ok(await waiting.begin(PLACE))
})
