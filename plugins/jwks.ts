// Publishes the public half of the keys whose tokens count (RFC 7517), for everybody who
// wants to verify a token of this gateway.
import { createHash } from 'node:crypto'
import fp from 'fastify-plugin'
import type { LiveKeys } from '../src/live/live-keys.ts'
import { knowsEtag } from '../src/http/conditional.ts'
import { jwksOf } from '../src/tokens/ring.ts'

export interface JwksOptions {
  keys: LiveKeys
  /** Seconds since the epoch. */
  now: () => number
}

export default fp<JwksOptions>(async (app, { keys, now }) => {
  app.get('/.well-known/jwks.json', { exposeHeadRoute: true }, async (request, reply) => {
    const body = JSON.stringify(jwksOf(keys.current.ring, now()))
    const etag = `"${createHash('sha256').update(body).digest('base64url')}"`
    reply.header('cache-control', 'public, max-age=60').header('etag', etag)
    if (knowsEtag(request.headers['if-none-match'], etag)) return await reply.code(304).send()
    return await reply.header('content-type', 'application/json; charset=utf-8').send(body)
  })
}, { name: 'jwks', fastify: '5.x', encapsulate: true })
