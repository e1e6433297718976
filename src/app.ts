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
import { buildAuthz } from './app/authz.ts'
import type { Peers } from './upstream/peers.ts'
import type { LiveKeys } from './live/live-keys.ts'
import type { LiveAuthority } from './live/reload.ts'
import type { LiveCertificates } from './live/live-certificates.ts'
import type { Settings } from './live/settings.ts'
import type { Config } from './config/schema.ts'
import { createClientReader, type ReadClient } from './http/client.ts'
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
import { ADMIN_BOUNDS, createConnectionCounts, shareOf, type ConnectionBounds } from './limits/connections.ts'
import type { LoginLimits } from './limits/logins.ts'
import { readFront } from './metrics/readings.ts'
import type { Meter } from './metrics/meter.ts'
import { createVerifier } from './tokens/verify.ts'
import type { Clock } from './lib/clock.ts'
import type { Locks } from './lib/locks.ts'
import type { Pulse } from './lib/pulse.ts'
import { createTlsServer, type ListenerTls } from './tls/listener.ts'
import type { UpstreamAuth } from './upstream/credential.ts'
import type { Upstreams } from './upstream/upstreams.ts'
import { createFileReader } from './upstream/file-reader.ts'
import { createIndexReader } from './upstream/index-reader.ts'
import { createIndexStore } from './upstream/index-store.ts'
import type { FormFields } from './uploads/multipart.ts'
import type { Spool } from './uploads/spool.ts'

export interface AppDependencies {
  /** What of the configuration takes effect at once, as it is now. */
  readonly settings: Settings
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
  /** Other workers that keep an index in memory too. */
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
  /** What proxies that ask may be handed out for the upstream (`authz`). */
  readonly handsOut: UpstreamAuth
  /** Whom certificates of clients stand for now. */
  readonly certificates: LiveCertificates
}

export type App = FastifyInstance

declare module 'fastify' {
  interface FastifyInstance {
    /** Of the public listener's: that of the listener that proxies ask; undefined: there is none. */
    authz: FastifyInstance | undefined
  }
}

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
export async function buildApp (deps: AppDependencies): Promise<App> {
  const { settings, keys, upstreams, spool, live, locks, logins, pulse, peers, version, clock, meter } = deps
  const { limits = CONNECTION_LIMITS } = deps
  const config = settings.current // what a restart alone changes; of all else it is what it is now
  const challenge = { realm: config.publicUrl + '/oauth/token', service: config.tokens.service }
  const source = { issuer: config.tokens.issuer, audience: config.tokens.service, ttl: config.tokens.ttl }
  const attempts = createAttempts(clock.monotonic, logins)
  pulse.watch(attempts.queue)
  const certificates = await certificatesOf(deps)
  const sources = createAccountSources({
    certificates,
    masterKey: () => settings.current.masterKey,
    accounts: () => live.current.accounts,
    clock,
    attempts,
    ...(deps.passwords === undefined ? {} : { passwords: deps.passwords })
  })
  const knowsSubject = (subject: string): boolean => isSomebody(sources, subject)
  const verifier = createVerifier({ keys: () => keys.current, source, knowsSubject, clock })
  const authenticator = createAuthenticator(verifier, sources, logins)

  const log = pino({ ...LOG_FORM, level: config.log.level, serializers: { err: errorForLog } }, deps.logStream)
  const index = (): Config['charts']['index'] => settings.current.charts.index
  const store = createIndexStore({
    reader: createIndexReader(upstreams, () => index().maxBytes),
    place: { basePath: config.basePath },
    maxAge: () => index().maxAge,
    maxBytes: () => index().maxBytes,
    clock: () => performance.now(),
    warn: line => { log.warn(line, 'left out of the index') }
  })
  peers?.onChange(store.drop)
  const changed = async (tenant: string): Promise<void> => {
    store.drop(tenant)
    await peers?.changed(tenant)
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
  const connections = createConnectionCounts(() => boundsOf(settings.current))
  const readClient = clientReaderOf(settings)
  await app.register(connectionsPlugin, { counts: connections, settings, read: readClient })
  await app.register(client, { read: readClient })
  const auditing = {
    ...deps.audit,
    reads: () => settings.current.audit.reads,
    subjectNamed: (name: string) => subjectNamed(live.current.accounts, name)
  }
  const told = { reads: () => settings.current.log.reads, auditing }
  const metered = { meter, live, tenants: () => settings.current.metrics.tenants }
  await app.register(requestLog, told)
  await app.register(meterPlugin, metered)
  await app.register(errors, { challenge })
  await app.register(running)
  const draining = { limit: DRAIN_LIMIT / 1000 }
  await app.register(drain, draining)
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
    spool,
    changed,
    maxUploadSize: () => settings.current.charts.maxUploadSize,
    fields: () => fieldsOf(settings.current.charts),
    depth,
    namesProvenanceBy: config.upstream.url === undefined ? 'what it says' : 'its text'
  })
  await app.register(deleteDoor, { upstreams, locks, basePath: config.basePath, changed })
  await app.register(forwardDoor, { upstreams })
  const authz = config.authz === undefined
    ? undefined
    : await buildAuthz(config, config.authz, {
      ...told,
      ...metered,
      ...draining,
      counts: connections,
      settings,
      readClient: clientReaderOf(settings, config.authz.trustedProxies),
      challenge,
      authenticator,
      log,
      server: serverOptions,
      upstreamAuth: deps.handsOut
    })
  app.decorate('authz', authz)
  readFront(meter, {
    passwords: attempts.standing,
    clients: connections.standing,
    connections: upstreams.of('').connections,
    breaker: upstreams.of('').breaker.state,
    spool: spool.standing,
    indexMemory: () => ({ used: store.used, max: index().maxBytes }),
    running: () => [app, authz].reduce((all, each) => all + (each?.running().length ?? 0), 0)
  })
  const unfollow = settings.follow(({ log: { level } }) => {
    log.level = level
    store.shrink()
  })
  app.addHook('onClose', async () => { unfollow() })
  return app
}

