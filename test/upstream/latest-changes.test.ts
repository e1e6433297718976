// Of each version the last change is remembered, so many at most.
import t from 'tap'
import { createLatestChanges, type Heard } from '../../src/upstream/latest-changes.ts'
import { aChange } from '../helpers/changes.ts'

const heard = (at: number, more: Parameters<typeof aChange>[1] = {}): Heard => ({ at, change: aChange('org1/repo1', more) })

await t.test('a later one takes the place of the one before, and is disputed where that was shown, and it was not', t => {
  const [shown, unshown] = [{ isShown: true }, { isShown: false }]
  const cases = [[shown, shown, false], [unshown, shown, false], [unshown, unshown, false], [shown, unshown, true]] as const
  for (const [before, after, isDisputed] of cases) {
    const changes = createLatestChanges(2)
    const [one, other] = [heard(1, before), heard(2, after)]
    t.ok(changes.add(one) && changes.add(other))
    const expected = isDisputed ? { ...other, isDisputed } : other
    t.strictSame(changes.all(), [expected])
    t.ok(changes.add(heard(0, shown)))
    t.strictSame(changes.all(), [expected], 'one that was heard of before takes the place of none')
    changes.delete(one)
    t.equal(changes.size, 1, 'what is not there is not removed')
    const [again, last] = [heard(3, unshown), heard(4, shown)]
    changes.add(again)
    t.strictSame(changes.all(), [{ ...again, ...(isDisputed || after.isShown ? { isDisputed: true } : {}) }], 'nor does one that is as little known settle it')
    changes.add(last)
    t.ok(changes.has(last))
    changes.delete(last)
    t.equal(changes.size, 0)
  }
  t.end()
})

await t.test('versions have their places, and a change of which nobody was told has one besides', t => {
  const changes = createLatestChanges(3)
  const [one, untold, two] = [heard(1), heard(2, { became: undefined }), heard(3, { version: '2.0.0' })]
  for (const each of [one, untold, two]) t.ok(changes.add(each))
  t.notOk(changes.add(heard(4, { version: '3.0.0' })), 'there is no room for another one')
  const again = heard(5, { version: '2.0.0' })
  t.ok(changes.add(again), 'but for one of those')
  t.strictSame(changes.all(), [one, untold, again])
  changes.clear()
  t.equal(changes.size, 0)
  t.end()
})
