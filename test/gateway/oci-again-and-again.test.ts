// What the registry does again and again, in a gateway that lives long enough: looks for what
// waited too long, and for what is attached to charts that are gone.
import { mkdir, readdir, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { createAttachments } from '../../src/doors/oci/attachments.ts'
import { startApp } from '../helpers/app.ts'
import { hexOf } from '../helpers/attaching.ts'
import { startStubUpstream } from '../helpers/stub-upstream.ts'
import { until } from '../helpers/until.ts'

const LONG = 60_000

await t.test('files that nobody finished go, also where nobody asks', async t => {
  const intervals: (() => void)[] = []
  const original = globalThis.setInterval
  t.teardown(() => { globalThis.setInterval = original })
  globalThis.setInterval = ((run: () => void, ms: number) => {
    if (ms >= LONG) intervals.push(run)
    return original(run, ms)
  }) as typeof setInterval
  const stub = await startStubUpstream(t)
  stub.answer = () => ({ status: 404, body: '{"error":"not found"}' })
  const { config } = await startApp(t, { origin: stub.origin })
  const folder = join(config.stateDir, 'oci', 'org1', 'repo1', 'mychart', '_attachments')
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, '.begun'), 'x')
  await utimes(join(folder, '.begun'), 1, 1)
  const [name, manifest] = [hexOf('signature'), Buffer.from('signature')]
  await createAttachments(join(config.stateDir, 'oci')).put({ name: 'org1/repo1/mychart' }, name, {
    subject: hexOf('chart'), isReferrer: true, isNested: false, version: '1.0.0', archive: hexOf('archive'), manifest: { hex: name, size: manifest.length }, blobs: []
  }, manifest, [])
  t.ok(intervals.length >= 2)
  for (let i = 0; i < 2; i++) {
    const seen = stub.seen.length
    for (const run of intervals) run()
    await until(() => stub.seen.length > seen ? true : undefined)
  }
  t.strictSame(await readdir(folder), [name], 'what has just gone missing stays for a day')
})
