// Which requests run now? Kept for each connection and not for each request, so that a
// request adds and takes away no listener. Says in the log when a client went away before
// its answer's end, and lets what is done for a connection know when that has gone.
import type { Socket } from 'node:net'
import fp from 'fastify-plugin'
import type { FastifyReply } from 'fastify'
import { createPresence, type Presence } from '../src/lib/presence.ts'
import { isRefused, whatAndWho } from './request-log.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Whether the other end of its connection is still there. */
    presence: Presence
  }
  interface FastifyInstance {
    /** The replies that are not out yet. */
    running (): FastifyReply[]
  }
}

interface Connection {
  /** Those that may still run, the oldest first: one, but for clients that do not wait for it. */
  readonly replies: FastifyReply[]
  readonly presence: Presence
}

export default fp(async (app) => {
  const connections = new Map<Socket, Connection>()
  app.decorateRequest('presence')

  function watch (socket: Socket): Connection {
    const presence = createPresence()
    const connection: Connection = { replies: [], presence }
    connections.set(socket, connection)
    socket.once('close', () => {
      connections.delete(socket)
      presence.leave()
      for (const reply of connection.replies.filter(isRunning)) logAborted(reply)
    })
    return connection
  }

  app.addHook('onRequest', (request, reply, done) => {
    const { replies, presence } = connections.get(request.socket) ?? watch(request.socket)
    request.presence = presence
    // They end in their order (RFC 9112 section 9.3.2).
    while (replies.length > 0 && !isRunning(replies[0] as FastifyReply)) replies.shift()
    replies.push(reply)
    // Node's response says so when it is written to after its end, and an error that nobody hears ends the process.
    reply.raw.on('error', ignore)
    done()
  })
  app.decorate('running', () => [...connections.values()].flatMap(({ replies }) => replies.filter(isRunning)))
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
