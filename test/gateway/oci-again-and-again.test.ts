// What the registry does again and again, in a gateway that lives long enough: looks for what
// waited too long, and for what is of charts that are gone.
import { mkdir, readdir, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { createAttachments } from '../../src/doors/oci/attachments.ts'
import { createKept } from '../../src/doors/oci/kept.ts'
import { startApp } from '../helpers/app.ts'
import { attach, attachmentOf } from '../helpers/attached.ts'
import { hexOf } from '../helpers/attaching.ts'
import { ociAsker, pushOci, pushOf } from '../helpers/oci.ts'
import { chartOf } from '../helpers/packages.ts'
import { overEachRepository } from '../helpers/repositories.ts'
import { startStubUpstream } from '../helpers/stub-upstream.ts'
import { until } from '../helpers/until.ts'

const LONG = 60_000
const HOUR = 60 * 60_000
const PLACE = { name: 'org1/repo1/mychart' }

/** What is done again each minute or more rarely; and a clock that a test lets go ahead. */
function timeOf (t: Test): { readonly intervals: (() => void)[], ahead: number } {
  const time = { intervals: [] as (() => void)[], ahead: 0 }
  const [interval, now] = [globalThis.setInterval, performance.now]
  t.teardown(() => {
    globalThis.setInterval = interval
    performance.now = now
  })
  globalThis.setInterval = ((run: () => void, ms: number) => {
    if (ms >= LONG) time.intervals.push(run)
    return interval(run, ms)
  }) as typeof setInterval
  performance.now = () => now.call(performance) + time.ahead
  return time
}

/** Something attached to a version, and something kept of it, both of long ago. */
async function keepSome (stateDir: string, version: string): Promise<void> {
  const dir = join(stateDir, 'oci')
  const [name, manifest, archive] = [hexOf('signature'), Buffer.from('signature'), hexOf('archive')]
  const head = { subject: hexOf('chart'), isReferrer: true, isNested: false, version, archive, manifest: { hex: name, size: manifest.length }, blobs: [] }
  await createAttachments(dir).put(PLACE, name, head, manifest, [])
  const kept = createKept(dir, error => { throw error })
  await kept.keep(PLACE, [[name, { kind: 'manifest', version, archive, bytes: manifest }]])
  await kept.keepVersion(PLACE, version, { archive, size: 1, tagged: name })
  for (const path of [`_content/${name}`, `_versions/${version}`]) await utimes(join(dir, PLACE.name, path), 1, 1)
}

/** Lets all that is there be of long ago. */
async function age (stateDir: string): Promise<void> {
  for (const entry of await readdir(join(stateDir, 'oci'), { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) await utimes(join(entry.parentPath, entry.name), 1, 1)
  }
}

async function namesIn (stateDir: string): Promise<string[]> {
  const found = await readdir(join(stateDir, 'oci', PLACE.name), { recursive: true, withFileTypes: true })
  return found.filter(entry => entry.isFile()).map(({ name }) => name).sort()
}

await t.test('files that nobody finished go, and what is of a version that has been missing for a day, also where nobody asks', async t => {
  const time = timeOf(t)
  const stub = await startStubUpstream(t)
  const { config: { stateDir } } = await startApp(t, { origin: stub.origin })
  await mkdir(join(stateDir, 'oci', PLACE.name, '_attachments'), { recursive: true })
  const begun = join(stateDir, 'oci', PLACE.name, '_attachments', '.begun')
  await writeFile(begun, 'x')
  await utimes(begun, 1, 1)
  await keepSome(stateDir, '1.0.0')
  const all = ['1.0.0', hexOf('signature'), hexOf('signature')].sort()
  const answers = [
    { status: 404, body: '{"error":"chart not found"}' },
    { status: 503, body: '{"error":"away"}' },
    { body: '[{"version":"2.0.0"}]' },
    { body: `[{"version":"1.0.0","digest":"${hexOf('another')}"}]` }
  ]
  for (const answer of answers) {
    stub.answer = () => answer
    time.ahead += 12 * HOUR
    t.strictSame(await namesIn(stateDir), [...stub.seen.length === 0 ? ['.begun'] : [], ...all].sort())
    const seen = stub.seen.length
    await until(() => {
      if (stub.seen.length > seen) return true
      // The look before may have come to its end only now, and counts from then.
      time.ahead += 2 * HOUR
      for (const run of time.intervals) run()
      return undefined
    })
  }
  await until(async () => (await namesIn(stateDir)).length === 0 ? true : undefined)
  t.match(stub.seen.map(({ method, target }) => `${method} ${target}`), Array(4).fill('GET /api/org1/repo1/charts/mychart'), 'one list of all, each time')
})

await t.test('one process of several looks for what is missing', async t => {
  const { intervals } = timeOf(t)
  const { origin } = await startStubUpstream(t)
  await startApp(t, { origin, sweeps: false })
  const others = intervals.length
  await startApp(t, { origin })
  t.equal(intervals.length, others + others + 1)
})

await t.test('what was deleted in the repository itself is gone with all that was kept of it, and its other versions are as they were', async t => {
  const time = timeOf(t)
  await overEachRepository(t, {}, async (t, { gateway, origin }) => {
    const { stateDir } = gateway.config
    const ask = ociAsker(gateway.url, () => `Bearer ${gateway.masterKey}`)
    const digests: string[] = []
    for (const version of ['1.0.0', '2.0.0+b', '3.0.0']) {
      const pushed = pushOf('mychart', version, { chart: await chartOf('mychart', version) })
      t.equal((await pushOci(ask, PLACE.name, version.replace('+', '_'), pushed)).status, 201)
      t.equal((await attach(ask, PLACE.name, attachmentOf({ subject: pushed, blobs: [Buffer.from('SBOM')] }))).status, 201)
      digests.push(pushed.digest)
    }
    t.equal((await fetch(`${origin}/api/org1/repo1/charts/mychart/1.0.0`, { method: 'DELETE' })).status, 200)
    await age(stateDir)
    // Of each version a manifest, a config, an archive and what is known of it, and what is attached.
    t.equal((await namesIn(stateDir)).length, 3 * 5)
    const before = time.ahead
    await until(async () => {
      for (const run of time.intervals) run()
      if ((await namesIn(stateDir)).length === 2 * 5) return true
      time.ahead += HOUR
      return undefined
    })
    t.ok(time.ahead - before >= 24 * HOUR)
    const [gone, ...others] = digests
    t.equal((await ask(`${PLACE.name}/manifests/${gone}`)).status, 404)
    for (const digest of others) t.equal((await ask(`${PLACE.name}/manifests/${digest}`)).status, 200)
    t.strictSame((await ask(`${PLACE.name}/manifests/2.0.0_b`)).headers['docker-content-digest'], digests[1])
  }, [2])
})
