// Where does the audit log of this process go? Into the file that the configuration names,
// else into the stream of the log.
import type { Config } from '../config/schema.ts'
import { withoutValues } from '../files/mistakes.ts'
import { later } from '../lib/timers.ts'
import { AuditFile, type AuditFileOptions } from '../observe/audit/audit-file.ts'
import type { AuditOutput } from '../observe/audit/auditing.ts'
import { deedEvent, PROCESS_ACTOR } from '../observe/audit/event.ts'
import { auditLine } from '../observe/audit/line.ts'
import { openAuditFile } from '../observe/audit/open-file.ts'
import type { ReloadReport } from '../live/part.ts'

export interface OpenedAudit {
  readonly output: AuditOutput
  /** Undefined: there is none. */
  readonly file: AuditFile | undefined
  readonly close: () => Promise<void>
}

export type OpenedAuditResult =
  | { readonly ok: true, readonly opened: OpenedAudit }
  | { readonly ok: false, readonly message: string }

/** Opens it, or says in a sentence what hinders that. @param stream the log's */
export async function openAudit (
  { audit: { file: name, required } }: Pick<Config, 'audit'>,
  stream: Pick<AuditOutput, 'write'>,
  log: AuditFileOptions['log']
): Promise<OpenedAuditResult> {
  if (name === undefined) {
    return { ok: true, opened: { output: streamOf(stream), file: undefined, close: async () => {} } }
  }
  const opened = await openAuditFile(name, required)
  if (!opened.ok) return opened
  const file = new AuditFile({ file: name, opened: opened.opened, log, lostLine, later })
  /* c8 ignore next -- the end of the process */
  const writeLast = (): void => { file.writeLast() }
  process.once('exit', writeLast)
  const close = async (): Promise<void> => {
    await file.close()
    process.removeListener('exit', writeLast)
  }
  return { ok: true, opened: { output: outputOf(file, required), file, close } }
}

/** The stream of the log, which says by itself what it has lost. */
export function streamOf (stream: Pick<AuditOutput, 'write'>): AuditOutput {
  return { write: line => { stream.write(line) } }
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

function outputOf (file: AuditFile, required: boolean): AuditOutput {
  const write = (line: string): void => { file.write(line) }
  return required ? { write, record: async (line, ifNot) => await file.record(line, ifNot) } : { write }
}

/** Says how many lines are missing here. */
export function lostLine (lines: number): string {
  return auditLine(deedEvent({ action: 'audit.lost', outcome: 'failure', actor: PROCESS_ACTOR, lines }))
}
