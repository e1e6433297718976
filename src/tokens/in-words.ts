// How is what a token says told to a person? Its claims come from outside: in quotes, bounded,
// and without what moves a terminal's cursor.
import { printable } from '../lib/printable.ts'

const LONGEST = 200

/** A claim in quotes; of a list its members. */
export function textOf (claim: unknown): string {
  if (claim === undefined) return '(nothing)'
  const text = Array.isArray(claim) ? claim.map(textOf).join(', ') : JSON.stringify(claim)
  return printable(text).slice(0, LONGEST)
}

/** A time of a token (RFC 7519 section 2), as people write it. */
export function momentText (seconds: unknown): string {
  const isTime = typeof seconds === 'number' && Math.abs(seconds) < 1e11
  return isTime ? new Date(seconds * 1000).toISOString().replace(/\.\d+Z$/, 'Z') : 'at no time that can be read'
}
