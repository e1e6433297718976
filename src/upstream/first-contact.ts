// Would the chart repository answer us? Asked once by server.ts after the start, so that
// a wrong address or key is seen before the first client sees it; nothing depends on it.
import { ROOT_TENANT, type Depth } from '../charts/tenant.ts'
import { alone, gatewayItself } from './asker.ts'
import type { Upstream } from './client.ts'

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
    const answer = await upstream.ask({ method: 'GET', target: request, company: alone(gatewayItself(request.tenant)), named: false, most: 0, longer: 'left', patience: PATIENCE })
    if (answer.status === 404) return undefined
    if (answer.status === 401 || answer.status === 403) return `the chart repository does not accept the gateway (${answer.status}): is upstream.auth right, and for bearer, does it run with the key of \`keys export\`?`
    return `the chart repository gives an odd answer (${answer.status}): is there a ChartMuseum at upstream.url?`
  } catch (error) {
    const cause = (error as Error).cause ?? error
    return `the chart repository cannot be reached (${(cause as NodeJS.ErrnoException).code ?? (cause as Error).message}): is upstream.url right, and does it run? Clients are answered 502 until it does`
  }
}
