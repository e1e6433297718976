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
  }
}

export interface RequestLogOptions { reads: boolean }

export default fp<RequestLogOptions>(async (app, { reads }) => {
  app.decorateRequest('uploadFacts', null)
  app.decorateRequest('tokenFacts', null)
  app.decorateRequest('failure', undefined)
  app.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id)
    // onRequestAbort would not come to a client that left after the last byte of its body.
    reply.raw.once('close', () => {
      if (!reply.raw.writableFinished && !isRefused(request)) request.log.warn({ ...whatAndWho(request), ...request.uploadFacts, decision: 'aborted' }, 'the client went away')
    })
    done()
  })
  // As soon as it is decided: who leaves before the answer keeps nothing out of the log.
  app.addHook('onSend', (request, reply, payload, done) => {
    if (isRefused(request) || (request.refusal === null && isChange(request))) logOutcome(request, reply)
    done(null, payload)
  })
  app.addHook('onResponse', (request, reply, done) => {
    const { refusal } = request
    // a broken body whose sender was still there to be told
    if (refusal?.code === 'upload_aborted' || (reads && refusal === null && !isChange(request))) logOutcome(request, reply)
    done()
  })
}, { name: 'request-log', fastify: '5.x', dependencies: ['request-target', 'errors', 'client'] })

function logOutcome (request: FastifyRequest, reply: FastifyReply): void {
  const { refusal } = request
  const line = {
    ...whatAndWho(request),
    decision: refusal === null ? 'allowed' : 'refused',
    ...(refusal === null ? { by: request.allowedBy } : { reason: refusal.code, detail: refusal.detail }),
    ...request.uploadFacts,
    status: reply.statusCode,
    ms: Math.round(reply.elapsedTime),
    ...(request.failure === undefined ? {} : { err: request.failure })
  }
  if (refusal === null) request.log.info(line, 'allowed')
  else request.log.warn(line, 'refused')
}

/** For another reason than that the client has gone. */
function isRefused ({ refusal }: FastifyRequest): boolean {
  return refusal !== null && refusal.code !== 'upload_aborted'
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
