// Answers chart and provenance files.
import fp from 'fastify-plugin'
import type { FileReader } from '../src/upstream/file-reader.ts'
import { callerOf } from './client.ts'
import { chartRequestOf } from './request-target.ts'

export interface FileDoorOptions { files: FileReader }

export default fp<FileDoorOptions>(async (app, { files }) => {
  app.route({
    method: 'GET',
    url: '/file',
    exposeHeadRoute: false,
    handler: (request, reply) => {
      files.read(chartRequestOf(request), callerOf(request))
        .then(answer => {
          if (answer.kind !== 'failed') reply.headers(answer.headers).send(answer.body)
          else {
            request.outcome.failure = answer.cause
            reply.refuse(answer.refusal)
          }
        })
        .catch((error: unknown) => { reply.send(error) })
    }
  })
}, { name: 'file-door', fastify: '5.x', encapsulate: true, dependencies: ['authorize'] })
