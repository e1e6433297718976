// Each question of a worker gets its own answer, in whatever order they come.
import t from 'tap'
import { createQuestions } from '../../../src/serve/workers/questions.ts'
import { fakeWorker, settled } from '../../helpers/channels.ts'

await t.test('each question has the answer of its number, whichever comes first, and what nobody asked for is heard by nobody', async t => {
  const { own, process } = fakeWorker(1)
  const asked: number[] = []
  process.receive(message => { if (message.kind === 'lock') asked.push(message.id) })
  const [locks, changes] = [createQuestions(own, 'locked'), createQuestions(own, 'all_forgot')]
  const got: [string, number][] = []
  const ask = (as: string): void => { void locks(id => ({ kind: 'lock', id, name: as })).then(({ id }) => { got.push([as, id]) }) }
  ask('a')
  ask('b')
  void changes(id => ({ kind: 'lock', id, name: 'c' })).then(() => { got.push(['c', 0]) })
  await settled()
  const [a, b] = asked as [number, number]
  t.not(a, b)
  for (const id of [b, 99, b, a]) process.send({ kind: 'locked', id })
  await settled()
  t.strictSame(got, [['b', b], ['a', a]], 'and each answer once; none of another kind')
})
