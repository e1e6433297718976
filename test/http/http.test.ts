import fc from 'fast-check'
import t from 'tap'
import { challenges, quote } from '../../src/http/challenge.ts'
import { REASONS, RefusalError, bodyOf, statusOf, tokenBodyOf, type ReasonCode } from '../../src/http/errors.ts'
import { responseHeaders } from '../../src/http/headers.ts'

await t.test('a challenge without an access has no scope', t => {
  t.equal(challenges({ realm: 'http://x/oauth/token', service: 'x' }, undefined)[0], 'Bearer realm="http://x/oauth/token",service="x"')
  t.end()
})

await t.test('whatever is quoted is read back', t => {
  fc.assert(fc.property(fc.string(), text => quote(text).slice(1, -1).replace(/\\(.)/gs, '$1') === text && /^"(?:[^"\\]|\\.)*"$/s.test(quote(text))))
  t.end()
})

await t.test('every reason has a body with a string error, at the token endpoint too', t => {
  for (const code of Object.keys(REASONS) as ReasonCode[]) {
    t.ok(statusOf({ code }) >= 400)
    t.ok(bodyOf({ code }).error.length > 0)
    const body = tokenBodyOf({ code })
    t.match(body, { error: /^[a-z_]+$/, error_description: /./, errors: [{ code: /^[A-Z]+$/, message: /./ }] }, code)
  }
  t.equal(tokenBodyOf({ code: 'missing_right' }).errors[0]?.code, 'DENIED')
  t.equal(new RefusalError({ code: 'bad_request', detail: 'a sentence' }).message, 'a sentence')
  t.end()
})

await t.test('only listed headers pass', t => {
  t.same(responseHeaders({ 'content-type': 'a', etag: 'b', server: 'c', connection: 'd', 'set-cookie': ['e'] }), { 'content-type': 'a', etag: 'b' })
  t.end()
})
