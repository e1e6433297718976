// How often is something said that happens again and again? Once in so much time at most;
// what happens in between has been said.

/**
 * @param clock milliseconds that only go on
 * @returns what calls `run`, unless it did so within these milliseconds
 */
export function atMostEvery (ms: number, run: () => void, clock: () => number): () => void {
  let last = -Infinity
  return () => {
    const now = clock()
    if (now - last < ms) return
    last = now
    run()
  }
}
