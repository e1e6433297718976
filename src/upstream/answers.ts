// What may a client read of the upstream's refusals? Answers of 400 and above come
// out in the one JSON form of this gateway: ChartMuseum's sentences where they help,
// never a file path of the server, an empty body, a text/plain 413 or a challenge
// that is meant for the gateway.
import type { IncomingHttpHeaders } from 'node:http'
import type { Readable } from 'node:stream'
import { isOutOfDescriptors, type Refusal } from '../http/errors.ts'

/** What the upstream answered: read whole, handed on as it comes, or longer than anybody wanted. */
export type UpstreamAnswer = { readonly status: number, readonly headers: IncomingHttpHeaders } & (
  | { readonly kind: 'whole', readonly body: Buffer }
  | { readonly kind: 'streamed', readonly body: Readable }
  | { readonly kind: 'left' }
)

/** Bytes of a refusal that are read; more is no sentence. */
export const LONGEST_ERROR = 16_384

/** One line that a person reads; a dump is longer, and has line ends. */
const SENTENCE = /^[^\p{Cc}\p{Zl}\p{Zp}]{1,200}$/u
/**
 * ChartMuseum 0.16.5 passes on what its storage says, and that names files of the
 * server, absolute or as the storage was configured: `remove charts/org1/x.tgz: no such
 * file or directory`, `open C:\\charts\\x.tgz: Access is denied.` (Go's fs.PathError: an
 * operation, a path, a reason).
 */
const OF_A_FILE = [
  /\b(?:open(?:at)?|read(?:dir|link)?|write|remove|unlink(?:at)?|rename|l?stat|mkdir|chmod) \S+: /i,
  /\b(?:(?:sym)?link|truncate|\w*File\w*) \S+: /i
]
const SLASH_IN_A_WORD = /\S[/\\]|[/\\]\S/
/** What else has a slash: what came with the chart, in quotes, and media types. */
const HARMLESS_SLASH = /(["'])[\w@+-][\w.@+-]*(?:\/[\w@+-][\w.@+-]*)+\1|\b(?:application|text)\/[\w.+-]+/g
/** The gateway's own credential, which an upstream might repeat in refusing it. */
const HOLDS_A_CREDENTIAL = /\b(?:basic|bearer)\s+\S|\beyJ[\w-]+\./i

/** True for a page: a proxy or a login in between speaks, whatever the status; no chart repository's answer is one. */
export function isPage (headers: IncomingHttpHeaders): boolean {
  return /^\s*(?:text\/html|application\/xhtml\+xml)\b/i.test(headers['content-type'] ?? '')
}

/** Errors of undici that are what an upstream does; the other side of a connection has codes of its own. */
const FAILURES: Readonly<Record<string, Refusal['code']>> = {
  UND_ERR_HEADERS_TIMEOUT: 'upstream_timeout',
  UND_ERR_BODY_TIMEOUT: 'upstream_timeout',
  UND_ERR_HEADERS_OVERFLOW: 'upstream_bad_answer',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'upstream_bad_answer'
}

const BROKEN: ReadonlySet<unknown> = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET'])

/** True when the other side closed or reset the connection (socket(7); undici's SocketError). */
export function isBrokenConnection (error: Error): boolean {
  return BROKEN.has((error as { readonly code?: unknown }).code)
}

/** An undici or socket error as a refusal. */
export function refusalOfFailure (error: unknown): Refusal {
  const errors = [error, (error as Error | undefined)?.cause]
  const codes = errors.map(each => String((each as { code?: unknown } | undefined)?.code))
  if (codes.some(isOutOfDescriptors)) return { code: 'no_descriptors' }
  const known = codes.find(code => Object.hasOwn(FAILURES, code))
  if (known !== undefined) return { code: FAILURES[known] as Refusal['code'] }
  // What the parser refuses is no HTTP: a status line, a header, the size of a chunk. Not all of it has a code.
  const names = [(error as Error | undefined)?.name, ...codes]
  const isNoHttp = names.some(name => name?.startsWith('HPE_') === true || name === 'HTTPParserError')
  return { code: isNoHttp ? 'upstream_bad_answer' : 'upstream_unreachable' }
}

/** What it says of the upstream that there was no answer: nothing, when this process had no descriptor to ask with. */
export function foundWithout (error: unknown): 'silence' | 'unknown' {
  return refusalOfFailure(error).code === 'no_descriptors' ? 'unknown' : 'silence'
}

const OUTAGES: ReadonlySet<number | Refusal['code']> = new Set([
  401, 403, 500, 502, 503, 504,
  'upstream_unreachable', 'upstream_timeout', 'upstream_bad_answer'
])

/** True for a status, or a reason for none, that may be what everybody gets now: it is worth a look of our own. */
export function speaksOfAnOutage (what: number | Refusal['code']): boolean {
  return OUTAGES.has(what)
}

/** What an answer says that is not the one that was wanted, as far as a sentence goes. */
export function textOf (answer: UpstreamAnswer): string {
  return answer.kind === 'whole' ? answer.body.toString('utf8') : ''
}

/** The same for the log: a 200 is not wanted when it is a page. */
export function causeOfAnswer (status: number): string {
  return `the upstream answered ${status}${status === 200 ? ' with a page, as a proxy or a login in between does' : ''}`
}

/**
 * An answer that is not the one that was wanted as a refusal, with the upstream's sentence
 * where a client may have it.
 */
export function refusalOfAnswer (status: number, body: string): Refusal {
  const sentence = readSentence(body)
  switch (status) {
    case 401:
    case 403: return { code: 'upstream_refused_us' }
    case 404: return withDetail('not_in_upstream', sentence)
    case 409: return withDetail('chart_exists', sentence)
    case 413: return { code: 'upstream_too_large' }
    case 429:
    case 503: return { code: 'upstream_busy' }
    case 507: return withDetail('storage_full', sentence)
  }
  // A redirect or a success that nobody asked for is no answer of a chart repository.
  return status >= 400 && status < 500 ? withDetail('upstream_rejected', sentence) : { code: 'upstream_bad_answer' }
}

function withDetail (code: Refusal['code'], detail: string | undefined): Refusal {
  return detail === undefined ? { code } : { code, detail }
}

/** The `error` of a JSON body, where it is a sentence for a client. */
function readSentence (body: string): string | undefined {
  try {
    const parsed: unknown = JSON.parse(body)
    if (typeof parsed !== 'object' || parsed === null) return undefined
    const sentence = (parsed as Record<string, unknown>)['error']
    if (typeof sentence !== 'string' || !SENTENCE.test(sentence)) return undefined
    const isPrivate = OF_A_FILE.some(form => form.test(sentence)) || HOLDS_A_CREDENTIAL.test(sentence) ||
      SLASH_IN_A_WORD.test(sentence.replace(HARMLESS_SLASH, ''))
    return isPrivate ? undefined : sentence
  } catch {
    return undefined
  }
}
