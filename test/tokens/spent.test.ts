// A token that counts once is used up by the first who shows it, and remembered as long as it counts.
import t from 'tap'
import { createSpent } from '../../src/tokens/spent.ts'

await t.test('a name is used up once, and free again when its token has ended', async t => {
  let now = 0
  const spent = createSpent(() => now, 2)
  t.strictSame(await Promise.all([spent.spend('a', 60), spent.spend('a', 60), spent.spend('b', 10)]), [true, false, true])
  now = 10
  t.equal(await spent.spend('c', 60), false, 'there is no room for another one')
  t.equal(await spent.spend('a', 600), false, 'and asking again lengthens nothing')
  now = 11
  t.equal(await spent.spend('c', 60), true, 'in the place of the one that has ended')
  now = 61
  t.equal(await spent.spend('a', 60), true)
})
