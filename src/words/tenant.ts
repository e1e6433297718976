// What is a tenant, as the path and as a scope write it? One grammar, so that no two of
// them can disagree about a name.
import { isTenantSegment } from '../lib/tenant-segment.ts'

export { isTenantSegment } from '../lib/tenant-segment.ts'

/** How many path segments name a tenant: a number, or as many as there are. */
export type Depth = number | 'dynamic'

/**
 * The name of the tenant of a repository without tenants, as ChartMuseum's authoriser
 * has it (pkg/chartmuseum/router/router.go).
 */
export const ROOT_TENANT = 'repo'

const RESERVED = new Set(['api', 'oauth', 'v2', 'authz', 'health', 'info', 'metrics'])

/** True for a first segment that belongs to endpoints, now or later, and so to no tenant. */
export function isReservedFirstSegment (segment: string, depth: Depth): boolean {
  return RESERVED.has(segment) || segment.startsWith('static') ||
    ((depth === 0 || depth === 'dynamic') && segment === 'charts')
}

/** True when `name` can be the name of a tenant at this depth. */
export function isTenantName (name: string, depth: Depth): boolean {
  if (name === ROOT_TENANT && (depth === 0 || depth === 'dynamic')) return true
  const segments = name.split('/')
  return (depth === 'dynamic' || segments.length === depth) &&
    segments.every(isTenantSegment) &&
    !isReservedFirstSegment(segments[0] as string, depth)
}
