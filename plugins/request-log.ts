// One line for every refusal and every change, and with `log.reads` for every read:
// who, what, allowed by which rule or refused for which reason. Never a header, a
// query or a body, so never a secret.
import fp from 'fastify-plugin'
import type { FastifyReply, FastifyRequest } from 'fastify'

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
    /** A line will be written of its answer. */
    isLogged: boolean
  }
  interface FastifyReply {
    /** Its line is written when the answer is out; without this there is none. */
    logWhenSent (): void
  }
}

export interface RequestLogOptions { reads: boolean }

export default fp<RequestLogOptions>(async (app, { reads }) => {
  app.decorateRequest('uploadFacts', null)
  app.decorateRequest('tokenFacts', null)
  app.decorateRequest('failure', undefined)
  app.decorateRequest('arrivedAt', 0)
  app.decorateRequest('isLogged', false)
  // An onResponse hook would cost every request two listeners: most write no line.
  app.decorateReply('logWhenSent', function (this: FastifyReply) {
    if (this.request.isLogged) return
    this.request.isLogged = true
    this.raw.once('finish', () => { logAnswer(this.request, this) })
  })
  app.addHook('onRequest', (request, reply, done) => {
    request.arrivedAt = performance.now()
    reply.header('x-request-id', request.id)
    if (reads || isChange(request)) reply.logWhenSent()
    done()
  })
}, { name: 'request-log', fastify: '5.x', dependencies: ['request-target', 'client'] })

function logAnswer (request: FastifyRequest, reply: FastifyReply): void {
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

function isChange (request: FastifyRequest): boolean {
  return request.method === 'POST' || request.method === 'DELETE'
}

/** What is asked, and who asks; never a header, a query or a body. */
export function whatAndWho (request: FastifyRequest): Record<string, unknown> {
  const { target } = request
  const base = { ip: request.client.address, method: request.method, subject: request.principal?.subject ?? request.refusedSubject }
  if (target.kind === 'own') return { ...base, route: target.endpoint, ...request.tokenFacts }
  if (target.kind === 'refused') return { ...base, path: pathOf(request) }
  const { route, tenant, chart, version, file, access } = target.request
  return { ...base, route, tenant, action: access.action, chart, version, file }
}

/** The received path without its query, which may hold a secret; nothing of a target that is no path (it may hold a password). */
function pathOf ({ originalUrl }: FastifyRequest): string | undefined {
  return originalUrl.startsWith('/') ? originalUrl.replace(/\?.*$/s, '').slice(0, 200) : undefined
}
