// The admin listener, readable: probes and metrics, and nothing of the charts. Its refusals
// have the form of the public ones.
import Fastify, { type FastifyInstance } from 'fastify'
import adminToken from '../../plugins/admin-token.ts'
import { answerClientError } from '../../plugins/client-errors.ts'
import connectionsPlugin from '../../plugins/connections.ts'
import { refusePlainly } from '../../plugins/errors.ts'
import { probes, type ProbesOptions } from '../../plugins/health.ts'
import scrapePlugin, { type ScrapeOptions } from '../../plugins/scrape.ts'
import unasked from '../../plugins/unasked.ts'
import { leaveBodyUnread } from '../../plugins/unread-body.ts'
import { createClientReader } from '../http/client.ts'
import { RefusalError } from '../http/errors.ts'
import { ADMIN_BOUNDS, createConnectionCounts } from '../limits/connections.ts'
import type { ListenerTls } from '../tls/listener.ts'
import { CONNECTION_LIMITS, connectionOptions, speaking } from './options.ts'

export interface AdminOptions {
  /** Left out: it speaks plain HTTP. */
  tls?: ListenerTls | undefined
  /** As it is now; undefined, or left out: nothing has to be sent. */
  token?: () => string | undefined
}

export async function buildAdmin (
  { scrape, tls, token = () => undefined, ...options }: ProbesOptions & ScrapeOptions & AdminOptions,
  limits = CONNECTION_LIMITS
): Promise<FastifyInstance> {
  const { http: { maxHeaderSize: _size, requireHostHeader: _host, ...heads }, ...timeouts } = connectionOptions(limits)
  const admin: FastifyInstance = Fastify({
    logger: false,
    clientErrorHandler: answerClientError,
    frameworkErrors: refusePlainly,
    http: heads,
    ...timeouts, // also of who does not read an answer
    ...speaking(tls, { http: heads, ...timeouts })
  })
  const read = createClientReader({ trustedProxies: [], publicUrl: 'http://localhost' })
  await admin.register(connectionsPlugin, { counts: createConnectionCounts(() => ADMIN_BOUNDS), read })
  await admin.register(unasked, { patience: limits.unasked })
  leaveBodyUnread(admin)
  admin.setErrorHandler(refusePlainly)
  admin.setNotFoundHandler((request, reply) => {
    refusePlainly(new RefusalError({ code: 'no_such_route' }), request, reply)
  })
  await admin.register(adminToken, { token })
  await admin.register(probes, options)
  await admin.register(scrapePlugin, { scrape })
  return admin
}
