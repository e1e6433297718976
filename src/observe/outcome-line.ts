// What does the log say of a request? One line: who and what, allowed by which rule or
// refused for which reason, and what it changed. Never a header, a query or a body, so
// never a secret.
import type { Outcome } from './outcome.ts'

export interface OutcomeLine {
  readonly level: 'info' | 'warn'
  readonly fields: Readonly<Record<string, unknown>>
  readonly message: 'allowed' | 'refused'
}

/**
 * @param asked who asked for what
 * @param now milliseconds of the clock that the outcome's arrival is from
 */
export function outcomeLine (
  outcome: Outcome,
  asked: Readonly<Record<string, unknown>>,
  status: number,
  now: number
): OutcomeLine {
  const { refusal, because, allowedBy, upload, arrivedAt, failure } = outcome
  const fields = {
    ...asked,
    decision: refusal === undefined ? 'allowed' : 'refused',
    ...(refusal === undefined ? { by: allowedBy } : { reason: refusal.code, detail: refusal.detail, because }),
    ...upload,
    status,
    ms: Math.round(now - arrivedAt),
    ...(failure === undefined ? {} : { err: failure })
  }
  return refusal === undefined
    ? { level: 'info', fields, message: 'allowed' }
    : { level: 'warn', fields, message: 'refused' }
}
