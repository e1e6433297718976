// `chartgate reload`: lets the process that runs read everything again, waits for it and its
// workers, and says what changed, what only a restart applies, and what is wrong.
import { resolve } from 'node:path'
import { askReload } from '../serve/control.ts'
import type { Reread } from '../serve/rereading.ts'
import { controlSocket } from '../serve/state-dir.ts'
import { showTime } from '../tokens/key-folder.ts'
import { fail, type Command, type ExitCode, type Io } from './command.ts'
import { configured, type Broken } from './configured.ts'
import { withPassword } from './upstream-password.ts'

const BY_CONFIGURATION = configured(async ({ config, io }) => await reload(config.stateDir, io), withPassword, broken)

export const RELOAD: Command = {
  async run (options, env, io, words) {
    const { 'state-dir': stateDir } = options
    if (stateDir !== undefined) return await reload(resolve(stateDir), io)
    return await BY_CONFIGURATION.run(options, env, io, words)
  }
}

/**
 * The process is asked all the same where its folder is known: what it cannot use it says itself,
 * and it takes what files say that are right.
 */
async function broken ({ mistakes, stateDir }: Broken, io: Io): Promise<ExitCode> {
  if (stateDir === undefined) {
    return fail(io, ...mistakes, 'no process was asked: which one is meant is not known while that cannot be read; ' +
      'put it right, or name the folder of the process with --state-dir')
  }
  return await reload(stateDir, io, mistakes)
}

/** @param found what is wrong with the configuration as it is read here: said where nobody else can say it */
async function reload (stateDir: string, io: Io, found: readonly string[] = []): Promise<ExitCode> {
  const path = controlSocket(stateDir)
  const asked = path === undefined ? { ok: false, why: 'nobody' } as const : await askReload(path)
  if (asked.ok) return report(asked.reread, io)
  switch (asked.why) {
    case 'nobody':
      return fail(io, ...found, `no chartgate runs with stateDir ${stateDir}, or this user may not ask it`)
    case 'starting':
      return fail(io, ...found, `the chartgate with stateDir ${stateDir} is starting: it reads its files just now`)
    case 'silent':
      return fail(io, ...found, `the chartgate with stateDir ${stateDir} did not answer: ` +
        'it may be reading large files still, and its log says when it has, or why not')
  }
}

function report ({ changed, last, later, mistakes, silent }: Reread, io: Io): ExitCode {
  const since = last === undefined ? 'the start' : `${showTime(last.time)}, when it was ${last.changed.join(', ')}`
  io.stdout(changed.length > 0 ? `changed: ${changed.join(', ')}\n` : `nothing has changed since ${since}\n`)
  if (later.length > 0) io.stderr(`chartgate: warning: restart to apply: ${later.join(', ')}\n`)
  const wrong = [
    ...mistakes,
    ...mistakes.length === 0 ? [] : ['what cannot be used is not in force, and what was before still is'],
    ...silent.length === 0 ? [] : [`these workers did not say in time that they have it: ${silent.join(', ')}`]
  ]
  return wrong.length === 0 ? 0 : fail(io, ...wrong)
}
