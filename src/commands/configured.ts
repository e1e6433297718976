// What every command with a configuration does first, and two of them: serve, check.
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { IS_WORKER } from '../serve/workers/fork.ts'
import { loadAuthority } from '../live/authority.ts'
import type { Environment } from '../config/environment.ts'
import { loadConfig, type ConfigReader, type ConfigResult } from '../config/load.ts'
import { openAuthority, type Reload } from '../live/reload.ts'
import type { Config } from '../config/schema.ts'
import { printable } from '../lib/printable.ts'
import { openIssuers } from '../tokens/issuers.ts'
import { loadTrusted } from '../tokens/trusted.ts'
import { fail, type Command, type ExitCode, type Io, type WrongUsage } from './command.ts'
import type { Options } from './options.ts'

// A worker is a process of its own; its primary says what it begins with, so that no file
// can be wrong then.
/* c8 ignore next */
export const SERVE: Command = IS_WORKER ? { run: runWorker } : configured(runServe)
export const CHECK = configured(runCheck)

/** What a command gets that works with a configuration. */
export interface Configured {
  readonly config: Config
  /** Reads it again. */
  readonly reload: Reload
  readonly options: Options
  readonly io: Io
  readonly words: readonly string[]
}

/** Reads the configuration first, and says every mistake in it. */
export function configured (run: (context: Configured) => Promise<ExitCode | WrongUsage>): Command {
  return {
    async run (options, env, io, words) {
      const reload = reloadOf(options, env)
      const loaded = await reload()
      return loaded.ok ? await run({ config: loaded.config, reload, options, io, words }) : fail(io, ...loaded.mistakes)
    }
  }
}

/** Reads what the options and the environment name. */
function reloadOf (options: Options, env: Environment): (reader?: ConfigReader) => Promise<ConfigResult> {
  // A variable that is set to nothing counts as not set, as in a shell.
  return async reader => await loadConfig(options.config ?? (env['CHARTGATE_CONFIG'] || undefined), env, reader)
}

/* c8 ignore start -- in a process of its own, as serveAsWorker() itself */
async function runWorker (options: Options, env: Environment): Promise<ExitCode> {
  const { serveAsWorker } = await import('../serve/server.ts')
  await serveAsWorker(reloadOf(options, env))
  return 0
}
/* c8 ignore stop */

async function runServe ({ config, reload, io }: Configured): Promise<ExitCode> {
  const authority = await openAuthority(config)
  if (!authority.ok) return fail(io, ...authority.mistakes)
  // The other commands need nothing of it.
  const { serve } = await import('../serve/server.ts')
  const demo = config.masterKey === 'MASTERKEY' && config.upstream.url === undefined
  const served = await serve(config, {
    authority: authority.opened,
    reload,
    ...(demo ? { demoChart: fromRoot('examples/mychart') } : {})
  })
  if (!served.ok) return fail(io, served.message) /* c8 ignore start -- as serve() itself, in a process of its own */
  await served.closed
  return 0
}
/* c8 ignore stop */

async function runCheck ({ config, options, io }: Configured): Promise<ExitCode> {
  const loaded = await loadAuthority(config)
  // The keys that are made here may not be there yet, and are made by nothing but a start.
  const keys = await (config.tokens.keys.length > 0
    ? loadTrusted(config, undefined)
    : openIssuers(config.tokens.issuers))
  const mistakes = [loaded, keys].flatMap(each => each.ok ? [] : each.mistakes)
  if (!loaded.ok || mistakes.length > 0) return fail(io, ...mistakes)
  for (const warning of loaded.warnings) io.stderr(`chartgate: warning: ${warning}\n`)
  const { users, robots } = loaded.authority.accounts
  const charts = join(config.stateDir, 'charts')
  const upstream = config.upstream.url ?? `the embedded repository on ${charts}`
  io.stdout(
    `configuration is valid: ${config.publicUrl} on ${config.listen.host}:${config.listen.port} ` +
    `in front of ${upstream}, depth ${config.charts.depth}, ${count(config.policy.length, 'rule')}, ` +
    `${count(users.size, 'user')}, ${count(robots.size, 'robot')}\n`
  )
  if (options.charts !== true) return 0
  if (config.upstream.url !== undefined) return fail(io, 'only the charts of the embedded repository can be checked')
  return await checkCharts(charts, io)
}

/** Names each file that clients do not see. */
async function checkCharts (folder: string, io: Io): Promise<ExitCode> {
  // A gateway in front of a ChartMuseum has no use for it.
  const { surveyCharts } = await import('../repository/survey.ts')
  const { charts, leftOut } = await surveyCharts(folder)
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
