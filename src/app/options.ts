// What has every Fastify application of ours? How connections may take their time, who makes
// the log of a request, and the server that speaks TLS.
import { randomUUID } from 'node:crypto'
import type { Server, ServerOptions } from 'node:http'
import { LogController, type FastifyHttpOptions } from 'fastify'
import type { Logger } from 'pino'
import { answerClientError } from '../../plugins/client-errors.ts'
import { RequestLogger } from '../observe/request-logger.ts'
import { createTlsServer, type ListenerTls } from '../tls/listener.ts'

/** How long a connection may take for what; milliseconds. */
export interface ConnectionLimits {
  /** For the headers. */
  readonly headers: number
  /** For a whole request: 20 MiB over a slow line. */
  readonly request: number
  /**
   * Without a byte in either direction, in the middle of a request or of its answer:
   * whoever does not read holds a connection to the upstream.
   */
  readonly silence: number
  /** Between two requests: above the 60 s that load balancers keep idle connections for. */
  readonly idle: number
  /** How often the first two are looked at. */
  readonly look: number
  /** For the headers, once the listener closes: what is on its way by then. */
  readonly unasked: number
}

export const CONNECTION_LIMITS: ConnectionLimits = {
  headers: 15_000,
  request: 300_000,
  silence: 120_000,
  idle: 75_000,
  look: 5_000,
  unasked: 2_000
}
const LONGEST_HEADERS = 16_384

/**
 * Of the listeners that clients and proxies speak to: errors of the connection, the logger and
 * the id of each request.
 * @param tls left out: plain HTTP
 */
export function requestOptions (
  log: Logger,
  limits: ConnectionLimits,
  tls?: ListenerTls
): FastifyHttpOptions<Server> {
  const connections = connectionOptions(limits)
  return {
    clientErrorHandler: answerClientError,
    // With a logger of its own Fastify makes a child and two listeners for each request.
    logger: false,
    childLoggerFactory: (_parent, bindings) => new RequestLogger(log, bindings),
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: () => randomUUID(),
    requestIdHeader: false,
    return503OnClosing: false, // request-head.ts does, in our form
    ...connections,
    ...speaking(tls, connections)
  }
}

/** How connections are bounded, as Fastify is told for a server of its own. */
export function connectionOptions (limits: ConnectionLimits) {
  return {
    requestTimeout: limits.request,
    connectionTimeout: limits.silence,
    keepAliveTimeout: limits.idle,
    http: {
      headersTimeout: limits.headers,
      connectionsCheckingInterval: limits.look,
      maxHeaderSize: LONGEST_HEADERS,
      requireHostHeader: false // request-head.ts does, in our form
    }
  } satisfies FastifyHttpOptions<Server>
}

type Connections = Omit<ReturnType<typeof connectionOptions>, 'http'> & { readonly http: ServerOptions }

/** What Fastify has for a server that speaks TLS, which is told of new certificates; nothing without. */
export function speaking (
  tls: ListenerTls | undefined,
  { http, connectionTimeout, ...timeouts }: Connections
): Pick<FastifyHttpOptions<Server>, 'serverFactory'> {
  if (tls === undefined) return {}
  return {
    serverFactory: handler => createTlsServer(tls, { ...http, ...timeouts }, handler).setTimeout(connectionTimeout)
  }
}
