#!/usr/bin/env node
// The commands. main() takes everything from its arguments, so that it can be tested;
// the last lines are the only reader of process.env and process.argv.
import { realpathSync } from 'node:fs'
import { isatty } from 'node:tty'
import { fileURLToPath } from 'node:url'
import { setFlagsFromString } from 'node:v8'
import { IS_WORKER } from './serve/workers/fork.ts'
import { helpCommand, readCommandLine } from './commands/command-line.ts'
import type { Command, ExitCode, Io } from './commands/command.ts'
import type { LoadedCommand } from './commands/table.ts'
import type { Environment } from './config/environment.ts'
import { ignoreSignals, MEANINGLESS, MEANINGLESS_TO_SERVERS } from './serve/signals.ts'

/** Each command loads what it needs itself: a gateway that serves needs nothing of the others. */
const COMMANDS: Readonly<Record<LoadedCommand, () => Promise<Command>>> = {
  serve: async () => (await import('./commands/configured.ts')).SERVE,
  init: async () => (await import('./commands/init.ts')).INIT,
  check: async () => (await import('./commands/check.ts')).CHECK,
  explain: async () => (await import('./commands/explain.ts')).EXPLAIN,
  'federation explain': async () => (await import('./commands/federation.ts')).FEDERATION_EXPLAIN,
  'user add': async () => (await import('./commands/users.ts')).USER_ADD,
  'user passwd': async () => (await import('./commands/users.ts')).USER_PASSWD,
  'user disable': async () => (await import('./commands/users.ts')).USER_DISABLE,
  'user enable': async () => (await import('./commands/users.ts')).USER_ENABLE,
  'user list': async () => (await import('./commands/users.ts')).USER_LIST,
  'robot create': async () => (await import('./commands/robots.ts')).ROBOT_CREATE,
  'robot rotate': async () => (await import('./commands/robots.ts')).ROBOT_ROTATE,
  'robot disable': async () => (await import('./commands/robots.ts')).ROBOT_DISABLE,
  'robot enable': async () => (await import('./commands/robots.ts')).ROBOT_ENABLE,
  'robot delete': async () => (await import('./commands/robots.ts')).ROBOT_DELETE,
  'robot list': async () => (await import('./commands/robots.ts')).ROBOT_LIST,
  'hash-password': async () => (await import('./commands/hash-password.ts')).HASH_PASSWORD,
  'keys list': async () => (await import('./commands/keys.ts')).KEYS_LIST,
  'keys rotate': async () => (await import('./commands/keys.ts')).KEYS_ROTATE,
  'keys export': async () => (await import('./commands/keys.ts')).KEYS_EXPORT,
  'keys secret': async () => (await import('./commands/keys-secret.ts')).KEYS_SECRET,
  revoke: async () => (await import('./commands/revoke.ts')).REVOKE,
  audit: async () => (await import('./commands/audit.ts')).AUDIT,
  reload: async () => (await import('./commands/reload.ts')).RELOAD,
  healthcheck: async () => (await import('./commands/healthcheck.ts')).HEALTHCHECK,
  repository: async () => (await import('./commands/repository.ts')).REPOSITORY,
  completion: async () => (await import('./commands/completion.ts')).COMPLETION
}

/** Those that run until a signal ends them. */
const SERVERS: ReadonlySet<string> = new Set(['serve', 'repository'])

/** Runs a command. @param argv without node and the script */
export async function main (argv: readonly string[], env: Environment, io: Io): Promise<ExitCode> {
  const line = readCommandLine(argv)
  switch (line.kind) {
    case 'wrong': return misused(io, line.wrong, line.help)
    case 'shown':
      io.stdout(line.text)
      return 0
    case 'run': {
      const { row, options, words } = line
      const command = await COMMANDS[row.name as LoadedCommand]()
      const outcome = await command.run(options, env, io, words)
      return typeof outcome === 'number' ? outcome : misused(io, outcome.wrong, helpCommand(row))
    }
  }
}

/** The line that is wrong, and how to see what is right. */
function misused (io: Io, wrong: readonly string[], help: string): ExitCode {
  for (const each of wrong) io.stderr(`chartgate: ${each}\n`)
  io.stderr(`See: ${help}\n`)
  return 2
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
  // Who reads no further has all that they want (chartgate audit … | head).
  if (!process.argv.some(word => SERVERS.has(word))) {
    process.stdout.on('error', (error: NodeJS.ErrnoException) => { process.exit(error.code === 'EPIPE' ? 0 : 1) })
  }
  process.exitCode = await main(process.argv.slice(2), process.env, {
    stdout: text => { process.stdout.write(text) },
    stderr: text => { process.stderr.write(text) },
    readSecret: async (prompt, again) => {
      const { readSecret } = await import('./commands/terminal.ts')
      return await readSecret(process.stdin, process.stderr, prompt, again)
    },
    ...(isatty(0)
      ? {
          ask: async prompt => {
            const { readLine } = await import('./commands/terminal.ts')
            return await readLine(process.stdin, process.stderr, prompt)
          }
        }
      : { input: () => process.stdin })
  })
  if (IS_WORKER) process.exit() // the line to its primary would keep it
}
/* c8 ignore stop */
