// Issues tokens at /oauth/token: the same three steps as every other door (what is
// asked, who asks, may they), and the answer is what of it was granted.
import fp from 'fastify-plugin'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Depth } from '../src/words/tenant.ts'
import type { LiveKeys } from '../src/live/live-keys.ts'
import type { LiveAuthority } from '../src/live/reload.ts'
import { RefusalError, statusOf, type Refusal } from '../src/http/errors.ts'
import { countOf } from '../src/http/request-head.ts'
import { together } from '../src/lib/turn.ts'
import type { Authenticator } from '../src/identity/authenticate.ts'
import type { CertificateSource } from '../src/identity/sources/certificates.ts'
import type { Authentication } from '../src/identity/sources/source.ts'
import { loginOf, readCredentials } from '../src/identity/credentials.ts'
import { readSubject } from '../src/words/subject.ts'
import { secondsUntil, type Clock } from '../src/lib/clock.ts'
import type { Claimant } from '../src/limits/attempts.ts'
import { narrow } from '../src/judge.ts'
import { formatScopes, parseScopes } from '../src/words/scope.ts'
import { issueToken, type TokenSource } from '../src/tokens/issue.ts'
import { shownNow, type Spent } from '../src/tokens/spent.ts'
import { ISSUED_TOKEN_TYPE, readTokenRequest, type TokenRequest } from '../src/doors/token/token-request.ts'
import { byCertificate, claimantOf, refusalBy } from './authenticate.ts'
import { refusalOf } from './errors.ts'
import { recordIntent } from './request-audit.ts'
import { tellChange } from './request-log.ts'

export interface TokenEndpointOptions {
  authenticator: Authenticator
  certificates: CertificateSource | undefined
  /** Which tokens of jobs were exchanged already. */
  spent: Spent
  live: LiveAuthority
  keys: LiveKeys
  source: TokenSource
  depth: Depth
  clock: Clock
}

const LONGEST_BODY = 16_384

const METHODS = ['GET', 'POST']

export default fp<TokenEndpointOptions>(async (app, options) => {
  // Before a body is read, so that what is wrong with one is answered with them too.
  app.addHook('onRequest', (request, reply, done) => {
    reply.header('cache-control', 'no-store').header('pragma', 'no-cache')
    if (METHODS.includes(request.method)) done()
    else reply.refuse({ code: 'method_not_allowed', allow: METHODS })
  })
  app.removeAllContentTypeParsers()
  const parsing = { parseAs: 'string', bodyLimit: LONGEST_BODY } as const
  app.addContentTypeParser('application/x-www-form-urlencoded', parsing, (_request, body, done) => { done(null, body) })
  // Whatever is wrong with a body here is the client's mistake in one form: 400.
  app.setErrorHandler((error, request, reply) => {
    if (error instanceof RefusalError) return reply.refuse(error.refusal)
    const refusal = refusalOf(error)
    if (refusal.code === 'internal') {
      request.log.error({ err: error }, 'an error that nobody expected')
      return reply.refuse(refusal)
    }
    return reply.refuse({
      code: 'invalid_request',
      detail: `the body must be application/x-www-form-urlencoded and at most ${LONGEST_BODY} bytes`
    })
  })
  app.route({
    method: app.supportedMethods,
    url: '/oauth/token',
    exposeHeadRoute: false,
    handler: async (request, reply) => await answer(request, reply, options)
  })
}, {
  name: 'token-endpoint',
  fastify: '5.x',
  encapsulate: true,
  dependencies: ['errors', 'authenticate', 'request-log']
})

