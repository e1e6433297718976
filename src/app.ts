// The architecture, readable: one request passes these registrations in this order. The
// parser stands before the router (rewriteUrl); then who asks, then may they, then one
// door answers.
import { randomUUID } from 'node:crypto'
import type { Server, ServerOptions } from 'node:http'
import Fastify, { LogController, type FastifyHttpOptions, type FastifyInstance } from 'fastify'
import pino from 'pino'
import adminToken from '../plugins/admin-token.ts'
import authenticate from '../plugins/authenticate.ts'
import authorize from '../plugins/authorize.ts'
import client from '../plugins/client.ts'
import connectionsPlugin from '../plugins/connections.ts'
import { answerClientError, answerConnect } from '../plugins/client-errors.ts'
import deleteDoor from '../plugins/delete-door.ts'
import drain from '../plugins/drain.ts'
import errors, { refusePlainly } from '../plugins/errors.ts'
import expectContinue from '../plugins/expect-continue.ts'
import fileDoor from '../plugins/file-door.ts'
import forwardDoor from '../plugins/forward-door.ts'
import home from '../plugins/home.ts'
import health, { probes, type ProbesOptions } from '../plugins/health.ts'
import indexDoor from '../plugins/index-door.ts'
import jwks from '../plugins/jwks.ts'
import requestHead from '../plugins/request-head.ts'
import requestLog from '../plugins/request-log.ts'
import requestTarget, { createRewriteUrl } from '../plugins/request-target.ts'
import meterPlugin from '../plugins/meter.ts'
import running from '../plugins/running.ts'
import scrapePlugin, { type ScrapeOptions } from '../plugins/scrape.ts'
import tokenEndpoint from '../plugins/token-endpoint.ts'
import upgrade from '../plugins/upgrade.ts'
import uploadDoor from '../plugins/upload-door.ts'
import { NO_PEERS, type Peers } from './upstream/peers.ts'
import type { LiveKeys } from './live/live-keys.ts'
import type { LiveAuthority } from './live/reload.ts'
import type { LiveCertificates } from './live/live-certificates.ts'
import type { Config } from './config/schema.ts'
import { createClientReader } from './http/client.ts'
import { RefusalError } from './http/errors.ts'
import type { AuditPlace } from './observe/audit/auditing.ts'
import { errorForLog } from './observe/log-error.ts'
import { LOG_FORM } from './observe/log-form.ts'
import { RequestLogger } from './observe/request-logger.ts'
import { subjectNamed } from './identity/accounts.ts'
import { createAuthenticator } from './identity/authenticate.ts'
import { createAccountSources, isSomebody } from './identity/sources.ts'
import type { CertificateSource } from './identity/sources/certificates.ts'
import type { Passwords } from './identity/sources/passwords.ts'
import { createAttempts } from './limits/attempts.ts'
import { createConnectionCounts, shareOf } from './limits/connections.ts'
import type { LoginLimits } from './limits/logins.ts'
import { readFront } from './metrics/readings.ts'
import type { Meter } from './metrics/meter.ts'
import { createVerifier } from './tokens/verify.ts'
import type { Clock } from './lib/clock.ts'
import type { Locks } from './lib/locks.ts'
import type { Pulse } from './lib/pulse.ts'
import { createTlsServer, type ListenerTls } from './tls/listener.ts'
import type { Upstreams } from './upstream/upstreams.ts'
import { createFileReader } from './upstream/file-reader.ts'
import { createIndexReader } from './upstream/index-reader.ts'
import { createIndexStore } from './upstream/index-store.ts'
import type { Spool } from './uploads/spool.ts'

