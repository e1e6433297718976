// Who has the clients? This process, or workers of which it is the primary: then it follows
// the files for them, and does for them what one process has to do alone.
import { join } from 'node:path'
import type pino from 'pino'
import type { Config } from '../config/schema.ts'
import { createLocks } from '../lib/locks.ts'
import type { Pulse } from '../lib/pulse.ts'
import { every, later } from '../lib/timers.ts'
import type { CountStore } from '../limits/counter.ts'
import type { OwnLoginLimits } from '../limits/logins.ts'
import { endFetching, follow, publishersOf } from '../live/in-force.ts'
import { followIssuers } from '../live/live-keys.ts'
import type { ReloadReport } from '../live/part.ts'
import type { Settings } from '../live/settings.ts'
import { readLogins } from '../metrics/readings.ts'
import type { AuditOutput } from '../observe/audit/auditing.ts'
import { NO_PEERS } from '../upstream/peers.ts'
import type { Upstreams } from '../upstream/upstreams.ts'
import { openSpool } from '../uploads/spool.ts'
import { addressStates } from './addresses.ts'
import { reportReload } from './audit.ts'
import { auditPart } from './audit-part.ts'
import { openFront, type Front } from './front.ts'
import type { Lifecycle } from './lifecycle.ts'
import { openLogins } from './logins.ts'
import type { Measuring } from './measure.ts'
import type { Parts } from './parts.ts'
import { joinReplicas, shareForWorkers } from './replicas.ts'
import type { RereadingOptions } from './rereading.ts'
import { openSpent } from './spent.ts'
import type { ServeOptions } from './started.ts'
import { createAuditOffice } from './workers/audit.ts'
import { followForWorkers, type FollowedForWorkers } from './workers/follow.ts'
import { forkWorker } from './workers/fork.ts'
import { createLoginOffice } from './workers/logins.ts'
import type { FollowersOffice } from './workers/followers.ts'
import { openPool } from './workers/pool.ts'
import { createSpentOffice } from './workers/spent.ts'

/** A front of which everything can be read again. */
export type Serving = Front & Omit<RereadingOptions, 'log'>
export type ServingResult =
  | { readonly ok: true, readonly front: Serving }
  | { readonly ok: false, readonly message: string }
type WorkersOptions = Omit<Parameters<typeof openPool>[0], 'setup'>

/** What a process has before it speaks to anybody. */
export interface Opened extends Parts {
  readonly config: Config
  readonly settings: Settings
  readonly log: pino.Logger
  readonly pulse: Pulse
  readonly lifecycle: Lifecycle<Serving>
}

export interface ClientsOptions extends Opened {
  readonly measuring: Measuring
  readonly upstreams: Upstreams
  /** Who hears which further addresses are read from. */
  readonly followers: FollowersOffice
  readonly socketPath: string | undefined
  readonly onTrouble: () => void
}

/** Who has the clients: this process, or its workers. */
export async function openClients (options: ClientsOptions, asked: ServeOptions): Promise<ServingResult> {
  const { config, settings, log, pulse, keys, tls, certificates, federation, revocations } = options
  const { audit, measuring, lifecycle } = options
  const { authority, reload, logStream, fork = forkWorker } = asked
  const report = reportTo(audit.output, measuring, log)
  const parts = [auditPart(audit)]
  const goneBy = { settings, authority, keys, tls, certificates, federation, revocations }
  const followed = { ...goneBy, parts, reload, report }
  const spool = await openSpool(join(config.stateDir, 'spool'), () => settings.current.charts.spool.maxBytes)
  if (config.workers === 1) {
    const { meter } = measuring
    const own = { peers: NO_PEERS, locks: createLocks() }
    const replicas = await joinReplicas({ settings, own, log, meter, revocations: revocations.held })
    lifecycle.opened.push(replicas.close)
    options.followers.ask(addressStates(options.upstreams, replicas.peers))
    const opened = await openSpent(config, replicas.spent, log)
    if (!opened.ok) return opened
    const result = await openFront({
      ...goneBy,
      audit,
      upstreams: options.upstreams,
      spool,
      peers: replicas.peers,
      answered: replicas.answered,
      sweeps: true,
      locks: replicas.locks,
      logins: loginsOf(options, replicas.store),
      spent: opened.spent,
      pulse,
      meter,
      logStream
    })
    if (!result.ok) return result
    followIssuers(publishersOf(goneBy), log)
    const { lookNow, standing, close } = follow(followed, log)
    lifecycle.opened.push(async () => {
      close()
      endFetching(goneBy)
    })
    return { ok: true, front: { ...result.front, lookNow, standing } }
  }
  const shared = await shareForWorkers(config)
  lifecycle.opened.push(async () => { shared.close() })
  const opened = await openSpent(config, shared.spent, log)
  if (!opened.ok) return opened
  const logins = loginsOf(options, shared.store)
  return await openWorkers(followForWorkers({ ...options, followed, loginKey: logins.key, audit: audit.aim }), {
    count: config.workers,
    fork: () => fork(lines => { logStream.write(lines) }),
    onTrouble: options.onTrouble,
    onReplaced: measuring.onReplaced,
    offices: [
      measuring.counts,
      options.followers,
      createLoginOffice(logins),
      createSpentOffice(opened.spent),
      createAuditOffice(audit)
    ],
    log,
    clock: () => performance.now(),
    later,
    every
  })
}

/** The limits of failed logins, which this process keeps for itself or its workers. */
function loginsOf ({ settings, log, measuring }: ClientsOptions, store: CountStore | undefined): OwnLoginLimits {
  const logins = openLogins(settings, log, { store })
  readLogins(measuring.meter, logins.standing)
  return logins
}

/** Who hears of what was read again: the audit log, the metrics, and the log of what waits for a restart. */
function reportTo (audit: AuditOutput, measuring: Measuring, log: pino.Logger): ReloadReport {
  const auditReload = reportReload(audit)
  return facts => {
    auditReload(facts)
    measuring.countReload(facts)
    if (facts.later.length > 0) log.warn({ keys: facts.later }, 'restart to apply: these keys are written otherwise')
  }
}

/** Workers, and this process, which follows the files for them. */
async function openWorkers (
  { setup, workers, lookNow, standing }: FollowedForWorkers,
  options: WorkersOptions
): Promise<ServingResult> {
  const result = await openPool({ ...options, setup, offices: [...options.offices, workers] })
  return result.ok ? { ok: true, front: { ...result.front, lookNow, standing, workers } } : result
}
