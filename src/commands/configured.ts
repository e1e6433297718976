// What every command with a configuration does first, and two of them: serve, check.
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { IS_WORKER } from '../serve/workers/fork.ts'
import { loadAuthority } from '../live/authority.ts'
import type { Environment } from '../config/environment.ts'
import { findConfig, nameOfConfig } from '../config/find.ts'
import { loadConfig, type ConfigReader, type ConfigResult } from '../config/load.ts'
import { readAccountsFile } from '../identity/sources/accounts-file.ts'
import { issuerWarnings, providerWarnings } from '../live/issuer-warnings.ts'
import { openAuthority } from '../live/reload.ts'
import type { Written } from '../config/reloads.ts'
import type { Config } from '../config/schema.ts'
import { openKeys } from '../live/live-keys.ts'
import { certificateWarnings, schemeWarnings } from '../live/certificate-warnings.ts'
import { openLiveFederation } from '../live/live-federation.ts'
import { liveOf, openTls, type OpenedTls } from '../live/live-tls.ts'
import { CLOCK } from '../lib/clock.ts'
import { printable } from '../lib/printable.ts'
import { readTexts } from '../replicas/texts.ts'
import { openIssuers } from '../tokens/issuers.ts'
import { readSigningKey, throwawayKey, type SigningKey } from '../tokens/keys.ts'
import { keyFileSentence, loadTrusted } from '../tokens/trusted.ts'
import type { Trouble } from '../upstream/first-contact.ts'
import { fail, type Command, type ExitCode, type Io, type WrongUsage } from './command.ts'
import type { Options } from './options.ts'
import { withPassword } from './upstream-password.ts'

const AS_IT_IS = (env: Environment): Environment => env

// A worker is a process of its own; its primary says what it begins with, so that no file
// can be wrong then.
/* c8 ignore next */
export const SERVE: Command = IS_WORKER ? { run: runWorker } : configured(runServe, AS_IT_IS)
export const CHECK = checkExcusing(new Set())

/** `check`, for which these troubles of the chart repository are warnings. */
export function checkExcusing (excused: ReadonlySet<Trouble>): Command {
  return configured(async context => await runCheck(context, excused), AS_IT_IS)
}

/** What a command gets that works with a configuration. */
export interface Configured {
  readonly config: Config
  readonly options: Options
  readonly env: Environment
  readonly io: Io
  readonly words: readonly string[]
}

/**
 * Reads the configuration first, and says every mistake in it.
 * @param environmentOf what the configuration sees; unless it is said, a password of the chart
 *   repository that only the gateway is given is not missed
 * @param broken what becomes of one that cannot be used
 */
export function configured (
  run: (context: Configured) => Promise<ExitCode | WrongUsage>,
  environmentOf: (env: Environment) => Environment = withPassword,
  broken = sayMistakes
): Command {
  return {
    async run (options, given, io, words) {
      const env = environmentOf(given)
      const { file, passedOver } = await findConfig(options.config, env)
      for (const sentence of passedOver) io.stderr(`chartgate: warning: ${sentence}\n`)
      const loaded = await loadConfig(file, env)
      if (loaded.ok) return await run({ config: loaded.config, options, env, io, words })
      return await broken(loaded, io)
    }
  }
}

/** A configuration that cannot be used. */
export type Broken = Extract<ConfigResult, { readonly ok: false }>

/** Says every mistake in it, and in the accounts files that it names all the same. */
async function sayMistakes ({ mistakes, accountsFiles = [] }: Broken, io: Io): Promise<ExitCode> {
  const accounts = await Promise.all(accountsFiles.map(readAccountsFile))
  return fail(io, ...mistakes, ...accounts.flatMap(each => each.mistakes))
}

/** Reads the file that was found whenever it changes, with the environment. */
function reloadOf (
  file: string | undefined,
  env: Environment
): (reader: ConfigReader, held: Written) => Promise<ConfigResult> {
  return async (reader, held) => await loadConfig(file, env, reader, held)
}

/* c8 ignore start -- in a process of its own, as serveAsWorker() itself */
async function runWorker (): Promise<ExitCode> {
  const { serveAsWorker } = await import('../serve/server.ts')
  await serveAsWorker()
  return 0
}
/* c8 ignore stop */

async function runServe ({ config, env, io }: Configured): Promise<ExitCode> {
  const authority = await openAuthority(config)
  if (!authority.ok) return fail(io, ...authority.mistakes)
  // The other commands need nothing of it.
  const { serve } = await import('../serve/server.ts')
  const demo = config.masterKey === 'MASTERKEY' && config.upstream.url === undefined
  const served = await serve(config, {
    authority: authority.opened,
    reload: reloadOf(config.file, env),
    env,
    ...(demo ? { demoChart: fromRoot('examples/mychart') } : {})
  })
  if (!served.ok) return fail(io, served.message) /* c8 ignore start -- as serve() itself, in a process of its own */
  await served.closed
  return 0
}
/* c8 ignore stop */

