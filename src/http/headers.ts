// Which headers pass? Lists of what is allowed, so that what nobody thought of does
// not: hop-by-hop headers, challenges and server names of the upstream stay behind.
import type { IncomingHttpHeaders } from 'node:http'

const RESPONSE = ['content-type', 'content-length', 'content-encoding', 'content-disposition', 'etag', 'last-modified'] as const

/** The headers of an upstream's answer that a client gets. */
export function responseHeaders (headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const passed: IncomingHttpHeaders = {}
  for (const name of RESPONSE) {
    const value = headers[name]
    if (value !== undefined) passed[name] = value
  }
  return passed
}

/**
 * How often a header was sent: Node keeps the first of several, another reader might keep the last.
 * @param rawHeaders names and values in turn, as Node has them
 * @param name lower case
 */
export function timesSent (rawHeaders: readonly string[], name: string): number {
  let count = 0
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const each = rawHeaders[i] as string
    if (each.length === name.length && each.toLowerCase() === name) count++
  }
  return count
}
