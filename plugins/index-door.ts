// Answers index.yaml from the index store: whole, under gzip, or with 304 for who has it.
import type { IncomingHttpHeaders } from 'node:http'
import fp from 'fastify-plugin'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { acceptsGzip, knowsEtag } from '../src/http/conditional.ts'
import { together } from '../src/lib/turn.ts'
import { ANONYMOUS, type Principal } from '../src/words/principal.ts'
import type { Index } from '../src/upstream/index-memory.ts'
import { INDEX_CONTENT_TYPE } from '../src/upstream/index-reader.ts'
import type { IndexResult, IndexStore } from '../src/upstream/index-store.ts'
import { callerOf } from './client.ts'
import { chartRequestOf } from './request-target.ts'

export interface IndexDoorOptions { store: IndexStore }

/** A body below this does not get smaller by a header more. */
const SMALLEST_ZIPPED = 1024
/** When the end of a longer one comes is up to who reads it. */
const LARGE = 64 * 1024

export default fp<IndexDoorOptions>(async (app, { store }) => {
  app.route({
    method: ['GET', 'HEAD'],
    url: '/index',
    handler: (request, reply) => {
      const chartRequest = chartRequestOf(request)
      const fresh = store.fresh(chartRequest.tenant)
      if (fresh !== undefined) request.outcome.made = 'fresh'
      const result = fresh === undefined ? store.read(chartRequest, callerOf(request)) : together().then(() => fresh)
      result.then(result => { sendResult(request, reply, result) }).catch((error: unknown) => { reply.send(error) })
    }
  })
}, { name: 'index-door', fastify: '5.x', encapsulate: true, dependencies: ['authorize'] })

function sendResult (request: FastifyRequest, reply: FastifyReply, result: IndexResult): void {
  if (result.ok) return sendIndex(request, reply, result)
  request.outcome.failure = result.cause
  reply.refuse(result.refusal)
}

function sendIndex (request: FastifyRequest, reply: FastifyReply, index: Index): void {
  const { headers, outcome } = request
  outcome.hasCharts = index.hasCharts
  if (index.body.length > LARGE) outcome.answeredAt = performance.now()
  reply.header('content-type', INDEX_CONTENT_TYPE)
  // A client may keep it, but asks each time: who may read it changes, and so does it.
  reply.header(
    'cache-control',
    (request.principal as Principal) === ANONYMOUS ? 'public, no-cache' : 'private, no-cache'
  )
  reply.header('vary', 'accept-encoding')
  if (!wantsGzip(headers, index)) return sendBody(headers, reply, index.etag, index.payload)
  reply.header('content-encoding', 'gzip')
  index.gzipped().then(
    body => { sendBody(headers, reply, index.etag.replace(/"$/, '-gzip"'), body) },
    (error: unknown) => { reply.send(error) }
  )
}

function wantsGzip (headers: IncomingHttpHeaders, { body }: Index): boolean {
  const accepted = headers['accept-encoding']
  return accepted !== undefined && body.length >= SMALLEST_ZIPPED && acceptsGzip(accepted)
}

function sendBody (headers: IncomingHttpHeaders, reply: FastifyReply, etag: string, body: Buffer | string): void {
  reply.header('etag', etag)
  if (knowsEtag(headers['if-none-match'], etag)) reply.code(304).send()
  else reply.send(body)
}
