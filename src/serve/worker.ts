// One worker from start to stop: opens a way to the repository and the public listener, as
// its primary says, begins with the accounts, rules, keys and certificates that are in force there, and
// watches their files itself.
import { join } from 'node:path'
import pino from 'pino'
import type { AppDependencies } from '../app.ts'
import { createWorkerAudit } from './workers/audit.ts'
import { openMeter } from './measure.ts'
import { sayCertificates } from './workers/certificates.ts'
import { createPeers } from './workers/changes.ts'
import { sayCounts } from './workers/counts.ts'
import { createSharedLocks } from './workers/locks.ts'
import { createSharedLogins } from './workers/logins.ts'
import type { Channel, ToPrimary, ToWorker, WorkerSetup } from './workers/messages.ts'
import { beginWith } from '../live/in-force.ts'
import { upstreamTls } from '../live/live-tls.ts'
import type { Config } from '../config/schema.ts'
import { openFront } from './front.ts'
import { joinReplicas } from './replicas.ts'
import { atMostEvery } from '../lib/at-most-every.ts'
import { createPulse } from '../lib/pulse.ts'
import { every, later } from '../lib/timers.ts'
import { LOG_FORM } from '../observe/log-form.ts'
import { openNameHash } from '../observe/audit/name-key.ts'
import { streamOf } from './audit.ts'
import type { ServeOptions, StartResult } from './started.ts'
import { startMistake } from './start-mistakes.ts'
import { SHORTEST_PAUSE } from '../upstream/contact.ts'
import { onlyUpstream } from '../upstream/upstreams.ts'
import { connectUpstream } from './connect.ts'
import { openSpool } from '../uploads/spool.ts'

export interface WorkerOptions extends Pick<AppDependencies, 'logStream'> {
  readonly channel: Channel<ToWorker, ToPrimary>
  /** Reads the file again that its primary found; undefined: there is none. */
  readonly reloadOf: (file: string | undefined) => ServeOptions['reload']
}

/** Starts what its primary says, when it says so. */
export async function startWorker ({ channel, reloadOf, logStream }: WorkerOptions): Promise<StartResult> {
  const { config: fixed, inForce, number, socketPath, loginKey } = await new Promise<WorkerSetup>(resolve => {
    channel.receive(message => { if (message.kind === 'begin') resolve(message.setup) })
    channel.send({ kind: 'hears' }) // what comes before is lost
  })
  // A message is JSON, which has no undefined.
  const upstreamAsIs = { ...fixed.upstream, url: fixed.upstream.url }
  const { accounts, policy, identity, tokens: { keys: ownKeys, issuers } } = inForce.config
  const config: Config = {
    ...fixed,
    upstream: upstreamAsIs,
    accounts,
    policy,
    identity,
    tokens: { ...fixed.tokens, keys: ownKeys, issuers }
  }
  const { stateDir, charts } = config
  try {
    const { authority, keys, tls, certificates } = await beginWith(inForce)
    const tell = (): void => { channel.send({ kind: 'upstream_trouble' }) }
    const onTrouble = atMostEvery(SHORTEST_PAUSE, tell, () => performance.now())
    const { meter, onAnswer, close: closeMeter } = openMeter(logStream, every)
    const log = pino({ ...LOG_FORM, level: config.log.level }, logStream)
    const upstream = connectUpstream(config, keys.upstream, socketPath, {
      onTrouble,
      onAnswer,
      log,
      tls: upstreamTls(config, tls)
    })
    const upstreams = onlyUpstream(upstream)
    const share = Math.floor(charts.spool.maxBytes / config.workers)
    const spool = await openSpool(join(stateDir, 'spool', `worker-${number}`), share)
    const replicas = await joinReplicas(config, log, meter)
    const peers = config.redis === undefined && charts.index.maxAge > 0 ? createPeers(channel) : replicas.peers
    const locks = replicas.locks(createSharedLocks(channel))
    const pulse = createPulse(every)
    const audit = config.audit.file === undefined
      ? streamOf(logStream)
      : createWorkerAudit(channel, config.audit.required, later)
    const hashName = await openNameHash(stateDir)
    // That it is answered says that the event loop moves.
    channel.receive(message => { if (message.kind === 'ping') channel.send({ kind: 'pong', stuck: pulse.stuck() }) })
    sayCounts(channel, meter)
    channel.send({ kind: 'joined' }) // before it listens, and so before there is an index to forget
    sayCertificates(channel, tls)
    const opened = await openFront(config, {
      logStream,
      audit: { ...audit, hashName },
      reload: reloadOf(config.file),
      peers,
      authority,
      keys,
      tls,
      certificates,
      upstreams,
      spool,
      locks,
      logins: createSharedLogins(channel, loginKey),
      pulse,
      meter
    })
    if (!opened.ok) return opened
    const { front } = opened
    channel.receive(message => { if (message.kind === 'reread') front.reread() })
    channel.send({ kind: 'listening', address: front.address })
    return {
      ok: true,
      delay: config.drain.delay * 1000,
      threads: pulse.threads,
      reread: front.reread,
      logCutOff: front.logCutOff,
      async stop () {
        await front.close()
        await replicas.close()
        await upstream.close()
        pulse.close()
        closeMeter()
        return true
      }
    }
  } catch (error) {
    return { ok: false, message: await startMistake(error, stateDir) }
  }
}
