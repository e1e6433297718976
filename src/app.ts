// The architecture, readable: one request passes these registrations in this order.
// The parser stands before the router (rewriteUrl); then who asks, then may they, then
// one door answers. Asked by server.ts and by tests; it listens nowhere.
import { randomUUID } from 'node:crypto'
import Fastify, { LogController, type FastifyInstance } from 'fastify'
import authenticate from '../plugins/authenticate.ts'
import authorize from '../plugins/authorize.ts'
import drain from '../plugins/drain.ts'
import errors, { answerClientError, refusePlainly } from '../plugins/errors.ts'
import expectContinue from '../plugins/expect-continue.ts'
import forwardDoor from '../plugins/forward-door.ts'
import health, { probes } from '../plugins/health.ts'
import indexDoor from '../plugins/index-door.ts'
import jwks from '../plugins/jwks.ts'
import requestLog from '../plugins/request-log.ts'
import requestTarget, { createRewriteUrl } from '../plugins/request-target.ts'
import tokenEndpoint from '../plugins/token-endpoint.ts'
import uploadDoor from '../plugins/upload-door.ts'
import type { LiveKeys } from './config/live-keys.ts'
import type { LiveAuthority } from './config/reload.ts'
import type { Config } from './config/schema.ts'
import { isActive, type Accounts } from './identity/accounts.ts'
import { RefusalError } from './http/errors.ts'
import { createAuthenticator } from './identity/authenticate.ts'
import { EVERYONE, MASTER } from './identity/principal.ts'
import { createVerifier } from './tokens/verify.ts'
import type { Upstream } from './upstream/client.ts'
import { DRAIN_LIMIT } from './until-signal.ts'
import { createIndexReader } from './upstream/index-reader.ts'
import type { Spool } from './upstream/spool.ts'

export interface AppDependencies {
  /** Keys as they are now. */
  readonly keys: LiveKeys
  readonly upstream: Upstream
  readonly spool: Spool
  /** Accounts and rules as they are now. */
  readonly live: LiveAuthority
  /** chartgate's own version, for /info. */
  readonly version: string
  /** Seconds since the epoch. */
  readonly now: () => number
  /** Where log lines go; standard output if left out. */
  readonly logStream?: { write: (line: string) => void }
}

const LIMITS = {
  // A client has this long to send its headers, and this long for the whole request:
  // 20 MiB over a slow line.
  headersTimeout: 15_000,
  requestTimeout: 300_000,
  // above the 60 s that load balancers keep idle connections for
  keepAliveTimeout: 75_000,
  headerBytes: 16_384
}

/** The public listener's application. */
export async function buildApp (config: Config, deps: AppDependencies): Promise<FastifyInstance> {
  const { keys, upstream, spool, live, version, now } = deps
  const challenge = { realm: config.publicUrl + '/oauth/token', service: config.tokens.service }
  const source = { issuer: config.tokens.issuer, audience: config.tokens.service, ttl: config.tokens.ttl }
  const accounts = (): Accounts => live.current.accounts
  const knowsSubject = (subject: string): boolean => subject === EVERYONE || (subject === MASTER.subject && config.masterKey !== '') || isActive(accounts(), subject)
  const verifier = createVerifier({ keys: () => keys.current, source, knowsSubject, now })
  const authenticator = createAuthenticator({ masterKey: config.masterKey, verifier, accounts, now })

  const app = Fastify({
    rewriteUrl: createRewriteUrl({ depth: config.charts.depth, basePath: config.basePath }),
    clientErrorHandler: answerClientError,
    logger: { level: config.log.level, ...(deps.logStream === undefined ? {} : { stream: deps.logStream }) },
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: () => randomUUID(),
    requestIdHeader: false,
    trustProxy: config.trustedProxies.length > 0 ? config.trustedProxies : false,
    requestTimeout: LIMITS.requestTimeout,
    keepAliveTimeout: LIMITS.keepAliveTimeout,
    http: { headersTimeout: LIMITS.headersTimeout, maxHeaderSize: LIMITS.headerBytes }
  })
  await app.register(requestTarget)
  await app.register(errors, { challenge })
  await app.register(requestLog, { reads: config.log.reads })
  await app.register(drain, { limit: DRAIN_LIMIT / 1000 })
  await app.register(expectContinue)
  await app.register(authenticate, { authenticator })
  await app.register(authorize, { live })
  await app.register(health, { version })
  await app.register(jwks, { keys, now })
  await app.register(tokenEndpoint, { authenticator, live, keys, source, depth: config.charts.depth, now })
  await app.register(indexDoor, { reader: createIndexReader(upstream, config.charts.index.maxBytes) })
  await app.register(uploadDoor, { upstream, spool, maxUploadSize: config.charts.maxUploadSize })
  await app.register(forwardDoor, { upstream })
  return app
}

/** The admin listener's application: probes, and nothing of the charts; its refusals have the form of the public ones. */
export async function buildAdmin (upstream: Upstream, closing: () => boolean): Promise<FastifyInstance> {
  const admin = Fastify({ logger: false, clientErrorHandler: answerClientError, frameworkErrors: refusePlainly })
  admin.setErrorHandler(refusePlainly)
  admin.setNotFoundHandler((request, reply) => { refusePlainly(new RefusalError({ code: 'no_such_route' }), request, reply) })
  await admin.register(probes, { upstream, closing })
  return admin
}
