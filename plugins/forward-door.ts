// Forwards the reads that have no door of their own: the API's and artifacthub-repo.yml.
// What goes to the upstream is built from the understood request, what comes back passes a
// list of allowed headers.
import type { IncomingHttpHeaders } from 'node:http'
import httpProxy from '@fastify/http-proxy'
import fp from 'fastify-plugin'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Refusal } from '../src/http/errors.ts'
import { RESPONSE_HEADERS, requestHeaders, responseHeaders } from '../src/http/headers.ts'
import { causeOfAnswer, errorText, isPage, refusalOfAnswer, refusalOfFailure } from '../src/upstream/answers.ts'
import type { Upstream } from '../src/upstream/client.ts'
import { upstreamTarget } from '../src/upstream/target.ts'
import { callerOf } from './client.ts'
import { chartRequestOf } from './request-target.ts'
import type { Readable } from 'node:stream'

export interface ForwardDoorOptions {
  upstream: Upstream
}

declare module 'fastify' {
  interface FastifyRequest {
    /** The Authorization header for the upstream. */
    upstreamAuthorization: string | undefined
  }
}

export default fp<ForwardDoorOptions>(async (app, { upstream }) => {
  app.decorateRequest('upstreamAuthorization', undefined)
  await app.register(httpProxy, {
    upstream: upstream.origin,
    undici: upstream.dispatcher,
    routes: ['/forward'],
    httpMethods: ['GET', 'HEAD'],
    proxyPayloads: false,
    retryMethods: [],
    disableRequestLogging: true,
    preHandler: (request: FastifyRequest, _reply: FastifyReply, done: (error?: Error) => void) => {
      upstream.authorization(chartRequestOf(request)).then(value => {
        request.upstreamAuthorization = value
        done()
      }, done)
    },
    handler: (request: FastifyRequest, reply: FastifyReply, _dest: string, options: object) => {
      const { path, query } = upstreamTarget(chartRequestOf(request), upstream.contextPath)
      return reply.from(path, { ...options, queryString: () => query })
    },
    replyOptions: {
      // reply-from has set the upstream's own Host among the client's headers.
      rewriteRequestHeaders: (request: FastifyRequest, { host }: IncomingHttpHeaders) => ({ host, ...requestHeaders(callerOf(request), request.upstreamAuthorization) }),
      rewriteHeaders: responseHeaders,
      onResponse: (request: FastifyRequest, reply: FastifyReply, res: { stream: Readable }) => {
        // After a status that is none reply-from has come to onError, and comes here all the same.
        if (reply.sent) res.stream.destroy()
        // Nothing is asked for in part or under a condition, and a redirect is not passed on.
        else if (reply.statusCode === 200 && !isPage(reply.getHeaders() as IncomingHttpHeaders)) reply.send(res.stream)
        else void refuseAnswer(request, reply, res.stream)
      },
      onError: refuseFailure
    }
  } as Parameters<typeof httpProxy>[1])
}, { name: 'forward-door', fastify: '5.x', encapsulate: true, dependencies: ['authorize'] })

function refuseFailure (reply: FastifyReply, { error }: { error: Error }): void {
  reply.request.failure = error
  refuse(reply, refusalOfFailure(error))
}

/** Reads a refusal of the upstream and answers in our own form. */
async function refuseAnswer (request: FastifyRequest, reply: FastifyReply, stream: Readable): Promise<void> {
  const status = reply.statusCode
  const text = await errorText(stream).catch((error: unknown) => {
    request.failure = error
    return ''
  })
  request.failure ??= causeOfAnswer(status)
  refuse(reply, refusalOfAnswer(status, text))
}

/** Without the headers that describe the upstream's body, which stays behind. */
function refuse (reply: FastifyReply, refusal: Refusal): void {
  for (const name of RESPONSE_HEADERS) reply.removeHeader(name)
  reply.refuse(refusal)
}
