// From start to stop: opens what the configuration names, listens, and drains on a signal.
// With one worker this process does everything; with more it is their primary, which has
// stateDir, the embedded repository and the probes, and they have the clients. Everything
// expected that can go wrong comes back as one sentence.
import { isatty } from 'node:tty'
import pino from 'pino'
import { DRAIN_LIMIT } from '../app.ts'
import { buildAdmin, type AdminOptions } from '../app/admin.ts'
import type { Environment } from '../config/environment.ts'
import type { Config } from '../config/schema.ts'
import { CLOCK } from '../lib/clock.ts'
import { createLive } from '../lib/live.ts'
import { createPulse } from '../lib/pulse.ts'
import { every, later } from '../lib/timers.ts'
import { certificatesCheck } from '../live/certificate-warnings.ts'
import { warnDaily } from '../live/daily-warnings.ts'
import { liveOf, type OpenedTls } from '../live/live-tls.ts'
import { standingCheck, type ReloadStanding } from '../live/part.ts'
import type { Settings } from '../live/settings.ts'
import { LOG_FORM } from '../observe/log-form.ts'
import { lookAtTerminal } from '../observe/log-look.ts'
import { openLog, STANDARD_OUTPUT } from '../observe/log-sink.ts'
import { keyFolder } from '../tokens/trusted.ts'
import { openClients, type Opened, type Serving } from './clients.ts'
import { addressesCheck, ailmentOfAll, type Addresses } from './addresses.ts'
import { connectUpstreams } from './connect.ts'
import { openContact, type UpstreamContact } from './contact.ts'
import { openEmbedded } from './embedded.ts'
import { addressOf, listen } from './front.ts'
import { createLifecycle } from './lifecycle.ts'
import { openMeasuring, type Measuring } from './measure.ts'
import { openParts } from './parts.ts'
import { isFromElsewhere, sayAlone } from './replicas.ts'
import { rereadAll, type Reread } from './rereading.ts'
import { sayListening } from './say-listening.ts'
import { startMistake } from './start-mistakes.ts'
import type { ServeOptions, ServeResult, StartResult } from './started.ts'
import { untilSignal, type Stoppable } from './until-signal.ts'
import { startWorker } from './worker.ts'
import { createFollowersOffice } from './workers/followers.ts'
import { PRIMARY } from './workers/fork.ts'
import type { ToPrimary } from './workers/messages.ts'
import { endWithParent } from './workers/orphan.ts'

/** Milliseconds after their own limit in which workers end, and this process sees it. */
const MORE_FOR_WORKERS = 2_000

/* c8 ignore start -- its end and its output are the process's own: the walkthrough starts and stops one */
/**
 * Starts everything and serves until SIGTERM or SIGINT; a second signal ends it at once.
 * @param env how the terminal is
 */
export async function serve (
  config: Config,
  { env, ...options }: Omit<ServeOptions, 'announce' | 'logStream' | 'fork'> & { readonly env: Environment }
): Promise<ServeResult> {
  const atTerminal = isatty(STANDARD_OUTPUT)
  const logStream = openLog(STANDARD_OUTPUT, atTerminal ? await lookAtTerminal(env) : undefined)
  // One writer, so that nothing that it writes stands within a line of log.
  const announce = (text: string): void => { logStream.write(text) }
  // A program that reads the log reads lines of JSON, and nothing else.
  const reader = atTerminal ? { announce } : {}
  const started = await start(config, { ...options, ...reader, logStream })
  if (!started.ok) return started
  const until = config.workers === 1 ? {} : { limit: DRAIN_LIMIT + MORE_FOR_WORKERS }
  return { ok: true, closed: untilSignal(started, until) }
}

/** The same in a worker, which begins as its primary says, also stops when it does, and never outlives it. */
export async function serveAsWorker (): Promise<void> {
  endWithParent()
  const asked = new Promise<void>(resolve => { PRIMARY.receive(message => { if (message.kind === 'stop') resolve() }) })
  const started = await startWorker({ logStream: openLog(STANDARD_OUTPUT), channel: PRIMARY })
  if (started.ok) return await untilSignal(started, { asked, rereads: false })
  // The primary says it, once for all workers.
  await new Promise(resolve => {
    process.send?.({ kind: 'failed', message: started.message } satisfies ToPrimary, resolve)
  })
  process.exit(1)
}
/* c8 ignore stop */