async function runCheck (
  { config, options, io }: Configured,
  excused: ReadonlySet<Trouble>
): Promise<ExitCode> {
  const loaded = await loadAuthority(config)
  const keys = await checkKeys(config)
  const tls = await openTls(config, CLOCK.wall())
  const federation = await openLiveFederation(config)
  const redis = await readTexts(config.redis ?? {})
  const read = [loaded, tls, federation, redis].flatMap(each => each.ok ? [] : each.mistakes)
  const mistakes = [...read, ...keys.mistakes]
  if (!loaded.ok || !tls.ok || !federation.ok || mistakes.length > 0) return fail(io, ...mistakes)
  const ofTls = [...schemeWarnings(config), ...certificateWarnings(tls.opened, CLOCK.wall())]
  const ofProviders = await providerWarnings(federation.opened.live.current.providers)
  const warnings = [...loaded.warnings, ...keys.warnings, ...ofProviders, ...ofTls]
  for (const warning of warnings) io.stderr(`chartgate: warning: ${warning}\n`)
  const { users, robots } = loaded.authority.accounts
  const jobs = config.federation.rules.length
  const ofJobs = jobs === 0 ? '' : ` and ${count(jobs, 'rule')} of federation`
  const upstream = config.upstream.url ?? `the embedded repository on ${join(config.stateDir, 'charts')}`
  io.stdout(
    `configuration is valid: ${config.publicUrl} on ${config.listen.host}:${config.listen.port} ` +
    `in front of ${upstream}, depth ${config.charts.depth}, ${count(config.policy.length, 'rule')}${ofJobs}, ` +
    `${count(users.size, 'user')}, ${count(robots.size, 'robot')}; ${nameOfConfig(config.file)}\n`
  )
  const more = [
    ...(options.charts === true ? [await checkCharts(config, io)] : []),
    ...(options.upstream === true ? [await checkUpstream(config, tls.opened, io, excused)] : [])
  ]
  return more.find(code => code !== 0) ?? 0
}

/** Reads the keys that somebody brought along; those that are made here are made by a start, and may not be there. */
async function checkKeys (config: Config): Promise<{ readonly mistakes: string[], readonly warnings: string[] }> {
  const { tokens: { keys, issuers }, upstream: { keyFile } } = config
  const upstream = keyFile === undefined
    ? undefined
    : await readSigningKey(keyFile, 'RS256').catch((error: unknown) => keyFileSentence(error))
  const read = keys.length === 0
    ? await openIssuers(issuers)
    : await loadTrusted(config, typeof upstream === 'string' ? undefined : upstream)
  const mistakes = [...(read.ok ? [] : read.mistakes), ...(typeof upstream === 'string' ? [upstream] : [])]
  if (!read.ok) return { mistakes, warnings: [] }
  return { mistakes, warnings: await issuerWarnings('issuers' in read ? read.issuers : read.trusted.issuers) }
}

/** Says whether the chart repository would answer, and what else it tells. */
async function checkUpstream (
  config: Config,
  tls: OpenedTls,
  io: Io,
  excused: ReadonlySet<Trouble>
): Promise<ExitCode> {
  const { upstream: { url, auth }, charts: { depth } } = config
  if (url === undefined) return fail(io, 'there is no upstream.url, and the embedded repository needs no such check')
  const key = auth === 'bearer' ? await upstreamKey(config, excused.has('wrong credentials')) : undefined
  if (key?.ok === false) return fail(io, ...key.mistakes)
  // The other commands ask no upstream, and are there sooner without its client.
  const [{ connectUpstreams }, { firstContact }, openDoors, { checkFurther }] = await Promise.all([
    import('../serve/connect.ts'), import('../upstream/first-contact.ts'), import('../upstream/open-doors.ts'),
    import('./further-addresses.ts')
  ])
  const { isOpen, OPEN_DOOR, versionOf } = openDoors
  const connected = connectUpstreams({ current: config }, key?.key, undefined, { tls: liveOf(tls, 'upstream.tls') })
  const upstream = connected.first
  try {
    const contact = await firstContact(upstream, depth, CLOCK.wall)
    if (!contact.ok) {
      const isExcused = excused.has(contact.trouble)
      if (isExcused) io.stderr(`chartgate: warning: ${contact.sentence}\n`)
      const code = isExcused ? 0 : fail(io, contact.sentence)
      await checkFurther(config, { first: undefined, further: connected.further }, io)
      return code
    }
    const version = await versionOf(upstream, depth) ?? '(it does not say its version)'
    io.stdout(`the chart repository at ${url} answers as it is configured: ChartMuseum ${version}\n`)
    if (await isOpen(upstream, depth)) {
      io.stderr(`chartgate: warning: ${url} ${OPEN_DOOR}\n`)
    }
    await checkFurther(config, connected, io)
    return 0
  } finally {
    await connected.close()
  }
}

type UpstreamKey =
  | { readonly ok: true, readonly key: SigningKey }
  | { readonly ok: false, readonly mistakes: readonly string[] }

/**
 * What the chart repository is asked with; none is kept.
 * @param any one that nobody has the public half of will do, where there is none yet
 */
async function upstreamKey (config: Config, any: boolean): Promise<UpstreamKey> {
  const opened = await openKeys(config, { make: false })
  if (opened.ok) return { ok: true, key: opened.opened.upstream }
  return any ? { ok: true, key: await throwawayKey() } : opened
}

/** Names each file that clients do not see. */
async function checkCharts ({ upstream: { url }, stateDir }: Config, io: Io): Promise<ExitCode> {
  if (url !== undefined) return fail(io, 'only the charts of the embedded repository can be checked')
  // A gateway in front of a ChartMuseum has no use for it.
  const { surveyCharts } = await import('../repository/survey.ts')
  const { charts, leftOut } = await surveyCharts(join(stateDir, 'charts'))
  for (const { tenant, file, reason } of leftOut) {
    io.stderr(`chartgate: warning: ${printable(join(tenant, file))} is in no index: ${printable(reason)}\n`)
  }
  io.stdout(`${count(charts, 'chart')}, ${count(leftOut.length, 'file')} in no index\n`)
  return 0
}

function count (number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`
}

/** A file of the project, from dist/src/commands as well as from src/commands. */
function fromRoot (path: string): string {
  return join(fileURLToPath(new URL('.', import.meta.url)).replace(/(dist[/\\])?src[/\\]commands[/\\]$/, ''), path)
}
