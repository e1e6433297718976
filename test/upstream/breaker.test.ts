// When is nobody let through to the upstream, and when are they again?
import t from 'tap'
import { createBreaker, MOST_UNANSWERED, PROBE_PAUSE, type Breaker, type BreakerOptions } from '../../src/upstream/breaker.ts'
import { manualTimers, settled, type Timers } from '../helpers/channels.ts'

type Found = Awaited<ReturnType<BreakerOptions['probe']>>

interface Lab extends Timers {
  readonly breaker: Breaker
  /** Answers the look at the page that began last. */
  found (what: Found): Promise<void>
  readonly looks: () => number
  readonly changes: unknown[]
  /** So many questions have no answer. */
  fail (times?: number): void
  pass (ms: number): void
}

function lab (): Lab {
  const timers = manualTimers()
  const looks: ((found: Found) => void)[] = []
  const changes: unknown[] = []
  let now = 0
  const breaker = createBreaker({
    probe: async () => await new Promise<Found>(resolve => { looks.push(resolve) }),
    later: timers.later,
    clock: () => now,
    onChange: change => { changes.push(change) }
  })
  return {
    ...timers,
    breaker,
    changes,
    looks: () => looks.length,
    async found (what) {
      looks.at(-1)?.(what)
      await settled()
    },
    fail (times = MOST_UNANSWERED) { for (let i = 0; i < times; i++) breaker.failed() },
    pass (ms) { now += ms }
  }
}

await t.test('questions in a row without an answer have its page asked for, and that decides', async t => {
  const { breaker, fail, found, looks, changes } = lab()
  fail(MOST_UNANSWERED - 1)
  t.equal(breaker.state(), 'closed')
  fail()
  t.equal(breaker.state(), 'doubted')
  t.notOk(breaker.isOpen(), 'clients are let through while it is not known')
  t.equal(looks(), 1, 'once, however many more there are')
  await found('silence')
  t.equal(breaker.state(), 'open')
  t.ok(breaker.isOpen())
  t.same(changes, [{ isOpen: true }])
})

await t.test('a slow tenant never keeps the others out: an answer to anybody, or the page, says that it is there', async t => {
  const { breaker, fail, found, looks, changes } = lab()
  for (let i = 0; i < 100; i++) {
    fail(MOST_UNANSWERED - 1)
    breaker.answered()
  }
  t.equal(looks(), 0, 'hanging requests among answered ones')
  for (let i = 0; i < 100; i++) {
    fail()
    await found('answer')
    t.equal(breaker.state(), 'closed')
  }
  t.equal(looks(), 100, 'nobody asks for anything but what hangs')
  t.same(changes, [])
})

await t.test('while it is open the page is asked for each second, one look at a time, until there is an answer', async t => {
  const { breaker, fail, found, looks, waiting, fire, changes, pass } = lab()
  fail()
  await found('silence')
  for (let i = 2; i < 6; i++) {
    t.same(waiting(), [PROBE_PAUSE])
    fire()
    t.equal(breaker.state(), 'half_open')
    t.ok(breaker.isOpen())
    fail()
    t.equal(looks(), i)
    await found(i === 3 ? 'unknown' : 'silence')
    t.equal(breaker.state(), 'open')
  }
  fire()
  pass(7_000)
  await found('answer')
  t.equal(breaker.state(), 'closed')
  t.same(waiting(), [])
  t.same(changes, [{ isOpen: true }, { isOpen: false, ms: 7_000 }])
  fail(MOST_UNANSWERED - 1)
  t.equal(breaker.state(), 'closed', 'it counts from the beginning')
})

await t.test('a late answer to somebody closes it at once, and a look that began before says nothing', async t => {
  const { breaker, fail, found, waiting, fire } = lab()
  fail()
  await found('silence')
  breaker.answered()
  t.equal(breaker.state(), 'closed')
  t.same(waiting(), [])
  fail()
  await found('silence')
  fire()
  breaker.answered()
  await found('silence')
  t.equal(breaker.state(), 'closed')
})

await t.test('a page that could not be asked for for reasons of our own keeps nobody out', async t => {
  const { breaker, fail, found } = lab()
  fail()
  await found('unknown')
  t.equal(breaker.state(), 'closed')
})

await t.test('after its end it neither asks nor says anything', async t => {
  const { breaker, fail, found, waiting, looks, changes } = lab()
  fail()
  await found('silence')
  breaker.close()
  t.same(waiting(), [])
  const other = lab()
  other.fail()
  other.breaker.close()
  await other.found('silence')
  other.fail()
  t.same([looks(), changes.length, other.looks(), other.changes.length], [1, 1, 1, 0])
})
