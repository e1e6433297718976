// How often has something happened lately, by key? Counted by rate-limiter-flexible, which
// begins a window with the first time and forgets it at its end. Keys are what clients
// think out, so there is a bound to them here, which the library has not: who was counted
// longest ago is forgotten first.
import RateLimiterMemory from 'rate-limiter-flexible/lib/RateLimiterMemory.js'

export interface Count {
  readonly times: number
  /** Seconds until it begins anew: at least 1. */
  readonly seconds: number
}

export interface Counter {
  /** Counts once more. */
  add (key: string): Promise<Count>
  read (key: string): Promise<Count>
  /** How many keys are counted. */
  size (): number
}

export interface CounterOptions {
  /** Seconds of a window that begins now. */
  readonly within: () => number
  /** So many keys are counted. */
  readonly most: number
}

interface Consumed {
  readonly consumedPoints: number
  readonly msBeforeNext: number
}

export function createCounter ({ within, most }: CounterOptions): Counter {
  const limiter = new RateLimiterMemory({ points: 1, duration: within() })
  /** The one that was counted longest ago first; also of windows that have ended. */
  const keys = new Set<string>()

  async function makeRoom (): Promise<void> {
    if (keys.size < most) return
    const [oldest] = keys as Iterable<string> as [string]
    keys.delete(oldest)
    await limiter.delete(oldest)
  }

  return {
    async add (key) {
      if (!keys.delete(key)) await makeRoom()
      keys.add(key)
      limiter.duration = within()
      return countOf(await limiter.penalty(key), within())
    },
    read: async key => countOf(await limiter.get(key), within()),
    size: () => keys.size
  }
}

/** @param consumed the timer that ends a window may be late, and then it has ended all the same */
function countOf (consumed: Consumed | null, within: number): Count {
  if (consumed === null || consumed.msBeforeNext <= 0) return { times: 0, seconds: within }
  const { consumedPoints, msBeforeNext } = consumed
  return { times: consumedPoints, seconds: Math.max(1, Math.ceil(msBeforeNext / 1000)) }
}
