import t from 'tap'
import { atOnce, inTurns, type Steps } from '../../src/lib/steps.ts'

function * count (to: number, seen: () => void): Steps<string> {
  for (let i = 0; i < to; i++) {
    seen()
    yield
  }
  return 'done'
}

await t.test('work in steps is the same work at once', t => {
  let steps = 0
  t.equal(atOnce(count(100, () => { steps++ })), 'done')
  t.equal(steps, 100)
  t.end()
})

await t.test('in turns it takes a few milliseconds of each', async t => {
  let [now, steps, turns, working] = [0, 0, 0, true]
  const perTurn: number[] = [0]
  const turn = (): void => {
    turns++
    perTurn.push(0)
    if (working) setImmediate(turn)
  }
  setImmediate(turn)
  t.equal(await inTurns(count(100, () => {
    now++ // each step takes a millisecond
    steps++
    perTurn[turns] = (perTurn[turns] as number) + 1
  }), () => now), 'done')
  working = false
  t.equal(steps, 100)
  t.strictSame([Math.max(...perTurn), perTurn.filter(each => each > 0).length], [5, 20])
  t.equal(await inTurns(count(100, () => {})), 'done')
})
