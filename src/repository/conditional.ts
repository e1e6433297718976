// How much of an answer does this client want? None of it, when it has these bytes already; a
// part of a file, when it asks for one; all of it otherwise (RFC 9110 sections 13 and 14).
import type { IncomingHttpHeaders } from 'node:http'

/** What tells one state of an answer from another. */
export interface Validators {
  /** With its quotes. */
  readonly etag?: string
  /** Of a file. */
  readonly modified?: Date
}

export type Extent =
  | { readonly kind: 'whole' | 'none' | 'unsatisfiable' }
  | { readonly kind: 'part', readonly from: number, readonly to: number }

const WHOLE: Extent = { kind: 'whole' }

/** @param size of a file, which alone can be had in parts: one at a time */
export function extentOf (
  headers: IncomingHttpHeaders,
  { etag, modified }: Validators,
  size: number | undefined
): Extent {
  const known = headers['if-none-match']
  const isKnown = known === undefined ? isSince(headers['if-modified-since'], modified) : isNamed(known, etag)
  if (isKnown) return { kind: 'none' }
  const { range } = headers
  if (range === undefined || size === undefined || !isStillSame(headers['if-range'], etag)) return WHOLE
  return partOf(range, size)
}

/** Weakly compared. */
function isNamed (known: string, etag: string | undefined): boolean {
  return etag !== undefined && known.split(',').map(each => each.trim()).some(each => {
    return each === '*' || each === etag || each === `W/${etag}`
  })
}

function isSince (since: string | string[] | undefined, modified: Date | undefined): boolean {
  return typeof since === 'string' && modified !== undefined && wholeSeconds(modified) <= Date.parse(since)
}

/**
 * A part only fits what the client has of the same bytes. A time does not say so: a file may
 * be overwritten within a second (RFC 9110 section 13.1.5 wants a strong one).
 */
function isStillSame (condition: string | string[] | undefined, etag: string | undefined): boolean {
  return condition === undefined || condition === etag
}

function wholeSeconds (time: Date): number {
  return Math.floor(time.getTime() / 1000) * 1000
}

/** One part; several are as good as none, and so is what cannot be read. */
function partOf (range: string, size: number): Extent {
  const [, first, last] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(range.trim()) ?? []
  if (first === undefined || last === undefined || (first === '' && last === '')) return WHOLE
  const from = first === '' ? Math.max(size - Number(last), 0) : Number(first)
  const to = first === '' || last === '' ? size - 1 : Math.min(Number(last), size - 1)
  if (last !== '' && first !== '' && Number(last) < from) return WHOLE
  return from > to ? { kind: 'unsatisfiable' } : { kind: 'part', from, to }
}
