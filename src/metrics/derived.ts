// What else do the requests say that were counted? Uploads, tokens and failed logins are other
// views of the same numbers, made when somebody looks, so that they cost no request anything.
import type { ReasonCode } from '../http/reasons.ts'
import { LOGIN_FAILURES, REASON } from './axes.ts'
import { placesOf, type Row } from './cells.ts'
import { labelsOf, METRICS, type MetricName } from './table.ts'
import { UPLOAD_OUTCOMES, uploadOutcome } from './uploads.ts'

/** Of the registry a push is one request, by which it is made; what is sent before waits. */
const UPLOADS: ReadonlySet<string | undefined> = new Set(['upload-chart', 'upload-prov', 'oci-push'])
const REASON_AT = placesOf(REASON)

/** @param requests rows of chartgate_requests_total */
export function derived (requests: readonly Row[]): Partial<Record<MetricName, readonly Row[]>> {
  const uploads = new Map<number, number>()
  const refused = new Map<number, number>()
  const failed = new Map<number, number>()
  let issued = 0
  for (const [place, count = 0] of requests) {
    const { route, action = '', outcome = '', reason = '' } = labelsOf(METRICS.chartgate_requests_total, place)
    if (UPLOADS.has(route)) {
      put(uploads, UPLOAD_OUTCOMES.indexOf(uploadOutcome(action, outcome, reason)), count)
    }
    if (route === 'token' && outcome === 'success') issued += count
    if (route === 'token' && REASON_AT.at(reason) >= 0) put(refused, REASON_AT.at(reason), count)
    if (LOGIN_FAILURES.includes(reason as ReasonCode)) put(failed, LOGIN_FAILURES.indexOf(reason as ReasonCode), count)
  }
  return {
    chartgate_uploads_total: [...uploads],
    chartgate_tokens_issued_total: issued === 0 ? [] : [[0, issued]],
    chartgate_tokens_refused_total: [...refused],
    chartgate_failed_logins_total: [...failed]
  }
}

function put (counts: Map<number, number>, place: number, count: number): void {
  counts.set(place, (counts.get(place) ?? 0) + count)
}
