import t from 'tap'
import { AT_ONCE, createBulk, MOST_OF_A_TURN } from '../../src/lib/bulk.ts'

/** Turns that come when the test says so: as many of others, and then its own. */
function lab (): { readonly bulk: ReturnType<typeof createBulk>, turn: (ofOthers: number) => boolean } {
  let next: (() => void) | undefined
  const bulk = createBulk(run => { next = run })
  return {
    bulk,
    turn (ofOthers) {
      let is = false
      for (let i = 0; i <= ofOthers; i++) {
        const run = next
        is = run !== undefined
        next = undefined
        run?.()
      }
      return is
    }
  }
}

void t.test('what goes by in a turn goes on, and what is more waits for the next', t => {
  const { bulk, turn } = lab()
  const went: string[] = []
  t.equal(bulk.pass(MOST_OF_A_TURN - 1, () => { went.push('a') }), true)
  t.equal(bulk.pass(1, () => { went.push('b') }), false)
  t.same(went, [])
  turn(1)
  t.same(went, ['b'])
  t.equal(bulk.pass(MOST_OF_A_TURN - 1, () => {}), true, 'a new turn has room again')
  turn(0)
  t.equal(turn(0), false, 'and without anybody who comes there is none')
  t.end()
})

void t.test('so many go on in a turn, in the order of their coming, and nobody before those who wait', t => {
  const { bulk, turn } = lab()
  const went: number[] = []
  const ask = (i: number): boolean => bulk.pass(MOST_OF_A_TURN, () => { went.push(i) })
  for (let i = 0; i < 2 * AT_ONCE; i++) t.equal(ask(i), false)
  turn(AT_ONCE - 1)
  t.same(went, [], 'others have as many turns first')
  turn(0)
  t.same(went, Array.from({ length: AT_ONCE }, (_, i) => i))
  t.equal(bulk.pass(1, () => { went.push(-1) }), false)
  turn(AT_ONCE)
  t.same(went, Array.from({ length: 2 * AT_ONCE }, (_, i) => i))
  turn(1)
  t.equal(went.at(-1), -1)
  t.end()
})

void t.test('who goes on and has more at once waits for the turn after', t => {
  const { bulk, turn } = lab()
  let times = 0
  const more = (): void => { if (!bulk.pass(MOST_OF_A_TURN, more)) times++ }
  more()
  for (let i = 0; i < 3; i++) turn(1)
  t.equal(times, 4)
  t.end()
})

void t.test('without a turn of its own it is the event loop\'s', async t => {
  const bulk = createBulk()
  await new Promise<void>(resolve => { t.equal(bulk.pass(MOST_OF_A_TURN, resolve), false) })
})
