// Asks who it is: one credential for a request, read and judged before anything of
// the body is, on every chart route.
import fp from 'fastify-plugin'
import type { Authentication, Authenticator } from '../src/identity/authenticate.ts'
import { countOf } from '../src/http/request-head.ts'
import { readCredentials } from '../src/identity/credentials.ts'
import type { Principal } from '../src/identity/principal.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks; null until authenticated. */
    principal: Principal | null
    /** The account that a refused credential was about; for the log. */
    refusedSubject: string | undefined
  }
}

export interface AuthenticateOptions { authenticator: Authenticator }

export default fp<AuthenticateOptions>(async (app, { authenticator }) => {
  app.decorateRequest('principal', null)
  app.decorateRequest('refusedSubject', undefined)
  app.addHook('onRequest', (request, reply, done) => {
    // What no door answers is refused here: before anybody is asked who they are, and
    // before a byte of a body is read or judged.
    if (request.is404) {
      reply.refuse(request.target.kind === 'refused' ? request.target.refusal : { code: 'no_such_route' })
      return
    }
    if (request.target.kind !== 'chart') return done()
    if (countOf('authorization', request.raw.rawHeaders) > 1) {
      reply.refuse({ code: 'several_authorizations' })
      return
    }
    const { authorization } = request.headers
    const finish = (result: Authentication): void => {
      if (result.ok) {
        request.principal = result.principal
        done()
      } else {
        request.refusedSubject = result.subject
        reply.refuse({ code: result.code })
      }
    }
    const known = authorization === undefined ? undefined : authenticator.remembered(authorization)
    const result = known ?? authenticator.authenticate(readCredentials(authorization), authorization)
    if (result instanceof Promise) result.then(finish, done)
    else finish(result)
  })
}, { name: 'authenticate', fastify: '5.x', dependencies: ['errors'] })
