// Issues tokens at /oauth/token: the same three steps as every other door (what is
// asked, who asks, may they), and the answer is what of it was granted.
import fp from 'fastify-plugin'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Depth } from '../src/charts/tenant.ts'
import type { Authenticator } from '../src/identity/authenticate.ts'
import { countOf } from '../src/http/request-head.ts'
import { readCredentials } from '../src/identity/credentials.ts'
import { narrow } from '../src/policy/decide.ts'
import type { CompiledRule } from '../src/policy/rules.ts'
import { formatScopes, parseScopes } from '../src/policy/scope.ts'
import { issueToken, type TokenSource } from '../src/tokens/issue.ts'
import type { KeyStore } from '../src/tokens/keys.ts'
import { readTokenRequest } from '../src/tokens/token-request.ts'
import { refusalOf } from './errors.ts'

export interface TokenEndpointOptions {
  authenticator: Authenticator
  rules: readonly CompiledRule[]
  keys: KeyStore
  source: TokenSource
  depth: Depth
  /** Seconds since the epoch. */
  now: () => number
}

const LONGEST_BODY = 16_384

export default fp<TokenEndpointOptions>(async (app, options) => {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string', bodyLimit: LONGEST_BODY }, (_request, body, done) => {
    done(null, new URLSearchParams(body as string))
  })
  // Whatever is wrong with a body here is the client's mistake in one form: 400.
  app.setErrorHandler((error, request, reply) => {
    const refusal = refusalOf(error)
    if (refusal.code === 'internal') {
      request.log.error({ err: error }, 'an error that nobody expected')
      return reply.refuse(refusal)
    }
    return reply.refuse({ code: 'invalid_request', detail: `the body must be application/x-www-form-urlencoded and at most ${LONGEST_BODY} bytes` })
  })
  app.route({ method: ['GET', 'POST'], url: '/oauth/token', exposeHeadRoute: false, handler: async (request, reply) => await answer(request, reply, options) })
}, { name: 'token-endpoint', fastify: '5.x', encapsulate: true, dependencies: ['errors', 'authenticate', 'request-log'] })

async function answer (request: FastifyRequest, reply: FastifyReply, options: TokenEndpointOptions): Promise<FastifyReply> {
  const { authenticator, rules, keys, source, depth, now } = options
  reply.header('cache-control', 'no-store').header('pragma', 'no-cache')
  if (countOf('authorization', request.raw.rawHeaders) > 1) return reply.refuse({ code: 'invalid_request', detail: 'several Authorization headers: send one' })
  const { query } = request.target as { query: string }
  const read = readTokenRequest(request.method, query, request.body as URLSearchParams | undefined, readCredentials(request.headers.authorization))
  if (!read.ok) return reply.refuse(read.refusal)
  const scopes = parseScopes(read.request.scopes, depth)
  if (!scopes.ok) return reply.refuse({ code: 'invalid_scope', detail: scopes.detail })
  const who = await authenticator.authenticate(read.request.credentials)
  if (!who.ok) return reply.refuse({ code: who.code })
  request.principal = who.principal

  const granted = narrow(who.principal, scopes.grants, rules)
  const time = now()
  // A token that was got with a token does not outlive it.
  const ttl = Math.min(source.ttl, (who.principal.expires ?? Infinity) - time)
  if (ttl < 1) return reply.refuse({ code: 'token_expired' })
  const issued = await issueToken(keys.signing, { ...source, ttl }, who.principal.subject, granted, time)
  const scope = formatScopes(granted)
  request.allowedBy = 'token endpoint'
  request.tokenFacts = { asked: formatScopes(scopes.grants), granted: scope }
  return await reply.header('content-type', 'application/json; charset=utf-8').send(JSON.stringify({
    token: issued.token,
    access_token: issued.token,
    token_type: 'Bearer',
    expires_in: issued.expiresIn,
    issued_at: issued.issuedAt.toISOString().replace(/\.\d+Z$/, 'Z'),
    scope
  }))
}
