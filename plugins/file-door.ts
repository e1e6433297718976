// Answers chart and provenance files. Of HEAD the upstream is asked what GET is, whose
// headers the answer has; no more of a large file is read for it.
import fp from 'fastify-plugin'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { conditionsOf, knowsEtag } from '../src/http/conditional.ts'
import type { FileReader } from '../src/upstream/file-reader.ts'
import type { ReadAnswer } from '../src/upstream/read-through.ts'
import { callerOf } from './client.ts'
import { chartRequestOf } from './request-target.ts'

export interface FileDoorOptions { files: FileReader }

export default fp<FileDoorOptions>(async (app, { files }) => {
  app.route({
    method: ['GET', 'HEAD'],
    url: '/file',
    handler: (request, reply) => {
      const conditions = conditionsOf(request.method, request.headers)
      files.read(chartRequestOf(request), callerOf(request), conditions)
        .then(answer => { sendFile(request, reply, answer) })
        .catch((error: unknown) => { reply.send(error) })
    }
  })
}, { name: 'file-door', fastify: '5.x', encapsulate: true, dependencies: ['authorize'] })

function sendFile (request: FastifyRequest, reply: FastifyReply, answer: ReadAnswer): void {
  if (answer.kind === 'failed') {
    request.outcome.failure = answer.cause
    reply.refuse(answer.refusal)
    return
  }
  const { status, headers } = answer
  request.outcome.upstreamStatus = status
  if (answer.kind === 'streamed') request.outcome.answeredAt = performance.now()
  const isTagged = answer.kind === 'whole' && status === 200
  if (isTagged && knowsEtag(request.headers['if-none-match'], headers.etag as string)) {
    reply.code(304).header('etag', headers.etag).send()
    return
  }
  reply.code(status).headers(headers)
  if (request.method !== 'HEAD' || answer.kind === 'whole') {
    reply.send(answer.body)
    return
  }
  answer.body.destroy()
  reply.send()
}
