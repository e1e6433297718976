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
import { createCertificateOffice, type CertificateOffice } from './workers/certificates.ts'
import { forkWorker, PRIMARY } from './workers/fork.ts'
import { createLoginOffice } from './workers/logins.ts'
import { endWithParent } from './workers/orphan.ts'
import type { ToPrimary, WorkerSetup } from './workers/messages.ts'
import { openPool } from './workers/pool.ts'
import { warnDaily } from '../live/daily-warnings.ts'
import { openKeys, type OpenedKeys } from '../live/live-keys.ts'
import { openCertificates, type LiveCertificates } from '../live/live-certificates.ts'
import { liveOf, openTls, upstreamTls, type OpenedTls } from '../live/live-tls.ts'
import { follow, inForce } from '../live/in-force.ts'
import type { ConfigWatch, ReloadReport } from '../live/reload.ts'
import type { Environment } from '../config/environment.ts'
import { nameOfConfig } from '../config/find.ts'
import { isLoopback } from '../config/rules.ts'
import type { Config } from '../config/schema.ts'
import { openAudit, reportReload } from './audit.ts'
import { addressOf, listen, openFront, type Front } from './front.ts'
import { troubleOfRepository } from './repository-log.ts'
import { CLOCK } from '../lib/clock.ts'
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
import { ALONE, joinReplicas, sayAlone } from './replicas.ts'
import { startMistake } from './start-mistakes.ts'
import { claimStateDir, repositorySocket } from './state-dir.ts'
import type { SigningKey } from '../tokens/keys.ts'
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
  const { demoChart, authority, announce, logStream, fork = forkWorker } = options
  const log = pino({ ...LOG_FORM, level: config.log.level }, logStream)
  const pulse = createPulse(every)
  const opened: (() => Promise<unknown>)[] = [async () => { pulse.close() }]
  /** None before it is open. */
  const fronts: Front[] = []
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
    const socketPath = config.upstream.url === undefined
      ? await openEmbedded(config, {
        key: keys.upstream,
        log,
        opened,
        ...(demoChart === undefined ? {} : { demoChart })
      })
      : undefined
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
    const logins = openLogins(config, log)
    readLogins(meter, logins.standing)
    const auditReload = reportReload(output)
    const report: ReloadReport = facts => {
      auditReload(facts)
      measuring.countReload(facts)
    }
    opened.push(async () => { measuring.close() })
    const onTrouble = (): void => { contact?.hint() }
    const upstream = connectUpstream(config, keys.upstream, socketPath, {
      onTrouble,
      onAnswer,
      log,
      tls: upstreamTls(config, tls)
    })
    const upstreams = onlyUpstream(upstream)
    opened.push(async () => { await upstream.close() })
    sayAlone(config, log)
    const replicas = config.workers === 1 ? await joinReplicas(config, log, meter) : ALONE
    opened.push(replicas.close)
    const spool = await openSpool(join(config.stateDir, 'spool'), config.charts.spool.maxBytes)
    const admin = await buildAdmin({
      upstream,
      stuck: pulse.stuck,
      hindrance,
      scrape: measuring.scrape,
      ...adminOptions(config, tls)
    })
    opened.push(async () => { await admin.close() })
    // The probes first: who finds their port taken was never open for clients.
    const mistake = await listen(admin, 'admin', config.admin)
    if (mistake !== undefined) return await failed(mistake)
    const followed = config.workers === 1
      ? undefined
      : followForWorkers(config, {
        ...options,
        keys,
        tls,
        certificates,
        socketPath,
        loginKey: logins.key,
        log,
        opened,
        report
      })
    const result = followed === undefined
      ? await openFront(config, {
        ...options,
        audit,
        report,
        keys,
        tls,
        certificates,
        upstreams,
        spool,
        peers: replicas.peers,
        locks: replicas.locks(createLocks()),
        logins,
        pulse,
        meter
      })
      : await openPool({
        count: config.workers,
        setup: followed.setup,
        fork: () => fork(lines => { logStream.write(lines) }),
        onTrouble,
        onReplaced: measuring.onReplaced,
        offices: [
          measuring.counts,
          createLoginOffice(logins),
          followed.certificates,
          ...auditFile === undefined ? [] : [createAuditOffice(auditFile)]
        ],
        log,
        clock: () => performance.now(),
        later,
        every
      })
    if (!result.ok) return await failed(result.message)
    const { front: running } = result
    fronts.push(running)
    const place = { address: running.address, probes: addressOf(admin) }
    if (announce === undefined) {
      const { publicUrl, stateDir } = config
      log.info({ ...place, publicUrl, stateDir }, `chartgate listens; ${nameOfConfig(config.file)}`)
    } else announce(welcome(config, place, demoChart !== undefined))
    const endDaily = warnDaily({ config, authority, keys: keys.live, tls, log, every, now: CLOCK.wall })
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
    const reread = (): void => {
      running.reread()
      void followed?.lookNow()
      auditFile?.reopen()
    }
    return {
      ok: true,
      stop,
      delay: config.drain.delay * 1000,
      logCutOff: running.logCutOff,
      reread,
      threads: pulse.threads
    }
  } catch (error) {
    return await failed(await startMistake(error, config.stateDir))
  }
}

