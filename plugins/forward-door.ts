// Forwards the reads that have no door of their own: the API's and artifacthub-repo.yml.
// What is asked is built from the understood request, what comes back passes a list of
// allowed headers.
import type { IncomingHttpHeaders } from 'node:http'
import type { Readable } from 'node:stream'
import { text as readText } from 'node:stream/consumers'
import httpProxy from '@fastify/http-proxy'
import fp from 'fastify-plugin'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { RESPONSE_HEADERS, responseHeaders } from '../src/http/headers.ts'
import { causeOfAnswer, isPage, refusalOfAnswer } from '../src/upstream/answers.ts'
import { alone } from '../src/upstream/asker.ts'
import type { Upstream } from '../src/upstream/client.ts'
import { createProxied } from '../src/upstream/proxied.ts'
import { SMALL } from '../src/upstream/read-through.ts'
import { callerOf } from './client.ts'
import { chartRequestOf } from './request-target.ts'

export interface ForwardDoorOptions { upstream: Upstream }

export default fp<ForwardDoorOptions>(async (app, { upstream }) => {
  const proxied = createProxied(upstream)
  await app.register(httpProxy, {
    upstream: upstream.origin,
    undici: proxied.dispatcher,
    routes: ['/forward'],
    httpMethods: ['GET', 'HEAD'],
    proxyPayloads: false,
    retryMethods: [],
    disableRequestLogging: true,
    handler: (request: FastifyRequest, reply: FastifyReply, _dest: string, options: object) => {
      const { id, method } = request
      const company = alone(callerOf(request))
      proxied.expect(id, { method: method as 'GET' | 'HEAD', target: chartRequestOf(request), company, named: true, most: SMALL, longer: 'streamed' })
      return reply.from('/', { ...options, queryString: () => '' })
    },
    replyOptions: {
      rewriteRequestHeaders: ({ id }: FastifyRequest) => ({ 'x-request-id': id }),
      rewriteHeaders: responseHeaders,
      onResponse: (request: FastifyRequest, reply: FastifyReply, { stream }: { stream: Readable }) => {
        // Nothing is asked for in part or under a condition, and a redirect is not passed on.
        if (reply.statusCode === 200 && !isPage(reply.getHeaders() as IncomingHttpHeaders)) reply.send(stream)
        else void refuseAnswer(request, reply, stream)
      },
      onError: (reply: FastifyReply, { error }: { error: Error }) => { reply.send(error) }
    }
  } as Parameters<typeof httpProxy>[1])
}, { name: 'forward-door', fastify: '5.x', encapsulate: true, dependencies: ['authorize'] })

/** Reads a refusal of the upstream and answers in our own form, without the headers that describe the upstream's body. */
async function refuseAnswer (request: FastifyRequest, reply: FastifyReply, stream: Readable): Promise<void> {
  const status = reply.statusCode
  const text = await readText(stream) // short, and read before: `ask` leaves the rest of a longer one
  request.failure = causeOfAnswer(status)
  for (const name of RESPONSE_HEADERS) reply.removeHeader(name)
  reply.refuse(refusalOfAnswer(status, text))
}
