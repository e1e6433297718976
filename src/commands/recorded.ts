// Who changed an account or a key by a command? A line in the file of the audit log that the
// configuration names, appended beside a gateway that runs. Without such a file there is
// nobody to tell: standard output is for results. With `audit.required` the intent is on the
// disk first, or nothing is changed.
import { randomUUID } from 'node:crypto'
import { userInfo } from 'node:os'
import type { Environment } from '../config/environment.ts'
import { deedEvent } from '../observe/audit/event.ts'
import { auditLine } from '../observe/audit/line.ts'
import { openAuditFile } from '../observe/audit/open-file.ts'
import type { AuditAction, AuditActor, AuditOutcome } from '../observe/audit/schema.ts'
import { isName } from '../words/subject.ts'
import { fail, type Command, type Io } from './command.ts'
import type { Options } from './options.ts'

/** @param about the kind of the account that its first word names, or what it is about, which is no secret */
export function recorded (
  action: AuditAction,
  about: 'user' | 'robot' | undefined | ((options: Options) => string | undefined),
  command: Command
): Command {
  return {
    async run (options, env, io, words) {
      const audit = await auditOf(options, env, io)
      const object = typeof about === 'function' ? about(options) : accountOf(about, words)
      const facts = { action, actor: operator(), ...(object === undefined ? {} : { object }) }
      const id = randomUUID()
      const tell = async (outcome: AuditOutcome | undefined): Promise<string | undefined> => {
        return audit === undefined ? undefined : await append(audit, auditLine(deedEvent({ ...facts, outcome }, id)))
      }
      if (audit?.required === true) {
        const hindrance = await tell(undefined)
        if (hindrance !== undefined) return fail(io, `nothing is changed, because it cannot be recorded: ${hindrance}`)
      }
      const done = await command.run(options, env, io, words)
      const hindrance = await tell(done === 0 ? 'success' : 'failure')
      if (hindrance !== undefined) io.stderr(`chartgate: warning: this is not in the audit log: ${hindrance}\n`)
      return done
    }
  }
}

function accountOf (kind: 'user' | 'robot' | undefined, [name]: readonly string[]): string | undefined {
  return kind === undefined || name === undefined || !isName(name) ? undefined : `${kind}:${name}`
}

interface AuditTarget { readonly file: string, readonly required: boolean }

/** The file of the configuration; undefined when there is none, or when the command itself says what is wrong. */
async function auditOf (options: Options, env: Environment, io: Io): Promise<AuditTarget | undefined> {
  const [{ findConfig }, { loadConfig }, { withPassword }] = await Promise.all([
    import('../config/find.ts'), import('../config/load.ts'), import('./upstream-password.ts')
  ])
  const found = await findConfig(options.config, env)
  const loaded = await loadConfig(found.file, withPassword(env))
  if (loaded.ok) {
    const { file, required } = loaded.config.audit
    return file === undefined ? undefined : { file, required }
  }
  // A command with --file reads no configuration of its own, and goes on.
  if (options.file !== undefined) {
    io.stderr(`chartgate: warning: this is not in the audit log: ${loaded.mistakes.join('; ')}\n`)
  }
  return undefined
}

/** Appends a line, on the disk where that is required; what hinders it. */
async function append ({ file, required }: AuditTarget, line: string): Promise<string | undefined> {
  const opened = await openAuditFile(file, required)
  if (!opened.ok) return opened.message
  const { handle, isCut } = opened.opened
  return await handle.writeFile(isCut ? `\n${line}` : line)
    .then(async () => { if (required) await handle.datasync() })
    .then(() => undefined, (error: Error) => `${file} cannot be written: ${error.message}`)
    .finally(async () => { await handle.close() })
}

/** The user of this machine who runs it. */
function operator (): AuditActor {
  return { subject: `operator:${nameOfUser()}`, kind: 'operator', method: 'command' }
}

function nameOfUser (): string {
  try {
    return userInfo().username
  /* c8 ignore next 3 -- in a container that knows no name of its user */
  } catch {
    return `uid-${process.getuid?.()}`
  }
}
