// With whom does this process share what has to be common to be right? With all replicas on
// the same Redis, if the configuration names one; else with nobody.
import type { Config } from '../config/schema.ts'
import type { Locks } from '../lib/locks.ts'
import { every, later } from '../lib/timers.ts'
import type { Meter } from '../metrics/meter.ts'
import { readRedis } from '../metrics/readings.ts'
import type { OutageLog } from '../replicas/outages.ts'
import { NO_PEERS, type Peers } from '../upstream/peers.ts'

export interface Joined {
  readonly peers: Peers
  /** @param own the locks of this chartgate */
  locks (own: Locks): Locks
  close (): Promise<void>
}

/** With nobody. */
export const ALONE: Joined = { peers: NO_PEERS, locks: own => own, close: async () => {} }

type OfReplicas = Pick<Config, 'redis' | 'charts'>

/** For a process that has clients. @throws Error when what the configuration says of Redis cannot be used */
export async function joinReplicas ({ redis, charts }: OfReplicas, log: OutageLog, meter: Meter): Promise<Joined> {
  if (redis === undefined) return ALONE
  const { openReplicas } = await import('../replicas/replicas.ts')
  const replicas = await openReplicas(redis, charts.index.maxAge, { log, clock: () => performance.now(), later, every })
  readRedis(meter, replicas.isUp)
  return replicas
}

interface Log {
  info (fields: object, message: string): void
}

/** What a replica without Redis has for itself: one that shares its upstream's key with others is one. */
export function sayAlone ({ redis, upstream, charts }: Pick<Config, 'redis' | 'upstream' | 'charts'>, log: Log): void {
  if (redis !== undefined || upstream.keyFile === undefined) return
  const { maxAge } = charts.index
  log.info({}, 'redis.url is not set: other chartgates in front of the same chart repository do not know of failed ' +
    'logins and revoked tokens here, nor of a push that runs' +
    (maxAge === 0 ? '' : `, and may answer an index that is up to ${maxAge} s (charts.index.maxAge) older than a push`))
}
