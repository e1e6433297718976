// The architecture, readable: one request passes these registrations in this order. The
// parser stands before the router (rewriteUrl); then who asks, then may they, then one
// door answers.
import Fastify, { type FastifyInstance } from 'fastify'
import pino from 'pino'
import authenticate from '../plugins/authenticate.ts'
import authorize from '../plugins/authorize.ts'
import client from '../plugins/client.ts'
import connectionsPlugin from '../plugins/connections.ts'
import { answerConnect } from '../plugins/client-errors.ts'
import deleteDoor from '../plugins/delete-door.ts'
import drain from '../plugins/drain.ts'
import errors from '../plugins/errors.ts'
import expectContinue from '../plugins/expect-continue.ts'
import fileDoor from '../plugins/file-door.ts'
import forwardDoor from '../plugins/forward-door.ts'
import home from '../plugins/home.ts'
import health from '../plugins/health.ts'
import indexDoor from '../plugins/index-door.ts'
import jwks from '../plugins/jwks.ts'
import ociDoor from '../plugins/oci-door.ts'
import requestHead from '../plugins/request-head.ts'
import requestLog from '../plugins/request-log.ts'
import requestTarget, { createRewriteUrl } from '../plugins/request-target.ts'
import meterPlugin from '../plugins/meter.ts'
import running from '../plugins/running.ts'
import tokenEndpoint from '../plugins/token-endpoint.ts'
import unasked from '../plugins/unasked.ts'
import upgrade from '../plugins/upgrade.ts'
import uploadDoor from '../plugins/upload-door.ts'
import { authzNow, buildAuthz } from './app/authz.ts'
import { CONNECTION_LIMITS, requestOptions, type ConnectionLimits } from './app/options.ts'
import { openRegistry } from './app/registry.ts'
import { NO_PEERS, type Peers } from './upstream/peers.ts'
import type { Answered } from './replicas/answered.ts'
import type { LiveKeys } from './live/live-keys.ts'
import type { LiveFederation } from './live/live-federation.ts'
import type { LiveAuthority } from './live/reload.ts'
import type { LiveCertificates } from './live/live-certificates.ts'
import type { Settings } from './live/settings.ts'
import type { Config } from './config/schema.ts'
import { createLiveClientReader } from './http/client.ts'
import type { AuditPlace } from './observe/audit/auditing.ts'
import { errorForLog } from './observe/log-error.ts'
import { LOG_FORM } from './observe/log-form.ts'
import { subjectNamed } from './identity/accounts.ts'
import { createAuthenticator } from './identity/authenticate.ts'
import { createAccountSources, isSomebody } from './identity/sources.ts'
import { createFederationSource } from './identity/sources/federation.ts'
import type { CertificateSource } from './identity/sources/certificates.ts'
import type { Passwords } from './identity/sources/passwords.ts'
import { createAttempts } from './limits/attempts.ts'
import { boundsOf, createConnectionCounts } from './limits/connections.ts'
import type { LoginLimits } from './limits/logins.ts'
import { readFront } from './metrics/readings.ts'
import type { Meter } from './metrics/meter.ts'
import type { Revocations } from './tokens/revocations.ts'
import type { Spent } from './tokens/spent.ts'
import { createVerifier } from './tokens/verify.ts'
import type { Clock } from './lib/clock.ts'
import type { Locks } from './lib/locks.ts'
import { later } from './lib/timers.ts'
import type { Pulse } from './lib/pulse.ts'
import type { ListenerTls } from './tls/listener.ts'
import type { UpstreamAuth } from './upstream/credential.ts'
import type { Upstreams } from './upstream/upstreams.ts'
import { readElsewhereWhileTold, tellChanges, type TellChange } from './upstream/changes.ts'
import { createFileReader } from './upstream/file-reader.ts'
import { createIndexReader } from './upstream/index-reader.ts'
import { createIndexStore } from './upstream/index-store.ts'
import { createShowing } from './upstream/shown.ts'
import { fieldsOf } from './uploads/multipart.ts'
import type { Spool } from './uploads/spool.ts'
import { createUploader } from './uploads/store.ts'

export interface AppDependencies {
  /** What of the configuration takes effect at once, as it is now. */
  readonly settings: Settings
  /** Keys as they are now. */
  readonly keys: LiveKeys
  readonly upstreams: Upstreams
  readonly spool: Spool
  /** Accounts and rules as they are now. */
  readonly live: LiveAuthority
  /** What counts no more of the tokens that were issued. */
  readonly revocations: Revocations
  /** Who is first at an object of the repository. */
  readonly locks: Locks
  /** What failed too often to be tried again. */
  readonly logins: LoginLimits
  /** Which tokens of jobs were exchanged already. */
  readonly spent: Spent
  /** Where queues of this process say that they move. */
  readonly pulse: Pulse
  /** Others that keep an index in memory too: workers, or replicas. */
  readonly peers?: Peers
  /** What the registries of all replicas have answered with; undefined: there are none. */
  readonly answered?: Answered | undefined
  /** This process looks for what is of versions that were deleted elsewhere: one of those on its `stateDir` does. */
  readonly sweeps: boolean
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
  /** Whose jobs have an identity here now. */
  readonly federation: LiveFederation
}

export type App = FastifyInstance

declare module 'fastify' {
  interface FastifyInstance {
    /** Of the public listener's: that of the listener that proxies ask; undefined: there is none. */
    authz: FastifyInstance | undefined
  }
}

/** Milliseconds that running requests get after a signal; above the longest pause of an upstream body. */
export const DRAIN_LIMIT = 30_000

/** Without a registry. */
const NOTHING_WAITS = { used: 0, files: 0, written: 0 }

