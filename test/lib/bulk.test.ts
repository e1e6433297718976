import t from 'tap'
import { AT_ONCE, createBulk, MOST_OF_A_TURN } from '../../src/lib/bulk.ts'

/** A turn that comes when the test says so. */
function lab (): { readonly bulk: ReturnType<typeof createBulk>, turn: () => boolean } {
  let next: (() => void) | undefined
  const bulk = createBulk(run => { next = run })
  return {
    bulk,
    turn () {
      const run = next
      next = undefined
      run?.()
      return run !== undefined
    }
  }
}

void t.test('what goes by in a turn goes on, and what is more waits for the next', t => {
  const { bulk, turn } = lab()
  const went: string[] = []
  t.equal(bulk.pass(MOST_OF_A_TURN - 1, () => { went.push('a') }), true)
  t.equal(bulk.pass(1, () => { went.push('b') }), false)
  t.same(went, [])
  turn()
  t.same(went, ['b'])
  t.equal(bulk.pass(MOST_OF_A_TURN - 1, () => {}), true, 'a new turn has room again')
  turn()
  t.equal(turn(), false, 'and without anybody who comes there is none')
  t.end()
})

void t.test('so many go on in a turn, in the order of their coming, and nobody before those who wait', t => {
  const { bulk, turn } = lab()
  const went: number[] = []
  const ask = (i: number): boolean => bulk.pass(MOST_OF_A_TURN, () => { went.push(i) })
  for (let i = 0; i < 2 * AT_ONCE; i++) t.equal(ask(i), false)
  turn()
  t.same(went, Array.from({ length: AT_ONCE }, (_, i) => i))
  t.equal(bulk.pass(1, () => { went.push(-1) }), false)
  turn()
  t.same(went, Array.from({ length: 2 * AT_ONCE }, (_, i) => i))
  turn()
  t.equal(went.at(-1), -1)
  t.end()
})

void t.test('who goes on and has more at once waits for the turn after', t => {
  const { bulk, turn } = lab()
  let times = 0
  const more = (): void => { if (!bulk.pass(MOST_OF_A_TURN, more)) times++ }
  more()
  for (let i = 0; i < 3; i++) turn()
  t.equal(times, 4)
  t.end()
})

void t.test('without a turn of its own it is the event loop\'s', async t => {
  const bulk = createBulk()
  await new Promise<void>(resolve => { t.equal(bulk.pass(MOST_OF_A_TURN, resolve), false) })
})
