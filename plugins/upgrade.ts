// Takes no upgrade: the request is answered as any other (RFC 9110 section 7.8), and the
// connection ends with the answer. Node's parser says nothing of an error in what comes
// after one (src/node_http_parser.cc, Execute, asks `!parser_.upgrade` first), so that
// the next request, if it was broken, would get neither an answer nor an end.
import fp from 'fastify-plugin'
import { closeGently } from '../src/http/last-words.ts'

export default fp(async (app) => {
  app.addHook('onRequest', (request, reply, done) => {
    if (request.headers.upgrade !== undefined) {
      reply.header('connection', 'close')
      closeGently(request.socket)
    }
    done()
  })
}, { name: 'upgrade', fastify: '5.x' })
