// The commands that work with a configuration: serve, check, keys list, keys export.
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { loadConfig } from '../config/load.ts'
import type { Config } from '../config/schema.ts'
import { serve } from '../server.ts'
import { fail, type Command, type ExitCode, type Io, type Option, type Options } from './command.ts'
import { exportKey, listKeys } from './keys.ts'

export const SERVE = configured(runServe)
export const CHECK = configured(runCheck)
export const KEYS_LIST = configured(listKeys)
export const KEYS_EXPORT = configured(async (config, io, { out }) => await exportKey(config, io, out), ['out'])

/** Reads the configuration first, and says every mistake in it. */
function configured (run: (config: Config, io: Io, options: Options) => Promise<ExitCode>, more: readonly Option[] = []): Command {
  return {
    takes: ['config', ...more],
    async run (options, env, io) {
      // A variable that is set to nothing counts as not set, as in a shell.
      const loaded = await loadConfig(options.config ?? (env['CHARTGATE_CONFIG'] || undefined), env)
      return loaded.ok ? await run(loaded.config, io, options) : fail(io, ...loaded.mistakes)
    }
  }
}

async function runServe (config: Config, io: Io): Promise<ExitCode> {
  const demo = config.masterKey === 'MASTERKEY' && config.upstream.url === undefined
  const served = await serve(config, { announce: io.stdout, ...(demo ? { demoChart: fromRoot('examples/mychart') } : {}) })
  if (!served.ok) return fail(io, served.message) /* c8 ignore start -- as serve() itself, in a process of its own */
  await served.closed
  return 0
}
/* c8 ignore stop */

async function runCheck (config: Config, io: Io): Promise<ExitCode> {
  const upstream = config.upstream.url ?? `the embedded repository on ${join(config.stateDir, 'charts')}`
  io.stdout(`configuration is valid: ${config.publicUrl} on ${config.listen.host}:${config.listen.port} in front of ${upstream}, depth ${config.charts.depth}, ${config.policy.length} ${config.policy.length === 1 ? 'rule' : 'rules'}\n`)
  return 0
}

/** A file of the project, from dist/src/commands as well as from src/commands. */
function fromRoot (path: string): string {
  return join(fileURLToPath(new URL('.', import.meta.url)).replace(/(dist[/\\])?src[/\\]commands[/\\]$/, ''), path)
}
