// One process from start to stop: opens what the configuration names, listens, and
// drains on a signal. Asked by the `serve` command; everything expected that can go
// wrong comes back as one sentence.
import { chmod, mkdir, unlink } from 'node:fs/promises'
import { connect } from 'node:net'
import { join, relative } from 'node:path'
import { buildAdmin, buildApp } from './app.ts'
import type { ConfigResult } from './config/load.ts'
import { followIssuers, keysPart, openKeys, type OpenedKeys } from './config/live-keys.ts'
import { authorityPart, watchConfig, type OpenedAuthority, type ReloadLog } from './config/reload.ts'
import type { Config } from './config/schema.ts'
import { seedDemoChart, walkthrough } from './demo.ts'
import { openRepository } from './repository/repository.ts'
import { createUpstreamMinter } from './tokens/issue.ts'
import type { SigningKey } from './tokens/keys.ts'
import { createUpstream, type Upstream, type UpstreamAuth } from './upstream/client.ts'
import { openSpool } from './upstream/spool.ts'
import { untilSignal } from './until-signal.ts'
import { VERSION } from './version.ts'

export interface ServeOptions {
  /** A chart folder to package at the first start, and a walkthrough to print. */
  readonly demoChart?: string
  /** Who there is, and who may do what. */
  readonly authority: OpenedAuthority
  /** Reads the configuration again, after one of its files changed. */
  readonly reload: () => Promise<ConfigResult>
  /** Text for the person who started it. */
  readonly announce: (text: string) => void
}

export type StartResult =
  | { readonly ok: true, /** drains and closes everything */ readonly stop: () => Promise<void> }
  | { readonly ok: false, readonly message: string }

export type ServeResult =
  | { readonly ok: true, readonly closed: Promise<void> }
  | { readonly ok: false, readonly message: string }

// sun_path of a Unix socket address holds 108 bytes, one of them the final zero (unix(7)).
const LONGEST_SOCKET_PATH = 107

/* c8 ignore start -- its end is the process's own: the walkthrough starts and stops one */
/** Starts everything and serves until SIGTERM or SIGINT; a second signal ends it at once. */
export async function serve (config: Config, options: ServeOptions): Promise<ServeResult> {
  const started = await start(config, options)
  return started.ok ? { ok: true, closed: untilSignal(started.stop) } : started
}
/* c8 ignore stop */

/** Starts everything; resolves once it listens. */
export async function start (config: Config, { demoChart, authority, reload, announce }: ServeOptions): Promise<StartResult> {
  const opened: (() => Promise<unknown>)[] = []
  let closing = false
  const stop = async (): Promise<void> => {
    closing = true
    for (const close of opened.splice(0).reverse()) await close()
  }
  try {
    await mkdir(config.stateDir, { recursive: true, mode: 0o700 })
    const openedKeys = await openKeys(config)
    if (!openedKeys.ok) return { ok: false, message: openedKeys.mistakes.join('\nchartgate: ') }
    const { opened: keys } = openedKeys
    const upstream = await openUpstream(config, keys.upstream, demoChart, opened)
    const spool = await openSpool(join(config.stateDir, 'spool'), config.charts.spool.maxBytes)
    const admin = await buildAdmin(upstream, () => closing)
    opened.push(async () => { await admin.close() })
    const app = await buildApp(config, { keys: keys.live, upstream, spool, live: authority.live, version: VERSION, now: unixTime })
    opened.push(async () => { await app.close() })
    await app.listen(config.listen)
    await admin.listen(config.admin)
    for (const warning of authority.warnings) app.log.warn({ warning }, 'a rule may not mean what it says')
    opened.push(followFiles({ config, authority, keys, reload, log: app.log }))
    announce(demoChart === undefined
      ? `chartgate listens on ${config.listen.host}:${config.listen.port} as ${config.publicUrl}; its data lies in ${config.stateDir}\n`
      : walkthrough(config.publicUrl, config.stateDir))
    return { ok: true, stop }
  } catch (error) {
    await stop()
    return { ok: false, message: sentenceOf(error, config) }
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
  const socketPath = await claimSocket(config.stateDir)
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

/** A free path for the repository's socket, in a folder that only this user can enter. */
async function claimSocket (stateDir: string): Promise<string> {
  const folder = join(stateDir, 'run')
  const absolute = join(folder, 'repository.sock')
  // A deep folder is often near the one that we stand in.
  const [path = absolute] = [relative(process.cwd(), absolute), absolute].filter(each => Buffer.byteLength(each) <= LONGEST_SOCKET_PATH)
  if (Buffer.byteLength(path) > LONGEST_SOCKET_PATH) throw new Error(`stateDir is too long for a Unix socket below it (${Buffer.byteLength(path)} bytes, at most ${LONGEST_SOCKET_PATH}): choose a shorter one`)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await chmod(folder, 0o700)
  if (await answers(path)) throw new Error(`stateDir ${stateDir} is in use by another chartgate that runs`)
  await unlink(path).catch((error: NodeJS.ErrnoException) => { if (error.code !== 'ENOENT') throw error })
  return path
}

/** True when a process listens there; a socket that was left behind does not answer. */
async function answers (path: string): Promise<boolean> {
  return await new Promise(resolve => {
    const socket = connect(path)
    socket.once('connect', () => { socket.destroy(); resolve(true) })
    socket.once('error', () => { resolve(false) })
  })
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

/** What went wrong at the start, for a person. */
function sentenceOf (error: unknown, config: Config): string {
  const { code, port, message } = error as NodeJS.ErrnoException & { port?: number }
  if (code === 'EADDRINUSE') {
    const key = port === config.admin.port ? 'admin.port' : 'listen.port'
    return `${key} ${port} is in use by another program: stop it, or choose another port`
  }
  if (code === 'EACCES' || code === 'EROFS' || code === 'ENOTDIR' || code === 'ENOSPC' || code === 'EPERM') return `stateDir ${config.stateDir} cannot be written: ${message}`
  return message
}
