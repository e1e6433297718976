// Which requests run now? Kept for each connection and not for each request, so that a
// request adds and takes away no listener. Says in the log when a client went away before
// its answer's end; asked by drain.ts.
import type { Socket } from 'node:net'
import fp from 'fastify-plugin'
import type { FastifyReply } from 'fastify'
import { isRefused, whatAndWho } from './request-log.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** The replies that are not out yet. */
    running (): FastifyReply[]
  }
}

export default fp(async (app) => {
  /** The replies of each connection that may still run, the oldest first: one, but for clients that do not wait for it. */
  const connections = new Map<Socket, FastifyReply[]>()

  function watch (socket: Socket): FastifyReply[] {
    const replies: FastifyReply[] = []
    connections.set(socket, replies)
    socket.once('close', () => {
      connections.delete(socket)
      for (const reply of replies.filter(isRunning)) logAborted(reply)
    })
    return replies
  }

  app.addHook('onRequest', (request, reply, done) => {
    const replies = connections.get(request.socket) ?? watch(request.socket)
    // They end in their order (RFC 9112 section 9.3.2).
    while (replies.length > 0 && !isRunning(replies[0] as FastifyReply)) replies.shift()
    replies.push(reply)
    // Node's response says so when it is written to after its end, and an error that nobody hears ends the process.
    reply.raw.on('error', ignore)
    done()
  })
  app.decorate('running', () => [...connections.values()].flat().filter(isRunning))
}, { name: 'running', fastify: '5.x', dependencies: ['request-log'] })

function ignore (): void {}

function isRunning ({ raw }: FastifyReply): boolean {
  return !raw.writableFinished
}

/** After a refusal the gateway itself closes, and the rest of a body is missing. */
function logAborted ({ request }: FastifyReply): void {
  if (isRefused(request)) return
  request.log.warn({ ...whatAndWho(request), ...request.uploadFacts, decision: 'aborted' }, 'the client went away')
}
