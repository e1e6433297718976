// Counts each request when it has ended: once for all, whatever becomes of it. One listener
// for each request, and nothing that is made for it but that.
import type { Socket } from 'node:net'
import fp from 'fastify-plugin'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { LiveAuthority } from '../src/live/reload.ts'
import type { Action } from '../src/words/access.ts'
import type { EndedRequest, Meter } from '../src/metrics/meter.ts'
import { NONE } from '../src/metrics/axes.ts'
import { createNamedTenants } from '../src/metrics/named-tenants.ts'

/** How much came over a connection, and went, up to its last request. */
const METERED = Symbol('metered')

declare module 'node:net' {
  interface Socket { [METERED]?: Traffic }
}

declare module 'fastify' {
  interface FastifyInstance {
    meter: Meter
  }
}

interface Traffic {
  readonly received: number
  readonly sent: number
}

export interface MeterOptions {
  meter: Meter
  live: LiveAuthority
  /** Tenants have series too. */
  tenants: boolean
}

export default fp<MeterOptions>(async (app, { meter, live, tenants }) => {
  const isNamed = createNamedTenants(() => live.current.policies)
  app.decorate('meter', meter)

  function end (request: FastifyRequest, reply: FastifyReply): void {
    const ended = endedRequest(request, reply)
    meter.ended(ended)
    const { target, outcome } = request
    if (!tenants || target.kind !== 'chart') return
    const { tenant, route, access } = target.request
    const { status, reason } = ended
    if (status === undefined && reason === undefined) return // nobody was there for its end
    const isFile = (route === 'chart-file' || route === 'prov-file') && reason === undefined
    meter.ofTenant(tenant, outcome.hasCharts || isFile || isNamed(tenant), access.action, reason)
  }

  app.addHook('onRequest', (request, reply, done) => {
    reply.raw.on('close', () => { end(request, reply) }) // of every answer, also of one without an end
    done()
  })
}, { name: 'meter', fastify: '5.x', dependencies: ['request-log'] })

function endedRequest (request: FastifyRequest, { raw }: FastifyReply): EndedRequest {
  const { outcome, socket, method } = request
  const { arrivedAt, answeredAt, waited, refusal, made } = outcome
  const now = performance.now()
  const { received, sent } = trafficOf(socket)
  const status = raw.writableFinished ? raw.statusCode : undefined
  const { route, action } = whatWasAsked(request)
  // Field by field: to spread an object here cost as much as half of the request.
  return {
    route,
    action,
    method,
    status,
    reason: refusal?.code,
    seconds: (now - arrivedAt) / 1000,
    ownSeconds: Math.max(0, (answeredAt === 0 ? now : answeredAt) - arrivedAt - waited) / 1000,
    received,
    sent,
    made: made !== undefined && status === 304 ? 'not_modified' : made
  }
}

/** For a label: never a path. */
export function whatWasAsked ({ target }: FastifyRequest): { route: string, action: Action | undefined } {
  switch (target.kind) {
    case 'chart': return { route: target.request.route, action: target.request.access.action }
    case 'own': return { route: target.endpoint, action: undefined }
    case 'refused': return { route: NONE, action: undefined }
  }
}

const NO_TRAFFIC: Traffic = { received: 0, sent: 0 }

/** What came and went over the connection since its last request ended: on each one request follows the other. */
function trafficOf (socket: Socket): Traffic {
  const before = socket[METERED] ?? NO_TRAFFIC
  const now = { received: socket.bytesRead ?? 0, sent: socket.bytesWritten ?? 0 } // inject has no connection
  socket[METERED] = now
  return { received: now.received - before.received, sent: now.sent - before.sent }
}
