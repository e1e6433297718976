// Refuses what no door should see: a head that two readers could take in two ways, and
// whatever still comes on an open connection while the process drains. Node and Fastify
// would answer some of these themselves, in forms of their own.
import fp from 'fastify-plugin'
import { hearNoMore } from '../src/http/last-words.ts'
import { faultOfHead } from '../src/http/request-head.ts'

export default fp(async (app) => {
  let closing = false
  app.addHook('preClose', done => {
    closing = true
    done()
  })
  app.addHook('onRequest', (request, reply, done) => {
    const fault = faultOfHead(request.raw)
    if (fault !== undefined) {
      // The next request may begin anywhere, also in the same packet.
      hearNoMore(request.socket)
      reply.header('connection', 'close').refuse({ code: 'bad_request', detail: fault })
    } else if (closing) reply.refuse({ code: 'closing' })
    else done()
  })
}, { name: 'request-head', fastify: '5.x', dependencies: ['errors', 'request-log'] })
