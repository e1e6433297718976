// What waits is counted, bounded for each repository, tenant and all, and goes in time.
import { mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { createWaitingLedger, type WaitingBounds, type WaitingLedger } from '../../../src/doors/oci/waiting-ledger.ts'
import { refusalIn } from '../../helpers/refusal.ts'
import { temporaryFolder } from '../../helpers/processes.ts'

const A = { name: 'org1/repo1/a', tenant: 'org1/repo1' }
const B = { name: 'org1/repo1/b', tenant: 'org1/repo1' }
const C = { name: 'org2/repo2/c', tenant: 'org2/repo2' }

interface Time { now: number, wall: number }

function ledgerOf (dir: string, time: Time, bounds: Partial<WaitingBounds> = {}): WaitingLedger {
  const all = { patience: 1000, ofRepository: 3, ofTenant: 5, ofAll: 8, bytesOfTenant: () => 100, bytesOfAll: () => 150, ...bounds }
  return createWaitingLedger(dir, all, { clock: () => time.now, wall: () => time.wall })
}

async function lay (dir: string, { name }: { name: string }, folder: string, file: string, bytes: number): Promise<void> {
  await mkdir(join(dir, name, folder), { recursive: true })
  await writeFile(join(dir, name, folder, file), Buffer.alloc(bytes))
}

await t.test('a repository, a tenant and all have so many files, and give back what is removed', async t => {
  const ledger = ledgerOf(await temporaryFolder(t), { now: 0, wall: 0 })
  const code = async (place: typeof A): Promise<unknown> => await ledger.admit(place).then(() => 'in', (error: unknown) => (error as { refusal: { code: string } }).refusal.code)
  for (const place of [A, A, A]) t.equal(await code(place), 'in')
  t.equal(await code(A), 'oci_too_many_uploads')
  for (const place of [B, B]) t.equal(await code(place), 'in')
  t.equal(await code(B), 'oci_too_many_uploads', 'of the tenant')
  for (const place of [C, C, C]) t.equal(await code(place), 'in', 'of another one')
  t.equal(await code({ name: 'org3/x', tenant: 'org3' }), 'oci_too_many_uploads', 'of all')
  t.strictSame(ledger.standing(), { files: 8, bytes: 0 })
  ledger.give(A, { files: 1, bytes: 0 })
  t.equal(await code(A), 'in')
})

await t.test('so do bytes', async t => {
  const ledger = ledgerOf(await temporaryFolder(t), { now: 0, wall: 0 })
  ledger.take(A, 60)
  t.match(refusalIn(() => { ledger.take(B, 41) }), { code: 'oci_too_many_uploads', detail: /this tenant/ })
  ledger.take(C, 90)
  t.match(refusalIn(() => { ledger.take(A, 1) }), { code: 'spool_full' })
  ledger.give(C, { files: 0, bytes: 50 })
  ledger.take(A, 40)
  t.strictSame(ledger.standing(), { files: 0, bytes: 140 })
  ledger.give(A, { files: 9, bytes: 900 })
  t.strictSame(ledger.standing(), { files: 0, bytes: 0 }, 'no debt is remembered')
})

await t.test('what others have laid there is seen at the next look, which is not at once', async t => {
  const dir = await temporaryFolder(t)
  const time = { now: 0, wall: Date.now() }
  const ledger = ledgerOf(dir, time, { patience: 1e9 })
  await ledger.admit(C)
  await writeFile(join(dir, '_key'), 'is nobody\'s')
  for (const [place, folder] of [[A, '_uploads'], [A, '_blobs'], [B, '_manifests']] as const) await lay(dir, place, folder, 'x', 10)
  await lay(dir, { name: 'root' }, '_blobs', 'x', 5)
  await symlink(join(dir, 'nowhere'), join(dir, 'root', '_blobs', 'gone'))
  time.now = 1999
  await ledger.admit(C)
  t.strictSame(ledger.standing(), { files: 2, bytes: 0 })
  time.now = 2000
  await Promise.all([ledger.admit(A), ledger.admit(B)])
  t.strictSame(ledger.standing(), { files: 6, bytes: 35 })
  t.match(refusalIn(() => { ledger.take(A, 81) }), { code: 'oci_too_many_uploads' })
  t.strictSame(ledgerOf(join(dir, 'nothing'), time).standing(), { files: 0, bytes: 0 })
})

await t.test('what comes during a look is not lost by it', async t => {
  const dir = await temporaryFolder(t)
  await lay(dir, A, '_blobs', 'x', 10)
  const ledger = ledgerOf(dir, { now: 0, wall: Date.now() }, { patience: 1e9 })
  const look = ledger.look()
  ledger.take(A, 5)
  await look
  t.strictSame(ledger.standing(), { files: 1, bytes: 15 })
})

await t.test('a look that takes long is followed by a longer pause', async t => {
  const dir = await temporaryFolder(t)
  let [now, step] = [0, 500]
  const ledger = createWaitingLedger(dir, { patience: 1e9, ofRepository: 3, ofTenant: 5, ofAll: 8, bytesOfTenant: () => 1, bytesOfAll: () => 1 }, { clock: () => (now += step), wall: () => Date.now() })
  await ledger.look() // which took a step
  step = 0
  await lay(dir, A, '_blobs', 'x', 10)
  now += 20 * 500 - 1
  await ledger.admit(C)
  t.strictSame(ledger.standing(), { files: 1, bytes: 0 })
  now += 1
  await ledger.admit(C)
  t.strictSame(ledger.standing(), { files: 2, bytes: 10 })
})

await t.test('what has waited for too long goes, with folders that are empty, and what was touched stays', async t => {
  const dir = await temporaryFolder(t)
  const time = { now: 0, wall: Date.now() }
  const ledger = ledgerOf(dir, time, { patience: 60_000 })
  await lay(dir, A, '_uploads', 'old', 1)
  await lay(dir, B, '_blobs', 'old', 1)
  await ledger.look()
  t.strictSame(ledger.standing(), { files: 2, bytes: 2 })
  time.wall = Date.now() + 61_000
  await ledger.look()
  t.strictSame(ledger.standing(), { files: 0, bytes: 0 })
  for (let i = 0; i < 4; i++) await ledger.look()
  t.strictSame(await readdir(dir), [])
  await rm(dir, { recursive: true })
  await ledger.look()
  t.strictSame(ledger.standing(), { files: 0, bytes: 0 })
})
