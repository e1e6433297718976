// Answers chart and provenance files: small ones whole, large ones as a stream that goes
// as fast as the client reads.
import fp from 'fastify-plugin'
import type { FastifyReply } from 'fastify'
import type { FileAnswer, FileReader } from '../src/upstream/file-reader.ts'
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
        .then(answer => { send(reply, answer) })
        .catch((error: unknown) => { reply.send(error) })
    }
  })
}, { name: 'file-door', fastify: '5.x', encapsulate: true, dependencies: ['authorize'] })

function send (reply: FastifyReply, answer: FileAnswer): void {
  if (answer.kind === 'failed') {
    reply.request.failure = answer.cause
    reply.refuse(answer.refusal)
  } else reply.headers(answer.headers).send(answer.body)
}
