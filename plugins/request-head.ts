// Refuses what no door should see: a head that two readers could take in two ways, and
// whatever still comes on an open connection while the process drains. Node and Fastify
// would answer some of these themselves, in forms of their own.
import type { Socket } from 'node:net'
import fp from 'fastify-plugin'
import { faultOfHead } from '../src/http/request-head.ts'

export default fp(async (app) => {
  let closing = false
  app.addHook('preClose', done => {
    closing = true
    done()
  })
  // Connections on which the next request may begin anywhere. What came in the same
  // packet is parsed and handed over before the connection is closed.
  const unsure = new WeakSet<Socket>()
  app.addHook('onRequest', (request, reply, done) => {
    const fault = unsure.has(request.socket) ? 'the request stands behind one that was refused' : faultOfHead(request.raw)
    if (fault !== undefined) {
      unsure.add(request.socket)
      reply.header('connection', 'close').refuse({ code: 'bad_request', detail: fault })
    } else if (closing) reply.refuse({ code: 'closing' })
    else done()
  })
}, { name: 'request-head', fastify: '5.x', dependencies: ['errors', 'request-log'] })
