// How is an event one line, whatever stands in it? As JSON, in which nothing is left that
// ends a line for somebody, turns its direction or cannot be seen: each such character is
// JSON's escape of it, and so a reader of JSON gets the text as it came.
import type { AuditEvent } from './schema.ts'

/** What JSON.stringify leaves as it is, of control, format, and line and paragraph separators. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu

/** The whole line, with its end. Halves of a character are escaped by JSON.stringify. */
export function auditLine (event: AuditEvent): string {
  return `${JSON.stringify(event).replace(UNSEEN, escaped)}\n`
}

/** JSON has an escape for each UTF-16 code unit (RFC 8259 section 7). */
function escaped (character: string): string {
  return Array.from({ length: character.length }, (_, i) =>
    `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`).join('')
}
