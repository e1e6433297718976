// What the registry does again and again, in a gateway that lives long enough: looks for what
// waited too long, and for what is attached to charts that are gone.
import { mkdir, readdir, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { startApp } from '../helpers/app.ts'
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
  const { config } = await startApp(t, { origin: (await startStubUpstream(t)).origin })
  const folder = join(config.stateDir, 'oci', 'org1', 'repo1', 'mychart', '_attachments')
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, '.begun'), 'x')
  await utimes(join(folder, '.begun'), 1, 1)
  for (const run of intervals) run()
  await until(async () => (await readdir(folder)).length === 0 ? true : undefined)
  t.ok(intervals.length >= 2)
})
