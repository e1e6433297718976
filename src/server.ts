// One process from start to stop: opens what the configuration names, listens, and
// drains on a signal. Asked by the `serve` command; everything expected that can go
// wrong comes back as one sentence.
import { mkdir } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import { buildAdmin, buildApp, type AppDependencies } from './app.ts'
import type { ConfigResult } from './config/load.ts'
import { followIssuers, keysPart, openKeys, type OpenedKeys } from './config/live-keys.ts'
import { authorityPart, watchConfig, type OpenedAuthority, type ReloadLog } from './config/reload.ts'
import { isLoopback } from './config/rules.ts'
import type { Config } from './config/schema.ts'
import { seedDemoChart } from './demo.ts'
import { openRepository } from './repository/repository.ts'
import { listenMistake, startMistake, type Address } from './start-mistakes.ts'
import { claimStateDir, repositorySocket } from './state-dir.ts'
import { createUpstreamMinter } from './tokens/issue.ts'
import type { SigningKey } from './tokens/keys.ts'
import { createUpstream, type Upstream, type UpstreamAuth } from './upstream/client.ts'
import { firstContact } from './upstream/first-contact.ts'
import { openSpool } from './upstream/spool.ts'
import { untilSignal, type Stoppable } from './until-signal.ts'
import { VERSION } from './version.ts'
import { walkthrough } from './walkthrough.ts'

export interface ServeOptions {
  /** A chart folder to package at the first start, and a walkthrough to print. */
  readonly demoChart?: string
  /** Who there is, and who may do what. */
  readonly authority: OpenedAuthority
  /** Reads the configuration again, after one of its files changed. */
  readonly reload: () => Promise<ConfigResult>
  /** Text for the person who started it. */
  readonly announce: (text: string) => void
  /** Where log lines go; standard output if left out. */
  readonly logStream?: AppDependencies['logStream']
}

export type StartResult =
  | { readonly ok: true } & Stoppable
  | { readonly ok: false, readonly message: string }

export type ServeResult =
  | { readonly ok: true, readonly closed: Promise<void> }
  | { readonly ok: false, readonly message: string }

/* c8 ignore start -- its end is the process's own: the walkthrough starts and stops one */
/** Starts everything and serves until SIGTERM or SIGINT; a second signal ends it at once. */
export async function serve (config: Config, options: ServeOptions): Promise<ServeResult> {
  const started = await start(config, options)
  return started.ok ? { ok: true, closed: untilSignal(started) } : started
}
/* c8 ignore stop */

/** Starts everything; resolves once it listens. */
export async function start (config: Config, { demoChart, authority, reload, announce, logStream }: ServeOptions): Promise<StartResult> {
  const opened: (() => Promise<unknown>)[] = []
  let closing = false
  const stop = async (): Promise<void> => {
    closing = true
    for (const close of opened.splice(0).reverse()) await close()
  }
  const failed = async (message: string): Promise<StartResult> => {
    await stop()
    return { ok: false, message }
  }
  try {
    await mkdir(config.stateDir, { recursive: true, mode: 0o700 })
    const claim = await claimStateDir(config.stateDir)
    if (!claim.ok) return claim
    opened.push(claim.release)
    const openedKeys = await openKeys(config)
    if (!openedKeys.ok) return await failed(openedKeys.mistakes.join('\nchartgate: '))
    const { opened: keys } = openedKeys
    const upstream = await openUpstream(config, keys.upstream, demoChart, opened)
    const spool = await openSpool(join(config.stateDir, 'spool'), config.charts.spool.maxBytes)
    const admin = await buildAdmin(upstream, () => closing)
    opened.push(async () => { await admin.close() })
    const app = await buildApp(config, { keys: keys.live, upstream, spool, live: authority.live, version: VERSION, now: unixTime, ...(logStream === undefined ? {} : { logStream }) })
    opened.push(async () => { await app.close() })
    // The probes first: who finds their port taken was never open for clients.
    const mistake = await listen(admin, 'admin', config.admin) ?? await listen(app, 'listen', config.listen)
    if (mistake !== undefined) return await failed(mistake)
    const address = addressOf(app)
    announce(`chartgate listens on ${address} as ${config.publicUrl}, for probes on ${addressOf(admin)}; its data lies in ${config.stateDir}\n`)
    if (demoChart !== undefined) announce(walkthrough(config.publicUrl, { address, local: isLoopback(config.listen.host) && isLoopback(new URL(config.publicUrl).hostname) }))
    for (const warning of authority.warnings) app.log.warn({ warning }, 'a rule may not mean what it says')
    opened.push(followFiles({ config, authority, keys, reload, log: app.log }))
    if (config.upstream.url !== undefined) {
      const contact = firstContact(upstream, config.charts.depth).then(trouble => {
        if (trouble !== undefined && !closing) app.log.warn({ upstream: upstream.origin }, trouble)
      })
      opened.unshift(async () => { await contact }) // last: closing the upstream ends it
    }
    return { ok: true, stop, logCutOff: () => { app.logCutOff() } }
  } catch (error) {
    return await failed(startMistake(error, config.stateDir))
  }
}

