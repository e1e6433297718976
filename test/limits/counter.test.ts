import { mock } from 'node:test'
import t from 'tap'
import { createCounter } from '../../src/limits/counter.ts'
import { createSharedCounts } from '../helpers/shared-counts.ts'

mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 1_000_000 })

await t.test('what happened is counted by key for as long as a window is, from the first time on', async t => {
  const counter = createCounter({ within: () => 60, most: 10 })
  t.strictSame(await counter.read('a'), { times: 0, seconds: 60 })
  t.match(await counter.add('a'), { times: 1, seconds: 60 })
  mock.timers.tick(59_500)
  t.match(await counter.add('a'), { times: 2, seconds: 1 })
  t.strictSame(await counter.read('b'), { times: 0, seconds: 60 })
  mock.timers.tick(500)
  t.strictSame(await counter.read('a'), { times: 0, seconds: 60 })
  t.match(await counter.add('a'), { times: 1, seconds: 60 })
})

await t.test('a window has ended at its end, also when the timer that says so is late', async t => {
  const counter = createCounter({ within: () => 60, most: 10 })
  await counter.add('a')
  mock.timers.setTime(Date.now() + 59_999)
  t.equal((await counter.read('a')).times, 1)
  mock.timers.reset()
  mock.timers.enable({ apis: ['Date'], now: 10_000_000 }) // and no timer runs
  t.strictSame(await counter.read('a'), { times: 0, seconds: 60 })
  t.equal((await counter.add('a')).times, 1)
})

await t.test('what is taken back is counted no longer, and what is forgotten already is not less than nothing', async t => {
  const counter = createCounter({ within: () => 60, most: 2 })
  const [first, second] = [await counter.add('a'), await counter.add('a')]
  await first.takeBack()
  t.strictSame(await counter.read('a'), { times: 1, seconds: 60 })
  mock.timers.tick(60_000)
  await counter.add('a')
  await second.takeBack()
  t.equal((await counter.read('a')).times, 1, 'which is one of another window')
  const forgotten = await counter.add('b')
  for (const key of ['c', 'd']) await counter.add(key)
  await forgotten.takeBack()
  t.equal((await counter.read('b')).times, 0)
  const cleared = await counter.add('b')
  await cleared.takeBack()
  await cleared.takeBack()
  t.equal((await counter.add('b')).times, 1)
  t.equal(counter.size(), 2)
})

await t.test('what is taken back at the very end of a window begins none that never ends', async t => {
  for (const late of [0, 1]) {
    const counter = createCounter({ within: () => 60, most: 10 })
    const counted = [await counter.add('a'), await counter.add('a')]
    mock.timers.setTime(Date.now() + 59_999 + late) // and its timer has not come
    await Promise.all(counted.map(async each => { await each.takeBack() }))
    const now = Date.now() + 200_000
    mock.timers.reset()
    mock.timers.enable({ apis: ['setTimeout', 'Date'], now })
    t.equal((await counter.add('a')).times, 1, `${late}`)
    t.equal((await counter.add('a')).times, 2)
  }
})

await t.test('so many keys are counted, and who was counted longest ago is forgotten first', async t => {
  const counter = createCounter({ within: () => 60, most: 3 })
  for (const key of ['a', 'b', 'c', 'a', 'd']) await counter.add(key)
  const times = async (key: string): Promise<number> => (await counter.read(key)).times
  t.strictSame(await Promise.all(['a', 'b', 'c', 'd'].map(times)), [2, 0, 1, 1])
  t.equal(counter.size(), 3)
  for (let i = 0; i < 100; i++) await counter.add(`key ${i}`)
  t.equal(counter.size(), 3)
})

await t.test('where several count it is the place that they share, and without it this process alone, within its bounds', async t => {
  const shared = createSharedCounts()
  const { store, there, given } = shared
  const options = { within: () => 60, most: 2, shared: { store, name: '{x}:y' } }
  const [one, other] = [createCounter(options), createCounter(options)]
  t.strictSame(await one.read('a'), { times: 0, seconds: 60 })
  t.match(await one.add('a'), { times: 1, seconds: 30 })
  t.match(await other.add('a'), { times: 2, seconds: 30 })
  t.strictSame(await one.read('a'), { times: 2, seconds: 30 })
  t.strictSame([...there.keys()], ['{x}:y:a'])
  const both = [await other.add('b'), await one.add('b')]
  for (const counted of both) await counted.takeBack()
  t.equal((await other.read('b')).times, 0)
  t.equal(given[0]?.[1], '60', 'seconds of the window')
  t.equal(one.size(), 0, 'nothing of it is here')
  shared.isAway = true
  t.strictSame(await one.read('a'), { times: 0, seconds: 60 })
  for (const key of ['a', 'a', 'b', 'c']) await one.add(key)
  t.strictSame(await Promise.all(['a', 'b', 'c'].map(async key => (await one.read(key)).times)), [0, 1, 1])
  t.equal(one.size(), 2)
  const here = await one.add('d')
  shared.isAway = false
  const away = await one.add('a')
  await here.takeBack()
  shared.isAway = true
  t.equal((await one.read('d')).times, 0, 'taken back where it was counted')
  await away.takeBack()
  shared.isAway = false
  t.strictSame(await one.read('a'), { times: 3, seconds: 30 }, 'or nowhere')
})

mock.timers.reset() // other files run in this process
