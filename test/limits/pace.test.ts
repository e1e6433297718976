import t from 'tap'
import { Pace } from '../../src/limits/pace.ts'

const KIB = 1024

interface Taking { readonly from: number, readonly steps: number, readonly every: number, readonly bytes: number }

/** Somebody takes so many bytes in each step, once in so many milliseconds. @returns when the last one is over */
function take (pace: Pace, { from, steps, every, bytes }: Taking): number {
  let now = from
  for (let i = 0; i < steps; i++) {
    now += every
    pace.goOn(now)
    pace.give(bytes, now)
    pace.holdUp(now)
  }
  return now
}

/** What the buffers on the way swallow at once. */
const FILL = { from: 0, steps: 64, every: 1, bytes: 64 * KIB }

void t.test('who takes nothing has stalled since there was more than they took', async t => {
  const pace = new Pace()
  t.equal(pace.stalled(1_000), 0, 'nothing was there to be taken')
  pace.give(4_096 * KIB, 1_000)
  t.equal(pace.stalled(9_000), 0, 'and all of it was')
  pace.holdUp(9_000)
  pace.holdUp(9_500)
  t.equal(pace.stalled(10_000), 1_000)
  pace.goOn(10_500)
  t.equal(pace.stalled(60_000), 0)
})

void t.test('what the buffers on the way swallow at once is nothing that was read', async t => {
  const pace = new Pace()
  const filled = take(pace, FILL)
  t.equal(pace.stalled(filled + 3_000), 3_000)
})

void t.test('who reads slowly has the time that it takes, in whatever steps it is seen', async t => {
  for (const [bytes, every] of [[64 * KIB, 3_000], [256 * KIB, 12_000], [1_024 * KIB, 29_000]] as const) {
    const pace = new Pace()
    let now = take(pace, { from: take(pace, FILL), steps: 1, every, bytes })
    for (let i = 0; i < 5; i++) {
      t.equal(pace.stalled(now + every - 1), 0, `${bytes} bytes in ${every} ms`)
      now = take(pace, { from: now, steps: 1, every, bytes })
    }
    t.ok(pace.stalled(now + 40_000) >= 10_000, 'and no more than half a minute')
  }
})

void t.test('who takes a byte now and then has stalled all the same', async t => {
  const pace = new Pace()
  const now = take(pace, { from: 0, steps: 20, every: 3_000, bytes: 100 })
  t.ok(pace.stalled(now + 2_900) > 2_800)
})
