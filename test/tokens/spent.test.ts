// A token that counts once is used up by the first who shows it, and remembered as long as it counts.
import t from 'tap'
import { createSpentMemory, MOST_SPENT, shownNow, type Shown, type SpentMemory, type Use } from '../../src/tokens/spent.ts'
import { testClock } from '../helpers/clock.ts'
import { shown } from '../helpers/spent.ts'
import { NOW } from '../helpers/tokens.ts'

/** Asks, and remembers what is the first of its name. */
function use (memory: SpentMemory, token: Shown, wall = NOW): Use {
  const found = memory.look(token)
  if (found === 'first') memory.add({ provider: token.provider, name: token.name, end: wall + token.seconds })
  return found
}

await t.test('a name is used up once, for whichever provider, and is free again when its token has ended by both clocks', async t => {
  const clock = testClock(NOW)
  const memory = createSpentMemory(clock, -10_000)
  t.strictSame([use(memory, shown('a')), use(memory, shown('a')), use(memory, shown('a', { provider: 'renamed' }))], ['first', 'used', 'used'])
  clock.set(100_000)
  t.equal(use(memory, shown('a')), 'used', 'while the clock of people is ahead')
  clock.pass(599)
  t.equal(use(memory, shown('a')), 'used')
  clock.set(-100_000)
  clock.pass(121)
  clock.set(-1_000)
  t.equal(use(memory, shown('a')), 'used', 'while it is behind')
  clock.set(1_000)
  clock.pass(60)
  t.equal(use(memory, shown('a')), 'first')
})

await t.test('what was issued before anything was remembered may have been used, and counts nowhere', async t => {
  const clock = testClock(NOW)
  const memory = createSpentMemory(clock, clock.monotonic())
  t.equal(use(memory, shown('of now', { age: 0 })), 'too_early')
  clock.pass(30)
  t.strictSame([use(memory, shown('before', { age: 30 })), use(memory, shown('after', { age: 29 }))], ['too_early', 'first'])
  t.equal(use(memory, shown('after', { age: 31 })), 'used')
})

await t.test('a token is not younger than it is by the clock that says more, and a second older, which clocks cut off', async t => {
  const clock = testClock(NOW)
  const once = { provider: 'github', name: 'a', seconds: 600, issued: { wall: NOW - 10, monotonic: -10 } }
  t.strictSame(shownNow(once, clock), { provider: 'github', name: 'a', seconds: 600, age: 11 })
  clock.pass(5)
  clock.set(-100)
  t.equal(shownNow(once, clock).age, 16)
  clock.set(200)
  t.equal(shownNow(once, clock).age, 116)
})

await t.test('a provider that has used up its share takes nothing from others, and each question costs the same however many there are', async t => {
  const clock = testClock(NOW)
  const memory = createSpentMemory(clock, -10_000)
  const count = (provider: string, from: number, to: number): Record<string, number> => {
    const uses: Record<string, number> = {}
    for (let i = from; i < to; i++) {
      const found = use(memory, shown(`${provider}-${i}`, { provider, seconds: 60 + i % 3_600 }), clock.wall())
      uses[found] = (uses[found] ?? 0) + 1
    }
    return uses
  }
  t.strictSame(count('flood', 0, MOST_SPENT), { first: MOST_SPENT })
  // To look at all of them for each of these would take many minutes.
  t.strictSame(count('flood', MOST_SPENT, 2 * MOST_SPENT), { unproved: MOST_SPENT })
  t.strictSame(count('other', 0, 10), { first: 10 })
  t.equal(memory.size(), MOST_SPENT + 10)
  clock.pass(1_860)
  const { first = 0, unproved = 0 } = count('flood', 2 * MOST_SPENT, 3 * MOST_SPENT)
  t.ok(first > MOST_SPENT * 0.48 && first < MOST_SPENT * 0.52, 'half of it has ended')
  t.equal(first + unproved, MOST_SPENT)
  t.equal(memory.tokens().length, memory.size())
  clock.pass(10_000)
  t.strictSame(count('last', 0, 1), { first: 1 })
  t.equal(memory.size(), 1, 'and nothing is left of what has ended')
})
