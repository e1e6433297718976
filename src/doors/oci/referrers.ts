// What refers to a manifest? Nothing that is kept here: the list is there and empty, so that
// clients do not look for it under a tag (opencontainers/distribution-spec v1.1.1, "Listing
// Referrers").
import { INDEX_TYPE } from './manifest.ts'

export const NO_REFERRERS = `{"schemaVersion":2,"mediaType":"${INDEX_TYPE}","manifests":[]}`

/** Says that a filter was applied, to who asked for one. */
export function filtersApplied (artifactType: string | undefined): Readonly<Record<string, string>> {
  return artifactType === undefined ? {} : { 'oci-filters-applied': 'artifactType' }
}
