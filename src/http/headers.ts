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

/** True when an If-None-Match header names this strong entity tag, or any (RFC 9110 section 13.1.2: compared weakly). */
export function namesEntity (ifNoneMatch: string | undefined, etag: string): boolean {
  return ifNoneMatch !== undefined && ifNoneMatch.split(',').some(each => ['*', etag].includes(each.trim().replace(/^W\//, '')))
}
