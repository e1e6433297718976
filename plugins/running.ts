// Which requests run now? One on each connection: what comes before the answer to the one
// before it is dropped, and that answer is the last of its connection. Kept for each
// connection and not for each request, so that a request adds and takes away no listener.
// Says in the log when a client went away before its answer's end, and lets what is done
// for a connection know when that has gone.
import { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import fp from 'fastify-plugin'
import type { FastifyReply, FastifyRequest, HookHandlerDoneFunction } from 'fastify'
import { endWith } from '../src/http/last-words.ts'
import { ALWAYS_HERE, createPresence, type Presence } from '../src/lib/presence.ts'
import { isRefused } from '../src/observe/outcome.ts'
import { whatWasAsked } from './meter.ts'
import { whatAndWho } from './request-log.ts'

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
  /**
   * The one that runs; undefined as soon as nothing of it is with Node any more, which lets go of
   * the connection when the kernel has the last byte: before anything can be read that was sent
   * in answer to that byte. One that waits keeps nothing of what was asked over it before: of
   * thousands that would be what the collector copies again and again.
   */
  reply: FastifyReply | undefined
  readonly presence: Presence
}

export default fp(async (app) => {
  const connections = new Map<Socket, Connection>()
  app.decorateRequest('presence')
  const drop = (request: FastifyRequest, before: FastifyReply): void => {
    const { route, action } = whatWasAsked(request)
    app.meter.dropped(route, action)
    request.outcome.isCounted = true
    endAfter(request, before)
  }

  function watch (socket: Socket): Connection {
    const presence = createPresence()
    const connection: Connection = { reply: undefined, presence }
    connections.set(socket, connection)
    // Who closes their half has left too: Node closes the other one.
    socket.on('end', () => { presence.leave() })
    socket.on('close', () => {
      connections.delete(socket)
      presence.leave()
      if (isRunning(connection.reply)) logAborted(connection.reply)
    })
    return connection
  }

  app.addHook('onRequest', (request, reply, done) => {
    if (!(request.socket instanceof Socket)) {
      request.presence = ALWAYS_HERE // Fastify's inject has no connection
      return done()
    }
    const known = connections.get(request.socket)
    // Not answered, and for good: neither done() nor a reply (RFC 9112 section 9.3.2 lets a
    // client do it, and a server close).
    if (known?.reply === undefined) return take(request, reply, known, done)
    if (!mayHaveLeft(known.reply)) return drop(request, known.reply)
    setImmediate(() => {
      if (known.reply === undefined) take(request, reply, known, done)
      else drop(request, known.reply)
    })
  })

  function take (
    request: FastifyRequest,
    reply: FastifyReply,
    known: Connection | undefined,
    done: HookHandlerDoneFunction
  ): void {
    const connection = known ?? watch(request.socket)
    connection.reply = reply
    // Behind Node's own listener, which has let go of the connection by then.
    reply.raw.on('finish', () => { connection.reply = undefined })
    request.presence = connection.presence
    // Node's response says so when it is written to after its end, and an error that nobody hears ends the process.
    reply.raw.on('error', ignore)
    // A body that no door reads would stop the reading of its connection, whose end is not seen then.
    if (hasNoUse(request) && hasBody(request)) request.raw.resume()
    done()
  }

  app.decorate('running', () => [...connections.values()].map(({ reply }) => reply).filter(isRunning))
}, { name: 'running', fastify: '5.x', dependencies: ['request-log', 'meter'] })

function endAfter (request: FastifyRequest, before: FastifyReply): void {
  endWith(before.raw, request.socket)
  request.log.warn(
    { ...whatAndWho(request), decision: 'dropped' },
    'a request came before the answer to the one before it was sent: ' +
      'it is not answered, and its connection ends'
  )
}

function ignore (): void {}

function isRunning (reply: FastifyReply | undefined): reply is FastifyReply {
  return reply !== undefined && !reply.raw.writableFinished
}

/**
 * The kernel may have it all the same: over TLS Node says so a turn of the event loop later,
 * and a client that had its answer in that turn has asked the next thing by then.
 */
function mayHaveLeft ({ raw, request: { socket } }: FastifyReply): boolean {
  return raw.writableEnded && socket instanceof TLSSocket
}

/** Whatever comes as its body. */
function hasNoUse ({ method }: FastifyRequest): boolean {
  return method === 'GET' || method === 'HEAD' || method === 'DELETE'
}

function hasBody ({ headers }: FastifyRequest): boolean {
  return headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined
}

/** After a refusal the gateway itself closes, and the rest of a body is missing. */
function logAborted ({ request }: FastifyReply): void {
  if (isRefused(request.outcome)) return
  request.log.warn({ ...whatAndWho(request), ...request.outcome.upload, decision: 'aborted' }, 'the client went away')
}
