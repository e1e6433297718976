// What does a proxy's question need? The same as the request that it asks about, read by the
// same parser. Only what the chart repository answers is said yes to: what the gateway answers
// itself belongs to the gateway, and changes, into which nobody looks on this way, have to be
// allowed by `authz.push`.
import type { ChartRequest } from '../../chartmuseum/chart-request.ts'
import { routeOf } from '../../chartmuseum/routes.ts'
import type { Refusal } from '../../http/errors.ts'
import type { DialectName } from '../../words/dialects.ts'
import { rememberTargets, type Layout, type ParsedTarget } from '../request-target.ts'
import { DIALECT_OF } from './dialects.ts'
import { readSubRequest, type SubRequest } from './sub-request.ts'

export interface AuthzOptions {
  readonly layout: Layout
  readonly dialect: DialectName
  /** Whether uploads and deletes may pass now. */
  readonly push: () => boolean
}

const OURS: Refusal = {
  code: 'no_such_route',
  detail: 'the gateway answers this path itself: let the proxy send it to the gateway'
}

/** Reads the requests of proxies. */
export function createAuthzReader ({ layout, dialect, push }: AuthzOptions): (request: SubRequest) => ParsedTarget {
  const parse = rememberTargets(layout)
  return request => {
    const asked = readSubRequest(request, DIALECT_OF[dialect])
    if ('code' in asked) return { kind: 'refused', refusal: asked }
    const received = parse(asked.method, asked.target)
    if (received.kind === 'refused') return { ...received, asked }
    if (received.kind !== 'chart') return { kind: 'refused', refusal: OURS, asked } // also what another door answers
    return push() || !isChange(received.request)
      ? { kind: 'authz', request: received.request }
      : { kind: 'refused', refusal: { code: 'authz_no_changes' }, asked }
  }
}

/** What ChartMuseum calls a push: uploads, overwriting and deletes. */
export function isChange ({ route }: ChartRequest): boolean {
  return routeOf(route).upstreamAction === 'push'
}
