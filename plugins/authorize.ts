// Asks whether they may: one decision for the one access that the request needs,
// before a body is read and before the upstream hears of it.
import fp from 'fastify-plugin'
import type { FastifyRequest } from 'fastify'
import type { Refusal } from '../src/http/errors.ts'
import { isBasic } from '../src/identity/credentials.ts'
import type { Principal } from '../src/words/principal.ts'
import type { Access } from '../src/words/access.ts'
import { decide } from '../src/policy/decide.ts'
import type { LiveAuthority } from '../src/live/reload.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Which rule allowed the request; for the log. */
    allowedBy: string | null
  }
}

export interface AuthorizeOptions { live: LiveAuthority }

export default fp<AuthorizeOptions>(async (app, { live }) => {
  app.decorateRequest('allowedBy', null)
  app.addHook('onRequest', (request, reply, done) => {
    if (request.target.kind !== 'chart') return done()
    const { access } = request.target.request
    const principal = request.principal as Principal // set by authenticate, which stands before
    const decision = decide(principal, access, live.current.rules)
    if (decision.allowed) {
      request.allowedBy = decision.by
      done()
    } else reply.refuse(denial(request, principal, access))
  })
}, { name: 'authorize', fastify: '5.x', dependencies: ['authenticate'] })

/**
 * 401 for who has not said who they are, and for Bearer, because clients fetch a new
 * token only then; 403 for Basic, where asking again cannot help.
 */
function denial (request: FastifyRequest, principal: Principal, { action, name }: Access): Refusal {
  if (principal.kind === 'anonymous') return { code: 'missing_credentials' }
  return isBasic(request.headers.authorization)
    ? { code: 'missing_right', detail: `forbidden: ${action} on ${name} is not allowed` }
    : { code: 'insufficient_scope' }
}
