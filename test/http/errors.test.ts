import t from 'tap'
import { bodyOf, RefusalError, retryAfterOf, statusOf, tokenBodyOf, type ReasonCode } from '../../src/http/errors.ts'
import { REASONS } from '../../src/http/reasons.ts'

const CODES = Object.keys(REASONS) as ReasonCode[]

await t.test('the table has the statuses that clients were promised', async t => {
  const promised: Partial<Record<ReasonCode, number>> = {
    bad_target: 400,
    no_such_route: 404,
    missing_credentials: 401,
    bad_credentials: 401,
    token_malformed: 401,
    token_unknown_key: 401,
    token_bad_signature: 401,
    token_expired: 401,
    token_not_yet_valid: 401,
    token_wrong_claims: 401,
    token_unknown_subject: 401,
    insufficient_scope: 401, // clients fetch a new token only on 401
    missing_right: 403,
    too_many_attempts: 429,
    invalid_request: 400,
    invalid_scope: 400,
    unsupported_grant_type: 400,
    invalid_client: 401,
    chart_exists: 409,
    file_exists: 409,
    body_too_large: 413,
    storage_full: 507,
    spool_full: 503,
    spool_read_only: 507,
    upstream_unreachable: 502,
    upstream_bad_answer: 502,
    upstream_refused_us: 502,
    upstream_timeout: 504,
    upstream_away: 503,
    internal: 500,
    closing: 503
  }
  for (const [code, status] of Object.entries(promised)) t.equal(statusOf({ code: code as ReasonCode }), status, code)
  for (const code of CODES) t.ok(statusOf({ code }) >= 400 && statusOf({ code }) < 600, code)
})

await t.test('the sentences are those that ChartMuseum\'s clients know', async t => {
  t.strictSame(bodyOf({ code: 'missing_credentials' }), { error: 'unauthorized' })
  t.strictSame(bodyOf({ code: 'no_such_route' }), { error: 'not found' })
  t.strictSame(bodyOf({ code: 'file_exists' }), { error: 'file already exists' })
  t.strictSame(bodyOf({ code: 'chart_exists' }), { error: 'chart already exists' })
  t.strictSame(bodyOf({ code: 'body_too_large' }), { error: 'request too large' })
})

await t.test('why a credential is refused is for the log: the client reads one word', async t => {
  t.strictSame([...new Set(CODES.filter(code => REASONS[code].status === 401 && code !== 'invalid_client').map(code => bodyOf({ code }).error))], ['unauthorized'])
  t.equal(new Set(CODES.filter(code => REASONS[code].status === 401).map(code => JSON.stringify(tokenBodyOf({ code })))).size, 1)
})

await t.test('every body is one string error, or the refusal\'s own sentence, and names no path', async t => {
  for (const code of CODES) {
    const body = bodyOf({ code })
    t.strictSame(Object.keys(body), ['error'])
    t.match(body.error.replace(/(?:oci:\/\/HOST\/)?TENANT\/CHART/, ''), /^[^/\\]+$/, code)
    t.strictSame(bodyOf({ code, detail: 'a sentence' }), { error: 'a sentence' })
  }
})

await t.test('a body of the token endpoint serves OAuth, Docker and Helm', async t => {
  const cases: [code: ReasonCode, error: string, description: string, docker: string][] = [
    ['invalid_request', 'invalid_request', 'invalid_request', 'UNSUPPORTED'],
    ['invalid_scope', 'invalid_scope', 'invalid_scope', 'UNSUPPORTED'],
    ['unsupported_grant_type', 'unsupported_grant_type', 'unsupported_grant_type', 'UNSUPPORTED'],
    ['invalid_client', 'invalid_client', 'bad credentials', 'UNAUTHORIZED'],
    ['bad_credentials', 'invalid_client', 'bad credentials', 'UNAUTHORIZED'],
    ['token_expired', 'invalid_client', 'bad credentials', 'UNAUTHORIZED'],
    ['bad_target', 'invalid_request', 'bad request target', 'UNSUPPORTED'],
    ['method_not_allowed', 'invalid_request', 'method not allowed', 'UNSUPPORTED'],
    ['body_too_large', 'invalid_request', 'request too large', 'UNSUPPORTED'],
    ['missing_right', 'invalid_request', 'forbidden', 'DENIED'],
    ['too_many_attempts', 'temporarily_unavailable', 'too many passwords at once: try again shortly', 'TOOMANYREQUESTS'],
    ['internal', 'server_error', 'internal error', 'UNSUPPORTED'],
    ['closing', 'server_error', 'shutting down', 'UNSUPPORTED']
  ]
  for (const [code, error, message, docker] of cases) {
    t.strictSame(tokenBodyOf({ code }), { error, error_description: message, errors: [{ code: docker, message }] }, code)
    t.strictSame(tokenBodyOf({ code, detail: 'why' }), { error, error_description: 'why', errors: [{ code: docker, message: 'why' }] }, `${code} with a detail`)
  }
  // the error codes of RFC 6749 section 5.2, and two of section 4.1.2.1
  for (const code of CODES) t.ok(['invalid_request', 'invalid_client', 'invalid_scope', 'unsupported_grant_type', 'server_error', 'temporarily_unavailable'].includes(tokenBodyOf({ code }).error), code)
})

await t.test('who may come again is told when', async t => {
  for (const code of CODES) t.equal(retryAfterOf({ code }), [429, 502, 503, 504].includes(statusOf({ code })) ? 5 : undefined, code)
})

await t.test('a refusal can be thrown, with what caused it', async t => {
  const cause = new Error('the cause')
  const error = new RefusalError({ code: 'upload_aborted', detail: 'a sentence' }, { cause })
  t.ok(error instanceof Error)
  t.match(error, { name: 'RefusalError', message: 'a sentence', refusal: { code: 'upload_aborted', detail: 'a sentence' } })
  t.equal(error.cause, cause)
  t.equal(new RefusalError({ code: 'spool_full' }).message, 'too many uploads at once: try again shortly')
})
