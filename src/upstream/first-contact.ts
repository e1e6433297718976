// Would the chart repository answer us? Asked once by server.ts after the start, so that
// a wrong address or key is seen before the first client sees it; nothing depends on it.
import { UPSTREAM_SKEW } from '../chartmuseum/skew.ts'
import { ROOT_TENANT, type Depth } from '../words/tenant.ts'
import { alone, gatewayItself } from './asker.ts'
import type { Upstream } from './client.ts'

/** Milliseconds. */
const CONTACT_PATIENCE = 2_000
/** Seconds that the clocks of two machines may differ without a word: an answer takes some of them. */
const NOT_WORTH_A_WORD = 5

/**
 * Asks for a chart that nobody has: a read of one file, which ChartMuseum authorises and
 * then does not find (pkg/chartmuseum/server/multitenant/handlers.go, v0.16.5).
 * @param now seconds since the epoch
 * @returns what is wrong, and what to look at; undefined when nothing is
 */
export async function firstContact (upstream: Upstream, depth: Depth, now: () => number): Promise<string | undefined> {
  const tenantPath = Array<string>(depth === 'dynamic' ? 1 : depth).fill('nobody').join('/')
  const tenant = tenantPath === '' ? ROOT_TENANT : tenantPath
  const request = { route: 'chart-file', tenant, tenantPath, file: 'nothing-0.0.0.tgz', query: {} } as const
  try {
    const answer = await upstream.ask({
      method: 'GET',
      target: request,
      company: alone(gatewayItself(request.tenant)),
      named: false,
      most: 0,
      longer: 'left',
      patience: CONTACT_PATIENCE
    })
    if (answer.status === 404) return undefined
    if (answer.status === 401 || answer.status === 403) {
      const date = upstream.datesTokens ? answer.headers['date'] : undefined
      return `the chart repository does not accept the gateway (${answer.status}): ` +
        clockHint(String(date), now()) +
        'is upstream.auth right, and for bearer, does it run with the key of `keys export`?'
    }
    return `the chart repository gives an odd answer (${answer.status}): is there a ChartMuseum at upstream.url?`
  } catch (error) {
    const cause = (error as Error).cause ?? error
    const reason = (cause as NodeJS.ErrnoException).code ?? (cause as Error).message
    return `the chart repository cannot be reached (${reason}): ` +
      'is upstream.url right, and does it run? Clients are answered 502 until it does'
  }
}

/** What its clock has to do with it; empty when it is ours. @param date its Date header (RFC 9110 section 6.6.1) */
function clockHint (date: string, now: number): string {
  const ahead = Math.round(Date.parse(date) / 1000) - now
  if (!(Math.abs(ahead) > NOT_WORTH_A_WORD)) return '' // nor when it says no time
  return `its clock is ${Math.abs(ahead)} s ${ahead > 0 ? 'ahead of' : 'behind'} ours, ` +
    `and a token counts with up to ${UPSTREAM_SKEW} s: set both clocks right (NTP); if they are, `
}
