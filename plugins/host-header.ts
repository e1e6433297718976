// Refuses a request that does not say, exactly once, for which host it is (RFC 9112
// section 3.2). Node would refuse the one without Host itself, with an empty body.
import fp from 'fastify-plugin'
import { timesSent } from '../src/http/headers.ts'

export default fp(async (app) => {
  app.addHook('onRequest', (request, reply, done) => {
    const { rawHeaders, httpVersion } = request.raw
    const count = timesSent(rawHeaders, 'host')
    if (count === 1 || (count === 0 && httpVersion === '1.0')) done()
    else reply.refuse({ code: 'bad_request', detail: 'a request needs one Host header' })
  })
}, { name: 'host-header', fastify: '5.x', dependencies: ['errors'] })
