#!/usr/bin/env node
// The commands. main() takes everything from its arguments, so that it can be tested;
// the last lines are the only reader of process.env and process.argv.
import { realpathSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import { IS_WORKER } from './serve/workers/fork.ts'
import { FLAGS, OPTIONS, type Command, type ExitCode, type Io, type Options } from './commands/command.ts'
import type { Environment } from './config/environment.ts'
import { nearest } from './files/mistakes.ts'
import { ignoreSignals, MEANINGLESS, MEANINGLESS_TO_SERVERS } from './serve/signals.ts'
import { VERSION } from './lib/version.ts'

const USAGE = `usage: chartgate <command> [--config FILE]

  serve         runs the gateway
  check         says whether the configuration is right, or every mistake in it; with --charts
                also which files of the embedded repository are in no index, and why;
                with --upstream also whether the chart repository answers as configured
  explain       says whether somebody may do something, and by which rule
                (--as SUBJECT | --token TOKEN) ACTION TENANT
  keys list     the keys that sign and verify, and their states; makes none
  keys rotate   makes a new key for tokens; what the old one signed counts until it ends
                [--alg RS256|ES256|EdDSA]
  keys export   the public key for ChartMuseum's AUTH_CERT_PATH  [--out FILE]; makes
                the keys when there are none
  hash-password reads a password and prints its hash, for an accounts file
  robot create  makes a robot's secret and prints it once, with its entry for an accounts file
                NAME --expires 90d|12h|never [--file FILE]
  repository    runs the embedded chart repository alone, without a configuration
                --dir DIR --port N --depth N|dynamic [--public-key FILE]

  --config FILE      the configuration (or CHARTGATE_CONFIG, else ./chartgate.yaml, else
                     /etc/chartgate/chartgate.yaml); docs/configuration.md has every key
  --public-key FILE  checks tokens with this key; without it only 127.0.0.1 is listened on
  --help, --version
`

/** Each command loads what it needs itself: a gateway that serves needs nothing of the others. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  serve: async () => (await import('./commands/configured.ts')).SERVE,
  check: async () => (await import('./commands/configured.ts')).CHECK,
  'keys list': async () => (await import('./commands/keys.ts')).KEYS_LIST,
  'keys rotate': async () => (await import('./commands/keys.ts')).KEYS_ROTATE,
  'keys export': async () => (await import('./commands/keys.ts')).KEYS_EXPORT,
  explain: async () => (await import('./commands/explain.ts')).EXPLAIN,
  'hash-password': async () => (await import('./commands/accounts.ts')).HASH_PASSWORD,
  'robot create': async () => (await import('./commands/accounts.ts')).ROBOT_CREATE,
  repository: async () => (await import('./commands/repository.ts')).REPOSITORY
}

/** Those that run until a signal ends them. */
const SERVERS: ReadonlySet<string> = new Set(['serve', 'repository'])

/** Runs a command. @param argv without node and the script */
export async function main (argv: readonly string[], env: Environment, io: Io): Promise<ExitCode> {
  const parsed = readArguments(argv)
  if (typeof parsed === 'string') return misused(io, [parsed])
  const { values: { help, version, ...options }, positionals } = parsed
  if (help === true || version === true) {
    io.stdout(help === true ? USAGE : `chartgate ${VERSION}\n`)
    return 0
  }
  const name = [2, 1].map(length => positionals.slice(0, length).join(' ')).find(each => Object.hasOwn(COMMANDS, each))
  if (name === undefined) return misused(io, [unknownCommand(positionals)])
  const command = await (COMMANDS[name] as () => Promise<Command>)()
  const words = positionals.slice(name.split(' ').length)
  const expected = command.words ?? []
  if (words.length !== expected.length) {
    const takes = expected.length === 0 ? 'no more words' : expected.join(' ')
    return misused(io, [`${name} takes ${takes}${words.length === 0 ? '' : `: ${words.join(' ')}`}`])
  }
  const given = [...OPTIONS, ...FLAGS].filter(option => options[option] !== undefined)
  const strays = given.filter(option => !command.takes.includes(option))
  if (strays.length > 0) return misused(io, strays.map(option => `${name} takes no --${option}`))
  const outcome = await command.run(options, env, io, words)
  return typeof outcome === 'number' ? outcome : misused(io, outcome.wrong)
}

/** What was probably meant. */
function unknownCommand (positionals: readonly string[]): string {
  const [first] = positionals
  const name = positionals.join(' ')
  const names = Object.keys(COMMANDS)
  const longer = names.filter(each => each.startsWith(`${first} `))
  if (first === undefined) return 'no command: say what to do, for example chartgate serve'
  if (longer.length > 0) return `${first} needs one more word: ${longer.join(' or ')}`
  const near = nearest(name, names)
  return `there is no command ${name}${near === undefined ? '' : `: did you mean ${near}?`}`
}

function misused (io: Io, wrong: readonly string[]): ExitCode {
  io.stderr(`${wrong.map(each => `chartgate: ${each}\n`).join('')}\n${USAGE}`)
  return 2
}

function readArguments (
  argv: readonly string[]
): { values: Options & { help?: boolean, version?: boolean }, positionals: string[] } | string {
  try {
    const texts = Object.fromEntries(OPTIONS.map(name => [name, { type: 'string' }])) as
      Record<typeof OPTIONS[number], { type: 'string' }>
    const flags = Object.fromEntries(FLAGS.map(name => [name, { type: 'boolean' }])) as
      Record<typeof FLAGS[number], { type: 'boolean' }>
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: { ...texts, ...flags, help: { type: 'boolean', short: 'h' }, version: { type: 'boolean' } }
    })
  } catch (error) {
    return (error as Error).message
  }
}

/* c8 ignore start -- runs in a process of its own, where the tests start it */
if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  ignoreSignals(MEANINGLESS)
  if (process.argv.some(word => SERVERS.has(word))) ignoreSignals(MEANINGLESS_TO_SERVERS)
  // V8 looks through the young heap alone after 32 MiB of new buffers (128 MiB from Node 24
  // on), but through all of it when they are more than the heap is expected to grow by,
  // which for one as small as this is less: several times for each large upload. Four times
  // is the most that V8 expects of itself (nodejs/node#61967, docs/performance.md).
  setFlagsFromString('--heap-growing-percent=300')
  process.exitCode = await main(process.argv.slice(2), process.env, {
    stdout: text => { process.stdout.write(text) },
    stderr: text => { process.stderr.write(text) },
    readSecret: async prompt => {
      const { readSecret } = await import('./commands/terminal.ts')
      return await readSecret(prompt, process.stdin, process.stderr)
    }
  })
  if (IS_WORKER) process.exit() // the line to its primary would keep it
}
/* c8 ignore stop */