/** Starts everything; resolves once it listens. */
export async function start (config: Config, options: ServeOptions): Promise<StartResult> {
  const settings = createLive(config)
  const log = pino({ ...LOG_FORM, level: config.log.level }, options.logStream)
  settings.follow(({ log: { level } }) => { log.level = level })
  const pulse = createPulse(every)
  const lifecycle = createLifecycle<Serving>(pulse)
  const failed = async (message: string): Promise<StartResult> => {
    await lifecycle.stop()
    return { ok: false, message }
  }
  try {
    const result = await openParts(config, lifecycle, options.logStream, log)
    if (!result.ok) return await failed(result.message)
    const mistake = await openAll({ config, settings, log, pulse, lifecycle, ...result.parts }, options)
    if (mistake !== undefined) return await failed(mistake)
    return { ok: true, ...stoppable({ settings, log, pulse, lifecycle, ...result.parts }) }
  } catch (error) {
    return await failed(await startMistake(error, config.stateDir))
  }
}

/** Opens what speaks: the repository or the way to it, the probes, and who has the clients; what hinders that. */
async function openAll (parts: Opened, options: ServeOptions): Promise<string | undefined> {
  const { config, settings, log, pulse, lifecycle, keys, tls, federation } = parts
  const { opened } = lifecycle
  const demo = options.demoChart === undefined ? {} : { demoChart: options.demoChart }
  const socketPath = await openEmbedded(settings, { key: keys.upstream, log, opened, ...demo })
  const contact = openContact(config, log)
  const measuring = measure(parts, options, contact)
  opened.push(async () => { measuring.close() })
  const connected = connectUpstreams(settings, keys.upstream, socketPath, {
    onTrouble: contact.hint,
    onAnswer: measuring.onAnswer,
    log,
    tls: liveOf(tls, 'upstream.tls')
  })
  opened.push(connected.close)
  const followers = createFollowersOffice(connected.further.length)
  const addresses: Addresses = { ...connected, states: followers.states }
  const admin = await buildAdmin({
    upstream: { ailment: async () => await ailmentOfAll(addresses) },
    stuck: pulse.stuck,
    hindrance: () => lifecycle.hindrance(),
    scrape: measuring.scrape,
    checks: [
      standingCheck(() => lifecycle.front?.standing() ?? AS_AT_THE_START),
      certificatesCheck(tls, CLOCK.wall),
      ...(connected.further.length === 0 ? [] : [addressesCheck(addresses)])
    ],
    ...adminOptions(settings, tls)
  })
  opened.push(async () => { await admin.close() })
  // The probes first: who finds their port taken was never open for clients.
  const mistake = await listen(admin, 'admin', config.admin)
  if (mistake !== undefined) return mistake
  sayAlone(config, await isFromElsewhere(config.stateDir, keyFolder(config)), log)
  const clients = { ...parts, measuring, upstreams: connected.upstreams, followers, socketPath }
  const result = await openClients({ ...clients, onTrouble: contact.hint }, options)
  if (!result.ok) return result.message
  lifecycle.front = result.front
  sayListening(settings, log, { address: result.front.address, probes: addressOf(admin) }, options)
  const { authority } = options
  const daily = { settings, authority, keys: keys.live, federation: federation.live, tls, log }
  const endDaily = warnDaily({ ...daily, every, now: CLOCK.wall })
  opened.push(async () => { endDaily() })
  contact.begin(connected.first, connected.further)
  opened.push(async () => { contact.end() })
  opened.unshift(contact.ended) // last: closing the upstream ends a look that runs
  return undefined
}

function measure (
  { config, audit, keys, tls, lifecycle }: Opened,
  { logStream, authority }: ServeOptions,
  { isUp, areUp }: UpstreamContact
): Measuring {
  return openMeasuring({
    logStream,
    auditLost: audit.lost,
    live: authority.live,
    keys: keys.live,
    tls,
    workers () {
      const listening = lifecycle.front?.listening()
      return listening === undefined ? undefined : { wanted: config.workers, listening }
    },
    upstreamUp: isUp,
    furtherUp: areUp,
    now: CLOCK.wall,
    every,
    later
  })
}

/** What a signal, and `chartgate reload`, can do with it from now on. */
function stoppable ({ settings, log, pulse, lifecycle, stateDir, audit }: Omit<Opened, 'config'>): Stoppable {
  const front = lifecycle.front as Serving
  const rereadFor = async (who: string): Promise<Reread> => {
    audit.reopen()
    return await rereadAll({ ...front, log }, who)
  }
  stateDir.obey({ reload: async () => await rereadFor('chartgate reload') })
  return {
    stop: async () => await lifecycle.stop(),
    delay: () => settings.current.drain.delay * 1000,
    logCutOff: front.logCutOff,
    reread () { void rereadFor('SIGHUP') },
    threads: pulse.threads
  }
}

const AS_AT_THE_START: ReloadStanding = { mistakes: [], later: [], last: undefined }

function adminOptions (settings: Settings, tls: OpenedTls): AdminOptions {
  const pair = liveOf(tls, 'admin.tls')
  return { token: () => settings.current.admin.token, ...(pair === undefined ? {} : { tls: { pair } }) }
}
