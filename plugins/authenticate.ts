// Asks who it is: one credential for a request, read and judged before anything of the
// body is, for everything that needs a right.
import type { X509Certificate } from 'node:crypto'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import fp from 'fastify-plugin'
import type { FastifyRequest } from 'fastify'
import { needsOf } from '../src/doors/needs.ts'
import type { Authenticator } from '../src/identity/authenticate.ts'
import type { CertificateSource, ShownCertificate } from '../src/identity/sources/certificates.ts'
import type { Authentication } from '../src/identity/sources/source.ts'
import type { ReasonCode, Refusal } from '../src/http/errors.ts'
import { countOf } from '../src/http/request-head.ts'
import { readCredentials } from '../src/identity/credentials.ts'
import type { Principal } from '../src/words/principal.ts'
import type { Claimant } from '../src/limits/attempts.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks; null until authenticated. */
    principal: Principal | null
    /** Why the certificate that the client has shown counts for nothing, if it does. */
    certificateFault: ReasonCode | undefined
  }
}

export interface AuthenticateOptions {
  authenticator: Authenticator
  /** Where clients show certificates. */
  certificates: CertificateSource | undefined
}

/** What the last request of a connection came with, and how to ask for the same again. */
interface Before {
  readonly authorization: string | undefined
  readonly again: () => Authentication | undefined
}

/** Who waits for an answer, and from where. */
export function claimantOf ({ client: { address, isProxy, proxy }, presence, raw }: FastifyRequest): Claimant {
  return { address, presence, isPeer: !isProxy && proxy === undefined, isUnread: () => !raw.complete }
}

/** Why somebody is not let in, as every door refuses it. */
export function refusalBy ({ code, retryAfter }: Extract<Authentication, { ok: false }>): Refusal {
  return retryAfter === undefined ? { code } : { code, retryAfter }
}

const BY_CERTIFICATE = { method: 'certificate' } as const

/**
 * Who the certificate of the connection is for, for a request without other credentials;
 * undefined when nothing was shown, or what counts for nothing.
 */
export function byCertificate (
  certificates: CertificateSource | undefined,
  request: FastifyRequest
): Authentication | undefined {
  const result = certificates?.of(request.socket, () => shownOn(request.socket))
  if (result?.ok === true) request.outcome.login = BY_CERTIFICATE
  else request.certificateFault = result?.code
  return result?.ok === true ? result : undefined
}

/** What the client has shown in the handshake. */
function shownOn (socket: Socket): ShownCertificate | undefined {
  const { authorized } = socket as TLSSocket
  const own = (socket as TLSSocket).getPeerX509Certificate()
  if (own === undefined) return undefined // also where a resumed session says that nobody is authorized
  const others: X509Certificate[] = []
  for (let next = own.issuerCertificate; next !== undefined; next = next.issuerCertificate) others.push(next)
  return { own, others, authorized }
}

export default fp<AuthenticateOptions>(async (app, { authenticator, certificates }) => {
  // A connection sends the same credentials each time, and to read and hash those of Basic
  // again would cost as much as all else. The header lies in the connection's last request
  // in any case; what it proves is asked of the accounts as they are.
  const connections = new WeakMap<Socket, Before>()
  app.decorateRequest('principal', null)
  app.decorateRequest('certificateFault', undefined)
  app.addHook('onRequest', (request, reply, done) => {
    // What no door answers is refused here: before anybody is asked who they are, and
    // before a byte of a body is read or judged.
    if (request.is404) {
      /* c8 ignore next -- what the parser does not refuse has a door */
      reply.refuse(request.target.kind === 'refused' ? request.target.refusal : { code: 'no_such_route' })
      return
    }
    if (needsOf(request.target) === 'nothing') return done()
    if (countOf('authorization', request.raw.rawHeaders) > 1) {
      reply.refuse({ code: 'several_authorizations' })
      return
    }
    const { authorization } = request.headers
    const finish = (result: Authentication): void => {
      if (result.ok) {
        request.principal = result.principal
        request.outcome.subject = result.principal.subject
        request.outcome.proof = result.principal.proof
        done()
      } else {
        request.outcome.subject = result.subject
        request.outcome.because = result.because
        reply.refuse(refusalBy(result))
      }
    }
    const learn = (result: Authentication): void => {
      if (result.ok && result.again !== undefined) {
        connections.set(request.socket, { authorization, again: result.again })
      }
      finish(result)
    }
    const shown = authorization === undefined ? byCertificate(certificates, request) : undefined
    if (shown !== undefined) return finish(shown)
    const known = again(connections.get(request.socket), authorization) ??
      (authorization === undefined ? undefined : authenticator.remembered(authorization))
    if (known !== undefined) return finish(known)
    const result = authenticator.authenticate(readCredentials(authorization), claimantOf(request), authorization)
    if (!(result instanceof Promise)) return learn(result)
    // Who has gone meanwhile is neither answered nor let in; running.ts has said so.
    result.then(result => { if (!request.presence.gone) learn(result) }, done)
  })
}, { name: 'authenticate', fastify: '5.x', dependencies: ['errors', 'client', 'running'] })

function again (before: Before | undefined, authorization: string | undefined): Authentication | undefined {
  return before?.authorization === authorization ? before?.again() : undefined
}
