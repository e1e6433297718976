import t from 'tap'
import { createAuthenticator } from '../../src/identity/authenticate.ts'
import { readCredentials, type Credentials } from '../../src/identity/credentials.ts'
import { ANONYMOUS, MASTER } from '../../src/identity/principal.ts'
import type { Verifier } from '../../src/tokens/verify.ts'

const base64 = (text: string): string => Buffer.from(text).toString('base64')
const JWT = 'eyJhbGciOiJub25lIn0.e30.'

await t.test('an Authorization header is read, or is malformed', t => {
  const basic = (username: string, password: string): Credentials => ({ kind: 'basic', username, password })
  const cases: [string | undefined, Credentials][] = [
    [undefined, { kind: 'none' }], ['Bearer abc', { kind: 'bearer', token: 'abc' }], ['bEARER  abc ', { kind: 'bearer', token: 'abc' }], [JWT, { kind: 'bearer', token: JWT }],
    [`Basic ${base64('a:b:c')}`, basic('a', 'b:c')], [`basic ${base64(':x')}`, basic('', 'x')], [`Basic ${base64('ü:pä ss')}`, basic('ü', 'pä ss')],
    ['', { kind: 'malformed' }], ['Bearer', { kind: 'malformed' }], ['Bearer ', { kind: 'malformed' }], ['Bearer a b', { kind: 'malformed' }], ['Digest x', { kind: 'malformed' }], ['Token x', { kind: 'malformed' }],
    ['Basic %%%', { kind: 'malformed' }], [`Basic ${base64('nocolon')}`, { kind: 'malformed' }], [`Basic ${base64('a:b\0')}`, { kind: 'malformed' }]
  ]
  for (const [header, expected] of cases) t.same(readCredentials(header), expected, String(header))
  t.end()
})

await t.test('the master key is one exact text, and tokens go to the verifier', async t => {
  const asked: string[] = []
  const verifier: Verifier = {
    remembered: token => token.endsWith('known') ? { ok: true, principal: ANONYMOUS } : undefined,
    verify: async token => { asked.push(token); return { ok: false, code: 'token_malformed' } }
  }
  const { authenticate } = createAuthenticator('the-master-key-of-tests', verifier)
  const bearer = (token: string): Credentials => ({ kind: 'bearer', token })
  t.same(await authenticate({ kind: 'none' }), { ok: true, principal: ANONYMOUS })
  t.same(await authenticate({ kind: 'malformed' }), { ok: false, code: 'bad_credentials' })
  t.same(await authenticate(bearer('the-master-key-of-tests')), { ok: true, principal: MASTER })
  t.same(await authenticate({ kind: 'basic', username: 'x', password: 'the-master-key-of-tests' }), { ok: true, principal: MASTER })
  for (const wrong of ['', 'the-master-key-of-test', 'the-master-key-of-tests ', 'x']) t.same(await authenticate(bearer(wrong)), { ok: false, code: 'bad_credentials' }, wrong)
  t.same(await authenticate(bearer(JWT)), { ok: false, code: 'token_malformed' })
  t.same(await authenticate(bearer(`${JWT}known`)), { ok: true, principal: ANONYMOUS })
  t.same(asked, [JWT])
  const without = createAuthenticator('', verifier)
  t.same(await without.authenticate(bearer('')), { ok: false, code: 'bad_credentials' }, 'no key is not the empty key')
})
