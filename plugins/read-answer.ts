// Writes what the upstream answers to a read: whole, as a stream that goes as fast as the
// client reads, or as a refusal in our own form.
import type { FastifyReply } from 'fastify'
import type { ReadAnswer } from '../src/upstream/read-through.ts'

export function sendRead (reply: FastifyReply, answer: ReadAnswer): void {
  const { request } = reply
  if (answer.kind === 'failed') {
    request.failure = answer.cause
    reply.refuse(answer.refusal)
    return
  }
  reply.headers(answer.headers)
  // The length of an answer to HEAD is that of what GET gets.
  if (request.method === 'HEAD') reply.send()
  else reply.send(answer.body)
}
