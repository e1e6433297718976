// Which part of a body does a client want? One range of bytes; what asks for several, or for
// anything else than bytes, gets the whole (RFC 9110 section 14.2).
import type { IncomingHttpHeaders } from 'node:http'

/** The first and the last byte of a part. */
export interface BytePart {
  readonly first: number
  readonly last: number
}

/**
 * @param headers of the request; with `if-range` a part is for who has the rest of the same bytes, which a time
 * does not say (RFC 9110 section 13.1.5)
 * @param etag of the body
 * @returns undefined: the whole; `none`: there is no such part (416)
 */
export function partOf (
  { range, 'if-range': same }: IncomingHttpHeaders,
  etag: string,
  length: number
): BytePart | 'none' | undefined {
  if (same !== undefined && same !== etag) return undefined
  const [, from, to] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(range ?? '') ?? []
  if (from === undefined || to === undefined || (from === '' && to === '')) return undefined
  if (from === '') {
    const suffix = Math.min(Number(to), length)
    return suffix === 0 ? 'none' : { first: length - suffix, last: length - 1 }
  }
  const [first, last] = [Number(from), to === '' ? length - 1 : Math.min(Number(to), length - 1)]
  if (to !== '' && Number(to) < first) return undefined
  return first >= length ? 'none' : { first, last }
}

/** The part of a body that goes by; what comes before it is read and thrown away. */
export async function * sliced (
  body: AsyncIterable<Uint8Array>,
  { first, last }: BytePart
): AsyncGenerator<Uint8Array> {
  let at = 0
  for await (const chunk of body) {
    const piece = chunk.subarray(Math.max(0, first - at), Math.max(0, last + 1 - at))
    at += chunk.length
    if (piece.length > 0) yield piece
  }
}
