// What do this process and all others on the same Redis know together? Opened where redis.url
// is set: who may answer from memory, who is first, and what Redis is doing.
import type { RedisConfig } from '../config/schema.ts'
import { readText } from '../files/files.ts'
import type { Locks } from '../lib/locks.ts'
import type { Every, Later } from '../lib/timers.ts'
import { readMaterial, type TlsTexts } from '../tls/material.ts'
import type { Peers } from '../upstream/peers.ts'
import { createLeases } from './leases.ts'
import { createReplicaLocks } from './locks.ts'
import { createOthers } from './others.ts'
import { createRedisOutages, type OutageLog } from './outages.ts'
import { openRedis } from './redis.ts'
import { SAY } from './scripts.ts'

/** What a process has of it that has clients. */
export interface Replicas {
  readonly peers: Peers
  /** @param own the locks of this chartgate */
  locks (own: Locks): Locks
  /** Undefined: it is not known yet. */
  isUp (): boolean | undefined
  /** Says goodbye to the others. */
  close (): Promise<void>
}

export interface ReplicasOptions {
  readonly log: OutageLog
  /** Milliseconds of a clock that only goes on. */
  readonly clock: () => number
  readonly later: Later
  readonly every: Every
}

const GONE = 'chartgate:gone'

/** @param maxAge seconds that an index is answered from memory @throws Error when files of redis.tls cannot be used */
export async function openReplicas (
  config: RedisConfig,
  maxAge: number,
  { log, clock, later, every }: ReplicasOptions
): Promise<Replicas> {
  const outages = createRedisOutages(log, `${config.host}:${config.port}`, clock)
  const redis = await openRedis({ config, texts: await textsOf(config), outages, later, clock })
  const others = createOthers(clock)
  const leases = createLeases({
    redis,
    maxAge: maxAge * 1000,
    clock,
    later,
    every,
    hearer: {
      revokedUpTo: () => 0,
      heard (reply) { others.heard(reply) }
    }
  })
  redis.hear(GONE, others.left)
  return {
    peers: leases,
    locks: own => createReplicaLocks(own, { redis, isSomebodySilent: others.isSomebodySilent, clock, later, every }),
    isUp: outages.isUp,
    async close () {
      await leases.close()
      await redis.run(SAY, [GONE, leases.own]).catch(() => {})
      redis.close()
    }
  }
}

/** What the files of redis.tls hold. @throws Error that says which of them cannot be used */
async function textsOf ({ tls: files = {} }: RedisConfig): Promise<TlsTexts> {
  const texts: Record<string, string> = {}
  for (const [what, file] of Object.entries(files)) {
    const read = await readText(file)
    if (!read.ok) throw new Error(`redis.tls.${what}: ${read.mistake}`)
    texts[what] = read.text
  }
  const read = readMaterial(files, texts)
  if (!read.ok) throw new Error(`redis.tls: ${read.mistakes.join('; ')}`)
  return texts
}