/** The share of one process. */
function boundsOf ({ listen, workers }: Pick<Config, 'listen' | 'workers'>): ConnectionBounds {
  return { all: shareOf(listen.maxConnections, workers), ofOrigin: shareOf(listen.maxConnectionsPerAddress, workers) }
}

function fieldsOf ({ chartPostFormFieldName: chart, provPostFormFieldName: prov }: Config['charts']): FormFields {
  return { chart, prov }
}

/** Made anew when other proxies are trusted. @param besides proxies that are trusted besides them */
function clientReaderOf (settings: Settings, besides: readonly string[] = []): ReadClient {
  const make = ({ trustedProxies, publicUrl }: Config): ReadClient =>
    createClientReader({ trustedProxies: [...besides, ...trustedProxies], publicUrl })
  let known = settings.current.trustedProxies
  let read = make(settings.current)
  return (peer, headers) => {
    const { current } = settings
    if (current.trustedProxies !== known) [known, read] = [current.trustedProxies, make(current)]
    return read(peer, headers)
  }
}

/** Who reads certificates is loaded where clients show some: a quarter of a second. */
async function certificatesOf ({ tls, certificates, clock }: AppDependencies): Promise<CertificateSource | undefined> {
  if (tls?.clients === undefined) return undefined
  const { createCertificateSource } = await import('./identity/sources/certificates.ts')
  return createCertificateSource({ clients: tls.clients, accounts: () => certificates.current, now: clock.wall })
}

export interface AdminOptions {
  /** Left out: it speaks plain HTTP. */
  tls?: ListenerTls | undefined
  /** As it is now; undefined, or left out: nothing has to be sent. */
  token?: () => string | undefined
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

/** What Fastify has for a server that speaks TLS, which is told of new certificates. */
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
  { scrape, tls, token = () => undefined, ...options }: ProbesOptions & ScrapeOptions & AdminOptions,
  limits = CONNECTION_LIMITS
): Promise<App> {
  const { http: { maxHeaderSize: _size, requireHostHeader: _host, ...heads }, ...timeouts } = serverOptionsOf(limits)
  const admin: App = Fastify({
    logger: false,
    clientErrorHandler: answerClientError,
    frameworkErrors: refusePlainly,
    http: heads,
    ...timeouts, // also of who does not read an answer
    ...(tls === undefined ? {} : speaking(tls, { http: heads, ...timeouts }))
  })
  const read = createClientReader({ trustedProxies: [], publicUrl: 'http://localhost' })
  await admin.register(connectionsPlugin, { counts: createConnectionCounts(() => ADMIN_BOUNDS), read })
  admin.setErrorHandler(refusePlainly)
  admin.setNotFoundHandler((request, reply) => {
    refusePlainly(new RefusalError({ code: 'no_such_route' }), request, reply)
  })
  await admin.register(adminToken, { token })
  await admin.register(probes, options)
  await admin.register(scrapePlugin, { scrape })
  return admin
}
