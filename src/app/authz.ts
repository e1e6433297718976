// The listener that proxies ask (`authz.listen`), readable: who is no trusted proxy is
// refused before anything is read; then one question passes the same hooks as a client's
// request, in the same order and with the same judge, and the one door that is here says yes.
// There is no way from it to the upstream.
import type { IncomingMessage } from 'node:http'
import Fastify, { type FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import authenticate, { type AuthenticateOptions } from '../../plugins/authenticate.ts'
import authorize, { type AuthorizeOptions } from '../../plugins/authorize.ts'
import authzDoor from '../../plugins/authz-door.ts'
import { answerConnect } from '../../plugins/client-errors.ts'
import client from '../../plugins/client.ts'
import connectionsPlugin, { type ConnectionsOptions } from '../../plugins/connections.ts'
import drain, { type DrainOptions } from '../../plugins/drain.ts'
import errors, { type ErrorsOptions } from '../../plugins/errors.ts'
import meterPlugin, { type MeterOptions } from '../../plugins/meter.ts'
import requestHead from '../../plugins/request-head.ts'
import requestLog, { type RequestLogOptions } from '../../plugins/request-log.ts'
import requestTarget, { rewriteBy } from '../../plugins/request-target.ts'
import running from '../../plugins/running.ts'
import unasked, { type UnaskedOptions } from '../../plugins/unasked.ts'
import upgrade from '../../plugins/upgrade.ts'
import type { AuthzConfig, Config } from '../config/schema.ts'
import { statusIn } from '../doors/authz/authz-answer.ts'
import { createAuthzReader } from '../doors/authz/authz-target.ts'
import type { ParsedTarget } from '../doors/request-target.ts'
import { createLiveClientReader, type ReadClient } from '../http/client.ts'
import type { Settings } from '../live/settings.ts'
import { authorizer, type UpstreamAuth } from '../upstream/credential.ts'
import type { requestOptions } from './options.ts'

/** What it has in common with the public listener. */
export interface AuthzShared
  extends Required<Pick<ConnectionsOptions, 'counts' | 'settings'>>, RequestLogOptions, MeterOptions, DrainOptions,
  UnaskedOptions,
  Pick<ErrorsOptions, 'challenge'>, Pick<AuthenticateOptions, 'authenticator'>, AuthorizeOptions {
  readonly log: Logger
  /** Who is at the other end of the connection to the proxy that asks. */
  readonly readClient: ReadClient
  readonly options: ReturnType<typeof requestOptions>
  /** What may be handed out for the upstream. */
  readonly upstreamAuth: UpstreamAuth
}

/** Milliseconds that who may not ask may be silent: none of its connections keeps a proxy's out for long. */
const STRANGERS_SILENCE = 1_000
const NOT_ASKED: ParsedTarget = { kind: 'refused', refusal: { code: 'authz_peer' } }

/** What is in force of it: whether there is such a listener a restart alone changes. */
export function authzNow ({ current }: Pick<Settings, 'current'>): AuthzConfig {
  return current.authz as AuthzConfig
}

/** @param authz which proxies ask, and how */
export async function buildAuthz (config: Config, authz: AuthzConfig, shared: AuthzShared): Promise<FastifyInstance> {
  const { publicUrl, basePath, charts: { depth }, oci: { enabled: oci } } = config
  const { log, counts, settings, readClient, meter, live, auditing } = shared
  // Those in front of the proxy that asks are no more than passed over in what it says of its client.
  const readPeer = createLiveClientReader({ publicUrl, proxies: () => authzNow(settings).trustedProxies })
  const { dialect } = authz
  const layout = { depth, basePath, oci }
  const readTarget = createAuthzReader({ layout, dialect, push: () => authzNow(settings).push })
  const read = ({ method, url, rawHeaders, socket }: IncomingMessage): ParsedTarget =>
    readPeer(socket.remoteAddress, {}).isProxy
      ? readTarget({ method: method as string, url: url as string, rawHeaders })
      : NOT_ASKED

  const app: FastifyInstance = Fastify({
    rewriteUrl: rewriteBy(read),
    ...shared.options
  })
  app.log = log
  answerConnect(app)
  app.server.on('connection', socket => {
    if (!readPeer(socket.remoteAddress, {}).isProxy) socket.setTimeout(STRANGERS_SILENCE)
  })
  await app.register(requestTarget)
  await app.register(connectionsPlugin, { counts, settings, read: readPeer })
  await app.register(client, { read: readClient })
  await app.register(requestLog, { reads: shared.reads, auditing: { ...auditing, door: 'authz' } })
  await app.register(meterPlugin, { meter, live, tenants: shared.tenants })
  await app.register(errors, { challenge: shared.challenge, status: statusIn(authz.dialect) })
  await app.register(running)
  await app.register(drain, { limit: shared.limit })
  await app.register(unasked, { patience: shared.patience })
  await app.register(requestHead)
  await app.register(upgrade)
  // A certificate that is shown here is the proxy's.
  await app.register(authenticate, { authenticator: shared.authenticator, certificates: undefined })
  await app.register(authorize, { live })
  await app.register(authzDoor, { authorization: authorizer(shared.upstreamAuth) })
  return app
}
