// Forwards the reads that have no door of their own: the API's and artifacthub-repo.yml.
// What goes to the upstream is built from the understood request, what comes back passes a
// list of allowed headers.
import fp from 'fastify-plugin'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { requestHeaders, responseHeaders } from '../src/http/headers.ts'
import { causeOfAnswer, errorText, isPage, refusalOfAnswer, refusalOfFailure } from '../src/upstream/answers.ts'
import type { Upstream } from '../src/upstream/client.ts'
import { upstreamTarget } from '../src/upstream/target.ts'
import { callerOf } from './client.ts'
import { chartRequestOf } from './request-target.ts'

export interface ForwardDoorOptions {
  upstream: Upstream
}

export default fp<ForwardDoorOptions>(async (app, { upstream }) => {
  app.route({
    method: ['GET', 'HEAD'],
    url: '/forward',
    handler: (request, reply) => {
      forward(request, reply, upstream).catch((error: unknown) => {
        request.failure = error
        reply.refuse(refusalOfFailure(error))
      })
    }
  })
}, { name: 'forward-door', fastify: '5.x', encapsulate: true, dependencies: ['authorize'] })

async function forward (request: FastifyRequest, reply: FastifyReply, upstream: Upstream): Promise<void> {
  const chartRequest = chartRequestOf(request)
  const { path, query } = upstreamTarget(chartRequest, upstream.contextPath)
  const authorization = await upstream.authorization(chartRequest)
  // With a request of our own, because a proxy's library refuses names with two dots in them.
  const { statusCode, headers, body } = await upstream.dispatcher.request({
    origin: upstream.origin,
    method: chartRequest.method as 'GET' | 'HEAD',
    path: query === '' ? path : `${path}?${query}`,
    headers: requestHeaders(callerOf(request), authorization)
  })
  // Nothing is asked for in part or under a condition, and a redirect is not passed on.
  if (statusCode === 200 && !isPage(headers)) {
    reply.headers(responseHeaders(headers)).send(body)
    return
  }
  const text = await errorText(body).catch((error: unknown) => {
    request.failure = error
    return ''
  })
  request.failure ??= causeOfAnswer(statusCode)
  reply.refuse(refusalOfAnswer(statusCode, text))
}
