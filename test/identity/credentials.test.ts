import fc from 'fast-check'
import { isDeepStrictEqual } from 'node:util'
import t from 'tap'
import { looksLikeToken, readCredentials, type Credentials } from '../../src/identity/credentials.ts'

const base64 = (text: string | Buffer): string => Buffer.from(text).toString('base64')
const JWT = 'eyJhbGciOiJSUzI1NiJ9.e30.c2ln'
const MALFORMED: Credentials = { kind: 'malformed' }
const basic = (username: string, password: string): Credentials => ({ kind: 'basic', username, password })
const bearer = (token: string): Credentials => ({ kind: 'bearer', token })

await t.test('a header is read as what the client meant by it', async t => {
  const cases: [name: string, header: string | undefined, expected: Credentials][] = [
    ['no header', undefined, { kind: 'none' }],
    ['Bearer', `Bearer ${JWT}`, bearer(JWT)],
    ['a scheme in lower case', `bearer ${JWT}`, bearer(JWT)],
    ['a scheme in upper case', `BEARER ${JWT}`, bearer(JWT)],
    ['a key as Bearer', 'Bearer some-key', bearer('some-key')],
    ['more spaces than one', `Bearer   ${JWT} `, bearer(JWT)],
    ['a bare token, as cm-push can send it', JWT, bearer(JWT)],
    ['a bare token without a signature', 'eyJhbGciOiJub25lIn0.e30.', bearer('eyJhbGciOiJub25lIn0.e30.')],
    ['Basic', `Basic ${base64('alice:pass')}`, basic('alice', 'pass')],
    ['basic in lower case', `basic ${base64('alice:pass')}`, basic('alice', 'pass')],
    ['a password with colons', `Basic ${base64('alice:a:b:')}`, basic('alice', 'a:b:')],
    ['no user name, as helm login with a token', `Basic ${base64(':pass')}`, basic('', 'pass')],
    ['no password', `Basic ${base64('alice:')}`, basic('alice', '')],
    ['neither', `Basic ${base64(':')}`, basic('', '')],
    ['UTF-8', `Basic ${base64('\u00e4lice:p\u00e4ss \ud83d\udd11')}`, basic('\u00e4lice', 'p\u00e4ss \ud83d\udd11')],
    ['without padding', `Basic ${base64('a:b').replaceAll('=', '')}`, basic('a', 'b')],
    ['a line end in a password', `Basic ${base64('a:b\n')}`, basic('a', 'b\n')]
  ]
  for (const [name, header, expected] of cases) t.strictSame(readCredentials(header), expected, name)
})

await t.test('everything else is malformed, and never no credentials', async t => {
  const cases: [name: string, header: string][] = [
    ['an empty header', ''],
    ['a space', ' '],
    ['Bearer alone', 'Bearer'],
    ['Bearer and a space', 'Bearer '],
    ['Bearer and spaces', 'Bearer    '],
    ['Basic alone', 'Basic'],
    ['Basic and nothing', 'Basic '],
    ['two tokens', `Bearer ${JWT} ${JWT}`],
    ['a tab in the token', 'Bearer a\tb'],
    ['a tab for the space', `Bearer\t${JWT}`],
    ['a space in front', ` Bearer ${JWT}`],
    ['a comma of joined headers', `Bearer ${JWT}, Basic ${base64('a:b')}`],
    ['another scheme', 'Digest username="x"'],
    ['Negotiate', 'Negotiate abc'],
    ['a scheme like Bearer', `Bearerx ${JWT}`],
    ['a bare word', 'MASTERKEY'],
    ['a bare word with dots', 'a.b.c'],
    ['no base64', 'Basic a:b'],
    ['base64url', 'Basic YTpi_-'],
    ['text after the padding', 'Basic YQ==YQ=='],
    ['too much padding', 'Basic YTpi==='],
    ['padding alone', 'Basic =='],
    ['no colon in it', `Basic ${base64('alice')}`],
    ['a NUL in it', `Basic ${base64('alice:pa\0ss')}`],
    ['a NUL in the name', `Basic ${base64('al\0ice:pass')}`],
    ['two values', `Basic ${base64('a:b')} ${base64('a:b')}`]
  ]
  for (const [name, header] of cases) t.strictSame(readCredentials(header), MALFORMED, name)
})

await t.test('a token is known by its form', async t => {
  for (const text of [JWT, 'eyJ.x.', 'eyJ-_.a-_.b-_']) t.equal(looksLikeToken(text), true, text)
  for (const text of ['', 'MASTERKEY', 'a.b.c', 'eyJ', 'eyJ.x', 'eyJ..x', 'eyJ.x.y.z', `${JWT} `, `${JWT}\n`, ` ${JWT}`, 'eyJ.x=.y', 'eyj.x.y', JWT.replaceAll('.', '\u2024')]) t.equal(looksLikeToken(text), false, JSON.stringify(text))
})

await t.test('what a client writes is what is read', async () => {
  const text = fc.string({ unit: 'grapheme' }).filter(text => !text.includes('\0'))
  fc.assert(fc.property(text.filter(text => !text.includes(':')), text, (username, password) =>
    isDeepStrictEqual(readCredentials(`Basic ${base64(`${username}:${password}`)}`), basic(username, password))))
  fc.assert(fc.property(fc.string({ unit: 'binary' }), header => ['malformed', 'bearer', 'basic'].includes(readCredentials(header).kind)))
})

await t.test('a header of any length is answered', async t => {
  t.equal(readCredentials('.'.repeat(1_000_000)).kind, 'malformed')
  t.equal(readCredentials(`eyJ${'.'.repeat(1_000_000)}`).kind, 'malformed')
  t.equal(readCredentials(`eyJ${'a'.repeat(1_000_000)}`).kind, 'malformed')
  t.equal(readCredentials(`Bearer ${'.'.repeat(1_000_000)}`).kind, 'bearer')
  t.equal(readCredentials(`Basic ${'='.repeat(1_000_000)}`).kind, 'malformed')
})

await t.test('bytes that are no UTF-8 are no name and no password, whichever they would be taken for', t => {
  for (const bytes of [[0x61, 0x3a, 0xff], [0xe4, 0x3a, 0x61], [0x61, 0x3a, 0xc0, 0xaf], [0x61, 0x3a, 0xed, 0xa0, 0x80], [0x61, 0x3a, 0xe2, 0x82]]) {
    t.strictSame(readCredentials(`Basic ${Buffer.from(bytes).toString('base64')}`), MALFORMED, String(bytes))
  }
  t.strictSame(readCredentials(`Basic ${base64('a:\ufffd')}`), basic('a', '\ufffd'), 'who has that letter in a password may have it')
  t.end()
})
