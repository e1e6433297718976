import t from 'tap'
import { createUnderWay } from '../../src/limits/under-way.ts'
import { settled } from '../helpers/channels.ts'

await t.test('who waits for the next end of a key goes on with it, and at once where nothing is under way', async t => {
  const underWay = createUnderWay()
  const told: string[] = []
  const wait = (name: string, key: string): void => { void underWay.nextEnd(key).then(() => { told.push(name) }) }
  const [firstA, secondA, onlyB] = ['a', 'a', 'b'].map(underWay.begin) as [() => void, () => void, () => void]
  t.strictSame(['a', 'b', 'c'].map(underWay.of), [2, 1, 0])
  wait('first of a', 'a')
  wait('second of a', 'a')
  wait('b', 'b')
  wait('c', 'c')
  await settled()
  t.strictSame(told, ['c'])
  firstA()
  await settled()
  t.strictSame(told, ['c', 'first of a', 'second of a'])
  firstA() // once
  t.equal(underWay.of('a'), 1)
  wait('third of a', 'a')
  secondA()
  onlyB()
  await settled()
  t.strictSame(told.slice(3), ['third of a', 'b'])
  t.strictSame(['a', 'b'].map(underWay.of), [0, 0])
})
