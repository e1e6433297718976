// Answers index.yaml: reads it from the upstream and sends it on.
import fp from 'fastify-plugin'
import type { ChartRequest } from '../src/charts/request-target.ts'
import { INDEX_CONTENT_TYPE, type IndexReader } from '../src/upstream/index-reader.ts'

export interface IndexDoorOptions { reader: IndexReader }

export default fp<IndexDoorOptions>(async (app, { reader }) => {
  app.route({
    method: ['GET', 'HEAD'],
    url: '/index',
    handler: async (request, reply) => {
      const { target } = request
      const answer = await reader.read((target as { request: ChartRequest }).request)
      if (!answer.ok) {
        request.failure = answer.cause
        return reply.refuse(answer.refusal)
      }
      return await reply.header('content-type', INDEX_CONTENT_TYPE).send(answer.body)
    }
  })
}, { name: 'index-door', fastify: '5.x', encapsulate: true, dependencies: ['authorize'] })
