// Says once, when a request arrives, who is at the other end: later the connection may
// be gone. Fastify's own request.ip is not used: it takes whatever text a trusted proxy
// passes on for an address.
import fp from 'fastify-plugin'
import type { FastifyRequest } from 'fastify'
import type { Client, ReadClient } from '../src/http/client.ts'
import type { Refusal } from '../src/http/errors.ts'
import type { Waits } from '../src/observe/outcome.ts'
import { EVERYONE } from '../src/words/subject.ts'
import type { Presence } from '../src/lib/presence.ts'
import { originOf } from '../src/limits/origin.ts'
import type { WhyEnded } from '../src/limits/shares.ts'
import type { Asker } from '../src/upstream/asker.ts'
import { auditOutcome } from './request-audit.ts'
import { whatAndWho } from './request-log.ts'
import { tenantAskedOf } from './request-target.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Who is at the other end of the connection, or of the proxy's. */
    client: Client
  }
}

/** For whom the upstream is asked, on chart routes and by the registry. */
export function callerOf (request: FastifyRequest): Asker {
  return new RequestAsker(request)
}

/** What is said of a download whose connection others had to have. */
const DISMISSED: Record<WhyEnded, { readonly refusal: Refusal, readonly says: string }> = {
  not_read: {
    refusal: { code: 'download_not_read' },
    says: 'the client did not read its download while others waited for a connection to the chart repository: ' +
      'its own is closed'
  },
  over_share: {
    refusal: { code: 'download_over_share' },
    says: 'the client had more downloads than others who waited for a connection to the chart repository: ' +
      'the youngest of them is closed'
  }
}

class RequestAsker implements Asker {
  readonly insists = false
  private readonly request: FastifyRequest

  constructor (request: FastifyRequest) {
    this.request = request
  }

  get requestId (): string { return this.request.id }
  get client (): Client { return this.request.client }
  get tenant (): string { return tenantAskedOf(this.request) }
  get waits (): Waits { return this.request.outcome }
  get presence (): Presence { return this.request.presence }

  /** An account, else an address; a connection of a proxy that says of nobody is one of its own. */
  get party (): unknown {
    const { principal, client, presence } = this.request
    if (principal !== null && principal.subject !== EVERYONE) return principal.subject
    return client.isProxy ? presence : originOf(client.address)
  }

  answered (status: number): void {
    this.request.outcome.upstreamStatus = status
  }

  dismiss (why: WhyEnded): void {
    const { request } = this
    const { refusal, says } = DISMISSED[why]
    request.outcome.refusal = refusal
    request.log.warn({ ...whatAndWho(request), decision: 'ended', reason: refusal.code }, says)
    auditOutcome(request)
    request.socket.destroy()
  }
}

export default fp<{ read: ReadClient }>(async (app, { read }) => {
  app.decorateRequest('client')
  app.addHook('onRequest', (request, _reply, done) => {
    request.client = read(request.socket.remoteAddress, request.headers)
    done()
  })
}, { name: 'client', fastify: '5.x' })
