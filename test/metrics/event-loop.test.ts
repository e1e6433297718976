// The longest delay of each second.
import t from 'tap'
import { watchEventLoop } from '../../src/metrics/event-loop.ts'
import { manualBeats } from '../helpers/channels.ts'

await t.test('whatever held the event loop is seen once, and the next second begins anew', async t => {
  const delays: number[] = []
  const beats = manualBeats()
  const end = watchEventLoop({ eventLoopDelay: seconds => { delays.push(seconds) } }, beats.every)
  await new Promise(resolve => setTimeout(resolve, 60))
  const until = performance.now() + 300
  while (performance.now() < until) { /* holds everybody up */ }
  await new Promise(resolve => setTimeout(resolve, 60))
  beats.beat()
  t.ok((delays[0] as number) >= 0.2, `${delays[0]}`)
  beats.beat()
  t.equal(delays.length, 2)
  t.ok((delays[1] as number) < (delays[0] as number))
  end()
  t.equal(beats.count(), 0)
})
