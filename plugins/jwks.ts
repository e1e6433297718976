// Publishes the public half of the token keys (RFC 7517), for everybody who wants to
// verify a token of this gateway.
import fp from 'fastify-plugin'
import type { KeyStore } from '../src/tokens/keys.ts'

export interface JwksOptions { keys: KeyStore }

export default fp<JwksOptions>(async (app, { keys }) => {
  app.get('/.well-known/jwks.json', { exposeHeadRoute: true }, async (_request, reply) => {
    return await reply
      .header('content-type', 'application/json; charset=utf-8')
      .header('cache-control', 'public, max-age=60')
      .send(JSON.stringify(keys.jwks()))
  })
}, { name: 'jwks', fastify: '5.x', encapsulate: true })
