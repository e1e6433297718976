// What does a refusal say? Its status, headers and body, from the one table of reasons
// (reasons.ts).
import { AGAIN, REASONS, RETRY_AFTER, type ReasonCode } from './reasons.ts'

export type { ReasonCode } from './reasons.ts'

/** Why a request is refused; `detail` is a sentence that the client may read. */
export interface Refusal {
  readonly code: ReasonCode
  readonly detail?: string
  /** The methods that would do; of `method_not_allowed` alone (RFC 9110 section 10.2.1). */
  readonly allow?: readonly string[]
  /** Seconds after which the same may be asked again, where that is known better than for most. */
  readonly retryAfter?: number
  /**
   * At the token endpoint: the word for a token that was shown to be exchanged and is not
   * taken, which is no failed login of a client (RFC 8693 section 2.2.2, RFC 7521 section 4.1.1).
   */
  readonly exchange?: 'invalid_request' | 'invalid_grant'
}

/** The status code of a refusal. */
export function statusOf ({ code, exchange }: Refusal): number {
  return exchange === undefined ? REASONS[code].status : 400
}

/** Headers that go with a refusal, whatever the door. */
export function headersOf ({ code, allow }: Refusal): Readonly<Record<string, string>> {
  return { ...REASONS[code].headers, ...(allow === undefined ? {} : { allow: allow.join(', ') }) }
}

/** Seconds after which the same may be asked again, where it may (RFC 9110 section 10.2.3). */
export function retryAfterOf (refusal: Refusal): number | undefined {
  return AGAIN.has(statusOf(refusal)) ? refusal.retryAfter ?? RETRY_AFTER : undefined
}

/**
 * The JSON body of a refusal: a string `error`, which is what cm-push prints
 * (chartmuseum/helm-push v0.10.4, cmd/helm-cm-push/main.go).
 */
export function bodyOf (refusal: Refusal): { error: string } {
  return { error: refusal.detail ?? REASONS[refusal.code].error }
}

/**
 * The body of a refusal at the token endpoint, for all its readers: `error` and
 * `error_description` (RFC 6749 section 5.2), and `errors`, which is all that oras and
 * Helm print (oras-go v2.6.1, internal/errutil).
 */
export function tokenBodyOf (
  refusal: Refusal
): { error: string, error_description: string, errors: { code: string, message: string }[] } {
  const { status, error } = REASONS[refusal.code]
  const message = refusal.detail ?? (status === 401 ? 'bad credentials' : error)
  const byStatus = OAUTH_BY_STATUS[status] ?? (status < 500 ? 'invalid_request' : 'server_error')
  return {
    error: refusal.exchange ?? (OAUTH_ERRORS.has(refusal.code) ? refusal.code : byStatus),
    error_description: message,
    errors: [{ code: DOCKER_BY_STATUS[status] ?? 'UNSUPPORTED', message }]
  }
}

const OAUTH_ERRORS: ReadonlySet<ReasonCode> = new Set(['invalid_request', 'invalid_scope', 'unsupported_grant_type'])
/** The second of section 4.1.2.1, for want of one in 5.2. */
const OAUTH_BY_STATUS: Readonly<Record<number, string>> = { 401: 'invalid_client', 429: 'temporarily_unavailable' }
/** Those of the OCI distribution specification v1.1.1, "Error Codes". */
const DOCKER_BY_STATUS: Readonly<Record<number, string>> = {
  401: 'UNAUTHORIZED',
  403: 'DENIED',
  429: 'TOOMANYREQUESTS'
}

/** A refusal on its way through code that can only throw (streams, hooks of libraries). */
export class RefusalError extends Error {
  readonly refusal: Refusal

  constructor (refusal: Refusal, options?: ErrorOptions) {
    super(bodyOf(refusal).error, options)
    this.name = 'RefusalError'
    this.refusal = refusal
  }
}

/**
 * True for the code of an error that says that this process, or the machine, has no file
 * descriptor left (errno(3)).
 */
export function isOutOfDescriptors (code: unknown): boolean {
  return code === 'EMFILE' || code === 'ENFILE'
}

/** True for what is refused for this reason. */
export function isRefusal (error: unknown, code: ReasonCode): error is RefusalError {
  return error instanceof RefusalError && error.refusal.code === code
}
