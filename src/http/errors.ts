// Why is a request refused? The one closed table of reason codes: the log names the code,
// the client sees the status and the sentence.

interface Reason {
  readonly status: number
  /** What the client reads in `error`; a refusal's own `detail` takes its place. */
  readonly error: string
  /** For programs, which should not have to read the sentence. */
  readonly headers?: Readonly<Record<string, string>>
}

export const REASONS = {
  // the request itself
  bad_target: { status: 400, error: 'bad request target' },
  bad_request: { status: 400, error: 'bad request' },
  several_authorizations: { status: 400, error: 'several Authorization headers: send one' },
  no_such_route: { status: 404, error: 'not found' },
  method_not_allowed: { status: 405, error: 'method not allowed' },
  request_timeout: { status: 408, error: 'the request did not arrive in time' },
  unsupported_media_type: { status: 415, error: 'the Content-Type header is not valid' },
  unsupported_expectation: { status: 417, error: 'the only expectation that is met is 100-continue' },
  headers_too_large: { status: 431, error: 'the request headers are too large' },

  // who asks
  missing_credentials: { status: 401, error: 'unauthorized' },
  bad_credentials: { status: 401, error: 'unauthorized' },
  bad_password: { status: 401, error: 'unauthorized' },
  account_disabled: { status: 401, error: 'unauthorized' },
  secret_not_yet_valid: { status: 401, error: 'unauthorized' },
  secret_expired: { status: 401, error: 'unauthorized' },
  token_malformed: { status: 401, error: 'unauthorized' },
  token_unknown_key: { status: 401, error: 'unauthorized' },
  token_bad_signature: { status: 401, error: 'unauthorized' },
  token_expired: { status: 401, error: 'unauthorized' },
  token_not_yet_valid: { status: 401, error: 'unauthorized' },
  token_wrong_claims: { status: 401, error: 'unauthorized' },
  token_unknown_subject: { status: 401, error: 'unauthorized' },
  too_many_attempts: { status: 429, error: 'too many passwords at once: try again shortly' },
  // Nobody reads it; the status is nginx's for the same.
  client_gone: { status: 499, error: 'the client went away' },

  // may they
  insufficient_scope: { status: 401, error: 'unauthorized' },
  missing_right: { status: 403, error: 'forbidden' },

  // the token endpoint
  invalid_request: { status: 400, error: 'invalid_request' },
  invalid_scope: { status: 400, error: 'invalid_scope' },
  unsupported_grant_type: { status: 400, error: 'unsupported_grant_type' },
  invalid_client: { status: 401, error: 'invalid_client' },

  // uploads
  invalid_upload: { status: 400, error: 'the upload is not a chart' },
  upload_aborted: { status: 400, error: 'the upload ended before it was complete' },
  body_too_large: { status: 413, error: 'request too large' },
  chart_exists: { status: 409, error: 'chart already exists' },
  file_exists: { status: 409, error: 'file already exists' },
  already_stored: {
    status: 409,
    error: 'already stored, identical',
    headers: { 'x-chartgate-conflict': 'identical' }
  },
  spool_full: { status: 503, error: 'too many uploads at once: try again shortly' },
  spool_read_only: { status: 507, error: 'uploads cannot be stored: the disk of the gateway is read-only' },
  storage_full: { status: 507, error: 'the repository has no room left' },

  // the upstream
  not_in_upstream: { status: 404, error: 'not found' },
  upstream_rejected: { status: 400, error: 'the chart repository refused the request' },
  upstream_unreachable: { status: 502, error: 'the chart repository cannot be reached' },
  upstream_bad_answer: { status: 502, error: 'the chart repository gave an answer that makes no sense' },
  upstream_refused_us: { status: 502, error: 'the chart repository does not accept the gateway' },
  upstream_too_large: { status: 413, error: 'request too large for the chart repository' },
  upstream_busy: { status: 503, error: 'the chart repository is busy: try again shortly' },
  upstream_no_room: {
    status: 503,
    error: 'all connections to the chart repository are in use: ' +
      'try again in a few seconds, with fewer downloads at once'
  },
  upstream_timeout: { status: 504, error: 'the chart repository did not answer in time' },

  // this process
  // For the log: its answer had begun.
  download_not_read: { status: 503, error: 'the download was not read while others waited for a connection' },
  no_descriptors: { status: 503, error: 'the gateway has no file descriptors left: try again shortly' },
  internal: { status: 500, error: 'internal error' },
  closing: { status: 503, error: 'shutting down' }
} as const satisfies Record<string, Reason>

export type ReasonCode = keyof typeof REASONS

/** Why a request is refused; `detail` is a sentence that the client may read. */
export interface Refusal {
  readonly code: ReasonCode
  readonly detail?: string
  /** The methods that would do; of `method_not_allowed` alone (RFC 9110 section 10.2.1). */
  readonly allow?: readonly string[]
}

/** The status code of a refusal. */
export function statusOf (refusal: Refusal): number {
  return REASONS[refusal.code].status
}

/** Headers that go with a refusal, whatever the door. */
export function headersOf ({ code, allow }: Refusal): Readonly<Record<string, string>> {
  const reason: Reason = REASONS[code]
  return { ...reason.headers, ...(allow === undefined ? {} : { allow: allow.join(', ') }) }
}

/** Seconds after which the same may be asked again, where it may (RFC 9110 section 10.2.3). */
export function retryAfterOf (refusal: Refusal): number | undefined {
  return AGAIN.has(statusOf(refusal)) ? RETRY_AFTER : undefined
}

const RETRY_AFTER = 5
const AGAIN: ReadonlySet<number> = new Set([429, 503])

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
    error: OAUTH_ERRORS.has(refusal.code) ? refusal.code : byStatus,
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