async function answer (
  request: FastifyRequest,
  reply: FastifyReply,
  options: TokenEndpointOptions
): Promise<FastifyReply> {
  const { authenticator, certificates, spent, live, keys, source, depth, clock } = options
  reply.header('cache-control', 'no-store').header('pragma', 'no-cache')
  const several = ['Authorization', 'Content-Type']
    .find(name => countOf(name.toLowerCase(), request.raw.rawHeaders) > 1)
  if (several !== undefined) {
    return reply.refuse({ code: 'invalid_request', detail: `several ${several} headers: send one` })
  }
  const { query } = request.target as { query: string }
  const credentials = readCredentials(request.headers.authorization)
  const read = readTokenRequest(request.method, query, request.body as string | undefined, credentials)
  if (!read.ok) return reply.refuse(read.refusal)
  const scopes = parseScopes(read.request.scopes, depth)
  if (!scopes.ok) return reply.refuse({ code: 'invalid_scope', detail: scopes.detail })
  const asked = formatScopes(scopes.grants)
  request.outcome.token = { asked }
  request.outcome.login = loginOf(read.request.credentials, request.headers.authorization)
  const shown = read.request.credentials.kind === 'none' ? byCertificate(certificates, request) : undefined
  const who = shown ?? await whoAsks(authenticator, read.request, claimantOf(request))
  // Who has gone meanwhile is not answered; running.ts has said so.
  if (request.presence.gone) return reply.hijack()
  if (!who.ok) {
    request.outcome.subject = who.subject
    request.outcome.because = who.because
    return reply.refuse(refusalFor(who, read.request))
  }
  request.outcome.subject = who.principal.subject
  request.outcome.proof = who.principal.proof
  const { account } = read.request
  if (account !== undefined && account !== readSubject(who.principal.subject).name) {
    return reply.refuse({ code: 'invalid_request', detail: 'the parameter account is not who the credentials are' })
  }

  const granted = narrow(who.principal, scopes.grants, live.current.rules)
  const time = clock.wall()
  // A token that was got with a token does not outlive it.
  const { expires } = who.principal
  const ttl = expires === undefined ? source.ttl : Math.min(source.ttl, Math.ceil(secondsUntil(clock, expires)))
  if (ttl < 1) return reply.refuse(refusalFor(EXPIRED, read.request))
  const { exchangeOnly: once } = who.principal
  const use = once === undefined ? 'first' : await spent.spend(shownNow(once, clock))
  if (use === 'unproved') return reply.refuse({ code: 'federation_use_unproved' })
  if (use !== 'first') return reply.refuse(refusalFor(NOT_FIRST[use], read.request))
  const key = keys.current.ring.signing(time)
  request.outcome.allowedBy = 'token endpoint'
  await recordIntent(request)
  const { subject, proof } = who.principal
  const issued = await issueToken(key, { ...source, ttl }, subject, granted, time, proof?.federated)
  await together() // answers whose signatures came together are written together
  const scope = formatScopes(granted)
  request.outcome.token = { asked, granted: scope }
  request.outcome.issued = { tokenId: issued.id, keyId: key.kid }
  await tellChange(reply)
  return await reply.header('content-type', 'application/json; charset=utf-8').send(JSON.stringify({
    token: issued.token,
    access_token: issued.token,
    ...(read.request.shown === 'subject_token' ? { issued_token_type: ISSUED_TOKEN_TYPE } : {}),
    token_type: 'Bearer',
    expires_in: issued.expiresIn,
    issued_at: issued.issuedAt.toISOString().replace(/\.\d+Z$/, 'Z'),
    scope
  }))
}

const EXPIRED = { ok: false, code: 'token_expired' } as const
const NOT_FIRST = {
  used: { ok: false, code: 'federation_token_used' },
  too_early: { ok: false, code: 'federation_token_too_early' }
} as const
const REFUSED_AS = { subject_token: 'invalid_request', assertion: 'invalid_grant' } as const

/** A token that was to be exchanged is refused as its grant type says. */
function refusalFor (who: Extract<Authentication, { ok: false }>, { shown }: TokenRequest): Refusal {
  return shown === undefined ? refusalBy(who) : { ...refusalBy(who), exchange: REFUSED_AS[shown] }
}

/** Credentials as they came, and where those are nobody's, as a form encodes them. */
async function whoAsks (
  authenticator: Authenticator,
  { credentials, decoded }: TokenRequest,
  asker: Claimant
): Promise<Authentication> {
  const who = await authenticator.authenticateForToken(credentials, asker)
  return who.ok || statusOf(who) === 429 || decoded === undefined
    ? who
    : await authenticator.authenticateForToken(decoded, asker)
}
