// What does a client have already, and in which form can it take the rest? The request
// headers that an answer from memory looks at, each read from one end to the other once, and
// those that a repository that can answer in part is asked with.
import type { IncomingHttpHeaders } from 'node:http'

/** A member of a list of entity tags, or an empty one, and what ends it (RFC 9110 sections 5.6.1 and 8.8.3). */
const MEMBER = /[ \t]*(?:(?:W\/)?("[^"]*")[ \t]*)?(?:,|$)/y

/**
 * True when an If-None-Match names the entity tag, or any; compared weakly (RFC 9110
 * sections 8.8.3.2 and 13.1.2). What is no list of entity tags names none.
 */
export function knowsEtag (ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false
  if (ifNoneMatch === etag || ifNoneMatch.trim() === '*') return true
  let isNamed = false
  MEMBER.lastIndex = 0
  while (MEMBER.lastIndex < ifNoneMatch.length) {
    const member = MEMBER.exec(ifNoneMatch)
    if (member === null) return false
    if (member[1] === etag) isNamed = true
  }
  return isNamed
}

const GZIP = /^\s*(?:x-)?gzip\s*(?:;\s*q\s*=\s*([\d.]+)\s*)?$/i

/** True when an Accept-Encoding has gzip, and not with the weight 0 (RFC 9110 sections 12.4.2 and 12.5.3). */
export function acceptsGzip (header: string): boolean {
  if (header === 'gzip') return true
  return header.split(',').some(each => {
    const found = GZIP.exec(each)
    const weight = Number(found?.[1] ?? 1)
    return found !== null && weight > 0 && weight <= 1
  })
}

/** True for the Accept of a browser, which names pages (RFC 9110 section 12.5.1). */
export function wantsPage (accept: string | undefined): boolean {
  return accept !== undefined && /\btext\/html\b/i.test(accept)
}

/** What a client wants of a file, and on which condition (RFC 9110 sections 13 and 14.2). */
export type Conditions = Readonly<Partial<Record<
  'if-none-match' | 'if-modified-since' | 'if-range' | 'range',
  string
>>>

/** More is no condition that a client has. */
const LONGEST_CONDITION = 1_000

/** The conditions of a read that can be passed on as they are; undefined: it has none. */
export function conditionsOf (method: string, headers: IncomingHttpHeaders): Conditions | undefined {
  const { 'if-none-match': known, 'if-modified-since': since, 'if-range': same, range } = headers
  // Most reads have none, and are looked at no further.
  if (known === undefined && since === undefined && same === undefined && range === undefined) return undefined
  const isPart = method === 'GET' // HEAD is of the whole (section 14.2)
  const given = Object.entries({
    'if-none-match': known,
    'if-modified-since': since,
    'if-range': isPart ? same : undefined,
    range: isPart ? range : undefined
  }).filter(([, value]) => {
    return typeof value === 'string' && value.length <= LONGEST_CONDITION && /^[\t\x20-\x7e]*$/.test(value)
  })
  return given.length === 0 ? undefined : Object.fromEntries(given)
}
