// Asks who it is: one credential for a request, read and judged before anything of
// the body is, on every chart route.
import fp from 'fastify-plugin'
import type { FastifyRequest } from 'fastify'
import { timesSent } from '../src/http/headers.ts'
import type { Authentication, Authenticator } from '../src/identity/authenticate.ts'
import { readCredentials } from '../src/identity/credentials.ts'
import type { Principal } from '../src/identity/principal.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks; null until authenticated. */
    principal: Principal | null
    /** The Authorization header's scheme, for the choice between 401 and 403. */
    cameAsBasic: boolean
  }
}

export interface AuthenticateOptions { authenticator: Authenticator }

export default fp<AuthenticateOptions>(async (app, { authenticator }) => {
  app.decorateRequest('principal', null)
  app.decorateRequest('cameAsBasic', false)
  app.addHook('onRequest', (request, reply, done) => {
    if (request.target.kind !== 'chart') return done()
    if (hasSeveralAuthorizations(request)) {
      reply.refuse({ code: 'several_authorizations' })
      return
    }
    const credentials = readCredentials(request.headers.authorization)
    request.cameAsBasic = credentials.kind === 'basic'
    const finish = (result: Authentication): void => {
      if (result.ok) {
        request.principal = result.principal
        done()
      } else reply.refuse({ code: result.code })
    }
    const result = authenticator.authenticate(credentials)
    if (result instanceof Promise) result.then(finish, done)
    else finish(result)
  })
}, { name: 'authenticate', fastify: '5.x', dependencies: ['errors'] })

/** True when it is in doubt which credential counts. */
export function hasSeveralAuthorizations ({ raw: { rawHeaders } }: FastifyRequest): boolean {
  return timesSent(rawHeaders, 'authorization') > 1
}
