// How often has something happened lately, by key? Counted by rate-limiter-flexible, which
// begins a window with the first time and forgets it at its end: in this process, or in a
// Redis that several share, and then here only while that is away. Keys are what clients
// think out, so there is a bound to them here, which the library has not: who was counted
// longest ago is forgotten first.
import RateLimiterMemory from 'rate-limiter-flexible/lib/RateLimiterMemory.js'
import RateLimiterRedis from 'rate-limiter-flexible/lib/RateLimiterRedis.js'

export interface Count {
  readonly times: number
  /** Seconds until it begins anew: at least 1. */
  readonly seconds: number
}

export interface Counter {
  /** Counts once more. */
  add (key: string): Promise<Count>
  read (key: string): Promise<Count>
  /** One that was counted is not one: counts it no longer. */
  takeBack (key: string): Promise<void>
  /** How many keys are counted. */
  size (): number
}

export interface CounterOptions {
  /** Seconds of a window that begins now. */
  readonly within: () => number
  /** So many keys are counted here. */
  readonly most: number
  /** Where others count too; left out: nobody else does. */
  readonly shared?: SharedCounts | undefined
}

/** A place in a Redis. */
export interface SharedCounts {
  readonly store: CountStore
  /** What its keys begin with. */
  readonly name: string
}

/** The part of node-redis that rate-limiter-flexible uses (11.4.0, lib/RateLimiterRedis.js, useRedisPackage). */
export interface CountStore {
  eval (lua: string, given: { readonly keys: string[], readonly arguments: string[] }): Promise<unknown>
  multi (): CountReads
}

export interface CountReads {
  get (key: string): CountReads
  pTTL (key: string): CountReads
  exec (asOne?: boolean): Promise<unknown>
}

interface Consumed {
  readonly consumedPoints: number
  readonly msBeforeNext: number
}

export function createCounter ({ within, most, shared }: CounterOptions): Counter {
  const own = new BoundedLimiter(most)
  const limiter = shared === undefined
    ? own
    : new RateLimiterRedis({
      points: POINTS,
      duration: 0, // each call says its own
      storeClient: shared.store,
      useRedisPackage: true,
      keyPrefix: shared.name,
      insuranceLimiter: own
    })
  const add = async (key: string): Promise<Consumed> => await limiter.penalty(key, 1, { customDuration: within() })
  return {
    add: async key => countOf(await add(key), within()),
    read: async key => countOf(await limiter.get(key), within()),
    async takeBack (key) {
      const { consumedPoints } = await limiter.reward(key, 1, { customDuration: within() })
      if (consumedPoints < 0) await add(key) // it was forgotten already
    },
    size: () => own.keys.size
  }
}

/** What is left of them is not looked at. */
const POINTS = 1

type Penalty = InstanceType<typeof RateLimiterMemory>['penalty']

class BoundedLimiter extends RateLimiterMemory {
  /** The one that was counted longest ago first; also of windows that have ended. */
  readonly keys = new Set<string>()
  private readonly most: number

  constructor (most: number) {
    super({ points: POINTS, duration: 0 })
    this.most = most
  }

  override async penalty (...counted: Parameters<Penalty>): Promise<Awaited<ReturnType<Penalty>>> {
    const key = `${counted[0]}`
    if (!this.keys.delete(key)) await this.makeRoom()
    this.keys.add(key)
    return await super.penalty(...counted)
  }

  private async makeRoom (): Promise<void> {
    if (this.keys.size < this.most) return
    const [oldest] = this.keys as Iterable<string> as [string]
    this.keys.delete(oldest)
    await this.delete(oldest)
  }
}

/** @param consumed the timer that ends a window may be late, and then it has ended all the same */
function countOf (consumed: Consumed | null, within: number): Count {
  if (consumed === null || consumed.msBeforeNext <= 0) return { times: 0, seconds: within }
  const { consumedPoints, msBeforeNext } = consumed
  return { times: consumedPoints, seconds: Math.max(1, Math.ceil(msBeforeNext / 1000)) }
}
