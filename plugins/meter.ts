// Counts each request when it has ended: once for all, whatever becomes of it. Nothing is made
// for a request: one listener hears of all their ends, and one record says how each of them was.
import type { ServerResponse } from 'node:http'
import fp from 'fastify-plugin'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { ociFactRouteOf } from '../src/doors/oci/request.ts'
import type { LiveAuthority } from '../src/live/reload.ts'
import type { Action } from '../src/words/access.ts'
import type { Outcome } from '../src/observe/outcome.ts'
import type { EndedRequest, Meter, RequestPlaces } from '../src/metrics/meter.ts'
import { NONE } from '../src/metrics/axes.ts'
import { createNamedTenants } from '../src/metrics/named-tenants.ts'
import { askedOfCharts } from './request-target.ts'

/** What is known of a connection from its last request. */
const METERED = Symbol('metered')
/** Whose answer it is. */
const REPLY = Symbol('reply')

declare module 'node:net' {
  interface Socket { [METERED]?: Metered }
}

declare module 'node:http' {
  interface ServerResponse { [REPLY]?: FastifyReply }
}

declare module 'fastify' {
  interface FastifyInstance {
    meter: Meter
  }
}

/** On each connection one request follows the other. */
interface Metered {
  /** What was asked last, which is most often what is asked next. */
  readonly target: FastifyRequest['target']
  readonly method: string
  readonly places: RequestPlaces
  /** Bytes that had come over it, and gone, when that had ended. */
  received: number
  sent: number
}

const NO_TRAFFIC = { received: 0, sent: 0 }

export interface MeterOptions {
  meter: Meter
  live: LiveAuthority
  /** Whether tenants have series too, now. */
  tenants: () => boolean
}

/** Undefined before it is counted. */
export function replyOf (raw: ServerResponse): FastifyReply | undefined {
  return raw[REPLY]
}

export default fp<MeterOptions>(async (app, { meter, live, tenants }) => {
  const isNamed = createNamedTenants(() => live.current.policies)
  app.decorate('meter', meter)

  function end (request: FastifyRequest, { raw }: FastifyReply): void {
    const { outcome, socket } = request
    if (outcome.isCounted) return
    const metered = meteredOf(request)
    const status = raw.writableFinished ? raw.statusCode : undefined
    const received = socket.bytesRead ?? 0 // inject has no connection
    const sent = socket.bytesWritten ?? 0
    fill(outcome, status)
    ENDED.received = received - metered.received
    ENDED.sent = sent - metered.sent
    meter.ended(metered.places, ENDED)
    metered.received = received
    metered.sent = sent
    if (tenants()) countTenant(request, status)
  }

  function countTenant (request: FastifyRequest, status: number | undefined): void {
    const asked = askedOfCharts(request)
    if (asked === undefined) return
    const { tenant, route, access } = asked
    const { outcome, target: { kind } } = request
    const reason = outcome.refusal?.code
    if (status === undefined && reason === undefined) return // nobody was there for its end
    const isFile = kind === 'chart' && (route === 'chart-file' || route === 'prov-file') && reason === undefined
    meter.ofTenant(tenant, outcome.hasCharts || isFile || isNamed(tenant), access.action, reason)
  }

  function meteredOf (request: FastifyRequest): Metered {
    const { socket, target, method } = request
    const known = socket[METERED]
    if (known?.target === target && known.method === method) return known
    const places = meter.placesOf({ ...whatWasAsked(request), method })
    const { received, sent } = known ?? NO_TRAFFIC
    const metered = { target, method, places, received, sent }
    socket[METERED] = metered
    return metered
  }

  function onClose (this: ServerResponse): void {
    const reply = this[REPLY] as FastifyReply
    end(reply.request, reply)
  }

  app.addHook('onRequest', (_request, reply, done) => {
    const { raw } = reply
    raw[REPLY] = reply
    raw.on('close', onClose) // of every answer, also of one without an end
    done()
  })
}, { name: 'meter', fastify: '5.x', dependencies: ['request-log'] })

/** The one record, which is read before the next request ends: made anew, it was a burden for the collector. */
const ENDED: { -readonly [field in keyof EndedRequest]: EndedRequest[field] } =
  { status: undefined, reason: undefined, seconds: 0, ownSeconds: 0, received: 0, sent: 0, made: undefined }

function fill ({ arrivedAt, answeredAt, waited, refusal, made }: Outcome, status: number | undefined): void {
  const now = performance.now()
  ENDED.status = status
  ENDED.reason = refusal?.code
  ENDED.seconds = (now - arrivedAt) / 1000
  ENDED.ownSeconds = Math.max(0, (answeredAt === 0 ? now : answeredAt) - arrivedAt - waited) / 1000
  ENDED.made = made !== undefined && status === 304 ? 'not_modified' : made
}

/** For a label: never a path. */
export function whatWasAsked ({ target }: FastifyRequest): { route: string, action: Action | undefined } {
  switch (target.kind) {
    case 'chart': return { route: target.request.route, action: target.request.access.action }
    case 'authz': return { route: target.kind, action: target.request.access.action }
    case 'own': return { route: target.endpoint, action: undefined }
    case 'oci': {
      const { request } = target
      const action = request.route === 'oci-base' ? undefined : request.access.action
      return { route: ociFactRouteOf(request), action }
    }
    case 'refused': return { route: NONE, action: undefined }
  }
}
