// What is the upstream asked for? The path and query of an understood request, built
// from its parts alone; nothing of the received bytes is in them.
import type { ChartRequest } from './chart-request.ts'
import { routeOf } from './routes.ts'
import { encodeSegment } from '../words/segment.ts'

/** A path in the upstream and its query, without `?`; '' is no query. */
export interface UpstreamTarget {
  readonly path: string
  readonly query: string
}

type TargetParts =
  & Pick<ChartRequest, 'route' | 'tenantPath' | 'query'>
  & Partial<Pick<ChartRequest, 'chart' | 'version' | 'file'>>

/**
 * The canonical target of a request.
 * @param contextPath the upstream's own, '' or '/x'
 */
export function upstreamTarget (request: TargetParts, contextPath: string): UpstreamTarget {
  const route = routeOf(request.route)
  let path = contextPath + (route.api ? '/api' : '')
  if (request.tenantPath !== '') path += '/' + request.tenantPath
  for (const part of route.tail) {
    path += '/' + (typeof part === 'string' ? part : encodeSegment(request[part.parameter] as string))
  }
  return { path, query: buildQuery(request.query) }
}

function buildQuery (query: Readonly<Record<string, string>>): string {
  return Object.entries(query)
    .map(([name, value]) => value === '' ? name : `${name}=${encodeURIComponent(value)}`)
    .join('&')
}
