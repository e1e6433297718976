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

/** One that was counted, with those before it. */
export interface Counted extends Count {
  /** It is none after all: counts it no longer where it was counted, if it is not forgotten there already. */
  takeBack (): Promise<void>
}

export interface Counter {
  /** Counts once more. */
  add (key: string): Promise<Counted>
  read (key: string): Promise<Count>
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
  const { limiter, takeBack } = shared === undefined ? { limiter: own, takeBack: undefined } : sharedBy(shared, own)
  return {
    async add (key) {
      const asked = Date.now()
      const consumed = await limiter.penalty(key, 1, { customDuration: within() })
      const until = asked + consumed.msBeforeNext // which is never after the end of its window
      return {
        ...countOf(consumed, within()),
        async takeBack () {
          if (Date.now() >= until) return // its window has ended, and another one may have begun
          await (own.made.has(consumed) ? own.takeBack(key, within()) : takeBack?.(key))
        }
      }
    },
    read: async key => countOf(await limiter.get(key), within()),
    size: () => own.keys.size
  }
}

/** The same there. */
const TAKE_BACK = "if tonumber(redis.call('get', KEYS[1]) or 0) > 0 then return redis.call('incrby', KEYS[1], -1) end"

/** @param own counts while the place is away */
function sharedBy (
  { store, name }: SharedCounts,
  own: BoundedLimiter
): { readonly limiter: InstanceType<typeof RateLimiterRedis>, takeBack (key: string): Promise<void> } {
  const limiter = new RateLimiterRedis({
    points: POINTS,
    duration: 0, // each call says its own
    storeClient: store,
    useRedisPackage: true,
    keyPrefix: name,
    insuranceLimiter: own
  })
  return {
    limiter,
    async takeBack (key) {
      // While it is away nobody can: then it counts there until its window ends.
      await store.eval(TAKE_BACK, { keys: [limiter.getKey(key)], arguments: [] }).catch(() => {})
    }
  }
}

/** What is left of them is not looked at. */
const POINTS = 1

type Penalty = InstanceType<typeof RateLimiterMemory>['penalty']

class BoundedLimiter extends RateLimiterMemory {
  /** The one that was counted longest ago first; also of windows that have ended. */
  readonly keys = new Set<string>()
  /** What was counted here, and not in the place that it stands in for. */
  readonly made = new WeakSet<object>()
  private readonly most: number

  constructor (most: number) {
    super({ points: POINTS, duration: 0 })
    this.most = most
  }

  override async penalty (...counted: Parameters<Penalty>): Promise<Awaited<ReturnType<Penalty>>> {
    const key = `${counted[0]}`
    if (!this.keys.delete(key)) await this.makeRoom()
    this.keys.add(key)
    const consumed = await super.penalty(...counted)
    this.made.add(consumed)
    return consumed
  }

  /**
   * Never below nothing, and what is forgotten stays so.
   * @param within of a window that begins just then: without one it would never end
   */
  async takeBack (key: string, within: number): Promise<void> {
    const { consumedPoints = 0, msBeforeNext = 0 } = await this.get(key) ?? {}
    if (consumedPoints > 0 && msBeforeNext > 0) await this.reward(key, 1, { customDuration: within })
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
