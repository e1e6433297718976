// Clocks that tests have in their hands.
import type { Clock, Moment } from '../../src/lib/clock.ts'

/** A clock that `now` says, in seconds, for people and for what is kept alike: time goes by, and nobody sets it. */
export function clockOf (now: () => number): Clock {
  return { wall: now, monotonic: now }
}

/** A moment of such a clock. */
export function at (seconds: number): Moment {
  return { wall: seconds, monotonic: seconds }
}

export interface TestClock extends Clock {
  /** Time goes by. */
  pass (seconds: number): void
  /** Somebody sets the time of people, by so many seconds. */
  set (seconds: number): void
}

/** A clock that a test lets pass and sets. @param start seconds since the epoch */
export function testClock (start: number): TestClock {
  let [passed, offset] = [0, start]
  return {
    wall: () => Math.floor(passed + offset),
    monotonic: () => passed,
    pass (seconds) { passed += seconds },
    set (seconds) { offset += seconds }
  }
}
