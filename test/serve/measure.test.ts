// What the process that answers for all counts of itself, and of what it alone knows.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { X509Certificate } from 'node:crypto'
import t from 'tap'
import { tlsOfData } from '../../src/live/live-tls.ts'
import { Authority } from '../helpers/certificates.ts'
import { temporaryFolder } from '../helpers/processes.ts'
import { NO_ACCOUNTS } from '../../src/identity/accounts.ts'
import type { LiveKeys } from '../../src/live/live-keys.ts'
import type { ReloadFacts } from '../../src/live/part.ts'
import type { LiveAuthority } from '../../src/live/reload.ts'
import { openMeasuring, openMeter, type MeasuringOptions } from '../../src/serve/measure.ts'
import { manualBeats, manualTimers } from '../helpers/channels.ts'

const SOUND: ReloadFacts = { isInForce: true, isSound: true, mistakes: [], changed: [], later: [], file: undefined }
const live = { current: { accounts: NO_ACCOUNTS } } as unknown as LiveAuthority
/** One key, which signs. */
function keysOf (file: string, since?: number): LiveKeys {
  const key = { file }
  return { current: { ring: { signing: () => key, states: () => [{ key, state: 'active', ...(since === undefined ? {} : { since }) }] } } } as unknown as LiveKeys
}

function measuring (parts: Partial<MeasuringOptions> = {}): ReturnType<typeof openMeasuring> {
  return openMeasuring({ logStream: {}, auditLost: () => 0, live, keys: keysOf('/nowhere/key.pem'), tls: { parts: [] }, workers: () => undefined, every: manualBeats().every, later: manualTimers().later, now: () => Date.now() / 1000, upstreamUp: () => undefined, furtherUp: () => [], ...parts })
}

await t.test('the age of the key is what its name says, and else that of its file', async t => {
  const file = join(t.testdir(), 'key.pem')
  await writeFile(file, 'x')
  const age = (keys: LiveKeys): number | undefined => measuring({ keys }).meter.snapshot().rows.chartgate_signing_key_age_seconds?.[0]?.[1]
  const dated = age(keysOf('/nowhere/key.pem', Date.now() / 1000 - 1000)) as number
  t.ok(dated >= 1000 && dated < 1100)
  const made = age(keysOf(file, 0)) as number
  t.ok(made >= 0 && made < 100)
  t.equal(age(keysOf('/nowhere/key.pem')), undefined, 'a file that is gone says nothing')
})

await t.test('reloads, replaced workers, lost lines and answers of the upstream are counted', async t => {
  const each = measuring({ logStream: { lost: () => 7 }, auditLost: () => 3, workers: () => ({ wanted: 2, listening: 1 }) })
  each.countReload(SOUND)
  each.countReload({ ...SOUND, isSound: false })
  each.onReplaced()
  each.onAnswer('GET', 200, 5)
  const text = await each.scrape('text')
  for (const line of [
    'chartgate_reloads_total{outcome="applied"} 1', 'chartgate_reloads_total{outcome="refused"} 1', 'chartgate_last_reload_successful 0',
    'chartgate_workers_restarted_total 1', 'chartgate_lines_lost_total{stream="log"} 7', 'chartgate_lines_lost_total{stream="audit"} 3', 'chartgate_workers{state="wanted"} 2', 'chartgate_workers{state="unheard"} 0',
    'http_client_request_duration_seconds_count{http_request_method="GET",http_response_status_code="200",error_type="none"} 1'
  ]) t.match(text, `${line}\n`)
  each.countReload(SOUND)
  t.match(await each.scrape('text'), 'chartgate_last_reload_successful 1\n')
  each.close()
})

await t.test('a process looks at its event loop until it closes', async t => {
  const beats = manualBeats()
  const { close, meter } = openMeter({}, beats.every)
  beats.beat()
  t.equal(meter.snapshot().rows.chartgate_event_loop_delay_seconds?.length, 1)
  close()
  t.equal(beats.count(), 0)
})

await t.test('of each place with certificates the first end is known', async t => {
  const authority = Authority.make(join(await temporaryFolder(t), 'ca'))
  const tls = tlsOfData([{ key: 'listen.tls.clientCa', files: {}, texts: { ca: authority.certText } }])
  const rows = measuring({ tls }).meter.snapshot().rows.chartgate_certificate_expiry_timestamp_seconds
  t.strictSame(rows?.map(([place]) => place), [1])
  t.equal(rows?.[0]?.[1], Date.parse(new X509Certificate(authority.certText).validTo) / 1000)
})
