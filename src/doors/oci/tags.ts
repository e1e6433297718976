// Which tags has a repository? The versions of its chart that a tag can say, in the order of
// their bytes, and a part of them for who asks for one (opencontainers/distribution-spec
// v1.1.1, "Listing Tags").
import { compareBytes } from '../../lib/go-string.ts'
import { tagOfVersion } from './names.ts'

export interface TagPage {
  readonly tags: readonly string[]
  /** The query of the next part, if there is one. */
  readonly next?: string
}

export function tagsOf (versions: readonly string[]): string[] {
  return [...new Set(versions.flatMap(version => tagOfVersion(version) ?? []))].sort(compareBytes)
}

/**
 * @param tags all, in order
 * @param n how many at most @param last those behind it, whether it is one or not
 */
export function pageOf (tags: readonly string[], n: number | undefined, last: string | undefined): TagPage {
  const rest = last === undefined ? tags : tags.filter(tag => compareBytes(tag, last) > 0)
  if (n === undefined || n >= rest.length) return { tags: rest }
  const page = rest.slice(0, n)
  const end = page.at(-1)
  return end === undefined ? { tags: page } : { tags: page, next: `n=${n}&last=${end}` }
}
