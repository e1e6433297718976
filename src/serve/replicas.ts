// With whom does this process share what has to be common to be right? With all replicas on
// the same Redis, if the configuration names one; else with its own workers at most.
import { lstat, stat } from 'node:fs/promises'
import type { Config } from '../config/schema.ts'
import type { Locks } from '../lib/locks.ts'
import type { OutageLog } from '../lib/outages.ts'
import { every, later } from '../lib/timers.ts'
import type { CountStore } from '../limits/counter.ts'
import type { Settings } from '../live/settings.ts'
import type { Meter } from '../metrics/meter.ts'
import { readRedis } from '../metrics/readings.ts'
import type { Answered } from '../replicas/answered.ts'
import type { Revocations } from '../tokens/revocations.ts'
import type { Spent } from '../tokens/spent.ts'
import type { Peers } from '../upstream/peers.ts'

/** What a process that has clients shares. */
export interface Shared {
  readonly peers: Peers
  readonly locks: Locks
}

export interface Joined extends Shared {
  /** Where all replicas count; undefined: there is no such place. */
  readonly store?: CountStore
  /** What all replicas remember of tokens that count once; undefined: there is no such place. */
  readonly spent?: Spent
  /** What the registries of all replicas have answered with; undefined: there is no such place. */
  readonly answered?: Answered
  close (): Promise<void>
}

export interface JoinOptions {
  readonly settings: Settings
  /** Of this chartgate alone. */
  readonly own: Shared
  readonly log: OutageLog
  readonly meter: Meter
  readonly revocations: Revocations
}

/** Where somebody else says it. */
export const UNSAID: OutageLog = { error () {} }

const TIMES = { clock: () => performance.now(), later, every }

/** For a process that has clients. @throws Error when what the configuration says of Redis cannot be used */
export async function joinReplicas ({ settings, own, log, meter, revocations }: JoinOptions): Promise<Joined> {
  const { redis } = settings.current
  if (redis === undefined) return { ...own, close: async () => {} }
  const { openReplicas } = await import('../replicas/replicas.ts')
  const keeps = (): boolean => {
    const { charts, upstream } = settings.current
    return charts.index.maxAge > 0 || upstream.further.length > 0
  }
  const replicas = await openReplicas(redis, { ...TIMES, locks: own.locks, keeps, revocations, log })
  readRedis(meter, replicas.isUp)
  return replicas
}

/** What the primary of workers shares with all replicas, for them; they say themselves what Redis is doing. */
export async function shareForWorkers (
  { redis: config }: Pick<Config, 'redis'>
): Promise<Pick<Joined, 'store' | 'spent'> & { close (): void }> {
  if (config === undefined) return { close () {} }
  const { connectRedis } = await import('../replicas/replicas.ts')
  const { createReplicaSpent } = await import('../replicas/spent.ts')
  const { redis } = await connectRedis(config, { ...TIMES, log: UNSAID })
  return { store: redis.store, spent: createReplicaSpent(redis), close: redis.close }
}

interface Log {
  info (fields: object, message: string): void
}

type OfReplicas = Pick<Config, 'redis' | 'upstream' | 'charts' | 'tokens' | 'oci'>

/** Is a folder in this one another one's, by a link or a mount? */
export async function isFromElsewhere (parent: string, folder: string): Promise<boolean> {
  const found = [stat(parent), lstat(folder)].map(async each => await each.catch(() => undefined))
  const [own, its] = await Promise.all(found)
  return its !== undefined && (its.isSymbolicLink() || its.dev !== own?.dev)
}

/**
 * What one of several has for itself without Redis. It is taken for one where all keys that several
 * have to share come from elsewhere: a single gateway makes its own, and hears nothing of this.
 * @param sharesKeys its folder of keys is not its own
 */
export function sayAlone ({ redis, upstream, charts, tokens, oci }: OfReplicas, sharesKeys: boolean, log: Log): void {
  const hasKeys = tokens.keys.length > 0 && (upstream.auth !== 'bearer' || upstream.keyFile !== undefined)
  if (redis !== undefined || upstream.url === undefined || !(hasKeys || sharesKeys)) return
  const { maxAge } = charts.index
  const reads = [
    ...(maxAge === 0 ? [] : [`answer an index that is up to ${maxAge} s (charts.index.maxAge) older than a push`]),
    ...(upstream.further.length === 0 ? [] : ['read at an address (upstream.urls) what is of before a push'])
  ]
  log.info({}, 'redis.url is not set: other chartgates in front of the same chart repository do not know of failed ' +
    'logins, of revoked and exchanged tokens here, ' + (oci.enabled ? 'of what its registry has answered, ' : '') +
    'nor of a push that runs' +
    (reads.length === 0 ? '' : `, and may ${reads.join(', and ')}`))
}
