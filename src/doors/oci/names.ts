// Which chart of which tenant is an OCI repository, and which version is a tag? A repository
// is TENANT/CHART, and a tag is a version in which `+`, which no tag has, stands as `_`,
// which no version has (helm/helm v3.21.4, pkg/registry/reference.go).
import type { Refusal } from '../../http/errors.ts'
import { isChartName, isVersion } from '../../words/chart-names.ts'
import { isHex } from '../../words/digest.ts'
import { ROOT_TENANT, isTenantName, type Depth } from '../../words/tenant.ts'

/** A repository of a registry: one chart of a tenant. */
export interface OciRepository {
  /** As it stands in paths, scopes and grants: org1/repo1/mychart. */
  readonly name: string
  /** The tenant's name in scopes and rules. */
  readonly tenant: string
  /** The tenant's segments in a path; '' for the root of a repository without tenants. */
  readonly tenantPath: string
  readonly chart: string
}

// opencontainers/distribution-spec v1.1.1, "Pulling manifests", with one way only to match each name.
const NAME = /^[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*)*$/
/** Clients take no more, with the host before it. */
const LONGEST_NAME = 255
const TAG = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/

/** The repository of a name, or why there can be none. */
export function readRepository (name: string, depth: Depth): OciRepository | Refusal {
  if (name.length > LONGEST_NAME || !NAME.test(name)) return nameInvalid(name)
  const segments = name.split('/')
  const parts = depth === 'dynamic' ? segments.length : depth + 1
  if (segments.length !== parts) return { code: 'oci_name_unknown', detail: wrongDepth(segments.length, parts) }
  const chart = segments.at(-1) as string
  const tenantPath = segments.slice(0, -1).join('/')
  // At dynamic depth the root's name is "repo", which a folder of that name would share.
  const isRoot = tenantPath === ''
  const isTenant = isRoot || (isTenantName(tenantPath, depth) && !(depth === 'dynamic' && tenantPath === ROOT_TENANT))
  // There /api/a/charts/charts are the charts of the tenant a/charts (pkg/chartmuseum/router/match.go, getDepth).
  const isChart = isChartName(chart) && !(depth === 'dynamic' && chart === 'charts')
  if (!isTenant || !isChart) return { code: 'oci_name_unknown' }
  return { name, tenant: isRoot ? ROOT_TENANT : tenantPath, tenantPath, chart }
}

function nameInvalid (name: string): Refusal {
  return name.length <= LONGEST_NAME && NAME.test(name.toLowerCase())
    ? {
        code: 'oci_name_invalid',
        detail: 'a repository of a registry is named in lower-case letters: ' +
          'this chart, or its tenant, is had by the chart repository alone (helm repo add)'
      }
    : { code: 'oci_name_invalid' }
}

function wrongDepth (found: number, wanted: number): string {
  const tenant = wanted === 1 ? '' : `${Array.from({ length: wanted - 1 }, (_, i) => `TENANT${i + 1}`).join('/')}/`
  return `this repository's name has ${found} ${found === 1 ? 'part' : 'parts'}, ` +
    `and ${wanted} ${wanted === 1 ? 'names' : 'name'} a chart here: oci://HOST/${tenant}CHART`
}

/** True for what can be a tag, of a version or not. */
export function isTag (text: string): boolean {
  return TAG.test(text)
}

/** The tag of a version; undefined for one that no tag can say. */
export function tagOfVersion (version: string): string | undefined {
  const tag = version.replaceAll('+', '_')
  return isTag(tag) ? tag : undefined
}

/** The version of a tag; undefined for a tag of none. */
export function versionOfTag (tag: string): string | undefined {
  const version = tag.replaceAll('_', '+')
  return isVersion(version) ? version : undefined
}

// cosign's name of what it attaches to a digest (sigstore/cosign v3.1.3, pkg/oci/remote/remote.go, normalize).
const COSIGN_TAG = /^sha256-([^.]+)\.(?:sig|att|sbom)$/

/** The SHA-256, in hex, of the manifest that a tag of cosign's is attached to; undefined for any other tag. */
export function subjectOfTag (tag: string): string | undefined {
  const hex = COSIGN_TAG.exec(tag)?.[1]
  return isHex(hex) ? hex : undefined
}
