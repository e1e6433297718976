import t from 'tap'
import { createThreads, HANG_AFTER } from '../../src/lib/threads.ts'
import { manualBeats } from '../helpers/channels.ts'

await t.test('threads that answer do not wait, and one question is asked at a time', async t => {
  const beats = manualBeats()
  const time = { now: 0 }
  const asked: (() => void)[] = []
  const threads = createThreads(beats.every, () => time.now, answered => { asked.push(answered) })
  t.same([threads.waiting(), threads.moves(), threads.hang()], [0, 0, false])
  beats.beat()
  beats.beat()
  const answer = threads.ask()
  t.same([asked.length, threads.waiting(), threads.hang()], [1, 1, false])
  time.now = HANG_AFTER
  t.equal(threads.hang(), false)
  time.now++
  t.equal(threads.hang(), true)
  asked[0]?.()
  await answer
  t.same([threads.waiting(), threads.moves(), threads.hang()], [0, 1, false])
  beats.beat()
  t.equal(asked.length, 2)
  threads.close()
  t.equal(beats.count(), 0)
})

await t.test('the threads of this process answer', async t => {
  const threads = createThreads(() => () => {})
  await threads.ask()
  t.same([threads.waiting(), threads.moves(), threads.hang()], [0, 1, false])
})
