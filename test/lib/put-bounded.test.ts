import t from 'tap'
import { putBounded } from '../../src/lib/put-bounded.ts'

await t.test('the oldest goes when there would be too many, and what is put again is the newest', t => {
  const map = new Map<string, number>()
  for (const [i, key] of ['a', 'b', 'a', 'c', 'd'].entries()) putBounded(map, key, i, 3)
  t.strictSame([...map], [['a', 2], ['c', 3], ['d', 4]])
  putBounded(map, 'a', 5, 3)
  t.strictSame([...map], [['c', 3], ['d', 4], ['a', 5]], 'nothing goes for a key that is there')
  t.end()
})
