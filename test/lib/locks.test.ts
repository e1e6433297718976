import t from 'tap'
import { createLocks } from '../../src/lib/locks.ts'

await t.test('a lock is held by one, in the order of asking, and survives a failure', async t => {
  const { hold } = createLocks()
  const order: string[] = []
  const work = (name: string, ms: number) => async (): Promise<string> => {
    order.push(`${name} in`)
    await new Promise(resolve => { setTimeout(resolve, ms) })
    order.push(`${name} out`)
    if (name === 'b') throw new Error('b failed')
    return name
  }
  const results = await Promise.allSettled([hold('x', work('a', 20)), hold('x', work('b', 1)), hold('x', work('c', 1))])
  t.same(results.map(result => result.status), ['fulfilled', 'rejected', 'fulfilled'])
  t.same(order, ['a in', 'a out', 'b in', 'b out', 'c in', 'c out'])
})
