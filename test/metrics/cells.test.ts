// Numbers in arrays, each in its place.
import t from 'tap'
import { createCounts, createTimes, placesOf } from '../../src/metrics/cells.ts'
import { METRICS } from '../../src/metrics/table.ts'

await t.test('a place is found by one label or by two, and what is none has none', async t => {
  const places = placesOf({ labels: ['a', 'b'], values: [['x', '1'], ['x', '2'], ['y', '1']] })
  t.same([places.at('x', '2'), places.at('y', '1'), places.at('y', '2'), places.at('z')], [1, 2, -1, -1])
  t.equal(placesOf({ labels: ['a'], values: [['x'], ['y']] }).at('y'), 1)
})

await t.test('counts leave as rows, without what is 0', async t => {
  const counts = createCounts('chartgate_index_answers_total')
  t.same(counts.rows(), [])
  counts.add(1)
  counts.add(1)
  counts.add(3, 5)
  t.same(counts.rows(), [[1, 2], [3, 5]])
})

await t.test('a time counts in the first bucket that it does not exceed, and beyond all of them', async t => {
  const times = createTimes('chartgate_event_loop_delay_seconds')
  const { buckets = [] } = METRICS.chartgate_event_loop_delay_seconds
  times.observe(0, 0)
  times.observe(0, buckets[1] as number)
  times.observe(0, 100)
  const [row = []] = times.rows()
  const [place, ...values] = row
  t.equal(place, 0)
  t.same(values.slice(0, buckets.length + 1), buckets.map((_, i) => i < 2 ? 1 : 0).concat(1))
  t.equal(values.at(-1), 100 + (buckets[1] as number))
})
