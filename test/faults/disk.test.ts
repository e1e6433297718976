// A disk that is full, below the spool or below the repository: what a client is told, that
// reads go on, and that nothing is left of what did not fit. That of the audit log:
// test/serve/audit.test.ts; one that is read-only: test/read-only-disk.test.ts.
import { readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { notTried } from '../helpers/not-tried.ts'
import { chartOf } from '../helpers/packages.ts'
import { mountDisk, NO_DISK, type Disk } from '../helpers/read-only.ts'
import { ask, INDEX, linesOf, startSeveral, type Several } from '../helpers/several.ts'
import { until } from '../helpers/until.ts'
import { nothingIsHeld, startRepository } from './lab.ts'

const CHARTS = '/api/org1/repo1/charts'

/** Fills it to the last page; the function makes room again. */
async function fill ({ dir }: Disk): Promise<() => Promise<void>> {
  const filler = join(dir, 'filler')
  await writeFile(filler, Buffer.alloc(80 * 1024 * 1024)).catch(() => {}) // as much as fits
  return async () => { await rm(filler) }
}

interface Full {
  readonly gateway: Several
  readonly disk: Disk
  /** What lies there. */
  readonly files: string
  readonly refusal: { readonly status: number, readonly body: string, readonly reason: string }
}

async function isFull (t: Test, { gateway, disk, files, refusal: { reason, ...refusal } }: Full): Promise<void> {
  const push = async (version: string): ReturnType<typeof ask> => await ask(gateway, CHARTS, { method: 'POST', body: await chartOf('mine', version) })
  t.equal((await push('1.0.0')).status, 201)
  const index = (await ask(gateway, INDEX)).body
  const lying = async (): Promise<string[]> => (await readdir(files, { recursive: true })).filter(file => /mine|spool|draft|tmp/.test(file)).sort()
  const before = await lying()
  const makeRoom = await fill(disk)
  for (let i = 0; i < 4; i++) t.same(await push(`2.0.${i}`), refusal)
  t.match(await until(() => linesOf(gateway.stdout()).find(line => line['reason'] === reason)), { level: 'warn', status: refusal.status })
  t.equal((await ask(gateway, INDEX)).body, index, 'reads go on')
  t.equal((await ask(gateway, '/org1/repo1/charts/mine-1.0.0.tgz')).status, 200)
  t.same(await nothingIsHeld(gateway), [])
  t.same(await lying(), before, 'nothing is left of what did not fit')
  await makeRoom()
  t.equal((await push('2.0.0')).status, 201, 'and what was refused is taken as soon as there is room')
  t.match((await ask(gateway, INDEX)).body, /mine-1\.0\.0\.tgz[^]*mine-2\.0\.0\.tgz|mine-2\.0\.0\.tgz[^]*mine-1\.0\.0\.tgz/)
}

async function below (t: Test): Promise<void> {
  await t.test('below the spool an upload is 503', async t => {
    const disk = await mountDisk(t)
    const stateDir = join(disk.dir, 'state')
    const gateway = await startSeveral(t, {}, { stateDir })
    await isFull(t, { gateway, disk, files: stateDir, refusal: { status: 503, body: '{"error":"too many uploads at once: try again shortly"}', reason: 'spool_full' } })
  })
  await t.test('below the embedded repository it is 507', async t => {
    const disk = await mountDisk(t)
    const files = join(disk.dir, 'charts')
    const { origin } = await startRepository(t, files)
    const gateway = await startSeveral(t, { upstream: { url: origin, auth: 'none' } })
    await isFull(t, { gateway, disk, files, refusal: { status: 507, body: '{"error":"no space left for charts"}', reason: 'storage_full' } })
  })
}

if (NO_DISK === undefined) await t.test('a disk that is full', { timeout: 90_000 }, below)
else await notTried(t, 'a full disk', NO_DISK)
