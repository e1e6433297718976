// What time is it? Two answers, because no one serves for both questions: the time of
// people, which everybody shares and somebody can set, says when a token ends; a time that
// only goes on says how long something has been kept. Handed in, so that tests set both.

export interface Clock {
  /** Whole seconds since the epoch (RFC 7519 section 2, NumericDate); may be set, forward and back. */
  readonly wall: () => number
  /** Seconds that only go forward, from a beginning that means nothing; they stand still while the machine sleeps. */
  readonly monotonic: () => number
}

export const CLOCK: Clock = {
  wall: () => Math.floor(Date.now() / 1000),
  monotonic: () => performance.now() / 1000
}

/** One moment by both clocks, as they stood to each other when it was written down. */
export interface Moment {
  readonly wall: number
  readonly monotonic: number
}

/** @param wall seconds since the epoch */
export function momentAt (clock: Clock, wall: number): Moment {
  return { wall, monotonic: clock.monotonic() + wall - clock.wall() }
}

/**
 * Seconds until then by the clock that comes there first; negative when it is over. Neither
 * a clock that is set back nor a machine that slept makes them more.
 */
export function secondsUntil (clock: Clock, { wall, monotonic }: Moment): number {
  return Math.min(wall - clock.wall(), monotonic - clock.monotonic())
}

/** Seconds since then by the clock that says more; negative when it has been set back to before. */
export function secondsSince (clock: Clock, { wall, monotonic }: Moment): number {
  const byWall = clock.wall() - wall
  return byWall < 0 ? byWall : Math.max(byWall, clock.monotonic() - monotonic)
}
