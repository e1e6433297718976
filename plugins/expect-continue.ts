// Answers `Expect: 100-continue` only once the request was allowed: Node would say
// "go on" before anybody looked at the credentials (RFC 9110 section 10.1.1).
import type { IncomingMessage, ServerResponse } from 'node:http'
import fp from 'fastify-plugin'

const waiting = new WeakSet<IncomingMessage>()

export default fp(async (app) => {
  app.server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    waiting.add(request)
    app.server.emit('request', request, response)
  })
  // Any other expectation: answered like every request, by the door it came to.
  app.server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
    app.server.emit('request', request, response)
  })
  app.addHook('onRequest', (request, reply, done) => {
    const { expect } = request.headers
    if (expect === undefined || expect.toLowerCase() === '100-continue') done()
    else reply.refuse({ code: 'unsupported_expectation' })
  })
  // preParsing comes after authorization and before the first byte of the body.
  app.addHook('preParsing', (request, reply, payload, done) => {
    if (waiting.has(request.raw)) reply.raw.writeContinue()
    done(null, payload)
  })
}, { name: 'expect-continue', fastify: '5.x', dependencies: ['errors'] })
