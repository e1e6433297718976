// What is the upstream asked for? The path and query of an understood request, built
// from its parts alone; nothing of the received bytes is in them.
import type { ChartRequest } from '../charts/request-target.ts'
import { routeOf } from '../charts/routes.ts'

/** A path in the upstream and its query, without `?`; '' is no query. */
export interface UpstreamTarget {
  readonly path: string
  readonly query: string
}

type Parts = Pick<ChartRequest, 'route' | 'tenantPath' | 'query'> & Partial<Pick<ChartRequest, 'chart' | 'version' | 'file'>>

/**
 * The canonical target of a request.
 * @param contextPath the upstream's own, '' or '/x'
 */
export function upstreamTarget (request: Parts, contextPath: string): UpstreamTarget {
  const route = routeOf(request.route)
  let path = contextPath + (route.api ? '/api' : '')
  if (request.tenantPath !== '') path += '/' + request.tenantPath
  for (const part of route.tail) {
    // `^` is the one accepted character that a path may not have as it is (RFC 3986 section 3.3).
    path += '/' + (typeof part === 'string' ? part : (request[part.parameter] as string).replace('^', '%5E'))
  }
  return { path, query: buildQuery(request.query) }
}

function buildQuery (query: Readonly<Record<string, string>>): string {
  return Object.entries(query)
    .map(([name, value]) => value === '' ? name : `${name}=${encodeURIComponent(value)}`)
    .join('&')
}
