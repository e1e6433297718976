// One holder at a time for each name, whichever worker it is in; in the order of asking;
// and whoever dies gives back what it had, but not before its request has ended.
import fc from 'fast-check'
import t from 'tap'
import { createLockKeeper, createSharedLocks, REST } from '../../../src/serve/workers/locks.ts'
import type { Locks } from '../../../src/lib/locks.ts'
import { fakeWorker, manualTimers, settled, type FakeWorker } from '../../helpers/channels.ts'

interface Joined extends FakeWorker { readonly locks: Locks }

function lab (): { join: () => Joined, timers: ReturnType<typeof manualTimers>, time: { now: number } } {
  const timers = manualTimers()
  const time = { now: 0 }
  const keeper = createLockKeeper({ clock: () => time.now, later: timers.later })
  let pid = 0
  return {
    timers,
    time,
    join () {
      const worker = fakeWorker(++pid)
      keeper.join(worker.process)
      worker.process.onEnd(() => { keeper.leave(worker.process) })
      return { ...worker, locks: createSharedLocks(worker.own) }
    }
  }
}

/** Work that begins to be done, and ends when the test says so. */
function works (): { begun: string[], hold: (locks: Locks, name: string, as: string) => Promise<string>, end: (as: string) => void } {
  const begun: string[] = []
  const ends = new Map<string, () => void>()
  return {
    begun,
    async hold (locks, name, as) {
      return await locks.hold(name, async () => {
        begun.push(as)
        await new Promise<void>(resolve => { ends.set(as, resolve) })
        return as
      })
    },
    end (as) { ends.get(as)?.() }
  }
}

await t.test('one name has one holder at a time, in the order of asking, and another name has another', async t => {
  const { join } = lab()
  const [a, b] = [join(), join()]
  const { begun, hold, end } = works()
  const results = [hold(a.locks, 'x', 'a1'), hold(b.locks, 'x', 'b1'), hold(a.locks, 'x', 'a2'), hold(b.locks, 'y', 'b2')]
  await settled()
  t.same([...begun].sort(), ['a1', 'b2'])
  for (const next of ['a1', 'b1', 'a2', 'b2']) {
    end(next)
    await settled()
  }
  t.same(begun.filter(each => each !== 'b2'), ['a1', 'b1', 'a2'])
  t.same(await Promise.all(results), ['a1', 'b1', 'a2', 'b2'])
  t.same(a.sent.filter(({ kind }) => kind === 'locked').length, 2, 'one message for each')
})

await t.test('work that fails gives the lock back, and its error to who asked', async t => {
  const { join } = lab()
  const { locks } = join()
  await t.rejects(locks.hold('x', async () => { throw new Error('no') }), { message: 'no' })
  t.equal(await locks.hold('x', async () => 'yes'), 'yes')
})

await t.test('who dies with a lock keeps it until its request has ended, and who waits and dies is passed over', async t => {
  const { join, timers, time } = lab()
  const [a, b, c] = [join(), join(), join()]
  const { begun, hold, end } = works()
  void hold(a.locks, 'x', 'a')
  await settled()
  void hold(b.locks, 'x', 'b')
  const last = hold(c.locks, 'x', 'c')
  await settled()
  time.now = 3_000
  b.end(null, 'SIGKILL')
  a.end(null, 'SIGKILL')
  t.same(timers.waiting(), [REST - 3_000], 'since it was last heard of')
  await settled()
  t.same(begun, ['a'])
  timers.fire()
  await settled()
  t.same(begun, ['a', 'c'])
  end('c')
  t.equal(await last, 'c')
  await settled()
  void hold(c.locks, 'x', 'again')
  await settled()
  t.same(begun, ['a', 'c', 'again'])
})

await t.test('one that was silent for long has had its time, and one that never spoke has nothing', async t => {
  const { join, timers, time } = lab()
  const [a, b] = [join(), join()]
  const { begun, hold } = works()
  void hold(a.locks, 'x', 'a')
  await settled()
  time.now = REST + 1_000
  a.end(null, 'SIGKILL')
  t.same(timers.waiting(), [0])
  b.end(1)
  t.same(timers.waiting(), [0])
  timers.fire()
  const c = join()
  void hold(c.locks, 'x', 'c')
  await settled()
  t.same(begun, ['a', 'c'])
})

await t.test('what nobody asked for changes nothing', async t => {
  const { join } = lab()
  const a = join()
  const { begun, hold } = works()
  a.process.send({ kind: 'locked', id: 99 })
  void hold(a.locks, 'x', 'a')
  await settled()
  t.same(begun, ['a'])
})

await t.test('whatever many workers hold, wait for and die of, never two hold one name, and nobody waits for ever', async () => {
  const step = fc.record({ who: fc.nat(3), name: fc.constantFrom('x', 'y'), what: fc.constantFrom('hold', 'hold', 'hold', 'end', 'die') })
  await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 20 }), async steps => {
    const { join, timers } = lab()
    const workers = Array.from({ length: 4 }, join)
    const gone = new Set<number>()
    const holders = new Map<string, Map<number, () => void>>()
    let [most, waiting] = [0, 0]
    for (const { who, name, what } of steps) {
      const worker = workers[who] as Joined
      if (gone.has(who)) continue
      const here = holders.get(name) ?? new Map<number, () => void>()
      holders.set(name, here)
      if (what === 'hold') {
        waiting++
        void worker.locks.hold(name, async () => {
          if (gone.has(who)) return
          await new Promise<void>(resolve => {
            here.set(who, resolve)
            most = Math.max(most, here.size)
          })
          here.delete(who)
          waiting--
        })
      } else if (what === 'end') here.get(who)?.()
      else {
        gone.add(who)
        worker.end(null, 'SIGKILL')
        for (const each of holders.values()) each.delete(who)
      }
      await settled()
    }
    for (let i = 0; i < 40; i++) {
      timers.fire()
      for (const each of holders.values()) for (const end of [...each.values()]) end()
      await settled()
    }
    const left = [...holders.values()].some(each => each.size > 0)
    return most <= 1 && !left && waiting >= 0
  }), { numRuns: 50 })
})
