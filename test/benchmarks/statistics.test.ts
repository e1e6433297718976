import t from 'tap'
import fc from 'fast-check'
import { byRound, medianInterval, summarise } from '../../benchmarks/report/statistics.ts'

await t.test('the median is the middle one, or the mean of the middle two', async t => {
  t.strictSame(summarise([3, 1, 2]), { median: 2, low: 1, high: 3 })
  t.strictSame(summarise([4, 1, 3, 2]), { median: 2.5, low: 1, high: 4 })
  t.strictSame(summarise([10, 9, 100]), { median: 10, low: 9, high: 100 }, 'numbers are not ordered as texts')
})

await t.test('half of the samples are not above the median, half not below it, in whatever order they came', async () => {
  fc.assert(fc.property(fc.array(fc.integer(), { minLength: 1 }), samples => {
    const { median, low, high } = summarise(samples)
    const half = samples.length / 2
    return low === Math.min(...samples) && high === Math.max(...samples) &&
      samples.filter(each => each <= median).length >= half && samples.filter(each => each >= median).length >= half
  }))
})

await t.test('of no samples nothing is said', async t => {
  t.throws(() => summarise([]), /nothing to summarise/)
})

await t.test('samples are compared within their round', async t => {
  t.strictSame(byRound([8, 4], [4, 1], (a, b) => a / b), [2, 4])
  t.throws(() => byRound([8, 4], [4], (a, b) => a / b), /2 rounds cannot be compared with 1/)
})

await t.test('the interval of a median is that of order statistics', async t => {
  const counted = (n: number): number[] => Array.from({ length: n }, (_, i) => n - i)
  t.strictSame(medianInterval(counted(20)), { low: 6, high: 15 })
  t.strictSame(medianInterval(counted(6)), { low: 1, high: 6 })
  t.strictSame(medianInterval(counted(100)), { low: 41, high: 60 })
})
