// Streams everything that is neither an index nor an upload: chart and provenance
// files, the API's reads, deletes. What goes to the upstream is built from the
// understood request, what comes back passes a list of allowed headers.
import type { IncomingHttpHeaders } from 'node:http'
import httpProxy from '@fastify/http-proxy'
import fp from 'fastify-plugin'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { ChartRequest } from '../src/charts/request-target.ts'
import { responseHeaders } from '../src/http/headers.ts'
import { LONGEST_ERROR, refusalOfAnswer, refusalOfFailure } from '../src/upstream/answers.ts'
import type { Upstream } from '../src/upstream/client.ts'
import { upstreamTarget } from '../src/upstream/target.ts'
import type { Readable } from 'node:stream'

export interface ForwardDoorOptions { upstream: Upstream }

declare module 'fastify' {
  interface FastifyRequest {
    /** The Authorization header for the upstream. */
    upstreamAuthorization: string | undefined
  }
}

export default fp<ForwardDoorOptions>(async (app, { upstream }) => {
  app.decorateRequest('upstreamAuthorization', undefined)
  // None of these routes has a body; one that comes all the same is not passed on.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, payload, done) => {
    payload.resume()
    done(null, undefined)
  })
  await app.register(httpProxy, {
    upstream: upstream.origin,
    undici: upstream.dispatcher,
    routes: ['/forward'],
    httpMethods: ['GET', 'HEAD', 'DELETE'],
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
      rewriteRequestHeaders: (request: FastifyRequest, headers: IncomingHttpHeaders) => upstreamHeaders(request, headers),
      rewriteHeaders: responseHeaders,
      onResponse: (request: FastifyRequest, reply: FastifyReply, res: { stream: Readable }) => {
        // Nothing here is asked for in part or under a condition, and no redirect is followed or passed on.
        if (reply.statusCode === 200) reply.send(res.stream)
        else void refuseAnswer(request, reply, res.stream)
      },
      onError: (reply: FastifyReply, { error }: { error: Error }) => {
        reply.request.failure = error
        reply.refuse(refusalOfFailure(error))
      }
    }
  } as Parameters<typeof httpProxy>[1])
}, { name: 'forward-door', fastify: '5.x', encapsulate: true, dependencies: ['authorize'] })

function chartRequestOf (request: FastifyRequest): ChartRequest {
  return (request.target as { request: ChartRequest }).request
}

/** Built anew: nothing that the client sent is among them. */
function upstreamHeaders (request: FastifyRequest, received: IncomingHttpHeaders): Record<string, string> {
  return {
    host: received.host as string, // the upstream's own, set by reply-from
    'x-request-id': request.id,
    ...(request.upstreamAuthorization === undefined ? {} : { authorization: request.upstreamAuthorization })
  }
}

/** Reads a refusal of the upstream and answers in our own form. */
async function refuseAnswer (request: FastifyRequest, reply: FastifyReply, stream: Readable): Promise<void> {
  const status = reply.statusCode
  let text = ''
  try {
    for await (const chunk of stream) {
      text += String(chunk)
      if (text.length > LONGEST_ERROR) break
    }
  } catch (error) {
    request.failure = error
  }
  request.failure ??= `the upstream answered ${status}`
  reply.removeHeader('content-length')
  reply.refuse(refusalOfAnswer(status, text))
}