/** Of the admin listener only the public one's least version of TLS is its own, the default. */
function adminOptions ({ admin }: Config, tls: OpenedTls): AdminOptions {
  const pair = liveOf(tls, 'admin.tls')
  return { token: admin.token, tls: pair === undefined ? undefined : { minVersion: '1.2', pair } }
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

interface FollowedForWorkers {
  /** What a worker begins with now. */
  setup (): Omit<WorkerSetup, 'number'>
  readonly lookNow: ConfigWatch['lookNow']
  readonly certificates: CertificateOffice
}

interface SetupOptions extends Pick<ServeOptions, 'authority' | 'reload'>, Pick<EmbeddedOptions, 'log' | 'opened'> {
  readonly keys: OpenedKeys
  readonly tls: OpenedTls
  readonly certificates: LiveCertificates
  readonly socketPath: string | undefined
  readonly loginKey: string
  readonly report: ReloadReport
}

/**
 * For what each worker begins with this process follows the files too, and leaves it to
 * the workers to say what it finds.
 */
function followForWorkers (
  config: Config,
  { authority, reload, keys, tls, certificates, socketPath, loginKey, log, opened, report }: SetupOptions
): FollowedForWorkers {
  const followed = { authority, keys, tls, certificates, reload, report }
  const watch = follow(config, followed, log.child({}, { level: 'silent' }), () => {})
  const office = createCertificateOffice({ tls, log, later })
  opened.push(async () => {
    watch.close()
    office.close()
  })
  return {
    certificates: office,
    setup: () => ({
      config,
      inForce: inForce(followed, watch),
      loginKey,
      ...(socketPath === undefined ? {} : { socketPath })
    }),
    lookNow: watch.lookNow
  }
}

interface EmbeddedOptions extends Pick<ServeOptions, 'demoChart'> {
  /** What its tokens are checked with. */
  readonly key: SigningKey
  readonly log: pino.Logger
  /** What is closed in the end, in the order of opening. */
  readonly opened: (() => Promise<unknown>)[]
}

/**
 * Opens the repository on stateDir/charts; the path of the socket that it listens on. A
 * gateway with an upstream of its own never loads it.
 */
async function openEmbedded (config: Config, { key, demoChart, log, opened }: EmbeddedOptions): Promise<string> {
  const dir = join(config.stateDir, 'charts')
  const socketPath = await repositorySocket(config.stateDir)
  if (demoChart !== undefined) await (await import('./demo.ts')).seedDemoChart(demoChart, dir)
  const { depth, maxUploadSize } = config.charts
  const publicKey = config.upstream.auth === 'bearer' ? { publicKey: key.publicKey } : {}
  const { openRepository } = await import('../repository/repository.ts')
  const result = await openRepository({
    dir,
    depth,
    contextPath: '',
    maxUploadSize,
    log: troubleOfRepository(log),
    ...publicKey
  })
  if (!result.ok) throw new Error(result.message)
  const { repository } = result
  opened.push(async () => { await repository.close() })
  await new Promise<void>((resolve, reject) => {
    repository.server.once('error', reject).listen(socketPath, resolve)
  })
  return socketPath
}
