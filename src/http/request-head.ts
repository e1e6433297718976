// Is the head of a request one that every reader on its way takes the same way? Node's
// parser refuses most of the others (two lengths, a length and chunks, bad line ends);
// here is what it lets through, and what it would refuse without a word.
import type { IncomingMessage } from 'node:http'

/**
 * Node counts neither colons nor line ends to a head's size, and forgets what comes behind
 * 2000 headers; clients send about 20.
 */
const MOST_HEADERS = 200

export type RequestHead = Pick<IncomingMessage, 'httpVersion' | 'headers' | 'rawHeaders'>

/** What is wrong with it, as a sentence; undefined is nothing. */
export function faultOfHead ({ httpVersion, headers, rawHeaders }: RequestHead): string | undefined {
  if (httpVersion !== '1.1' && httpVersion !== '1.0') return 'the request must be of HTTP/1.1 or HTTP/1.0'
  if (rawHeaders.length > 2 * MOST_HEADERS) return `more than ${MOST_HEADERS} headers`
  // RFC 9112 section 3.2
  const hosts = countOf('host', rawHeaders)
  if (hosts > 1) return 'several Host headers: send one'
  if (hosts === 0 && httpVersion === '1.1') return 'the request has no Host header'
  // Only `chunked` is undone, and HTTP/1.0 has no such header (RFC 9112 section 6.1).
  const coding = headers['transfer-encoding']
  if (coding !== undefined && (httpVersion === '1.0' || coding.toLowerCase() !== 'chunked')) {
    return 'the only transfer coding that is taken is chunked, in HTTP/1.1'
  }
  return undefined
}

/** What came under a name, in order. @param name in lower case */
export function valuesOf (name: string, rawHeaders: readonly string[]): string[] {
  return rawHeaders.filter((_value, i) => i % 2 === 1 && (rawHeaders[i - 1] as string).toLowerCase() === name)
}

/** How often a header came. Node keeps one of several; another reader might keep another one. */
export function countOf (name: string, rawHeaders: readonly string[]): number {
  let count = 0
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const each = rawHeaders[i] as string
    if (each.length === name.length && each.toLowerCase() === name) count++
  }
  return count
}