export interface AppDependencies {
  /** Keys as they are now. */
  readonly keys: LiveKeys
  readonly upstreams: Upstreams
  readonly spool: Spool
  /** Accounts and rules as they are now. */
  readonly live: LiveAuthority
  /** Who is first at an object of the repository. */
  readonly locks: Locks
  /** What failed too often to be tried again. */
  readonly logins: LoginLimits
  /** Where queues of this process say that they move. */
  readonly pulse: Pulse
  /** Others that keep an index in memory too: workers, or replicas. */
  readonly peers?: Peers
  /** chartgate's own version, for /info. */
  readonly version: string
  readonly clock: Clock
  /** Counts what this process does. */
  readonly meter: Meter
  /** How passwords are checked; the slow hashes if left out. */
  readonly passwords?: Passwords
  /** Where lines of the audit log go. */
  readonly audit: AuditPlace
  /** Where log lines go. */
  readonly logStream: { write: (line: string) => void, /** how many were lost */ lost?: () => number }
  readonly limits?: ConnectionLimits
  /** Left out: it speaks plain HTTP. */
  readonly tls?: ListenerTls
  /** Whom certificates of clients stand for now. */
  readonly certificates: LiveCertificates
}

export type App = FastifyInstance

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
}

export const CONNECTION_LIMITS: ConnectionLimits = {
  headers: 15_000,
  request: 300_000,
  silence: 120_000,
  idle: 75_000,
  look: 5_000
}
const LONGEST_HEADERS = 16_384
/** Milliseconds that running requests get after a signal; above the longest pause of an upstream body. */
export const DRAIN_LIMIT = 30_000

/** The public listener's application. */
export async function buildApp (config: Config, deps: AppDependencies): Promise<App> {
  const { keys, upstreams, spool, live, locks, logins, pulse, version, clock, meter } = deps
  const { limits = CONNECTION_LIMITS, peers = NO_PEERS } = deps
  const challenge = { realm: config.publicUrl + '/oauth/token', service: config.tokens.service }
  const source = { issuer: config.tokens.issuer, audience: config.tokens.service, ttl: config.tokens.ttl }
  const attempts = createAttempts(clock.monotonic, logins)
  pulse.watch(attempts.queue)
  const certificates = await certificatesOf(deps)
  const sources = createAccountSources({
    certificates,
    masterKey: config.masterKey,
    accounts: () => live.current.accounts,
    clock,
    attempts,
    ...(deps.passwords === undefined ? {} : { passwords: deps.passwords })
  })
  const knowsSubject = (subject: string): boolean => isSomebody(sources, subject)
  const verifier = createVerifier({ keys: () => keys.current, source, knowsSubject, clock })
  const authenticator = createAuthenticator(verifier, sources, logins)

  const log = pino({ ...LOG_FORM, level: config.log.level, serializers: { err: errorForLog } }, deps.logStream)
  const store = createIndexStore({
    reader: createIndexReader(upstreams, config.charts.index.maxBytes),
    place: { basePath: config.basePath },
    maxAge: config.charts.index.maxAge,
    maxBytes: config.charts.index.maxBytes,
    clock: () => performance.now(),
    holds: peers.holds,
    warn: line => { log.warn(line, 'left out of the index') }
  })
  peers.onChange(store.drop)
  const changed = async (tenant: string): Promise<void> => {
    store.drop(tenant)
    await peers.changed(tenant)
  }

  const serverOptions = serverOptionsOf(limits)
  const app: App = Fastify({
    rewriteUrl: createRewriteUrl({ depth: config.charts.depth, basePath: config.basePath }),
    clientErrorHandler: answerClientError,
    // With a logger of its own Fastify makes a child and two listeners for each request.
    logger: false,
    childLoggerFactory: (_parent, bindings) => new RequestLogger(log, bindings),
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: () => randomUUID(),
    requestIdHeader: false,
    return503OnClosing: false, // request-head.ts does, in our form
    ...serverOptions,
    ...(deps.tls === undefined ? {} : speaking(deps.tls, serverOptions))
  })
  app.log = log
  answerConnect(app)
  await app.register(requestTarget)
  const connections = createConnectionCounts({
    all: shareOf(config.listen.maxConnections, config.workers),
    ofOrigin: shareOf(config.listen.maxConnectionsPerAddress, config.workers)
  })
  const readClient = createClientReader(config)
  await app.register(connectionsPlugin, { counts: connections, read: readClient })
  await app.register(client, { read: readClient })
  const auditing = {
    ...deps.audit,
    reads: config.audit.reads,
    subjectNamed: (name: string) => subjectNamed(live.current.accounts, name)
  }
  await app.register(requestLog, { reads: config.log.reads, auditing })
  await app.register(meterPlugin, { meter, live, tenants: config.metrics.tenants })
  await app.register(errors, { challenge })
  await app.register(running)
  await app.register(drain, { limit: DRAIN_LIMIT / 1000 })
  await app.register(requestHead)
  await app.register(upgrade)
  await app.register(expectContinue)
  await app.register(authenticate, { authenticator, certificates })
  await app.register(authorize, { live })
  const { depth } = config.charts
  await app.register(home, { publicUrl: config.publicUrl, depth: depth === 'dynamic' ? undefined : depth })
  await app.register(health, { version })
  await app.register(jwks, { keys, now: clock.wall })
  await app.register(tokenEndpoint, { authenticator, certificates, live, keys, source, depth, clock })
  await app.register(indexDoor, { store })
  await app.register(fileDoor, { files: createFileReader(upstreams) })
  await app.register(uploadDoor, {
    upstreams,
    locks,
    allowOverwrite: config.charts.allowOverwrite,
    spool,
    changed,
    maxUploadSize: config.charts.maxUploadSize,
    fields: { chart: config.charts.chartPostFormFieldName, prov: config.charts.provPostFormFieldName },
    depth,
    namesProvenanceBy: config.upstream.url === undefined ? 'what it says' : 'its text'
  })
  await app.register(deleteDoor, { upstreams, locks, basePath: config.basePath, changed })
  await app.register(forwardDoor, { upstreams })
  readFront(meter, {
    passwords: attempts.standing,
    clients: connections.standing,
    connections: upstreams.of('').connections,
    breaker: upstreams.of('').breaker.state,
    spool: spool.standing,
    indexMemory: () => ({ used: store.used, max: config.charts.index.maxBytes }),
    running: () => app.running().length
  })
  return app
}

