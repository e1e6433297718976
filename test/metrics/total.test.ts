// Several processes as one: each metric is added up as the table says.
import t from 'tap'
import type { Snapshot } from '../../src/metrics/meter.ts'
import { createTotal } from '../../src/metrics/total.ts'

const one: Snapshot = {
  rows: { chartgate_requests_total: [[0, 2], [7, 1]], chartgate_spool_bytes: [[0, 10]], chartgate_signing_key_age_seconds: [[0, 5]], chartgate_upstream_up: [[0, 1]], chartgate_event_loop_delay_seconds: [[0, 1, 0, 2, 0.5]] },
  tenants: [['a', 0, 1], ['_OTHER', 0, 4]]
}
const two: Snapshot = {
  rows: { chartgate_requests_total: [[0, 3]], chartgate_spool_bytes: [[0, 1]], chartgate_signing_key_age_seconds: [[0, 9]], chartgate_upstream_up: [[0, 0]], chartgate_event_loop_delay_seconds: [[0, 1, 1, 0, 0.25]] },
  tenants: [['a', 0, 1], ['b', 1, 2]]
}

await t.test('counters, histograms and sums are sums, and other gauges the greatest or the least', async t => {
  const total = createTotal(new Set())
  total.add(one)
  total.add(two)
  t.same(total.snapshot(), {
    rows: { chartgate_requests_total: [[0, 5], [7, 1]], chartgate_spool_bytes: [[0, 11]], chartgate_signing_key_age_seconds: [[0, 9]], chartgate_upstream_up: [[0, 0]], chartgate_event_loop_delay_seconds: [[0, 2, 1, 2, 0.75]] },
    tenants: [['a', 0, 2], ['_OTHER', 0, 4], ['b', 1, 2]]
  })
})

await t.test('seconds are the same sum in whatever order they come, and do not fall when one of them has ended', async t => {
  const snapshotOf = (seconds: number): Snapshot => ({ rows: { chartgate_event_loop_delay_seconds: [[0, 1, 0, 0, seconds]], chartgate_queue_wait_seconds_total: [[0, seconds]] }, tenants: [] })
  const sumOf = (...all: number[]): unknown => {
    const total = createTotal(new Set())
    for (const seconds of all) total.add(snapshotOf(seconds))
    return total.snapshot().rows
  }
  const orders = [[0.1, 0.2, 0.3], [0.1, 0.3, 0.2], [0.2, 0.3, 0.1], [0.3, 0.2, 0.1]]
  t.not(0.1 + 0.2 + 0.3, 0.3 + 0.2 + 0.1, 'as Node adds them they are not')
  for (const order of orders) t.strictSame(sumOf(...order), { chartgate_event_loop_delay_seconds: [[0, 3, 0, 0, 0.6]], chartgate_queue_wait_seconds_total: [[0, 0.6]] })
  const ended = createTotal(new Set())
  ended.addLasting(snapshotOf(0.123_456_7))
  ended.addLasting(snapshotOf(2.465_934_071_000_000_4))
  t.strictSame(ended.snapshot().rows, sumOf(2.465_934_071_000_000_4, 0.123_456_7))
  t.strictSame(sumOf(0.123_456_7), { chartgate_event_loop_delay_seconds: [[0, 1, 0, 0, 0.123_457]], chartgate_queue_wait_seconds_total: [[0, 0.123_457]] }, 'also where one alone has any')
})

await t.test('of what has ended stays what never falls', async t => {
  const total = createTotal(new Set())
  total.addLasting(one)
  t.same(total.snapshot(), { rows: { chartgate_requests_total: [[0, 2], [7, 1]], chartgate_event_loop_delay_seconds: [[0, 1, 0, 2, 0.5]] }, tenants: [['a', 0, 1], ['_OTHER', 0, 4]] })
})

await t.test('tenants of all processes together are bounded, and one that has a series keeps it', async t => {
  const admitted = new Set<string>()
  const before = createTotal(admitted, 1)
  before.add({ rows: {}, tenants: [['a', 0, 1], ['b', 0, 1]] })
  t.same(before.snapshot().tenants, [['a', 0, 1], ['_OTHER', 0, 1]])
  const after = createTotal(admitted, 1)
  after.add({ rows: {}, tenants: [['b', 0, 2], ['a', 0, 1]] })
  t.same(after.snapshot().tenants, [['_OTHER', 0, 2], ['a', 0, 1]], 'whoever comes first')
})
