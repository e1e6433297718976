// Who answers? The one way to the chart repository: a pool of connections, and the
// credential that each request is sent with. A client's own credential never gets here.
import { Pool, type Dispatcher } from 'undici'
import type { ChartRequest } from '../charts/request-target.ts'
import { routeOf } from '../charts/routes.ts'
import type { Access } from '../policy/access.ts'

/** How the upstream wants to be asked. */
export type UpstreamAuth =
  | { readonly kind: 'none' }
  | { readonly kind: 'basic', readonly username: string, readonly password: string }
  | { readonly kind: 'bearer', /** mints a token for one right */ readonly mint: (access: Access) => Promise<string> }

export interface UpstreamOptions {
  /** Origin of the repository, for example http://chartmuseum:8080. */
  readonly origin: string
  /** Its Unix socket instead of a TCP connection. */
  readonly socketPath?: string
  readonly contextPath: string
  readonly auth: UpstreamAuth
}

export interface Upstream {
  readonly origin: string
  readonly contextPath: string
  readonly dispatcher: Dispatcher
  /** The Authorization header for what ChartMuseum demands on the request's route; undefined sends none. */
  authorization (request: Pick<ChartRequest, 'route' | 'tenant'>): Promise<string | undefined>
  /** True when the repository says that it is healthy. */
  healthy (): Promise<boolean>
  close (): Promise<void>
}

const TIMEOUTS = {
  connect: 5_000,
  headers: 30_000,
  // between two chunks
  body: 60_000,
  // below the 30 s after which ChartMuseum closes an idle connection (pkg/config/vars.go, http timeouts)
  keepAlive: 20_000,
  health: 2_000
}
const MOST_CONNECTIONS = 128

/** Opens the pool; no connection is made before the first request. */
export function createUpstream (options: UpstreamOptions): Upstream {
  const { origin, contextPath, auth, socketPath } = options
  const pool = new Pool(origin, {
    connections: MOST_CONNECTIONS,
    headersTimeout: TIMEOUTS.headers,
    bodyTimeout: TIMEOUTS.body,
    keepAliveTimeout: TIMEOUTS.keepAlive,
    keepAliveMaxTimeout: TIMEOUTS.keepAlive,
    connect: socketPath === undefined ? { timeout: TIMEOUTS.connect } : { timeout: TIMEOUTS.connect, socketPath }
  })
  const basic = auth.kind === 'basic' ? 'Basic ' + Buffer.from(`${auth.username}:${auth.password}`).toString('base64') : undefined

  return {
    origin,
    contextPath,
    dispatcher: pool,
    async authorization ({ route, tenant }) {
      if (auth.kind !== 'bearer') return basic
      const token = await auth.mint({ type: 'artifact-repository', name: tenant, action: routeOf(route).upstreamAction })
      return `Bearer ${token}`
    },
    async healthy () {
      try {
        const answer = await pool.request({ method: 'GET', path: `${contextPath}/health`, headersTimeout: TIMEOUTS.health, bodyTimeout: TIMEOUTS.health })
        await answer.body.dump()
        return answer.statusCode === 200
      } catch {
        return false
      }
    },
    async close () { await pool.destroy() }
  }
}
