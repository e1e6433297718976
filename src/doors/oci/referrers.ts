// What refers to a manifest? An index of it, and a part of that for who wants one kind alone
// (opencontainers/distribution-spec v1.1.1, "Listing Referrers"). It is there, and empty, also for
// what nobody knows: so clients do not look for it under a tag.
import type { ReferrerDescriptor } from './attached-manifest.ts'
import { INDEX_TYPE } from './manifest.ts'

/** @param artifactType of those that are wanted; undefined: all */
export function referrersIndex (all: readonly ReferrerDescriptor[], artifactType: string | undefined): Buffer {
  const manifests = artifactType === undefined ? all : all.filter(each => each.artifactType === artifactType)
  return Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: INDEX_TYPE, manifests }))
}

/** Says that a filter was applied, to who asked for one. */
export function filtersApplied (artifactType: string | undefined): Readonly<Record<string, string>> {
  return artifactType === undefined ? {} : { 'oci-filters-applied': 'artifactType' }
}
