import t from 'tap'
import { every, later } from '../../src/lib/timers.ts'
import { untilTrue } from '../helpers/until.ts'

await t.test('what happens later happens once, and what happens again and again goes on; both until they are taken back', async t => {
  const seen = { later: 0, never: 0, every: 0 }
  later(1, () => { seen.later++ })
  later(1, () => { seen.never++ })()
  const end = every(1, () => { seen.every++ })
  const keepsRunning = setInterval(() => {}, 10)
  await untilTrue(() => seen.later === 1 && seen.every > 2)
  end()
  const { every: before } = seen
  await new Promise(resolve => { setTimeout(resolve, 20) })
  clearInterval(keepsRunning)
  t.same(seen, { later: 1, never: 0, every: before })
})
