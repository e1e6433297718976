// How much time has gone by? A clock that only goes on: what is kept for a while is kept
// for that while, whatever the clock on the wall is set to meanwhile.

/** Seconds since some moment in the past. */
export function monotonicNow (): number {
  return performance.now() / 1000
}
