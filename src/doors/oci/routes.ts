// The endpoints of a registry, as data: which methods each has, which right each of those
// needs, and which parameters of a query mean something (opencontainers/distribution-spec
// v1.1.1, "Endpoints"). HEAD is answered wherever GET is.
import type { Action } from '../../words/access.ts'

export type OciMethod = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
export type OciRouteId =
  | 'oci-base' | 'oci-manifest' | 'oci-blob' | 'oci-uploads' | 'oci-upload' | 'oci-tags' | 'oci-referrers'
/** As the log and the metrics name what is done. */
export type OciFactRoute = OciRouteId | 'oci-push'

export interface OciRoute {
  readonly id: OciRouteId
  /** What each method needs; the base needs no more than that somebody says who they are. */
  readonly needs: Readonly<Partial<Record<OciMethod, Action | 'credentials'>>>
  readonly query: readonly string[]
}

const PULL = { GET: 'pull', HEAD: 'pull' } as const

export const OCI_ROUTES: readonly OciRoute[] = [
  { id: 'oci-base', needs: { GET: 'credentials', HEAD: 'credentials' }, query: [] },
  { id: 'oci-manifest', needs: { ...PULL, PUT: 'push', DELETE: 'delete' }, query: [] },
  { id: 'oci-blob', needs: PULL, query: [] },
  { id: 'oci-uploads', needs: { POST: 'push' }, query: ['digest', 'mount', 'from'] },
  {
    id: 'oci-upload',
    needs: { GET: 'push', HEAD: 'push', PATCH: 'push', PUT: 'push', DELETE: 'push' },
    query: ['digest', '_state']
  },
  { id: 'oci-tags', needs: PULL, query: ['n', 'last'] },
  { id: 'oci-referrers', needs: PULL, query: ['artifactType'] }
]

/** What the log and the metrics name apart: a push, by whose tag it is made. */
export const OCI_PUSH: Omit<OciRoute, 'id'> & { readonly id: OciFactRoute } =
  { id: 'oci-push', needs: { PUT: 'push' }, query: [] }

const byId = new Map(OCI_ROUTES.map(route => [route.id, route]))

/** The row of the table with this id. */
export function ociRouteOf (id: OciRouteId): OciRoute {
  return byId.get(id) as OciRoute // the map is made of every member of OciRouteId
}

/** What a method needs of an endpoint; undefined: it has none such. */
export function needOf ({ needs }: OciRoute, method: string): Action | 'credentials' | undefined {
  return Object.hasOwn(needs, method) ? needs[method as OciMethod] : undefined
}

/** The methods of an endpoint, as `Allow` names them. */
export function methodsOf ({ needs }: Pick<OciRoute, 'needs'>): readonly OciMethod[] {
  return Object.keys(needs) as OciMethod[]
}
