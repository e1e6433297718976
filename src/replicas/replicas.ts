// What do this process and all others on the same Redis know together? Opened where redis.url
// is set: who may answer from memory, who is first, what is revoked, and what Redis is doing.
import { randomUUID } from 'node:crypto'
import { MOST_AGE } from '../config/redis.ts'
import type { RedisConfig } from '../config/schema.ts'
import type { Locks } from '../lib/locks.ts'
import type { Every, Later } from '../lib/timers.ts'
import type { CountStore } from '../limits/counter.ts'
import type { TlsTexts } from '../tls/material.ts'
import type { Revocations } from '../tokens/revocations.ts'
import type { Spent } from '../tokens/spent.ts'
import type { Peers } from '../upstream/peers.ts'
import { createReplicaAnswered, type Answered } from './answered.ts'
import { createLeases } from './leases.ts'
import { createReplicaLocks } from './locks.ts'
import { createOthers } from './others.ts'
import type { OutageLog, Outages } from '../lib/outages.ts'
import { createRedisOutages } from './outages.ts'
import { openRedis, type Redis } from './redis.ts'
import { createRevoked } from './revoked.ts'
import { createReplicaSpent } from './spent.ts'
import { readTexts } from './texts.ts'
import { LEAVE, REVOKE, SAY } from './scripts.ts'

/** What a process has of it that has clients. */
export interface Replicas {
  readonly peers: Peers
  readonly locks: Locks
  /** Where all of them count. */
  readonly store: CountStore
  readonly spent: Spent
  /** What all of their registries have answered with. */
  readonly answered: Answered
  /** Undefined: it is not known yet. */
  isUp (): boolean | undefined
  /** Says goodbye to the others. */
  close (): Promise<void>
}

export interface RedisTimes {
  readonly log: OutageLog
  /** Milliseconds of a clock that only goes on. */
  readonly clock: () => number
  readonly later: Later
}

export interface ReplicasOptions extends RedisTimes {
  /** Of this chartgate alone. */
  readonly locks: Locks
  /** Does anything here have to hear of changes, by the configuration as it is now? */
  readonly keeps: () => boolean
  readonly revocations: Revocations
  readonly every: Every
}

const GONE = 'chartgate:gone'

async function textsOf (config: RedisConfig): Promise<TlsTexts> {
  const read = await readTexts(config)
  if (!read.ok) throw new Error(read.mistakes.join('; '))
  return read.texts
}

/** Opens the way there. @throws Error when files of redis.tls cannot be used */
export async function connectRedis (
  config: RedisConfig,
  { log, clock, later }: RedisTimes
): Promise<{ readonly redis: Redis, readonly outages: Outages }> {
  const outages = createRedisOutages(log, `${config.host}:${config.port}`, clock)
  return { redis: await openRedis({ config, texts: await textsOf(config), outages, later, clock }), outages }
}

/** @throws Error when files of redis.tls cannot be used */
export async function openReplicas (config: RedisConfig, options: ReplicasOptions): Promise<Replicas> {
  const { keeps, revocations, clock, later, every } = options
  const { redis, outages } = await connectRedis(config, options)
  const others = createOthers(clock)
  const revoked = createRevoked(redis, revocations)
  const { isSomebodyAlone } = others
  const locks = createReplicaLocks(options.locks, { redis, isSomebodyAlone, clock, later, every })
  const doubters: (() => void)[] = []
  /** Who does not come back tells nobody any more of what it could not tell; who does tells it first (leases.ts). */
  const doubt = (): void => { for (const each of doubters) each() }
  const leases = createLeases({
    redis,
    keeps,
    isAlone: locks.isAlone,
    mostAge: MOST_AGE * 1000,
    clock,
    later,
    every,
    hearer: {
      revokedUpTo: revoked.upTo,
      heard (reply, isNew) {
        const dead = others.heard(reply)
        for (const [member, saying] of dead) redis.run(LEAVE, [member, saying]).catch(() => {})
        if (dead.length > 0) doubt()
        revoked.heard(reply, isNew)
      }
    }
  })
  redis.hear(GONE, member => { if (others.left(member)) doubt() })
  await leases.begun // what is revoked is known before anybody is let in
  return {
    peers: {
      ...leases,
      onDoubt (each) { doubters.push(each) },
      knowsAll: () => leases.holds() && !isSomebodyAlone()
    },
    locks,
    store: redis.store,
    spent: createReplicaSpent(redis),
    answered: createReplicaAnswered(redis),
    isUp: outages.isUp,
    async close () {
      await leases.close()
      await redis.run(SAY, [GONE, leases.own]).catch(() => {})
      redis.close()
    }
  }
}

/** Milliseconds for which a command tries to be heard. */
const TRIES = 3_000
const PAUSE = 100

/**
 * Revokes something for all replicas, from a process that is none of them.
 * @param now seconds since the epoch
 * @returns what hinders that, in a sentence; undefined: it is done
 * @throws Error when files of redis.tls cannot be used
 */
export async function revokeForAll (
  config: RedisConfig,
  text: string,
  now: number,
  { clock, later }: Omit<RedisTimes, 'log'>
): Promise<string | undefined> {
  let hindrance = 'Redis does not answer'
  const outages = { report (sentence?: string) { hindrance = sentence ?? hindrance } }
  const redis = await openRedis({ config, texts: await textsOf(config), outages, later, clock })
  const until = clock() + TRIES
  try {
    while (!await redis.run(REVOKE, [randomUUID(), `${now}`, text]).then(() => true, () => false)) {
      if (clock() >= until) return hindrance
      await new Promise<void>(resolve => { later(PAUSE, resolve) })
    }
    return undefined
  } finally {
    redis.close()
  }
}
