// From start to stop: opens what the configuration names, listens, and drains on a signal.
// With one worker this process does everything; with more it is their primary, which has
// stateDir, the embedded repository and the probes, and they have the clients. Everything
// expected that can go wrong comes back as one sentence.
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { isatty } from 'node:tty'
import pino from 'pino'
import { buildAdmin, DRAIN_LIMIT, type AdminOptions } from '../app.ts'
import { createAuditOffice } from './workers/audit.ts'
import { followForWorkers, type FollowedForWorkers } from './workers/follow.ts'
import { forkWorker, PRIMARY } from './workers/fork.ts'
import { createLoginOffice } from './workers/logins.ts'
import { endWithParent } from './workers/orphan.ts'
import type { ToPrimary } from './workers/messages.ts'
import { openPool } from './workers/pool.ts'
import { createRereadOffice } from './workers/rereads.ts'
import { warnDaily } from '../live/daily-warnings.ts'
import { openKeys } from '../live/live-keys.ts'
import { openCertificates } from '../live/live-certificates.ts'
import { certificatesCheck, liveOf, openTls, upstreamTls, type OpenedTls } from '../live/live-tls.ts'
import { standingCheck, type ReloadReport, type ReloadStanding } from '../live/part.ts'
import type { Settings } from '../live/settings.ts'
import type { Environment } from '../config/environment.ts'
import { nameOfConfig } from '../config/find.ts'
import { isLoopback } from '../config/rules.ts'
import type { Config } from '../config/schema.ts'
import { openAudit, reportReload } from './audit.ts'
import { sayAuthz } from './authz-notes.ts'
import { addressOf, listen, openFront, type Front } from './front.ts'
import { openEmbedded } from './embedded.ts'
import { rereadAll, type Reread, type RereadingOptions } from './rereading.ts'
import { CLOCK } from '../lib/clock.ts'
import { createLive } from '../lib/live.ts'
import { createLocks } from '../lib/locks.ts'
import { createPulse } from '../lib/pulse.ts'
import { every, later } from '../lib/timers.ts'
import { openNameHash } from '../observe/audit/name-key.ts'
import { readLogins } from '../metrics/readings.ts'
import { LOG_FORM } from '../observe/log-form.ts'
import { lookAtTerminal } from '../observe/log-look.ts'
import { openLog, STANDARD_OUTPUT } from '../observe/log-sink.ts'
import { createOutages } from '../observe/outages.ts'
import { openLogins } from './logins.ts'
import { openMeasuring } from './measure.ts'
import { startMistake } from './start-mistakes.ts'
import { claimStateDir } from './state-dir.ts'
import { connectUpstream } from './connect.ts'
import { watchContact, type ContactWatch } from '../upstream/contact.ts'
import { firstContact } from '../upstream/first-contact.ts'
import { onlyUpstream } from '../upstream/upstreams.ts'
import { openSpool } from '../uploads/spool.ts'
import { untilSignal } from './until-signal.ts'
import { walkthrough } from './walkthrough.ts'
import type { ServeOptions, ServeResult, StartResult } from './started.ts'
import { startWorker, type WorkerOptions } from './worker.ts'

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
export async function serveAsWorker (reloadOf: WorkerOptions['reloadOf']): Promise<void> {
  endWithParent()
  const asked = new Promise<void>(resolve => { PRIMARY.receive(message => { if (message.kind === 'stop') resolve() }) })
  const started = await startWorker({ logStream: openLog(STANDARD_OUTPUT), reloadOf, channel: PRIMARY })
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
  const { demoChart, authority, reload, announce, logStream, fork = forkWorker } = options
  const settings = createLive(config)
  const log = pino({ ...LOG_FORM, level: config.log.level }, logStream)
  settings.follow(({ log: { level } }) => { log.level = level })
  const pulse = createPulse(every)
  const opened: (() => Promise<unknown>)[] = [async () => { pulse.close() }]
  /** None before it is open. */
  const fronts: Front[] = []
  let standing: () => ReloadStanding = () => AS_AT_THE_START
  let closing = false
  const stop = async (): Promise<boolean> => {
    closing = true
    const endedWell = await Promise.all(fronts.map(async front => await front.close()))
    for (const close of opened.splice(0).reverse()) await close()
    return endedWell.every(Boolean)
  }
  const hindrance = (): string | undefined => {
    if (closing) return 'shutting down'
    const [front] = fronts
    if (front === undefined) return 'starting'
    return pulse.stuck() ?? front.hindrance()
  }
  const failed = async (message: string): Promise<StartResult> => {
    await stop()
    return { ok: false, message }
  }
  try {
    await mkdir(config.stateDir, { recursive: true, mode: 0o700 })
    const claim = await claimStateDir(config.stateDir)
    if (!claim.ok) return await failed(claim.message)
    opened.push(claim.release)
    const openedAudit = await openAudit(config, logStream, log)
    if (!openedAudit.ok) return await failed(openedAudit.message)
    const { output, file: auditFile, close: closeAudit } = openedAudit.opened
    opened.push(closeAudit)
    const audit = { ...output, hashName: await openNameHash(config.stateDir) }
    const openedKeys = await openKeys(config)
    if (!openedKeys.ok) return await failed(openedKeys.mistakes.join('\nchartgate: '))
    const { opened: keys } = openedKeys
    const openedTls = await openTls(config, CLOCK.wall())
    if (!openedTls.ok) return await failed(openedTls.mistakes.join('\nchartgate: '))
    const { opened: tls } = openedTls
    const certificates = openCertificates(config)
    const demo = demoChart === undefined ? {} : { demoChart }
    const socketPath = await openEmbedded(settings, { key: keys.upstream, log, opened, ...demo })
    let contact: ContactWatch | undefined
    let isUp: () => boolean | undefined = () => undefined
    const measuring = openMeasuring({
      logStream,
      auditFile,
      live: authority.live,
      keys: keys.live,
      tls,
      workers () {
        const [listening] = fronts.map(each => each.listening())
        return listening === undefined ? undefined : { wanted: config.workers, listening }
      },
      upstreamUp: () => isUp(),
      now: CLOCK.wall,
      every,
      later
    })
    const { meter, onAnswer } = measuring
    const logins = openLogins(settings, log)
    readLogins(meter, logins.standing)
    const auditReload = reportReload(output)
    const report: ReloadReport = facts => {
      auditReload(facts)
      measuring.countReload(facts)
      if (facts.later.length > 0) log.warn({ keys: facts.later }, 'restart to apply: these keys are written otherwise')
    }
    opened.push(async () => { measuring.close() })
    const onTrouble = (): void => { contact?.hint() }
    const upstream = connectUpstream(settings, keys.upstream, socketPath, {
      onTrouble,
      onAnswer,
      log,
      tls: upstreamTls(config, tls)
    })
    const upstreams = onlyUpstream(upstream)
    opened.push(async () => { await upstream.close() })
    const spool = await openSpool(join(config.stateDir, 'spool'), () => settings.current.charts.spool.maxBytes)
    const admin = await buildAdmin({
      upstream,
      stuck: pulse.stuck,
      hindrance,
      scrape: measuring.scrape,
      checks: [standingCheck(() => standing()), certificatesCheck(tls, CLOCK.wall)],
      ...adminOptions(settings, tls)
    })
    opened.push(async () => { await admin.close() })
    // The probes first: who finds their port taken was never open for clients.
    const mistake = await listen(admin, 'admin', config.admin)
    if (mistake !== undefined) return await failed(mistake)
    const followed = { settings, authority, keys, tls, certificates, reload, report }
    const running = config.workers === 1
      ? await openFront({
        ...options,
        ...followed,
        audit,
        upstreams,
        spool,
        locks: createLocks(),
        logins,
        pulse,
        meter
      })
      : await openWorkers(followForWorkers({ followed, socketPath, loginKey: logins.key, log, opened }), {
        count: config.workers,
        fork: () => fork(lines => { logStream.write(lines) }),
        onTrouble,
        onReplaced: measuring.onReplaced,
        offices: [
          measuring.counts,
          createLoginOffice(logins),
          ...auditFile === undefined ? [] : [createAuditOffice(auditFile)]
        ],
        log,
        clock: () => performance.now(),
        later,
        every
      })
    if (!running.ok) return await failed(running.message)
    const { front } = running
    standing = front.standing
    fronts.push(front)
    const place = { address: front.address, probes: addressOf(admin) }
    if (announce === undefined) {
      const { publicUrl, stateDir } = config
      log.info({ ...place, publicUrl, stateDir }, `chartgate listens; ${nameOfConfig(config.file)}`)
    } else announce(welcome(config, place, demoChart !== undefined))
    sayAuthz(config, log)
    const endDaily = warnDaily({ settings, authority, keys: keys.live, tls, log, every, now: CLOCK.wall })
    opened.push(async () => { endDaily() })
    if (config.upstream.url !== undefined) {
      const outages = createOutages(log, upstream.origin, () => performance.now())
      isUp = outages.isUp
      const watch = watchContact({
        contact: async () => await firstContact(upstream, config.charts.depth, CLOCK.wall),
        outages,
        later
      })
      contact = watch
      opened.push(async () => { void watch.close() }) // no look begins any more
      opened.unshift(watch.close) // last: closing the upstream ends one that runs
    }
    const rereadFor = async (who: string): Promise<Reread> => {
      auditFile?.reopen()
      return await rereadAll({ ...front, log }, who)
    }
    claim.obey({ reload: async () => await rereadFor('chartgate reload') })
    return {
      ok: true,
      stop,
      delay: () => settings.current.drain.delay * 1000,
      logCutOff: front.logCutOff,
      reread () { void rereadFor('SIGHUP') },
      threads: pulse.threads
    }
  } catch (error) {
    return await failed(await startMistake(error, config.stateDir))
  }
}

