// What has changed in a tenant, as far as a read can show it? What whoever stored or
// deleted a version tells those who answer reads, before its client is answered.
import type { ChartRequest } from '../chartmuseum/chart-request.ts'

/** What a version that is not there is said to be. */
export const GONE = 'gone'

export interface Change extends Pick<ChartRequest, 'tenant' | 'tenantPath'> {
  readonly chart: string
  readonly version: string
  /**
   * What the version is from now on: the SHA-256 of its file (hex), or GONE. Undefined:
   * nobody knows, as after a failure, or the index says nothing of it, as of a provenance file.
   */
  readonly became: string | undefined
  /** It was something else before, for certain. */
  readonly isNew: boolean
}

/** Which version it is of: the same for every change of that. */
export function keyOfChange ({ tenant, chart, version }: Change): string {
  return `${tenant} ${chart} ${version}`
}

/** The same, as others are told of it. */
export interface ToldChange extends Change {
  /** The chart repository, at its first address, shows it to whoever asks from now on; false: nobody knows. */
  readonly isShown: boolean
}
