// What does the chart repository tell anybody, without a credential? Its version, and, where
// it is left open, what it holds: then whoever reaches it goes around the gateway.
import { upstreamTarget } from '../chartmuseum/upstream-target.ts'
import type { Depth } from '../words/tenant.ts'
import type { Upstream } from './client.ts'

/** What is said of an address that asks nobody for a credential. */
export const OPEN_DOOR = "gives a tenant's index to whoever asks, without a credential: run ChartMuseum with " +
  '--bearer-auth or --basic-auth-user, without --auth-anonymous-get, or see that nobody but chartgate can reach it'

const VERSION = /^[\w.+-]{1,64}$/

/**
 * Its version as it says it; undefined when it does not: ChartMuseum of dynamic depth has no
 * page for it, and that of depth 1 only below a tenant (router/match.go, v0.16.5).
 * @throws what `look` does
 */
export async function versionOf (upstream: Upstream, depth: Depth): Promise<string | undefined> {
  for (const page of ['/info', `/${tenantOf(depth)}/info`]) {
    const { status, text } = await upstream.look(upstream.contextPath + page)
    const version = status === 200 ? versionIn(text) : undefined
    if (version !== undefined) return version
  }
  return undefined
}

/** True when it gives a tenant's index to whoever asks. @throws what `look` does */
export async function isOpen (upstream: Upstream, depth: Depth): Promise<boolean> {
  const target = { route: 'index', tenantPath: tenantOf(depth), query: {} } as const
  const { status, text } = await upstream.look(upstreamTarget(target, upstream.contextPath).path)
  return status === 200 && /^(?:\{")?apiVersion\b/.test(text)
}

/** The path of a tenant that nobody has. */
function tenantOf (depth: Depth): string {
  return Array<string>(depth === 'dynamic' ? 1 : depth).fill('nobody').join('/')
}

function versionIn (text: string): string | undefined {
  try {
    const { version } = JSON.parse(text) as { version?: unknown }
    return typeof version === 'string' && VERSION.test(version) ? version : undefined
  } catch {
    return undefined
  }
}
