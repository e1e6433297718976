// Which headers pass? Lists of what is allowed, in both directions, so that what nobody
// thought of does not: a client's headers never reach the upstream, and hop-by-hop
// headers, challenges and server names of the upstream never reach a client.
import type { IncomingHttpHeaders } from 'node:http'
import type { Client } from './client.ts'

/** For whom the upstream is asked. */
export interface Caller {
  readonly requestId: string
  readonly client: Client
}

/**
 * The headers that the upstream gets with what is done for a client, all of them ours
 * and none of the client's: neither `Connection` nor anything that it names can take one
 * away (RFC 9110 section 7.6.1).
 * @param caller undefined: for several or for nobody, of whom the upstream is told nothing
 * @param authorization the gateway's own; undefined sends none
 */
export function requestHeaders (caller: Caller | undefined, authorization: string | undefined): Record<string, string> {
  return {
    ...(caller === undefined ? {} : callerHeaders(caller)),
    ...(authorization === undefined ? {} : { authorization })
  }
}

function callerHeaders ({ requestId, client }: Caller): Record<string, string> {
  return {
    'x-request-id': requestId,
    ...(client.address === undefined ? {} : { 'x-forwarded-for': client.address }),
    'x-forwarded-proto': client.proto,
    'x-forwarded-host': client.host,
    ...(client.trace === undefined ? {} : { traceparent: client.trace })
  }
}

/** What may describe an answer of the upstream. */
export const RESPONSE_HEADERS = [
  'content-type',
  'content-length',
  'content-encoding',
  'content-disposition',
  'etag',
  'last-modified'
] as const

/** The same, of an upstream that was asked for what the client wants a part of. */
export const PART_HEADERS = [...RESPONSE_HEADERS, 'accept-ranges', 'content-range'] as const

/**
 * The headers of an upstream's answer that a client gets: neither hop-by-hop ones nor those
 * that its `Connection` makes so.
 */
export function responseHeaders (
  headers: IncomingHttpHeaders,
  names: readonly string[] = RESPONSE_HEADERS
): IncomingHttpHeaders {
  const hopByHop = String(headers.connection ?? '').toLowerCase().split(',').map(name => name.trim())
  const passed: IncomingHttpHeaders = {}
  for (const name of names) {
    const value = headers[name] // eslint-disable-line no-restricted-syntax -- the names are above
    // undici makes a list of one that came twice: nobody knows which of the two is meant. What is
    // not ASCII has no one meaning either (RFC 9110 section 5.5), and Node may refuse to send it.
    if (typeof value === 'string' && /^[\t\x20-\x7e]*$/.test(value) && !hopByHop.includes(name)) passed[name] = value
  }
  return passed
}
