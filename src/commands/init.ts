// `chartgate init`: a configuration to begin with. Asks at a terminal for what no option says,
// writes the file and an accounts file beside it, checks them, and says what comes next. It
// makes nothing else: keys belong to the user that serves, and no secret is asked for.
import { lstat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Environment } from '../config/environment.ts'
import type { Trouble } from '../upstream/first-contact.ts'
import { fail, type Command, type ExitCode, type Io, type WrongUsage } from './command.ts'
import { checkExcusing } from './configured.ts'
import { answersOf } from './init-answers.ts'
import type { Answers, Situation } from './init-questions.ts'
import { nextSteps } from './init-steps.ts'
import { ACCOUNTS_NAME, ACCOUNTS_TEXT, configurationText } from './init-text.ts'
import type { Options } from './options.ts'
import { hasPassword, PASSWORD, withPassword } from './upstream-password.ts'

export const INIT: Command = { run: runInit }

/** What may be so on the first day: a ChartMuseum that does not run yet, or is not reached from here. */
const NOT_THERE_YET: readonly Trouble[] = ['unreachable', 'no route', 'unwell']
/** What is no mistake yet; for bearer also that it does not have the key. */
const EXCUSED: Readonly<Record<Situation, ReadonlySet<Trouble>>> = {
  embedded: new Set(),
  basic: new Set(NOT_THERE_YET),
  bearer: new Set([...NOT_THERE_YET, 'wrong credentials', 'clocks differ'])
}

async function runInit (
  options: Options,
  env: Environment,
  io: Io,
  [file = 'chartgate.yaml']: readonly string[]
): Promise<ExitCode | WrongUsage> {
  const accounts = join(dirname(file), ACCOUNTS_NAME)
  const thereAlready = `${file} is there already, and is not written over: name another one`
  if (await isThere(file)) return fail(io, thereAlready)
  const asked = await answersOf(options, io)
  if ('wrong' in asked) return asked
  if (!asked.ok) return fail(io, `nothing was typed, and ${file} is not written`)
  const { answers } = asked
  try {
    if (!await makeFile(file, configurationText(answers))) return fail(io, thereAlready)
    const isNew = await makeFile(accounts, ACCOUNTS_TEXT)
    io.stdout(`${file} is written, and ${accounts} ${isNew ? 'with nobody in it' : 'was there'}\n`)
  } catch (error) {
    return fail(io, `${file} cannot be written: ${(error as Error).message}`)
  }
  const code = await checkWritten(file, answers, env, io)
  io.stdout(nextSteps(file, answers))
  return code
}

/** As `check --upstream` does. Without the password of Basic nobody can be asked; all else is checked. */
async function checkWritten (file: string, { situation }: Answers, env: Environment, io: Io): Promise<ExitCode> {
  const isKnown = situation !== 'basic' || hasPassword(env)
  const outcome = await checkExcusing(EXCUSED[situation]).run(
    { config: file, upstream: situation !== 'embedded' && isKnown },
    isKnown ? env : withPassword(env),
    io,
    []
  )
  if (!isKnown) {
    io.stderr(`chartgate: warning: neither ${PASSWORD}_FILE nor ${PASSWORD} is set, and so ChartMuseum was not asked\n`)
  }
  return outcome as ExitCode // check knows no wrong usage
}

/** Writes a file for this user alone; false when it is there already, which stays as it is. */
async function makeFile (file: string, text: string): Promise<boolean> {
  return await writeFile(file, text, { flag: 'wx', mode: 0o600 }).then(() => true, (error: NodeJS.ErrnoException) => {
    if (error.code === 'EEXIST') return false
    throw error
  })
}

async function isThere (file: string): Promise<boolean> {
  return await lstat(file).then(() => true, () => false)
}