/** Keeps accounts, rules and keys at what their files and URLs say; the function that ends it. */
function followFiles ({ config, authority, keys, reload, log }: { config: Config, authority: OpenedAuthority, keys: OpenedKeys, reload: () => Promise<ConfigResult>, log: ReloadLog }): () => Promise<void> {
  followIssuers(keys.live.current.issuers, log)
  const watch = watchConfig({ parts: [authorityPart(authority.live), keysPart(keys, unixTime)], stamps: new Map([...authority.stamps, ...keys.stamps]), config, reload, log })
  return async () => {
    watch.close()
    for (const { remote } of keys.live.current.issuers) remote?.close()
  }
}

/** Opens a listener; what hinders it, if anything does. */
async function listen (app: FastifyInstance, key: 'listen' | 'admin', address: Address): Promise<string | undefined> {
  const { level } = app.log
  app.log.level = 'silent' // Fastify says where it listens, once for every address; we say it once for both listeners
  const mistake = await app.listen(address).then(() => undefined, (error: unknown) => listenMistake(error, key, address))
  app.log.level = level
  return mistake
}

function addressOf (app: FastifyInstance): string {
  const { address, port } = app.server.address() as AddressInfo
  return `${address.replace(/^.*:.*$/, '[$&]')}:${port}` // an IPv6 address in brackets
}

/** The configured upstream, or the embedded repository behind a socket of its own. */
async function openUpstream (config: Config, key: SigningKey, demoChart: string | undefined, opened: (() => Promise<unknown>)[]): Promise<Upstream> {
  const auth = upstreamAuth(config, key)
  const socketPath = config.upstream.url === undefined ? await openEmbedded(config, key, demoChart, opened) : undefined
  const upstream = createUpstream(socketPath === undefined
    ? { origin: config.upstream.url as string, contextPath: config.charts.contextPath, auth }
    : { origin: 'http://repository', socketPath, contextPath: '', auth })
  opened.push(async () => { await upstream.close() })
  return upstream
}

/** Opens the repository on stateDir/charts; the path of the socket that it listens on. */
async function openEmbedded (config: Config, key: SigningKey, demoChart: string | undefined, opened: (() => Promise<unknown>)[]): Promise<string> {
  const dir = join(config.stateDir, 'charts')
  const socketPath = await repositorySocket(config.stateDir)
  if (demoChart !== undefined) await seedDemoChart(demoChart, dir)
  const { depth, maxUploadSize } = config.charts
  const publicKey = config.upstream.auth === 'bearer' ? { publicKey: key.publicKey } : {}
  const result = await openRepository({ dir, depth, contextPath: '', maxUploadSize, ...publicKey })
  if (!result.ok) throw new Error(result.message)
  const { repository } = result
  opened.push(async () => { await repository.close() })
  await new Promise<void>((resolve, reject) => {
    repository.server.once('error', reject).listen(socketPath, resolve)
  })
  return socketPath
}

function upstreamAuth ({ upstream, publicUrl }: Config, key: SigningKey): UpstreamAuth {
  switch (upstream.auth) {
    case 'none': return { kind: 'none' }
    case 'basic': return { kind: 'basic', username: upstream.username, password: upstream.password }
    case 'bearer': return { kind: 'bearer', mint: createUpstreamMinter(key, publicUrl, unixTime) }
  }
}

function unixTime (): number {
  return Math.floor(Date.now() / 1000)
}
