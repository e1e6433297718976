import t from 'tap'
import { endOfTurn } from '../../src/lib/turn.ts'

await t.test('whoever asks in one turn of the event loop goes on together, after what was ready to be read', async t => {
  const order: string[] = []
  const note = (text: string) => (): void => { order.push(text) }
  const first = endOfTurn().then(note('a'))
  setImmediate(note('later in the loop'))
  process.nextTick(note('tick'))
  const second = Promise.resolve().then(endOfTurn).then(note('b'))
  await Promise.all([first, second])
  t.same(order, ['tick', 'a', 'b'])
  order.length = 0
  await endOfTurn().then(note('c'))
  t.same(order.at(-1), 'c', 'the next turn has an end of its own')
})
