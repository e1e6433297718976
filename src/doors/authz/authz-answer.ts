// What is a proxy told? With a yes, for whom and for which tenant, in headers that it puts in
// the place of its client's own; with a no, a status that it passes on.
import type { ChartRequest } from '../../chartmuseum/chart-request.ts'
import { statusOf, type Refusal } from '../../http/errors.ts'
import { AGAIN } from '../../http/reasons.ts'
import type { DialectName } from '../../words/dialects.ts'
import type { Principal } from '../../words/principal.ts'
import { DIALECT_OF } from './dialects.ts'

/**
 * The headers of a yes: each on every one, also empty, because a proxy passes on its client's
 * own in the place of one that is missing (seen of Envoy).
 * @param authorization what the upstream wants to be asked with; undefined: nothing is handed out
 */
export function yesHeaders (
  principal: Principal,
  { tenant }: ChartRequest,
  authorization: string | undefined
): Readonly<Record<string, string>> {
  return {
    'x-auth-user': principal.kind === 'anonymous' ? '' : inHeader(principal.subject),
    'x-auth-tenant': tenant,
    ...(authorization === undefined ? {} : { authorization })
  }
}

/** Subjects of other token servers may be any text: what is not printable ASCII stands as in a URL, and so does `%`. */
function inHeader (text: string): string {
  return Array.from(Buffer.from(text), byte => byte < 0x21 || byte > 0x7e || byte === 0x25
    ? `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
    : String.fromCharCode(byte)).join('')
}

/**
 * The status of a refusal in a dialect. Where the proxy knows 401 and 403 alone, what can
 * never be is 403; what may do better in a moment, or is our fault, stays an error.
 */
export function statusIn (dialect: DialectName): (refusal: Refusal) => number {
  if (DIALECT_OF[dialect].knows401And403Alone === undefined) return statusOf
  return refusal => {
    const status = statusOf(refusal)
    return status === 401 || status >= 500 || AGAIN.has(status) ? status : 403
  }
}
