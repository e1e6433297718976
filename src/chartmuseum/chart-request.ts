// What is asked of a chart repository? The one form of it that everything later is built
// from: rights, the target in the upstream, the log.
import type { Access } from '../words/access.ts'
import type { Method, RouteId } from './routes.ts'

/** A request of the route table, understood. */
export interface ChartRequest {
  readonly route: RouteId
  readonly method: Method
  /** The tenant's name in scopes and rules. */
  readonly tenant: string
  /** The tenant's segments in a path: '' for the root of a repository without tenants. */
  readonly tenantPath: string
  /**
   * These three are decoded: where a chart is read by its file's name or deleted, they
   * may be any text that a path can say (words/chart-names.ts, isSayable).
   */
  readonly chart?: string
  readonly version?: string
  readonly file?: string
  readonly query: Readonly<Record<string, string>>
  readonly access: Access
}
