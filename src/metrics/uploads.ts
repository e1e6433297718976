// What became of an upload, in the words of whoever pushes? Made of the reason why it was
// refused, in a table.
import { REASON_GROUPS, type ReasonCode } from '../http/reasons.ts'

export const UPLOAD_OUTCOMES = [
  'stored', 'overwritten', 'identical', 'exists', 'invalid', 'too_large', 'no_room', 'denied', 'aborted', 'refused',
  'failed'
] as const
export type UploadOutcome = typeof UPLOAD_OUTCOMES[number]

const BY_REASON: Readonly<Partial<Record<ReasonCode, UploadOutcome>>> = {
  already_stored: 'identical',
  chart_exists: 'exists',
  file_exists: 'exists',
  invalid_upload: 'invalid',
  oci_manifest_invalid: 'invalid',
  oci_manifest_blob_unknown: 'invalid',
  oci_size_invalid: 'invalid',
  body_too_large: 'too_large',
  upstream_too_large: 'too_large',
  spool_full: 'no_room',
  spool_read_only: 'no_room',
  storage_full: 'no_room'
}

const DENIALS: ReadonlySet<string> = new Set(
  [...Object.keys(REASON_GROUPS['who asks']), ...Object.keys(REASON_GROUPS['may they'])]
)

/** @param ending and reason as of the request; a request that was dropped is no upload: nothing of it was read */
export function uploadOutcome (action: string, ending: string, reason: string): UploadOutcome {
  if (ending === 'success') return action === 'overwrite' ? 'overwritten' : 'stored'
  if (ending === 'aborted' || ending === 'dropped') return 'aborted'
  const named = BY_REASON[reason as ReasonCode]
  if (named !== undefined) return named
  if (DENIALS.has(reason)) return 'denied'
  return ending === 'failed' ? 'failed' : 'refused'
}