const AS_AT_THE_START: ReloadStanding = { mistakes: [], later: [], last: undefined }

type Serving = Front & Omit<RereadingOptions, 'log'>
type WorkersOptions = Omit<Parameters<typeof openPool>[0], 'setup'>

/** Workers, and this process, which follows what they begin with. */
async function openWorkers (
  { setup, certificates, lookNow, standing }: FollowedForWorkers,
  options: WorkersOptions
): Promise<{ readonly ok: true, readonly front: Serving } | { readonly ok: false, readonly message: string }> {
  const workers = createRereadOffice(options.later)
  const result = await openPool({ ...options, setup, offices: [...options.offices, certificates, workers] })
  return result.ok ? { ok: true, front: { ...result.front, lookNow, standing, workers } } : result
}

/** Of the admin listener only the public one's least version of TLS is its own, the default. */
function adminOptions (settings: Settings, tls: OpenedTls): AdminOptions {
  const pair = liveOf(tls, 'admin.tls')
  const secure = pair === undefined ? {} : { tls: { minVersion: '1.2' as const, pair } }
  return { token: () => settings.current.admin.token, ...secure }
}

interface ListensAt { readonly address: string, readonly probes: string }

/** For a person at a terminal; with what to try, where the demo runs. */
function welcome (config: Config, { address, probes }: ListensAt, demo: boolean): string {
  const { publicUrl, listen, stateDir, file } = config
  const text = `chartgate listens on ${address} as ${publicUrl}, for probes on ${probes}; ` +
    `${nameOfConfig(file)}; its data lies in ${stateDir}\n`
  const local = isLoopback(listen.host) && isLoopback(new URL(publicUrl).hostname)
  return demo ? text + walkthrough(publicUrl, { address, local }) : text
}
