// Gives every refusal the same form, wherever it is made: in a door, in a hook, or in
// Fastify before any hook. What never becomes a request is client-errors.ts's.
import fp from 'fastify-plugin'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { challengeErrorOf, refusalFormOf } from '../src/doors/refusal-form.ts'
import type { ChallengeSource } from '../src/http/challenge.ts'
import { isBasic } from '../src/identity/credentials.ts'
import {
  RefusalError, bodyOf, headersOf, isOutOfDescriptors, retryAfterOf, statusOf, type Refusal
} from '../src/http/errors.ts'
import { closeGently } from '../src/http/last-words.ts'
import { NobodyThere } from '../src/lib/presence.ts'
import { auditAbandoned } from './request-audit.ts'

declare module 'fastify' {
  interface FastifyReply {
    /** Refuses the request: status, body, challenges, and a note for the log. */
    refuse (refusal: Refusal): FastifyReply
  }
  interface FastifyInstance {
    /** The status of a refusal; the admin listener has the reason's own. */
    statusFor?: (refusal: Refusal) => number
  }
}

export interface ErrorsOptions {
  challenge: ChallengeSource
  /** The status of each refusal, where whoever asks knows few. */
  status?: (refusal: Refusal) => number
}

export default fp<ErrorsOptions>(async (app, { challenge, status: statusFor = statusOf }) => {
  app.decorate('statusFor', statusFor)
  app.decorateReply('refuse', function (this: FastifyReply, refusal: Refusal) {
    const { request } = this
    request.outcome.refusal = refusal
    const status = statusFor(refusal)
    const form = refusalFormOf(request.target)
    if (status === 401) {
      const error = challengeErrorOf(refusal, isBasic(request.headers.authorization))
      this.header('www-authenticate', form.challenge(challenge, error))
    }
    this.headers({ ...form.headers, ...headersOf(refusal) })
    const retryAfter = retryAfterOf(refusal)
    if (retryAfter !== undefined) this.header('retry-after', String(retryAfter))
    // What is left of a refused body is not read: megabytes may follow. Who may not ask holds no connection.
    if (hasUnreadBody(request) || refusal.code === 'authz_peer') {
      this.header('connection', 'close')
      closeGently(request.socket)
    }
    this.code(status).logRefusal()
    return this.header('content-type', 'application/json; charset=utf-8').send(JSON.stringify(form.body(refusal)))
  })
  app.setErrorHandler((error, request, reply) => {
    if (error instanceof NobodyThere) return auditAbandoned(request) // nobody to answer; running.ts has said so
    const refusal = refusalOf(error)
    if (error instanceof RefusalError) request.outcome.failure = error.cause
    else if (refusal.code === 'no_descriptors') request.outcome.failure = error
    if (refusal.code === 'internal') request.log.error({ err: error }, 'an error that nobody expected')
    reply.refuse(refusal)
  })
}, { name: 'errors', fastify: '5.x', dependencies: ['request-log'] })

function hasUnreadBody ({ raw }: FastifyRequest): boolean {
  return !raw.complete &&
    (raw.headers['transfer-encoding'] !== undefined || Number(raw.headers['content-length'] ?? 0) > 0)
}

/** Any error as a refusal: our own as they are, Fastify's by their status, everything else as an internal one. */
export function refusalOf (error: unknown): Refusal {
  if (error instanceof RefusalError) return error.refusal
  if (isOutOfDescriptors((error as { code?: unknown } | null)?.code)) return { code: 'no_descriptors' }
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
  reply
    .code(statusOf(refusal))
    .header('content-type', 'application/json; charset=utf-8')
    .send(JSON.stringify(bodyOf(refusal)))
}
