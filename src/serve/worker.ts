// One worker from start to stop: opens a way to the repository and the public listener, as
// its primary says, and goes by the accounts, rules, keys, certificates and settings that are in
// force there, as it begins and from then on. It reads none of their files.
import { join } from 'node:path'
import pino from 'pino'
import type { AppDependencies } from '../app.ts'
import { addressStates, watchAddresses, type AddressState } from './addresses.ts'
import { createWorkerAudit } from './workers/audit.ts'
import { openMeter } from './measure.ts'
import { createPeers } from './workers/changes.ts'
import { sayCounts } from './workers/counts.ts'
import { hearInForce } from './workers/in-force.ts'
import { createSharedLocks } from './workers/locks.ts'
import { createSharedLogins } from './workers/logins.ts'
import { createSharedSpent } from './workers/spent.ts'
import type { Channel, ToPrimary, ToWorker, WorkerSetup } from './workers/messages.ts'
import { beginWith, putInForce } from '../live/hand-over.ts'
import { endFetching, publishersOf } from '../live/in-force.ts'
import { followIssuers, type Fetching } from '../live/live-keys.ts'
import { liveOf } from '../live/live-tls.ts'
import { openFront } from './front.ts'
import { joinReplicas, UNSAID } from './replicas.ts'
import { atMostEvery } from '../lib/at-most-every.ts'
import { createPulse } from '../lib/pulse.ts'
import { every, later } from '../lib/timers.ts'
import { LOG_FORM } from '../observe/log-form.ts'
import { openNameHash } from '../observe/audit/name-key.ts'
import type { StartResult } from './started.ts'
import { startMistake } from './start-mistakes.ts'
import { SHORTEST_PAUSE } from '../upstream/contact.ts'
import { connectUpstreams } from './connect.ts'
import { openSpool } from '../uploads/spool.ts'

export interface WorkerOptions extends Pick<AppDependencies, 'logStream'> {
  readonly channel: Channel<ToWorker, ToPrimary>
}

/** Starts what its primary says, when it says so. */
export async function startWorker ({ channel, logStream }: WorkerOptions): Promise<StartResult> {
  const heard = hearInForce(channel)
  const { number, socketPath, loginKey, audit: aim } = await new Promise<WorkerSetup>(resolve => {
    channel.receive(message => { if (message.kind === 'begin') resolve(message.setup) })
    channel.send({ kind: 'hears' }) // what comes before is lost
  })
  const inForce = await heard.whole
  const { stateDir } = inForce.config
  try {
    const goneBy = await beginWith(inForce)
    const { settings, keys, tls, revocations } = goneBy
    const config = settings.current
    const tell = (): void => { channel.send({ kind: 'upstream_trouble' }) }
    const onTrouble = atMostEvery(SHORTEST_PAUSE, tell, () => performance.now())
    const { meter, onAnswer, close: closeMeter } = openMeter(logStream, every)
    const log = pino({ ...LOG_FORM, level: config.log.level }, logStream)
    settings.follow(({ log: { level } }) => { log.level = level })
    const { upstreams, close: closeUpstreams } = connectUpstreams(settings, keys.upstream, socketPath, {
      onTrouble,
      onAnswer,
      log,
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
    const sayStates = (states: readonly AddressState[]): void => { channel.send({ kind: 'followers', states }) }
    const endWatch = watchAddresses(addressStates(upstreams, replicas.peers), sayStates, every)
    const pulse = createPulse(every)
    const output = createWorkerAudit(channel, aim, logStream, later)
    const hashName = await openNameHash(stateDir)
    // That it is answered says that the event loop moves.
    channel.receive(message => { if (message.kind === 'ping') channel.send({ kind: 'pong', stuck: pulse.stuck() }) })
    sayCounts(channel, meter)
    channel.send({ kind: 'joined' }) // before it listens, and so before there is an index to forget
    let fetch: Fetching = () => {} // from URLs, when it is open
    const fetching: Fetching = (...asked) => { fetch(...asked) }
    await heard.follow(async changes => { await putInForce(goneBy, changes, log, fetching) })
    const opened = await openFront({
      ...goneBy,
      logStream,
      audit: { output, hashName },
      peers: replicas.peers,
      answered: replicas.answered,
      sweeps: number === 1,
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
    fetch = followIssuers
    fetch(publishersOf(goneBy), log)
    channel.send({ kind: 'listening', address: front.address })
    return {
      ok: true,
      delay: () => settings.current.drain.delay * 1000,
      threads: pulse.threads,
      reread () {}, // its primary says it
      logCutOff: front.logCutOff,
      async stop () {
        await front.close()
        endFetching(goneBy)
        endWatch()
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
