// Would the chart repository answer us? Asked once by server.ts after the start, so that
// a wrong address or key is seen before the first client sees it; nothing depends on it.
import { ROOT_TENANT, type Depth } from '../charts/tenant.ts'
import { requestHeaders } from '../http/headers.ts'
import type { Upstream } from './client.ts'
import { upstreamTarget } from './target.ts'

/** Milliseconds. */
const PATIENCE = 2_000

/**
 * Asks for a chart that nobody has: a read of one file, which ChartMuseum authorises and
 * then does not find (pkg/chartmuseum/server/multitenant/handlers.go, v0.16.5).
 * @returns what is wrong, and what to look at; undefined when nothing is
 */
export async function firstContact (upstream: Upstream, depth: Depth): Promise<string | undefined> {
  const tenantPath = Array<string>(depth === 'dynamic' ? 1 : depth).fill('nobody').join('/')
  const request = { route: 'chart-file', tenant: tenantPath === '' ? ROOT_TENANT : tenantPath, tenantPath, file: 'nothing-0.0.0.tgz', query: {} } as const
  try {
    const authorization = await upstream.authorization(request)
    const answer = await upstream.dispatcher.request({
      origin: upstream.origin,
      method: 'GET',
      path: upstreamTarget(request, upstream.contextPath).path,
      headers: requestHeaders(undefined, authorization),
      headersTimeout: PATIENCE,
      bodyTimeout: PATIENCE
    })
    await answer.body.dump()
    if (answer.statusCode === 404) return undefined
    if (answer.statusCode === 401 || answer.statusCode === 403) return `the chart repository does not accept the gateway (${answer.statusCode}): is upstream.auth right, and for bearer, does it run with the key of \`keys export\`?`
    return `the chart repository gives an odd answer (${answer.statusCode}): is there a ChartMuseum at upstream.url?`
  } catch (error) {
    return `the chart repository cannot be reached (${(error as NodeJS.ErrnoException).code ?? (error as Error).message}): is upstream.url right, and does it run? Clients are answered 502 until it does`
  }
}