/** The public listener's application. */
export async function buildApp (deps: AppDependencies): Promise<App> {
  const { settings, keys, spool, live, revocations, locks, logins, pulse, version, clock, meter } = deps
  const { federation, limits = CONNECTION_LIMITS, peers = NO_PEERS, answered, sweeps } = deps
  const upstreams = readElsewhereWhileTold(deps.upstreams, peers)
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
  const knowsSubject = (subject: string, rule?: string): boolean => {
    return rule === undefined ? isSomebody(sources, subject) : federation.current.rules.has(rule)
  }
  const verifier = createVerifier({ keys: () => keys.current, source, knowsSubject, revocations, clock })
  const jobs = createFederationSource({ federation: () => federation.current, ours: () => keys.current.ours, clock })
  const authenticator = createAuthenticator(verifier, jobs, sources, logins)

  const log = pino({ ...LOG_FORM, level: config.log.level, serializers: { err: errorForLog } }, deps.logStream)
  const index = (): Config['charts']['index'] => settings.current.charts.index
  const store = createIndexStore({
    reader: createIndexReader(upstreams, () => index().maxBytes),
    place: { basePath: config.basePath },
    maxAge: () => index().maxAge,
    maxBytes: () => index().maxBytes,
    clock: () => performance.now(),
    holds: peers.holds,
    warn: line => { log.warn(line, 'left out of the index') }
  })
  const showing = createShowing(upstreams.of, later, () => performance.now())
  const mayBeOld = (): boolean => index().maxAge > 0 || config.upstream.further.length > 0
  const tell = tellChanges({ upstreams, store, peers, showing, mayBeOld })
  const changed: TellChange = async (change, asker, readsNext) => {
    await tell(change, asker, readsNext) // first, so that a disk that fails the registry keeps nobody from it
    await registry?.changed(change)
  }

  const files = createFileReader(upstreams)
  const allowOverwrite = (): boolean => settings.current.charts.allowOverwrite
  const uploader = createUploader({ upstreams, locks, allowOverwrite, later })
  const namesProvenanceBy = config.upstream.url === undefined ? 'what it says' : 'its text'
  const taker = { depth: config.charts.depth, namesProvenanceBy } as const

  const app: App = Fastify({
    rewriteUrl: createRewriteUrl({
      depth: config.charts.depth,
      basePath: config.basePath,
      oci: config.oci.enabled
    }),
    ...requestOptions(log, limits, deps.tls)
  })
  app.log = log
  answerConnect(app)
  await app.register(requestTarget)
  const connections = createConnectionCounts(() => boundsOf(settings.current.listen, config.workers))
  const trusted = { publicUrl: config.publicUrl, proxies: () => settings.current.trustedProxies }
  const readClient = createLiveClientReader(trusted)
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
  await app.register(unasked, { patience: limits.unasked })
  await app.register(requestHead)
  await app.register(upgrade)
  await app.register(expectContinue)
  await app.register(authenticate, { authenticator, certificates })
  await app.register(authorize, { live })
  const { depth } = config.charts
  await app.register(home, { publicUrl: config.publicUrl, depth: depth === 'dynamic' ? undefined : depth })
  await app.register(health, { version })
  await app.register(jwks, { keys, now: clock.wall })
  const { spent } = deps
  await app.register(tokenEndpoint, { authenticator, certificates, spent, live, keys, source, depth, clock })
  await app.register(indexDoor, { store })
  await app.register(fileDoor, { files })
  await app.register(uploadDoor, {
    uploader,
    spool,
    changed,
    maxUploadSize: () => settings.current.charts.maxUploadSize,
    fields: () => fieldsOf(settings.current.charts),
    ...taker
  })
  await app.register(deleteDoor, { upstreams, locks, basePath: config.basePath, changed })
  await app.register(forwardDoor, { upstreams })
  const registry = config.oci.enabled
    ? openRegistry({
      settings, upstreams, files, uploader, locks, spool, taker, live, answered, sweeps, log, changed
    })
    : undefined
  if (registry !== undefined) {
    await app.register(ociDoor, registry.door)
    app.addHook('onClose', async () => { registry.close() })
  }
  const authz = config.authz === undefined
    ? undefined
    : await buildAuthz(config, config.authz, {
      ...told,
      ...metered,
      ...draining,
      patience: limits.unasked,
      counts: connections,
      settings,
      readClient: createLiveClientReader({ ...trusted, besides: () => authzNow(settings).trustedProxies }),
      challenge,
      authenticator,
      log,
      options: requestOptions(log, limits),
      upstreamAuth: deps.handsOut
    })
  app.decorate('authz', authz)
  readFront(meter, {
    passwords: attempts.standing,
    clients: connections.standing,
    connections: upstreams.connections,
    breaker: upstreams.of('').breaker.state,
    followers: upstreams.followers,
    spool: spool.standing,
    waiting: () => registry?.standing() ?? NOTHING_WAITS,
    indexMemory: () => ({ used: store.used, max: index().maxBytes }),
    revocations: () => revocations.texts().length,
    running: () => [app, authz].reduce((all, each) => all + (each?.running().length ?? 0), 0)
  })
  const unfollow = settings.follow(({ log: { level } }) => {
    log.level = level
    store.shrink()
  })
  app.addHook('onClose', async () => { unfollow() })
  return app
}

/** Who reads certificates is loaded where clients show some: a quarter of a second. */
async function certificatesOf ({ tls, certificates, clock }: AppDependencies): Promise<CertificateSource | undefined> {
  if (tls?.clients === undefined) return undefined
  const { createCertificateSource } = await import('./identity/sources/certificates.ts')
  return createCertificateSource({ clients: tls.clients, accounts: () => certificates.current, now: clock.wall })
}
