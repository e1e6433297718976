// What is attached by one worker is had from every other one at once, counts for all of them, and
// is there after a restart.
import type { Agent } from 'node:http'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { attach, attachmentOf, cosignTag, referrersOf } from '../../helpers/attached.ts'
import { digestOfBytes, pushOci, pushOf } from '../../helpers/oci.ts'
import { chartOf } from '../../helpers/packages.ts'
import { connectionTo, ociOver, startSeveral } from '../../helpers/several.ts'

const CHART = 'org1/repo1/mychart'
const CONFIG = { oci: { attachments: { perChart: 6 } } }

await t.test('attachments are those of the gateway, whichever worker is asked, before and after a restart', async t => {
  const gateway = await startSeveral(t, CONFIG)
  const one = await connectionTo(gateway, t)
  const two = await connectionTo(gateway, t, pid => pid !== one.pid)
  let turn = 0
  const ask = ociOver(gateway, () => [one, two][turn++ % 2]?.agent as Agent)
  const of = (agent: Agent): typeof ask => ociOver(gateway, () => agent)
  const chart = pushOf('mychart', '1.0.0', { chart: await chartOf('mychart', '1.0.0') })
  t.equal((await pushOci(ask, CHART, '1.0.0', chart)).status, 201)

  const sbom = attachmentOf({ subject: chart, blobs: [Buffer.from('an SBOM')] })
  t.equal((await attach(ask, CHART, sbom)).status, 201, 'its requests alternate between them')
  const tag = cosignTag(chart.digest, 'sig')
  for (const text of ['one', 'two']) {
    const signature = attachmentOf({ blobs: [Buffer.from(text)] })
    t.equal((await attach(ask, CHART, signature, tag)).status, 201)
    for (const { agent } of [one, two, one, two]) {
      t.equal((await of(agent)(`${CHART}/manifests/${tag}`)).headers['docker-content-digest'], signature.digest)
      t.match(await referrersOf(of(agent), CHART, chart.digest), [{ digest: sbom.digest }])
      t.equal((await of(agent)(`${CHART}/blobs/${digestOfBytes(Buffer.from(text))}`)).bytes.toString(), text)
    }
  }
  const flood = await Promise.all(Array.from({ length: 16 }, async (_, at) => await attach(of([one, two][at % 2]?.agent as Agent), CHART, attachmentOf({ subject: chart, annotations: { at: String(at) } }))))
  t.strictSame(flood.map(({ status }) => status).sort(), [...Array.from({ length: 4 }, () => 201), ...Array.from({ length: 12 }, () => 409)], 'both together take as many as are allowed')
  t.equal((await referrersOf(ask, CHART, chart.digest)).length, 5)
  const pids = new Set(gateway.log().filter(({ attachedTo }) => attachedTo !== undefined).map(({ pid }) => pid))
  t.equal(pids.size, 2, 'both have taken some')
  const list = await referrersOf(ask, CHART, chart.digest)

  process.kill(gateway.pid, 'SIGTERM')
  await gateway.ended
  const again = await startSeveral(t, CONFIG, { stateDir: gateway.stateDir })
  const { agent } = await connectionTo(again, t)
  const after = ociOver(again, () => agent)
  t.strictSame(await referrersOf(after, CHART, chart.digest), list, 'after a restart')
  t.equal((await after(`${CHART}/manifests/${tag}`)).status, 200)
  t.equal((await after(`${CHART}/blobs/${digestOfBytes(Buffer.from('an SBOM'))}`)).bytes.toString(), 'an SBOM')
  t.equal((await after(`${CHART}/manifests/1.0.0`, { method: 'DELETE' })).status, 202)
  const other = await connectionTo(again, t, pid => pid !== undefined)
  for (const each of [agent, other.agent]) t.strictSame(await referrersOf(ociOver(again, () => each), CHART, chart.digest), [])
  t.strictSame(await readdir(join(gateway.stateDir, 'oci', CHART, '_attachments')), [])
})
