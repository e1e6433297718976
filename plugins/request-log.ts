// One line for every refusal and every change, and with `log.reads` for every read:
// who, what, allowed by which rule or refused for which reason. Never a header, a
// query or a body, so never a secret.
import fp from 'fastify-plugin'
import { printable } from '../src/lib/printable.ts'
import type { FastifyReply, FastifyRequest, onSendHookHandler } from 'fastify'

declare module 'fastify' {
  interface FastifyRequest {
    /** What an accepted upload was found to be; for the log. */
    uploadFacts: Readonly<Record<string, unknown>> | null
    /** What a token request asked for and was granted; for the log. */
    tokenFacts: Readonly<Record<string, unknown>> | null
    /** Why something behind the gateway failed, in full; for the log alone. */
    failure: unknown
    /** When it came; milliseconds of a clock that only goes on. */
    arrivedAt: number
    /** Its one line is written. */
    isLogged: boolean
  }
  interface FastifyReply {
    /** Writes the line of a refusal: at once, so that who leaves before the answer keeps nothing out of the log. */
    logRefusal (): void
  }
}

export interface RequestLogOptions { reads: boolean }

export default fp<RequestLogOptions>(async (app, { reads }) => {
  app.decorateRequest('uploadFacts', null)
  app.decorateRequest('tokenFacts', null)
  app.decorateRequest('failure', undefined)
  app.decorateRequest('arrivedAt', 0)
  app.decorateRequest('isLogged', false)
  app.decorateReply('logRefusal', function (this: FastifyReply) {
    // A broken body is one when its sender is still there to be told, and else an abort (running.ts).
    if (isRefused(this.request)) logOutcome(this)
    else this.raw.once('finish', () => { logOutcome(this) })
  })
  // No onResponse hook: it would cost every request two listeners, and most write no line.
  app.addHook('onRequest', (request, reply, done) => {
    request.arrivedAt = performance.now()
    reply.header('x-request-id', request.id)
    if (reads && !isChange(request)) reply.raw.once('finish', () => { logOutcome(reply) })
    done()
  })
}, { name: 'request-log', fastify: '5.x', dependencies: ['request-target', 'client'] })

/**
 * An onSend hook for doors that change something: the line is written when that is
 * decided, and not when the answer has left.
 */
export const logChange: onSendHookHandler = (request, reply, payload, done) => {
  if (request.refusal === null && isChange(request)) logOutcome(reply)
  done(null, payload)
}

function logOutcome (reply: FastifyReply): void {
  const { request } = reply
  if (request.isLogged) return
  request.isLogged = true
  const { refusal } = request
  const line = {
    ...whatAndWho(request),
    decision: refusal === null ? 'allowed' : 'refused',
    ...(refusal === null ? { by: request.allowedBy } : { reason: refusal.code, detail: refusal.detail }),
    ...request.uploadFacts,
    status: reply.statusCode,
    ms: Math.round(performance.now() - request.arrivedAt),
    ...(request.failure === undefined ? {} : { err: request.failure })
  }
  if (refusal === null) request.log.info(line, 'allowed')
  else request.log.warn(line, 'refused')
}

/** For another reason than that the client has gone. */
export function isRefused ({ refusal }: FastifyRequest): boolean {
  return refusal !== null && refusal.code !== 'upload_aborted'
}

function isChange (request: FastifyRequest): boolean {
  return request.method === 'POST' || request.method === 'DELETE'
}

/** What is asked, and who asks; never a header, a query or a body. */
export function whatAndWho (request: FastifyRequest): Record<string, unknown> {
  const { target } = request
  const base = {
    ip: request.client.address,
    method: request.method,
    subject: request.principal?.subject ?? request.refusedSubject
  }
  if (target.kind === 'own') return { ...base, route: target.endpoint, ...request.tokenFacts }
  if (target.kind === 'refused') return { ...base, path: pathOf(request) }
  const { route, tenant, chart, version, file, access } = target.request
  return {
    ...base,
    route,
    tenant,
    action: access.action,
    chart: shown(chart),
    version: shown(version),
    file: shown(file)
  }
}

function shown (name: string | undefined): string | undefined {
  return name === undefined ? undefined : printable(name)
}

/**
 * The received path without its query, which may hold a secret; nothing of a target that
 * is no path (it may hold a password).
 */
function pathOf ({ originalUrl }: FastifyRequest): string | undefined {
  return originalUrl.startsWith('/') ? (originalUrl.split('?', 1)[0] as string).slice(0, 200) : undefined
}
