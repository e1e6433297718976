// Which headers pass? Lists of what is allowed, so that what nobody thought of does
// not: hop-by-hop headers, challenges and server names of the upstream stay behind.
import type { IncomingHttpHeaders } from 'node:http'

export const RESPONSE_HEADERS = ['content-type', 'content-length', 'content-encoding', 'content-disposition', 'etag', 'last-modified'] as const

/** The headers of an upstream's answer that a client gets. */
export function responseHeaders (headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const passed: IncomingHttpHeaders = {}
  for (const name of RESPONSE_HEADERS) {
    const value = headers[name]
    if (value !== undefined) passed[name] = value
  }
  return passed
}
