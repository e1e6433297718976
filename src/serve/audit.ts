// Where does the audit log of this process go? Into the file that the configuration names,
// else into the stream of the log; and into another one as soon as that is named.
import type { Config } from '../config/schema.ts'
import { withoutValues } from '../files/mistakes.ts'
import { createLive, type Live } from '../lib/live.ts'
import { later } from '../lib/timers.ts'
import { AuditFile, type AuditFileOptions } from '../observe/audit/audit-file.ts'
import type { AuditOutput } from '../observe/audit/auditing.ts'
import { deedEvent, PROCESS_ACTOR } from '../observe/audit/event.ts'
import { auditLine } from '../observe/audit/line.ts'
import { openAuditFile } from '../observe/audit/open-file.ts'
import type { ReloadReport } from '../live/part.ts'

/** Where lines go, and whether somebody waits for the disk. */
export type AuditAim = Pick<Config['audit'], 'file' | 'required'>

export interface OpenedAudit {
  /** Takes lines, wherever they go. */
  readonly output: AuditOutput
  /** What is in force. */
  readonly aim: Live<AuditAim>
  /** How many lines no file took since the start. */
  lost (): number
  /** Counts what was lost on the way here. */
  countLost (lines: number): void
  /** Opens the file again by its name, if there is one. */
  reopen (): void
  /** Aims elsewhere; what hinders that, in a sentence: then everything is as before. One at a time. */
  aimAt (next: AuditAim): Promise<string | undefined>
  close (): Promise<void>
}

export type OpenedAuditResult =
  | { readonly ok: true, readonly opened: OpenedAudit }
  | { readonly ok: false, readonly message: string }

/** Opens it, or says in a sentence what hinders that. @param stream the log's */
export async function openAudit (
  { audit }: Pick<Config, 'audit'>,
  stream: Pick<AuditOutput, 'write'>,
  log: AuditFileOptions['log']
): Promise<OpenedAuditResult> {
  const opened = audits(stream, log)
  const message = await opened.aimAt(audit)
  if (message === undefined) return { ok: true, opened }
  await opened.close()
  return { ok: false, message }
}

/** That of a process which has no file yet. */
function audits (stream: Pick<AuditOutput, 'write'>, log: AuditFileOptions['log']): OpenedAudit {
  const aim = createLive<AuditAim>({ required: false })
  let file: AuditFile | undefined
  let lostBefore = 0
  /* c8 ignore next -- the end of the process */
  const writeLast = (): void => { file?.writeLast() }
  process.once('exit', writeLast)
  const record: AuditOutput['record'] = async (line, ifNot) => await (file as AuditFile).record(line, ifNot)

  async function toStream (): Promise<void> {
    const before = file as AuditFile // without one there is nothing that could be required (config/rules.ts)
    aim.current = { required: false }
    file = undefined
    log.info({}, 'the audit log goes on in the stream of the log')
    const left = await before.close()
    if (left !== '') stream.write(left)
    lostBefore += before.lost()
  }

  return {
    output: {
      write (line) { (file ?? stream).write(line) },
      get record () { return aim.current.required ? record : undefined }
    },
    aim,
    lost: () => lostBefore + (file?.lost() ?? 0),
    countLost (lines) {
      if (file !== undefined) return file.countLost(lines)
      lostBefore += lines
      if (lines > 0) stream.write(lostLine(lines))
    },
    reopen () { file?.reopen() },
    async aimAt ({ file: name, required }) {
      if (name === aim.current.file && required === aim.current.required) return undefined
      if (name === undefined) {
        await toStream()
        return undefined
      }
      const result = await openAuditFile(name, required)
      if (!result.ok) return result.message
      const { opened } = result
      if (file === undefined) file = new AuditFile({ file: name, opened, log, lostLine, later })
      else file.moveTo(name, opened)
      aim.current = { file: name, required }
      return undefined
    },
    async close () {
      await file?.close()
      process.removeListener('exit', writeLast)
    }
  }
}

/** Records that changed files were read, or why they are not used. */
export function reportReload ({ write }: AuditOutput): ReloadReport {
  return ({ isInForce, mistakes, file }) => {
    if (!isInForce && mistakes.length === 0) return // that was said before
    write(auditLine(deedEvent({
      action: 'configuration.reload',
      actor: PROCESS_ACTOR,
      outcome: mistakes.length === 0 ? 'success' : 'failure',
      object: file,
      detail: mistakes.length === 0 ? undefined : mistakes.map(withoutValues).join('\n').slice(0, LONGEST_DETAIL)
    })))
  }
}

const LONGEST_DETAIL = 1000

/** Says how many lines are missing here. */
export function lostLine (lines: number): string {
  return auditLine(deedEvent({ action: 'audit.lost', outcome: 'failure', actor: PROCESS_ACTOR, lines }))
}
