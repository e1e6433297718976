// How a cost is said to grow.
import t from 'tap'
import { exponentOf, growthOf } from '../../benchmarks/scale/fit.ts'

const at = (cost: (size: number) => number): { size: number, value: number }[] => [10, 100, 1_000, 10_000].map(size => ({ size, value: cost(size) }))

await t.test('the exponent is that of the largest three sizes', t => {
  t.equal(exponentOf(at(size => 3 * size))?.toFixed(3), '1.000')
  t.equal(exponentOf(at(() => 5))?.toFixed(3), '0.000')
  t.equal(exponentOf(at(size => size === 10 ? 1e9 : size ** 2))?.toFixed(3), '2.000')
  t.equal(exponentOf(at(size => size === 10_000 ? 8 : 0)), undefined, 'one point has none')
  t.equal(exponentOf([{ size: 1, value: 1 }, { size: 1, value: 2 }]), undefined)
  t.end()
})

await t.test('what costs more than it should stands out, and so does a rate that falls', t => {
  t.equal(growthOf({ of: 'whole', unit: 's' }, at(size => size)), 'as it should: exponent 1.00, ×10.0 for ten times as many')
  t.match(growthOf({ of: 'whole', unit: 's' }, at(size => size ** 1.5)), /^\*\*more\*\*: exponent 1\.50, ×31\.6/)
  t.match(growthOf({ of: 'whole', unit: 's' }, at(Math.sqrt)), /^less: /)
  t.match(growthOf({ of: 'each', unit: 'µs' }, at(() => 7)), /^as it should: exponent 0\.00, ×1\.0/)
  t.match(growthOf({ of: 'each', unit: 'µs' }, at(Math.sqrt)), /^\*\*more\*\*/)
  t.match(growthOf({ of: 'each', unit: '/s' }, at(size => 1 / size)), /^\*\*less\*\*/)
  t.match(growthOf({ of: 'each', unit: '/s' }, at(size => size)), /^more/)
  t.equal(growthOf({ of: 'each', unit: '/s' }, []), 'not said')
  t.end()
})
