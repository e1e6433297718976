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
import { createSharedSpent } from './workers/spent.ts'
import type { Channel, ToPrimary, ToWorker, WorkerSetup } from './workers/messages.ts'
import { beginWith } from '../live/in-force.ts'
import { liveOf } from '../live/live-tls.ts'
import { openFront } from './front.ts'
import { joinReplicas, UNSAID } from './replicas.ts'
import { atMostEvery } from '../lib/at-most-every.ts'
import { createPulse } from '../lib/pulse.ts'
import { every, later } from '../lib/timers.ts'
import { LOG_FORM } from '../observe/log-form.ts'
import { openNameHash } from '../observe/audit/name-key.ts'
import type { ServeOptions, StartResult } from './started.ts'
import { startMistake } from './start-mistakes.ts'
import { SHORTEST_PAUSE } from '../upstream/contact.ts'
import { connectUpstreams } from './connect.ts'
import { openSpool } from '../uploads/spool.ts'

export interface WorkerOptions extends Pick<AppDependencies, 'logStream'> {
  readonly channel: Channel<ToWorker, ToPrimary>
  /** Reads the file again that its primary found; undefined: there is none. */
  readonly reloadOf: (file: string | undefined) => ServeOptions['reload']
}

/** Starts what its primary says, when it says so. */
export async function startWorker ({ channel, reloadOf, logStream }: WorkerOptions): Promise<StartResult> {
  const { inForce, number, socketPath, loginKey, audit: aim } = await new Promise<WorkerSetup>(resolve => {
    channel.receive(message => { if (message.kind === 'begin') resolve(message.setup) })
    channel.send({ kind: 'hears' }) // what comes before is lost
  })
  const { stateDir } = inForce.config
  try {
    const { settings, authority, keys, tls, certificates, federation, revocations } = await beginWith(inForce)
    const config = settings.current
    const tell = (): void => { channel.send({ kind: 'upstream_trouble' }) }
    const onTrouble = atMostEvery(SHORTEST_PAUSE, tell, () => performance.now())
    const { meter, onAnswer, close: closeMeter } = openMeter(logStream, every)
    const log = pino({ ...LOG_FORM, level: config.log.level }, logStream)
    const { upstreams, close: closeUpstreams } = connectUpstreams(settings, keys.upstream, socketPath, {
      onTrouble,
      onAnswer,
      log,
      onFollowers (states) { channel.send({ kind: 'followers', states }) },
      tls: liveOf(tls, 'upstream.tls')
    })
    const share = (): number => Math.floor(settings.current.charts.spool.maxBytes / config.workers)
    const spool = await openSpool(join(stateDir, 'spool', `worker-${number}`), share)
    const replicas = await joinReplicas({
      settings,
      own: { peers: createPeers(channel), locks: createSharedLocks(channel) },
      log: number === 1 ? log : UNSAID, // one of them says for all what Redis is doing
      meter,
      revocations: revocations.held
    })
    const pulse = createPulse(every)
    const output = createWorkerAudit(channel, aim, logStream, later)
    const hashName = await openNameHash(stateDir)
    // That it is answered says that the event loop moves.
    channel.receive(message => { if (message.kind === 'ping') channel.send({ kind: 'pong', stuck: pulse.stuck() }) })
    sayCounts(channel, meter)
    channel.send({ kind: 'joined' }) // before it listens, and so before there is an index to forget
    sayCertificates(channel, tls)
    const opened = await openFront({
      settings,
      logStream,
      audit: { output, hashName },
      reload: reloadOf(config.file),
      peers: replicas.peers,
      answered: replicas.answered,
      authority,
      keys,
      tls,
      certificates,
      federation,
      revocations,
      upstreams,
      spool,
      locks: replicas.locks,
      logins: createSharedLogins(channel, loginKey),
      spent: createSharedSpent(channel),
      pulse,
      meter
    })
    if (!opened.ok) return opened
    const { front } = opened
    channel.receive(message => {
      if (message.kind !== 'reread') return
      void front.lookNow().then(({ mistakes }) => { channel.send({ kind: 'reread', id: message.id, mistakes }) })
    })
    channel.send({ kind: 'listening', address: front.address })
    return {
      ok: true,
      delay: () => settings.current.drain.delay * 1000,
      threads: pulse.threads,
      reread () {}, // its primary says it
      logCutOff: front.logCutOff,
      async stop () {
        await front.close()
        await replicas.close()
        await closeUpstreams()
        pulse.close()
        closeMeter()
        return true
      }
    }
  } catch (error) {
    return { ok: false, message: await startMistake(error, stateDir) }
  }
}
