// Which part of an upload is it that comes? Its first and its last byte, without a unit, as
// registries have it (opencontainers/distribution-spec v1.1.1, "Pushing a blob in chunks").
import { RefusalError } from '../../http/errors.ts'

/** What a client says of a part. */
export interface SaidPart {
  /** Where it begins. */
  readonly first: number
  /** How many bytes it has. */
  readonly size: number
}

const RANGE = /^(?:bytes )?(\d{1,15})-(\d{1,15})$/

/** @returns undefined: nothing is said @throws RefusalError for what says nothing that makes sense */
export function saidPart (contentRange: string | undefined): SaidPart | undefined {
  if (contentRange === undefined) return undefined
  const [, first, last] = RANGE.exec(contentRange) ?? []
  const size = Number(last) - Number(first) + 1
  if (first !== undefined && size > 0) return { first: Number(first), size }
  const detail = 'Content-Range is the first and the last byte of the part: 0-1023'
  throw new RefusalError({ code: 'oci_size_invalid', detail })
}

/** As `Range` says how far an upload is; of an empty one it cannot be said otherwise. */
export function rangeOf (length: number): string {
  return `0-${Math.max(0, length - 1)}`
}
