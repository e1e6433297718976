// With which credential is the upstream asked? The gateway's own: a client's never gets here.
import type { ChartRequest } from '../chartmuseum/chart-request.ts'
import { routeOf } from '../chartmuseum/routes.ts'
import type { Access } from '../words/access.ts'

/** How the upstream wants to be asked. */
export type UpstreamAuth =
  | { readonly kind: 'none' }
  | { readonly kind: 'basic', /** as they are now */ readonly account: () => UpstreamAccount }
  | { readonly kind: 'bearer', /** mints a token for one right */ readonly mint: (access: Access) => Promise<string> }

export interface UpstreamAccount { readonly username: string, readonly password: string }

/** The Authorization header for what ChartMuseum demands on a route; undefined sends none. */
export function authorizer (
  auth: UpstreamAuth
): (request: Pick<ChartRequest, 'route' | 'tenant'>) => Promise<string | undefined> {
  switch (auth.kind) {
    case 'none': return async () => undefined
    case 'basic': return async () => {
      const { username, password } = auth.account()
      return 'Basic ' + Buffer.from(`${username}:${password}`).toString('base64')
    }
    case 'bearer': return async ({ route, tenant }) => {
      const action = routeOf(route).upstreamAction
      return `Bearer ${await auth.mint({ type: 'artifact-repository', name: tenant, action })}`
    }
  }
}
