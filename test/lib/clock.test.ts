import t from 'tap'
import { CLOCK, momentAt, secondsSince, secondsUntil } from '../../src/lib/clock.ts'
import { testClock } from '../helpers/clock.ts'

const NOON = 1_800_000_000

await t.test('the process\'s own clock has whole seconds for people, and one that goes on', async t => {
  t.equal(CLOCK.wall(), Math.floor(CLOCK.wall()))
  t.ok(Math.abs(CLOCK.wall() - Date.now() / 1000) < 2)
  const before = CLOCK.monotonic()
  await new Promise(resolve => setTimeout(resolve, 2))
  t.ok(CLOCK.monotonic() > before)
})

await t.test('until an end it is as long as the earlier of both clocks says', async t => {
  const clock = testClock(NOON)
  const end = momentAt(clock, NOON + 100)
  t.equal(secondsUntil(clock, end), 100)
  clock.pass(40)
  t.equal(secondsUntil(clock, end), 60)
  clock.set(-1000)
  t.equal(secondsUntil(clock, end), 60, 'set back')
  clock.set(1030)
  t.equal(secondsUntil(clock, end), 30, 'set forward')
  clock.set(-30)
  clock.pass(61)
  t.equal(secondsUntil(clock, end), -1)
})

await t.test('something is as old as the later of both clocks says, or not of this time', async t => {
  const clock = testClock(NOON)
  const made = momentAt(clock, NOON)
  clock.pass(40)
  t.equal(secondsSince(clock, made), 40)
  clock.set(1000)
  t.equal(secondsSince(clock, made), 1040, 'set forward')
  clock.set(-1030)
  t.equal(secondsSince(clock, made), 40, 'set back a little')
  clock.set(-11)
  t.equal(secondsSince(clock, made), -1, 'set back to before it')
})
