import t from 'tap'
import { endOfTurn, together } from '../../src/lib/turn.ts'

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

await t.test('those who write together wait for the end of the turn as well, but not for more than 64', async t => {
  const order: string[] = []
  const say = (text: string) => (): void => { order.push(text) }
  setImmediate(say('end of the turn'))
  const first = Array.from({ length: 64 }, () => together())
  const rest = together()
  await Promise.all(first).then(say('64'))
  await rest.then(say('one more'))
  t.same(order, ['64', 'end of the turn', 'one more'])
  order.length = 0
  setImmediate(say('end of the next'))
  await together().then(say('the next'))
  t.same(order, ['end of the next', 'the next'])
})
