// Says once, when a request arrives, who is at the other end: later the connection may
// be gone. Fastify's own request.ip is not used: it takes whatever text a trusted proxy
// passes on for an address.
import fp from 'fastify-plugin'
import type { FastifyRequest } from 'fastify'
import { createClientReader, type Client, type ClientSource } from '../src/http/client.ts'
import type { Caller } from '../src/http/headers.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Who is at the other end of the connection, or of the proxy's. */
    client: Client
  }
}

/** For whom the upstream is asked. */
export function callerOf ({ id, client }: FastifyRequest): Caller {
  return { requestId: id, client }
}

export default fp<ClientSource>(async (app, source) => {
  const read = createClientReader(source)
  app.decorateRequest('client')
  app.addHook('onRequest', (request, _reply, done) => {
    request.client = read(request.socket.remoteAddress, request.headers)
    done()
  })
}, { name: 'client', fastify: '5.x' })
