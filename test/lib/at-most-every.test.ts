import t from 'tap'
import { atMostEvery } from '../../src/lib/at-most-every.ts'

await t.test('what happens again and again is said once in so much time', t => {
  let [now, said] = [0, 0]
  const say = atMostEvery(1_000, () => { said++ }, () => now)
  for (const [at, times] of [[0, 1], [500, 1], [999, 1], [1_000, 2], [1_001, 2], [5_000, 3]] as const) {
    now = at
    say()
    t.equal(said, times, String(at))
  }
  t.end()
})
