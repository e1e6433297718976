// Who is first at an object of the repository, when several replicas ask for it? Within one
// chartgate as always; among them whoever has the key in Redis, which ends by itself when
// its holder does not renew it. ChartMuseum takes no number by which it could tell an old
// holder from a new one, so whoever stores something asks whether the lock is proved, by this
// replica's own clock, and looks at what is stored where it is not (uploads/settle.ts).
import { randomUUID } from 'node:crypto'
import type { Hold, Locks } from '../lib/locks.ts'
import type { Every, Later } from '../lib/timers.ts'
import type { Redis } from './redis.ts'
import { LOCK, UNLOCK } from './scripts.ts'

/** Milliseconds that a lock stands without being renewed, */
export const STANDS = 10_000
/** between two times that it is, */
const RENEW = 2_000
/** that have to be left for one more step of a change, */
const NEEDS = 4_000
/** between two tries to get it, */
const AGAIN = 50
/** and since the last word of Redis until every other replica knows that this one is out of touch (others.ts). */
export const LONELY = 4_000

export interface ReplicaLocksOptions {
  readonly redis: Pick<Redis, 'run' | 'answeredAt'>
  readonly isSomebodySilent: () => boolean
  /** Milliseconds of a clock that only goes on. */
  readonly clock: () => number
  readonly later: Later
  readonly every: Every
}

/** @param own the locks of this chartgate */
export function createReplicaLocks (
  own: Locks,
  { redis, isSomebodySilent, clock, later, every }: ReplicaLocksOptions
): Locks {
  const sleep = async (ms: number): Promise<void> => { await new Promise<void>(resolve => { later(ms, resolve) }) }

  /** Until when it is proved; undefined: Redis is away. */
  async function acquire (name: string, holder: string): Promise<number | undefined> {
    for (;;) {
      const askedAt = clock()
      try {
        if (await redis.run(LOCK, [name, holder, `${STANDS}`]) === 1) return askedAt + STANDS
      } catch {
        await sleep(Math.max(0, redis.answeredAt() + LONELY - clock()))
        return undefined
      }
      await sleep(AGAIN)
    }
  }

  return {
    async hold (name, work) {
      return await own.hold(name, async () => {
        const holder = randomUUID()
        const until = await acquire(name, holder)
        if (until === undefined) return await work(() => 'none')
        let provedUntil = until
        const renew = async (): Promise<void> => {
          const askedAt = clock()
          const isOurs = await redis.run(LOCK, [name, holder, `${STANDS}`]) === 1
          provedUntil = isOurs ? askedAt + STANDS : -Infinity
        }
        const endRenewing = every(RENEW, () => { renew().catch(() => {}) }) // it ends by itself
        try {
          return await work((): Hold => {
            if (provedUntil - clock() < NEEDS) return 'lost'
            return isSomebodySilent() ? 'doubted' : 'proved'
          })
        } finally {
          endRenewing()
          void redis.run(UNLOCK, [name, holder]).catch(() => {}) // it ends by itself
        }
      })
    }
  }
}