/** Who reads certificates is loaded where clients show some: a quarter of a second. */
async function certificatesOf ({ tls, certificates, clock }: AppDependencies): Promise<CertificateSource | undefined> {
  if (tls?.clients === undefined) return undefined
  const { createCertificateSource } = await import('./identity/sources/certificates.ts')
  return createCertificateSource({ clients: tls.clients, accounts: () => certificates.value, now: clock.wall })
}

export interface AdminOptions {
  /** Left out: it speaks plain HTTP. */
  tls?: ListenerTls | undefined
  /** Left out: nothing has to be sent. */
  token?: string | undefined
}

/** What Fastify gives a server of its own. */
function serverOptionsOf (limits: ConnectionLimits) {
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

type Connections = Omit<ReturnType<typeof serverOptionsOf>, 'http'> & { readonly http: ServerOptions }

/** A server for every address that a name has (localhost), and each is told of new certificates. */
function speaking (
  tls: ListenerTls,
  { http, connectionTimeout, ...timeouts }: Connections
): Pick<FastifyHttpOptions<Server>, 'serverFactory'> {
  return {
    serverFactory: handler => createTlsServer(tls, { ...http, ...timeouts }, handler).setTimeout(connectionTimeout)
  }
}

/**
 * The admin listener's application: probes and metrics, and nothing of the charts; its
 * refusals have the form of the public ones.
 */
export async function buildAdmin (
  { scrape, tls, token, ...options }: ProbesOptions & ScrapeOptions & AdminOptions,
  limits = CONNECTION_LIMITS
): Promise<App> {
  const { http: _of, ...timeouts } = serverOptionsOf(limits)
  const admin: App = Fastify({
    logger: false,
    clientErrorHandler: answerClientError,
    frameworkErrors: refusePlainly,
    ...timeouts, // also of who does not read an answer
    ...(tls === undefined ? {} : speaking(tls, { http: {}, ...timeouts }))
  })
  admin.setErrorHandler(refusePlainly)
  admin.setNotFoundHandler((request, reply) => {
    refusePlainly(new RefusalError({ code: 'no_such_route' }), request, reply)
  })
  if (token !== undefined) await admin.register(adminToken, { token })
  await admin.register(probes, options)
  await admin.register(scrapePlugin, { scrape })
  return admin
}
