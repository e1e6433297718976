#!/usr/bin/env node
// The commands. main() takes everything from its arguments, so that it can be tested;
// the last lines are the only reader of process.env and process.argv.
import { realpathSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { join } from 'node:path'
import { loadConfig, type Environment } from './config/load.ts'
import type { Config } from './config/schema.ts'
import { serve } from './server.ts'
import { openKeyStore } from './tokens/keys.ts'
import { VERSION } from './version.ts'

export interface Io {
  readonly stdout: (text: string) => void
  readonly stderr: (text: string) => void
}

/** 0 done, 1 a mistake of the caller's, 2 wrong usage. */
export type ExitCode = 0 | 1 | 2

const USAGE = `usage: chartgate <command> [--config FILE]

  serve         runs the gateway
  check         says whether the configuration is right, or every mistake in it
  keys list     the signing keys
  keys export   the public key for ChartMuseum's AUTH_CERT_PATH  [--out FILE]

  --config FILE   the configuration (or CHARTGATE_CONFIG); docs/configuration.md has every key
  --help, --version
`

type Command = (config: Config, options: { out?: string }, io: Io) => Promise<ExitCode>

const COMMANDS: Readonly<Record<string, Command>> = {
  serve: runServe,
  check: runCheck,
  'keys list': runKeysList,
  'keys export': runKeysExport
}

/** Runs a command. @param argv without node and the script */
export async function main (argv: readonly string[], env: Environment, io: Io): Promise<ExitCode> {
  const parsed = readArguments(argv)
  if (typeof parsed === 'string') {
    io.stderr(`chartgate: ${parsed}\n\n${USAGE}`)
    return 2
  }
  const { values, positionals } = parsed
  if (values.help === true || values.version === true) {
    io.stdout(values.help === true ? USAGE : `chartgate ${VERSION}\n`)
    return 0
  }
  const name = positionals.join(' ')
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
  if (command === undefined || (values.out !== undefined && command !== runKeysExport)) {
    const wrong = command !== undefined ? `${name} takes no --out` : name === '' ? 'no command' : `unknown command: ${name}`
    io.stderr(`chartgate: ${wrong}\n\n${USAGE}`)
    return 2
  }
  // A variable that is set to nothing counts as not set, as in a shell.
  const loaded = await loadConfig(values.config ?? (env['CHARTGATE_CONFIG'] || undefined), env)
  if (!loaded.ok) {
    for (const mistake of loaded.mistakes) io.stderr(`chartgate: ${mistake}\n`)
    return 1
  }
  return await command(loaded.config, values.out === undefined ? {} : { out: values.out }, io)
}

function readArguments (argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: { config: { type: 'string' }, out: { type: 'string' }, help: { type: 'boolean', short: 'h' }, version: { type: 'boolean' } }
    })
  } catch (error) {
    return (error as Error).message
  }
}

async function runServe (config: Config, _options: object, io: Io): Promise<ExitCode> {
  const demo = config.masterKey === 'MASTERKEY' && config.upstream.url === undefined
  const served = await serve(config, { announce: io.stdout, ...(demo ? { demoChart: fromRoot('examples/mychart') } : {}) })
  if (!served.ok) return fail(io, served.message) /* c8 ignore start -- as serve() itself, in a process of its own */
  await served.closed
  return 0
}
/* c8 ignore stop */

async function runCheck (config: Config, _options: object, io: Io): Promise<ExitCode> {
  const upstream = config.upstream.url ?? `the embedded repository on ${join(config.stateDir, 'charts')}`
  io.stdout(`configuration is valid: ${config.publicUrl} on ${config.listen.host}:${config.listen.port} in front of ${upstream}, depth ${config.charts.depth}, ${config.policy.length} ${config.policy.length === 1 ? 'rule' : 'rules'}\n`)
  return 0
}

async function runKeysList (config: Config, _options: object, io: Io): Promise<ExitCode> {
  const opened = await openKeyStore(join(config.stateDir, 'keys'))
  if (!opened.ok) return fail(io, opened.message)
  const rows = [['USE', 'ALG', 'KID', 'FILE'], ...[['tokens', opened.keys.signing] as const, ['upstream', opened.keys.upstream] as const].map(([use, { alg, kid, file }]) => [use, alg, kid, file])]
  for (const [use, alg, kid, file] of rows) io.stdout(`${use?.padEnd(9)} ${alg?.padEnd(6)} ${kid?.padEnd(43)} ${file}\n`)
  return 0
}

async function runKeysExport (config: Config, { out }: { out?: string }, io: Io): Promise<ExitCode> {
  const opened = await openKeyStore(join(config.stateDir, 'keys'))
  if (!opened.ok) return fail(io, opened.message)
  const pem = opened.keys.upstream.publicKey.export({ type: 'spki', format: 'pem' }) as string
  if (out === undefined) {
    io.stdout(pem)
    return 0
  }
  try {
    await writeFile(out, pem)
    return 0
  } catch (error) {
    return fail(io, `${out} cannot be written: ${(error as Error).message}`)
  }
}

function fail (io: Io, message: string): ExitCode {
  io.stderr(`chartgate: ${message}\n`)
  return 1
}

/** A file of the project, from dist/src as well as from src. */
function fromRoot (path: string): string {
  return join(fileURLToPath(new URL('.', import.meta.url)).replace(/(dist[/\\])?src[/\\]$/, ''), path)
}

/* c8 ignore start -- runs in a process of its own, where the tests start it */
if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  process.exitCode = await main(process.argv.slice(2), process.env, {
    stdout: text => { process.stdout.write(text) },
    stderr: text => { process.stderr.write(text) }
  })
}
/* c8 ignore stop */
