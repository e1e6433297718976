// Answers what never becomes a request: bytes that Node's HTTP parser or its timers
// refuse, and CONNECT, for which Node has no answer at all. In the form of every other
// refusal, and never in the middle of another answer.
import { randomUUID } from 'node:crypto'
import { STATUS_CODES, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { bodyOf, statusOf, type Refusal } from '../src/http/errors.ts'
import { proxyProtocolOf } from '../src/http/proxy-protocol.ts'
import { answerOf, closeWith, endWith, isDeaf } from '../src/http/last-words.ts'
import { replyOf } from './meter.ts'
import { auditUnread } from './request-audit.ts'

/** Node's names of what its HTTP parser and timers refuse. */
const PARSER_REFUSALS: Readonly<Record<string, Refusal>> = {
  ERR_HTTP_REQUEST_TIMEOUT: { code: 'request_timeout' },
  HPE_HEADER_OVERFLOW: { code: 'headers_too_large' }
}

/** Who is told of a refusal; the admin listener's are not counted. */
type Told = Pick<FastifyInstance, 'log' | 'auditing'> & Partial<Pick<FastifyInstance, 'meter' | 'statusFor'>>

type ParserError = Error & {
  readonly code?: string
  /** What came last over the connection: bytes, whatever Fastify's types say of them. */
  readonly rawPacket?: unknown
}

/** For Fastify's `clientErrorHandler`. */
export function answerClientError (this: Told, error: ParserError, socket: Socket): void {
  if (isDeaf(socket) && socket.writable) return // the last answer is under way, and nothing of the rest counts
  // The client went away in the middle of a request: there is nobody to answer.
  const gone = error.code === 'ECONNRESET' || error.code === 'HPE_INVALID_EOF_STATE' || !socket.writable
  const answer = answerOn(socket)
  if (isOfTls(error)) return endUnread(this, error, socket)
  if (gone) socket.destroy()
  else if (answer !== undefined) endWith(answer, socket)
  else refuseBytes(this, socket, error)
}

/** Of no request, or of one whose body is none: that is one all the same. */
function refuseBytes (told: Told, socket: Socket, error: ParserError): void {
  const broken = answerOf(socket)
  const reply = broken === undefined ? undefined : replyOf(broken)
  if (reply !== undefined) reply.request.outcome.isCounted = true
  refuse(told, socket, refusalOfBytes(error, socket), error.code)
}

function refusalOfBytes ({ code, rawPacket }: ParserError, { bytesRead }: Socket): Refusal {
  const known = PARSER_REFUSALS[String(code)]
  if (known !== undefined) return known
  // Behind another request it is no more than bytes.
  const isFirst = Buffer.isBuffer(rawPacket) && rawPacket.length === bytesRead
  const version = isFirst ? proxyProtocolOf(rawPacket) : undefined
  return version === undefined ? { code: 'bad_request' } : { code: 'proxy_protocol', detail: proxyDetail(version) }
}

function proxyDetail (version: 'v1' | 'v2'): string {
  return `a PROXY protocol header (${version}) came where a request should begin: switch it off in the load balancer`
}

/** Of a handshake, or of what came behind one: nothing that was written would be read. */
function isOfTls ({ code }: ParserError): boolean {
  return /^ERR_(?:SSL|TLS)_/.test(String(code))
}

/** The code says what the other side did not like, or what it spoke instead of TLS. */
function endUnread ({ log }: Pick<Told, 'log'>, { code }: ParserError, socket: Socket): void {
  log.info({ ip: socket.remoteAddress, code }, 'a client could not speak TLS with the gateway')
  socket.destroy()
}

/** Answers CONNECT (RFC 9110 section 9.3.6), which comes to no request handler. */
export function answerConnect (app: FastifyInstance): void {
  app.server.on('connect', (_request: IncomingMessage, socket: Socket) => {
    socket.on('error', () => { socket.destroy() })
    const answer = answerOn(socket)
    if (answer !== undefined) endWith(answer, socket)
    else refuse(app, socket, { code: 'bad_target', detail: 'this is no proxy for other hosts' })
  })
}

/**
 * The answer that an earlier request of the connection waits for or gets: what was written
 * now would be taken for it or for a part of it. The request that is itself broken, and not
 * answered yet, has none.
 */
function answerOn (socket: Socket): ServerResponse | undefined {
  const answer = answerOf(socket)
  return answer !== undefined && (answer.headersSent || answer.req.complete) ? answer : undefined
}

function refuse (told: Told, socket: Socket, refusal: Refusal, parser?: string): void {
  const status = (told.statusFor ?? statusOf)(refusal)
  const body = JSON.stringify(bodyOf(refusal))
  const id = randomUUID()
  told.meter?.refusedEarly(refusal.code)
  told.log.warn(
    {
      reqId: id,
      ip: socket.remoteAddress,
      decision: 'refused',
      reason: refusal.code,
      detail: refusal.detail,
      parser,
      status
    },
    'refused'
  )
  auditUnread(told, id, socket.remoteAddress, refusal)
  closeWith(socket, [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] as string}`,
    'Content-Type: application/json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    `X-Request-Id: ${id}`,
    'Connection: close',
    '',
    body
  ].join('\r\n'))
}
