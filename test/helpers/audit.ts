// Lines of the audit log, held against the schema that the documents show.
import { Compile } from 'typebox/compile'
import { auditJsonSchema, type AuditEvent } from '../../src/observe/audit/schema.ts'

const SCHEMA = Compile(auditJsonSchema())

/** What is wrong with an event, by the schema. */
export function auditFaults (event: unknown): string[] {
  return SCHEMA.Check(event) ? [] : SCHEMA.Errors(event).map(error => JSON.stringify(error))
}

/** The line, if it is one line and as the schema has it. */
export function soundLine (line: string): string {
  if (!/^\{[^\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]*\}\n$/u.test(line)) throw new Error(`not one line: ${JSON.stringify(line)}`)
  const faults = auditFaults(JSON.parse(line))
  if (faults.length > 0) throw new Error(`${faults.join('\n')} in ${line}`)
  return line
}

/** The audit lines of a stream or file, each held against the schema. */
export function auditLinesOf (text: string): AuditEvent[] {
  return text.split(/(?<=\n)/)
    .filter(line => line.includes('"category":"audit"'))
    .map(line => JSON.parse(soundLine(line)) as AuditEvent)
}
