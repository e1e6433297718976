import t from 'tap'
import { createCurrent } from '../../src/lib/current.ts'

await t.test('who follows hears of each value that is put in force, until they end it', t => {
  const current = createCurrent(1)
  const heard: number[] = []
  const end = current.follow(value => { heard.push(value) })
  current.replace(2)
  end()
  current.replace(3)
  t.strictSame([current.value, heard], [3, [2]])
  t.end()
})
