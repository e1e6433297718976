import t from 'tap'
import { createLive } from '../../src/lib/live.ts'

await t.test('who follows hears of each value that is put in force, until they end it', t => {
  const live = createLive(1)
  const heard: number[] = []
  const end = live.follow(value => { heard.push(value) })
  live.current = 2
  end()
  live.current = 3
  t.strictSame([live.current, heard], [3, [2]])
  t.end()
})
