// Who is first at an object of the repository, when several replicas ask for it? Within one
// chartgate as always; among them whoever has the key in Redis, which ends by itself when
// its holder does not renew it. ChartMuseum takes no number by which it could tell an old
// holder from a new one, so whoever stores something asks whether the lock is proved, by this
// replica's own clock, and looks at what is stored where it is not (uploads/settle.ts).
import { randomUUID } from 'node:crypto'
import type { Hold, Locks } from '../lib/locks.ts'
import type { Every, Later } from '../lib/timers.ts'
import { PATIENCE } from './connections.ts'
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
/**
 * for which whoever was refused it first keeps their turn, until they may have tried again. Without
 * turns a replica at which clients wait for it gives it back and has it again before anybody else,
 */
const TURN = AGAIN + PATIENCE
/**
 * and since the last word of Redis until every other replica knows that this one is out of touch:
 * a connection from which nothing comes is given up by the first question that has no answer when three
 * seconds have passed (redis.ts), and till then beats may arrive; the rest is until they are missed (others.ts).
 */
export const LONELY = 6_000

export interface ReplicaLocksOptions {
  readonly redis: Pick<Redis, 'run' | 'storedAt'>
  readonly isSomebodyAlone: () => boolean
  /** Milliseconds of a clock that only goes on. */
  readonly clock: () => number
  readonly later: Later
  readonly every: Every
}

export interface ReplicaLocks extends Locks {
  /** Something is done here that no lock is held for, because Redis was away when it began. */
  isAlone (): boolean
}

/** @param own the locks of this chartgate */
export function createReplicaLocks (
  own: Locks,
  { redis, isSomebodyAlone, clock, later, every }: ReplicaLocksOptions
): ReplicaLocks {
  let alone = 0
  const sleep = async (ms: number): Promise<void> => { await new Promise<void>(resolve => { later(ms, resolve) }) }

  /**
   * Since when the epoch is, if the lock is this holder's for STANDS from now on; a negative number
   * when it is another's, or another's turn.
   */
  async function ask (name: string, holder: string): Promise<number> {
    return await redis.run(LOCK, [name, holder, `${STANDS}`, randomUUID(), `${TURN}`]) as number
  }

  /** Until when it is proved; undefined: it cannot be had of Redis, and what is done is done alone. */
  async function acquire (name: string, holder: string): Promise<number | undefined> {
    let failingSince: number | undefined
    for (;;) {
      const askedAt = clock()
      let pause: number
      try {
        const age = await ask(name, holder)
        if (failingSince !== undefined) alone--
        failingSince = undefined
        if (age >= STANDS) return askedAt + STANDS
        // What Redis held before this epoch is lost, and with it locks that others still take for proved.
        pause = age < 0 ? AGAIN : STANDS - age
      } catch {
        // The others hear of it before it begins, if beats come through and this does not.
        if (failingSince === undefined) alone++
        failingSince ??= clock()
        pause = Math.min(redis.storedAt(), failingSince) + LONELY - clock()
        if (pause <= 0) return undefined
      }
      await sleep(Math.min(pause, RENEW))
    }
  }

  function giveBack (name: string, holder: string): void {
    void redis.run(UNLOCK, [name, holder]).catch(() => {}) // it ends by itself
  }

  return {
    isAlone: () => alone > 0,
    async hold (name, work) {
      return await own.hold(name, async () => {
        const holder = randomUUID()
        const until = await acquire(name, holder)
        if (until === undefined) {
          return await work(() => 'none').finally(() => {
            alone--
            giveBack(name, holder) // one that was answered too late
          })
        }
        let provedUntil = until
        const renew = async (): Promise<void> => {
          const askedAt = clock()
          const isOurs = await ask(name, holder) >= 0
          // One that was not proved any more when this was answered may have been another's in between.
          provedUntil = isOurs && clock() < provedUntil ? askedAt + STANDS : -Infinity
        }
        const endRenewing = every(RENEW, () => { renew().catch(() => {}) }) // it ends by itself
        try {
          return await work((): Hold => {
            if (provedUntil - clock() < NEEDS) return 'lost'
            return isSomebodyAlone() ? 'doubted' : 'proved'
          })
        } finally {
          endRenewing()
          giveBack(name, holder)
        }
      })
    }
  }
}
