// What is one part of a tenant's name? The gateway's paths, scopes and rules and the
// embedded repository's folders have this one answer.

const SEGMENT = /^[A-Za-z0-9][A-Za-z0-9._-]*$/

// What a repository keeps in a tenant's folder: charts, their provenance, and its index
// (helm/chartmuseum v0.16.5, pkg/repo/chart.go, provenance.go, index.go). A folder of
// such a name would lie in a file's place, on some disks in whatever case.
const NAMED_LIKE_A_FILE = /\.tgz(?:\.prov)?$|^index-cache\.yaml$/i

/**
 * True for letters, digits, `.`, `_`, `-`, beginning with a letter or digit, that are no
 * name of a repository's file.
 */
export function isTenantSegment (segment: string): boolean {
  return SEGMENT.test(segment) && !isNamedLikeAFile(segment)
}

/** True for what a file of a repository may be called. */
export function isNamedLikeAFile (segment: string): boolean {
  return NAMED_LIKE_A_FILE.test(segment)
}
