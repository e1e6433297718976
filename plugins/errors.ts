// Gives every refusal the same form, wherever it is made: in a door, in a hook, in
// Fastify before any hook, or in Node's parser before there is a request.
import type { Socket } from 'node:net'
import { randomUUID } from 'node:crypto'
import fp from 'fastify-plugin'
import type { FastifyBaseLogger, FastifyReply, FastifyRequest } from 'fastify'
import type { ChartRequest } from '../src/charts/request-target.ts'
import { basicChallenge, challenges, type ChallengeError, type ChallengeSource } from '../src/http/challenge.ts'
import { RefusalError, bodyOf, statusOf, tokenBodyOf, type Refusal } from '../src/http/errors.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Why the request was refused; for the log. */
    refusal: Refusal | null
  }
  interface FastifyReply {
    /** Refuses the request: status, body, challenges, and a note for the log. */
    refuse (refusal: Refusal): FastifyReply
  }
}

export interface ErrorsOptions { challenge: ChallengeSource }

export default fp<ErrorsOptions>(async (app, { challenge }) => {
  app.decorateRequest('refusal', null)
  app.decorateReply('refuse', function (this: FastifyReply, refusal: Refusal) {
    const { request } = this
    request.refusal = refusal
    const status = statusOf(refusal)
    const atTokenEndpoint = request.target.kind === 'own' && request.target.endpoint === 'token'
    if (status === 401) this.header('www-authenticate', atTokenEndpoint ? basicChallenge(challenge) : challengeFor(request, refusal, challenge))
    if (status === 503) this.header('retry-after', '5')
    // What is left of a refused body is not read: megabytes may follow.
    if (hasUnreadBody(request)) this.header('connection', 'close')
    return this.code(status).header('content-type', 'application/json; charset=utf-8').send(JSON.stringify(atTokenEndpoint ? tokenBodyOf(refusal) : bodyOf(refusal)))
  })
  // Node hands CONNECT to nobody else, and would close without a word.
  app.server.on('connect', (_request, socket: Socket) => {
    answerClientError.call(app, Object.assign(new Error('CONNECT is not for us'), { code: 'CONNECT' }), socket)
    socket.destroySoon()
  })
  app.setErrorHandler((error, request, reply) => {
    const refusal = refusalOf(error)
    if (refusal.code === 'internal') request.log.error({ err: error }, 'an error that nobody expected')
    reply.refuse(refusal)
  })
}, { name: 'errors', fastify: '5.x', dependencies: ['request-target'] })

function challengeFor (request: FastifyRequest, refusal: Refusal, source: ChallengeSource): string[] {
  // Besides the token endpoint only chart routes ask for credentials.
  const { access } = (request.target as { request: ChartRequest }).request
  return challenges(source, access, challengeError(request, refusal))
}

/** Only who came with a Bearer credential is told what was wrong with it (RFC 6750 section 3.1). */
function challengeError (request: FastifyRequest, { code }: Refusal): ChallengeError | undefined {
  if (code === 'insufficient_scope') return 'insufficient_scope'
  return code === 'missing_credentials' || /^basic /i.test(String(request.headers.authorization)) ? undefined : 'invalid_token'
}

function hasUnreadBody ({ raw }: FastifyRequest): boolean {
  return !raw.complete && (raw.headers['transfer-encoding'] !== undefined || Number(raw.headers['content-length'] ?? 0) > 0)
}

/** Any error as a refusal: our own as they are, Fastify's by their status, everything else as an internal one. */
export function refusalOf (error: unknown): Refusal {
  if (error instanceof RefusalError) return error.refusal
  switch ((error as { statusCode?: number } | null)?.statusCode) {
    case 400: return { code: 'bad_request' }
    case 413: return { code: 'body_too_large' }
    case 415: return { code: 'unsupported_media_type' }
    case 503: return { code: 'closing' }
    default: return { code: 'internal' }
  }
}

/** Any error, answered where there are no credentials, no challenges and no log. */
export function refusePlainly (error: unknown, _request: unknown, reply: Pick<FastifyReply, 'code'>): void {
  const refusal = refusalOf(error)
  reply.code(statusOf(refusal)).header('content-type', 'application/json; charset=utf-8').send(JSON.stringify(bodyOf(refusal)))
}

/** Node's names of what its HTTP parser and timers refuse. */
const PARSER_REFUSALS: Readonly<Record<string, Refusal>> = {
  ERR_HTTP_REQUEST_TIMEOUT: { code: 'request_timeout' },
  HPE_HEADER_OVERFLOW: { code: 'headers_too_large' }
}

/** For Fastify's `clientErrorHandler`: answers what never became a request, and closes. */
export function answerClientError (this: { log: FastifyBaseLogger }, error: Error & { code?: string }, socket: Socket): void {
  // The client went away in the middle of a request: there is nobody to answer.
  if (error.code === 'ECONNRESET' || error.code === 'HPE_INVALID_EOF_STATE' || !socket.writable) {
    socket.destroy()
    return
  }
  const refusal = PARSER_REFUSALS[String(error.code)] ?? { code: 'bad_request' }
  const status = statusOf(refusal)
  const body = JSON.stringify(bodyOf(refusal))
  const id = randomUUID()
  this.log.warn({ reqId: id, ip: socket.remoteAddress, decision: 'refused', reason: refusal.code, parser: error.code, status }, 'refused')
  socket.end([
    `HTTP/1.1 ${status} Refused`,
    'Content-Type: application/json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    `X-Request-Id: ${id}`,
    'Connection: close',
    '',
    body
  ].join('\r\n'))
}
