// A registry's refusals: codes that its clients know, and our own `error` beside them.
import t from 'tap'
import { REASONS, type ReasonCode } from '../../../src/http/reasons.ts'
import { ociBodyOf, ociScopeOf } from '../../../src/doors/oci/errors.ts'
import { refusalFormOf } from '../../../src/doors/refusal-form.ts'
import { parseRequestTarget } from '../../../src/doors/request-target.ts'

await t.test('every reason has a code, a sentence, and our own form of it', async t => {
  for (const code of Object.keys(REASONS) as ReasonCode[]) {
    const { error, errors } = ociBodyOf({ code })
    t.equal(errors.length, 1)
    t.match(errors[0], { code: /^[A-Z_]+$/, message: error }, code)
    t.ok(error.length > 0)
  }
})

await t.test('the code is that of the specification', async t => {
  const cases: [reason: ReasonCode, code: string][] = [
    ['missing_credentials', 'UNAUTHORIZED'], ['token_expired', 'UNAUTHORIZED'], ['missing_right', 'DENIED'], ['chart_exists', 'DENIED'], ['file_exists', 'DENIED'],
    ['oci_name_invalid', 'NAME_INVALID'], ['oci_name_unknown', 'NAME_UNKNOWN'], ['no_such_route', 'NAME_UNKNOWN'], ['oci_manifest_unknown', 'MANIFEST_UNKNOWN'], ['not_in_upstream', 'MANIFEST_UNKNOWN'],
    ['oci_blob_unknown', 'BLOB_UNKNOWN'], ['oci_digest_invalid', 'DIGEST_INVALID'], ['oci_no_such_part', 'SIZE_INVALID'], ['oci_upload_unknown', 'BLOB_UPLOAD_UNKNOWN'], ['oci_unsupported', 'UNSUPPORTED'],
    ['method_not_allowed', 'UNSUPPORTED'], ['body_too_large', 'SIZE_INVALID'], ['too_many_attempts', 'TOOMANYREQUESTS'], ['bad_target', 'UNSUPPORTED'], ['upstream_away', 'UNAVAILABLE'], ['internal', 'UNAVAILABLE']
  ]
  for (const [reason, code] of cases) t.equal(ociBodyOf({ code: reason }).errors[0]?.code, code, reason)
  t.strictSame(ociBodyOf({ code: 'oci_name_unknown', detail: 'a sentence' }), { error: 'a sentence', errors: [{ code: 'NAME_UNKNOWN', message: 'a sentence', detail: 'look at the URL: oci://HOST/TENANT/CHART' }] })
})

await t.test('a challenge asks for what the client will need, and whatever is asked below /v2/ is refused in this form', async t => {
  t.strictSame(ociScopeOf({ type: 'repository', name: 'a/b', action: 'push' }), { type: 'repository', name: 'a/b', actions: ['pull', 'push'] })
  const source = { realm: 'https://x/oauth/token', service: 'x' }
  const formOf = (path: string): ReturnType<typeof refusalFormOf> => refusalFormOf(parseRequestTarget('GET', path, { depth: 2, basePath: '', oci: true }))
  t.match(formOf('/v2/').challenge(source, undefined)[0], /^Bearer realm="https:\/\/x\/oauth\/token",service="x"$/)
  t.match(formOf('/v2/a/b/c/tags/list').challenge(source, undefined)[0], /,scope="repository:a\/b\/c:pull"$/)
  for (const path of ['/v2/', '/v2/nothing', '/v2/a/b/c/tags/list', '/v2/%']) t.match(formOf(path), { headers: { 'docker-distribution-api-version': 'registry/2.0' } }, path)
  t.equal(formOf('/a/b/index.yaml').headers, undefined)
})
