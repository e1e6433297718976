// Parts of a sum, and their sum, to the microsecond.
import t from 'tap'
import { toMicros } from '../../src/metrics/micros.ts'

await t.test('whole numbers stay as they are, however large, and seconds keep six digits', async t => {
  for (const whole of [0, 1, -3, 2 ** 53 - 1, 1e15 + 1]) t.equal(toMicros(whole), whole)
  t.equal(toMicros(2.465_934_071_000_000_4), 2.465_934)
  t.equal(toMicros(0.000_000_4), 0)
})

await t.test('a sum of parts that were made so is the same in any order', async t => {
  let seed = 7
  const next = (): number => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647
  for (let i = 0; i < 500; i++) {
    const parts = Array.from({ length: 5 }, () => toMicros(next() * 10 ** Math.floor(next() * 8)))
    const sumOf = (of: readonly number[]): number => of.reduce((a, b) => toMicros(a + b), 0)
    t.equal(sumOf([...parts].reverse()), sumOf(parts))
  }
})
