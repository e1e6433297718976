// Where the embedded repository answers otherwise than ChartMuseum 0.16.5, on purpose.
// docs/architecture.md shows this table; the conformance suite allows nothing else.

export interface Difference {
  /** Which recorded exchanges. */
  readonly ids: RegExp
  /** What ChartMuseum does, and what this repository does instead. */
  readonly there: string
  readonly here: string
  readonly reason: string
  /** The answer that the suite demands here; what is left out is as recorded. */
  readonly expect: { readonly status?: number, readonly contentType?: string, readonly body?: string, /** like the body of GET */ readonly lengthOfGet?: true, readonly challenge?: null }
}

const NOT_FOUND = { status: 404, contentType: 'application/json; charset=utf-8', body: '{"error":"not found"}', challenge: null } as const

export const DIFFERENCES: readonly Difference[] = [
  {
    ids: /^(?:index\/head(?:\/empty-tenant)?|api\/chart\/head|api\/version\/head(?:-latest)?)$/,
    there: 'HEAD has neither type nor length',
    here: 'HEAD has the headers of GET',
    reason: 'RFC 9110 section 9.3.2; a gateway in front can tell a client the length',
    expect: { lengthOfGet: true }
  },
  {
    ids: /^api\/(?:chart|version)\/head-missing$/,
    there: 'HEAD of something missing is text',
    here: 'it is the JSON error of GET',
    reason: 'one form of error for everything',
    expect: { lengthOfGet: true }
  },
  {
    ids: /^(?:health|info)\/tenant-prefixed-open$/,
    there: '`/<tenant>/health` and `/<tenant>/info` are open pages',
    here: '404',
    reason: 'an accident of the matcher, and a way around a gateway that authorises by tenant',
    expect: NOT_FOUND
  },
  {
    ids: /^(?:upload|delete)\/alias-path$/,
    there: '`/<tenant>/api/charts…` is a second spelling of the API',
    here: '404',
    reason: 'every route has one spelling',
    expect: NOT_FOUND
  },
  {
    ids: /^unknown\/v2|^unknown\/dot-segments$|^dynamic\/dot-segments$|^context-path\/index-junk-after-prefix$/,
    there: 'empty and dot segments, and junk behind the context path, name tenants',
    here: '404',
    reason: 'a tenant has one name, and no name leads out of its folder',
    expect: NOT_FOUND
  },
  {
    ids: /^delete\/(?:again|missing-chart|latest)$/,
    there: 'deleting something missing answers with the path on the disk',
    here: '`object not found`',
    reason: 'an error never names a file path',
    expect: { body: '{"error":"object not found"}' }
  }
]
