// What does a proxy ask about? From the head of its own request, in its dialect, to the
// method and the raw target that its client sent: from the one place that the proxy writes,
// and nowhere else. What is missing, empty, there twice or contradicted is refused, and never
// taken for anything; its own query, Host, body and everything else count for nothing.
import type { Refusal } from '../../http/errors.ts'
import { valuesOf } from '../../http/request-head.ts'
import type { Dialect } from './dialects.ts'

/** Where proxies ask, and what stands before the target of those that append it. */
export const AUTHZ_PATH = '/authz'

/** The proxy's own request. */
export interface SubRequest {
  readonly method: string
  /** Its request target, as received. */
  readonly url: string
  readonly rawHeaders: readonly string[]
}

/** The client's request, as the proxy has it: neither is judged yet. */
export interface AskedAbout {
  readonly method: string
  readonly target: string
}

/** A method (RFC 9110 section 9.1), and none of a length that no method has. */
const METHOD = /^[A-Za-z-]{1,32}$/
/** What ingress controllers write before the target: scheme and host, of which nothing counts. */
const ORIGIN = /^https?:\/\/(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?(?=\/)/

/** @returns what is asked about, or why that cannot be told */
export function readSubRequest (request: SubRequest, { asks }: Dialect): AskedAbout | Refusal {
  if (asks.in === 'request line') return readRequestLine(request)
  const { url, rawHeaders } = request
  if (url.split('?', 1)[0] !== AUTHZ_PATH) return unreadable(`the request target is not ${AUTHZ_PATH}`)
  const faults: string[] = []
  const method = readHeader(asks.method, rawHeaders, faults)
  const target = readHeader(asks.target, rawHeaders, faults)
  const whole = asks.url === undefined ? undefined : readHeader(asks.url, rawHeaders, faults)?.replace(ORIGIN, '')
  const [fault] = faults
  if (fault !== undefined) return unreadable(fault)
  if (method === undefined) return unreadable(`${asks.method} is missing`)
  if (!METHOD.test(method)) return unreadable(`${asks.method} is no method`)
  const found = target ?? whole
  if (found === undefined) return unreadable(`${asks.target} is missing`)
  if (whole !== undefined && whole !== found) return unreadable(`${asks.target} and ${asks.url} contradict each other`)
  return { method, target: found }
}

function readRequestLine ({ method, url }: SubRequest): AskedAbout | Refusal {
  return url.startsWith(`${AUTHZ_PATH}/`)
    ? { method, target: url.slice(AUTHZ_PATH.length) }
    : unreadable(`the request line has no target behind ${AUTHZ_PATH}`)
}

/** The one value of a header; undefined when there is none, or, said in `faults`, none that counts. */
function readHeader (name: string, rawHeaders: readonly string[], faults: string[]): string | undefined {
  const [value, ...more] = valuesOf(name.toLowerCase(), rawHeaders)
  if (more.length > 0) faults.push(`${name} came ${more.length + 1} times`)
  else if (value === '') faults.push(`${name} is empty`)
  else return value
  return undefined
}

function unreadable (what: string): Refusal {
  return { code: 'authz_unreadable', detail: `${what}: the proxy has to say which request it asks about` }
}
