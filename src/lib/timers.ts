// What happens later, and what happens again and again? Told to whoever waits, so that a
// test can let the time come.

/** Runs something after so many milliseconds, unless the function that comes back is called before. */
export type Later = (ms: number, run: () => void) => () => void

/** Runs something every so many milliseconds, until the function that comes back is called. */
export type Every = (ms: number, run: () => void) => () => void

export const later: Later = (ms, run) => {
  const timer = setTimeout(run, ms)
  return () => { clearTimeout(timer) }
}

/** Keeps no process from its end. */
export const every: Every = (ms, run) => {
  const timer = setInterval(run, ms).unref()
  return () => { clearInterval(timer) }
}
