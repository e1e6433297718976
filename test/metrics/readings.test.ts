// Numbers that rooms keep anyway, in the places that the table gives them.
import t from 'tap'
import type { Robot } from '../../src/identity/accounts.ts'
import { createMeter } from '../../src/metrics/meter.ts'
import { readFront, readLogins, readRedis, readWhole, type WholeRooms } from '../../src/metrics/readings.ts'
import { METRICS, labelsOf, type MetricName } from '../../src/metrics/table.ts'

const DAY = 86_400

function values (meter: ReturnType<typeof createMeter>, name: MetricName): Record<string, number> {
  return Object.fromEntries((meter.snapshot().rows[name] ?? []).map(([place, value = NaN]) => [Object.values(labelsOf(METRICS[name], place)).join(), value]))
}

await t.test('queues, connections, spool and memory of a process that has clients', async t => {
  const meter = createMeter()
  readFront(meter, {
    clients: () => ({ all: 20, ofOrigin: 21, open: 17, refused: { all: 18, address: 19 } }),
    passwords: () => ({ length: 1, waited: 2, waitedMs: 3000, refused: 4 }),
    connections: () => ({ length: 5, waited: 6, waitedMs: 7000, refused: 8, all: 128, used: 10, large: 3 }),
    breaker: () => 'open',
    followers: () => ['follows', 'behind'],
    spool: () => ({ used: 11, files: 2, max: 12, written: 13 }),
    waiting: () => ({ used: 22, files: 23, written: 24 }),
    indexMemory: () => ({ used: 14, max: 15 }),
    revocations: () => 21,
    running: () => 16
  })
  t.same(values(meter, 'chartgate_queue_length'), { passwords: 1, upstream: 5 })
  t.same(values(meter, 'chartgate_queue_waited_total'), { passwords: 2, upstream: 6 })
  t.same(values(meter, 'chartgate_queue_wait_seconds_total'), { passwords: 3, upstream: 7 })
  t.same(values(meter, 'chartgate_queue_refused_total'), { passwords: 4, upstream: 8 })
  t.same(values(meter, 'chartgate_upstream_connections'), { large: 3, small: 7 })
  t.same(values(meter, 'chartgate_upstream_breaker'), { closed: 0, doubted: 0, open: 1, half_open: 0 })
  t.same(values(meter, 'chartgate_upstream_followers'), { '2,unproven': 0, '2,follows': 1, '2,behind': 0, '3,unproven': 0, '3,follows': 0, '3,behind': 1 })
  t.same(values(meter, 'chartgate_connections_refused_total'), { all: 18, address: 19 })
  const single: [MetricName, number][] = [['chartgate_upstream_connections_max', 128], ['chartgate_spool_bytes', 11], ['chartgate_spool_files', 2], ['chartgate_spool_max_bytes', 12], ['chartgate_spooled_bytes_total', 37], ['chartgate_oci_waiting_bytes', 22], ['chartgate_oci_waiting_files', 23], ['chartgate_index_memory_bytes', 14], ['chartgate_index_memory_max_bytes', 15], ['http_server_active_requests', 16], ['chartgate_connections', 17], ['chartgate_connections_max', 20], ['chartgate_revocations', 21]]
  for (const [name, value] of single) t.same(values(meter, name), { '': value }, name)
})

await t.test('what limits of logins refused, and what they remember', async t => {
  const meter = createMeter()
  readLogins(meter, () => ({ refused: { account: 1, address: 2, secret: 3 }, remembered: 4 }))
  t.same(values(meter, 'chartgate_logins_limited_total'), { account: 1, address: 2, secret: 3 })
  t.same(values(meter, 'chartgate_login_records'), { '': 4 })
})

function whole (rooms: Partial<WholeRooms>): ReturnType<typeof createMeter> {
  const meter = createMeter()
  readWhole(meter, { signingSince: () => undefined, robots: () => [], certificates: () => [], upstreamUp: () => undefined, furtherUp: () => [], workers: () => undefined, now: () => 1000 * DAY, ...rooms })
  return meter
}

const robot = (days: readonly (number | undefined)[], disabled = false): Robot => ({ name: 'r', disabled, secrets: days.map(day => ({ digest: '', ...(day === undefined ? {} : { expires: (1000 + day) * DAY }) })) } as unknown as Robot)

await t.test('a robot ends with the last of its secrets; one that is disabled or has none does not count', async t => {
  const meter = whole({ robots: () => [robot([1, 40]), robot([-5, 3]), robot([-1]), robot([undefined, 2]), robot([2], true), robot([])] })
  t.same(values(meter, 'chartgate_robots'), { endless: 1, good: 1, soon: 1, ended: 1 })
  t.same(values(meter, 'chartgate_robot_secret_expiry_timestamp_seconds'), { '': 1003 * DAY })
  t.same(values(whole({ robots: () => [robot([undefined])] }), 'chartgate_robot_secret_expiry_timestamp_seconds'), {}, 'nothing will end')
})

await t.test('the age of the key, the upstream and workers have a series where they are known', async t => {
  const unknown = whole({})
  const known = whole({ signingSince: () => 999 * DAY, upstreamUp: () => false, furtherUp: () => [undefined, true, false], workers: () => ({ wanted: 4, listening: 3, unheard: 1 }) })
  t.same(['chartgate_signing_key_age_seconds', 'chartgate_upstream_up', 'chartgate_workers'].map(name => values(unknown, name as MetricName)), [{}, {}, {}])
  t.same(values(known, 'chartgate_signing_key_age_seconds'), { '': DAY })
  t.same(values(known, 'chartgate_upstream_up'), { '': 0 })
  t.same(values(known, 'chartgate_upstream_further_up'), { 3: 1, 4: 0 })
  t.same(values(known, 'chartgate_workers'), { wanted: 4, listening: 3, unheard: 1 })
  t.same(values(whole({ signingSince: () => 2000 * DAY }), 'chartgate_signing_key_age_seconds'), { '': 0 }, 'a clock that was set back makes no age below 0')
})

await t.test('the end of a certificate is one of the place that names it', t => {
  t.same(values(whole({ certificates: () => [7, undefined, 9, undefined] }), 'chartgate_certificate_expiry_timestamp_seconds'), { listen: 7, admin: 9 })
  t.end()
})

await t.test('whether Redis can be used is said once it is known', t => {
  const meter = createMeter()
  const state: { isUp?: boolean } = {}
  readRedis(meter, () => state.isUp)
  t.same(values(meter, 'chartgate_redis_up'), {})
  state.isUp = false
  t.same(values(meter, 'chartgate_redis_up'), { '': 0 })
  t.end()
})
