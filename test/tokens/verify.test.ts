import { createHmac, sign } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import type { Grant } from '../../src/words/access.ts'
import { tokenPrincipal } from '../../src/words/principal.ts'
import { issueToken } from '../../src/tokens/issue.ts'
import { createRevocations, revocationText } from '../../src/tokens/revocations.ts'
import { createVerifier, type Verification, type Verifier, type VerifierOptions } from '../../src/tokens/verify.ts'
import { at, clockOf, testClock } from '../helpers/clock.ts'
import { encode, partsOf, withClaims, withHeader, withSignature } from '../helpers/jwt-lab.ts'
import { keyNamed, ourKey, strangersKey, trusting } from '../helpers/keys.ts'
import { mintToken, NOW, rightClaims, SOURCE, type Recipe } from '../helpers/tokens.ts'

async function verifierOf (change: Partial<VerifierOptions> = {}): Promise<Verifier> {
  const trusted = trusting([await ourKey()])
  return createVerifier({ keys: () => trusted, source: SOURCE, knowsSubject: () => true, clock: clockOf(() => NOW), ...change })
}

/** What a verifier that has seen nothing says, and that it forgets what it refused. */
async function verify (t: Tap, token: string, change: Partial<VerifierOptions> = {}): Promise<Verification> {
  const verifier = await verifierOf(change)
  const result = await verifier.verify(token)
  if (!result.ok) t.equal(verifier.remembered(token), undefined, 'a refused token is not remembered')
  return result
}
interface Tap { equal (found: unknown, wanted: unknown, message: string): boolean }

const pull: Grant[] = [{ type: 'artifact-repository', name: 'org1/repo1', actions: ['pull'] }]
const PRINCIPAL = tokenPrincipal('key:master', pull, at(NOW + 300), { tokenId: '00000000-0000-4000-8000-000000000000', keyId: (await ourKey()).kid })

await t.test('a token that is right in everything says who and what', async t => {
  t.strictSame(await verify(t, await mintToken()), { ok: true, principal: PRINCIPAL })
})

await t.test('what may differ in a right token', async t => {
  const cases: [name: string, claims: Record<string, unknown>, principal: Record<string, unknown>][] = [
    ['another subject', { sub: 'user:alice' }, { subject: 'user:alice' }],
    ['an audience among others', { aud: ['other', SOURCE.audience] }, {}],
    ['no grants', { access: [] }, { grants: [] }],
    ['every action', { access: [{ ...pull[0], actions: ['pull', 'push', 'overwrite', 'delete'] }] }, { grants: [{ ...pull[0], actions: ['pull', 'push', 'overwrite', 'delete'] }] }],
    ['an entry without actions', { access: [{ ...pull[0], actions: [] }] }, { grants: [{ ...pull[0], actions: [] }] }],
    ['a grant of the other type', { access: [{ type: 'repository', name: 'org1/repo1/x', actions: ['pull'] }] }, { grants: [{ type: 'repository', name: 'org1/repo1/x', actions: ['pull'] }] }],
    ['a member of an entry that means nothing', { access: [{ ...pull[0], class: 'x', __proto__: 1 }] }, { grants: pull }],
    ['a claim that means nothing', { admin: true, scope: 'artifact-repository:org2/repo2:pull', grants: ['*'] }, {}],
    ['a shorter life', { exp: NOW + 1 }, { expires: at(NOW + 1) }]
  ]
  for (const [name, claims, principal] of cases) t.strictSame(await verify(t, await mintToken({ claims })), { ok: true, principal: { ...PRINCIPAL, ...principal } }, name)
})

await t.test('clocks may differ by ten seconds, and not by more', async t => {
  const cases: [name: string, claims: Record<string, unknown>, code: string | undefined][] = [
    ['it ends now', { iat: NOW - 300, exp: NOW }, undefined],
    ['it ended 9 s ago', { iat: NOW - 309, exp: NOW - 9 }, undefined],
    ['it ended 10 s ago', { iat: NOW - 310, exp: NOW - 10 }, 'token_expired'],
    ['it ended long ago', { iat: 0, exp: 300 }, 'token_expired'],
    ['it begins in 10 s', { nbf: NOW + 10 }, undefined],
    ['it begins in 11 s', { nbf: NOW + 11 }, 'token_not_yet_valid'],
    ['issued in 10 s', { iat: NOW + 10, exp: NOW + 310 }, undefined],
    ['issued in 11 s', { iat: NOW + 11, exp: NOW + 311 }, 'token_not_yet_valid'],
    ['issued in a year', { iat: NOW + 31_536_000, exp: NOW + 31_536_300 }, 'token_not_yet_valid'],
    ['it lives as long as ours', { iat: NOW - 10, exp: NOW + 290 }, undefined],
    ['it lives a second longer', { iat: NOW - 1, exp: NOW + 300 }, 'token_wrong_claims'],
    ['it lives ten years', { exp: NOW + 315_360_000 }, 'token_wrong_claims'],
    ['issued at the beginning of time', { iat: 0 }, 'token_wrong_claims']
  ]
  for (const [name, claims, code] of cases) t.match(await verify(t, await mintToken({ claims })), code === undefined ? { ok: true } : { ok: false, code }, name)
})

await t.test('every claim that is issued is demanded', async t => {
  for (const name of Object.keys(rightClaims())) {
    const result = await verify(t, await mintToken({ claims: { [name]: undefined } }))
    t.match(result, { ok: false, code: name === 'nbf' ? /^token_(?:wrong_claims|not_yet_valid)$/ : 'token_wrong_claims' }, `without ${name}`)
  }
  t.match(await verify(t, await mintToken({ payload: '{}' })), { ok: false })
})

await t.test('a claim of another kind or value is refused', async t => {
  const wrong: Record<string, unknown[]> = {
    iss: ['http://other.example.test', 'http://charts.example.test/', 'HTTP://charts.example.test', '', null, 5, ['http://charts.example.test'], {}],
    aud: ['other', '', 'charts.example.tes', 'charts.example.test ', [], ['other'], [['charts.example.test']], null, 5, true, {}, { 0: SOURCE.audience }],
    sub: ['', null, 5, true, ['key:master'], {}],
    jti: [null, 5, true, ['x'], {}],
    exp: [String(NOW + 300), 'x', '', null, true, [NOW + 300], {}, -1 * NOW],
    iat: [String(NOW), null, true, [NOW], {}],
    nbf: [String(NOW - 10), null, true, [NOW], {}],
    access: [
      null, {}, '', 'pull', 5, true, [null], [[]], ['artifact-repository:org1/repo1:pull'], [5], { 0: pull[0], length: 1 },
      ...['type', 'name', 'actions'].map(member => [{ ...pull[0], [member]: undefined }]),
      ...['x', '', null, 5, 'registry', 'Artifact-Repository', ['artifact-repository']].map(type => [{ ...pull[0], type }]),
      ...[null, 5, {}, ['org1/repo1'], true].map(name => [{ ...pull[0], name }]),
      ...[null, 'pull', 5, {}, [null], ['*'], ['pull', 'admin'], ['Pull'], ['pull '], [['pull']], [5]].map(actions => [{ ...pull[0], actions }]),
      [...pull, null]
    ]
  }
  for (const [claim, values] of Object.entries(wrong)) {
    for (const value of values) {
      const result = await verify(t, await mintToken({ claims: { [claim]: value } }))
      t.match(result, { ok: false, code: /^token_(?:wrong_claims|not_yet_valid|expired)$/ }, `${claim} ${JSON.stringify(value)}`)
    }
  }
})

await t.test('the token of a job names the rule that took it, which has to be in force, and nobody else\'s does', async t => {
  const ci = { rule: 'r1', ids: { repository_id: '74' } }
  const of = async (claims: Record<string, unknown>): Promise<unknown> => await verify(t, await mintToken({ claims }), { knowsSubject: (subject, rule) => rule === undefined ? subject === 'key:master' : rule === 'r1' })
  const job = 'ci:github:octo-org/octo-repo'
  t.match(await of({ sub: job, ci }), { ok: true, principal: { subject: job, proof: { federated: ci } } })
  t.match(await of({ sub: job, ci: { ...ci, rule: 'r2' } }), { ok: false, code: 'token_unknown_subject' })
  for (const wrong of [undefined, null, 'r1', {}, { rule: 'r1' }, { rule: 5, ids: {} }, { rule: 'r1', ids: null }, { rule: 'r1', ids: 'x' }, { rule: 'r1', ids: { a: 5 } }]) t.match(await of({ sub: job, ci: wrong }), { ok: false, code: 'token_wrong_claims' }, JSON.stringify(wrong))
  t.match(await of({ sub: 'key:master', ci }), { ok: false, code: 'token_wrong_claims' })
  t.match(await of({ sub: 'user:alice', ci }), { ok: false, code: 'token_wrong_claims' })
})

await t.test('numbers that JSON has and a clock has not are refused', async t => {
  const text = JSON.stringify(rightClaims())
  const cases: [name: string, payload: string][] = [
    ['exp 1e400', text.replace(`"exp":${NOW + 300}`, '"exp":1e400')],
    ['exp -1e400', text.replace(`"exp":${NOW + 300}`, '"exp":-1e400')],
    ['iat 1e400', text.replace(`"iat":${NOW}`, '"iat":1e400')],
    ['iat -1e400', text.replace(`"iat":${NOW}`, '"iat":-1e400')],
    ['both', text.replace(`"exp":${NOW + 300}`, '"exp":1e400').replace(`"iat":${NOW}`, '"iat":1e400')],
    ['nbf 1e400', text.replace(`"nbf":${NOW - 10}`, '"nbf":1e400')],
    ['NaN', text.replace(`"exp":${NOW + 300}`, '"exp":NaN')],
    ['no object', '[]'],
    ['a string', '"x"'],
    ['null', 'null'],
    ['no JSON', '{'],
    ['nothing', ''],
    ['two objects', `${text}${text}`]
  ]
  for (const [name, payload] of cases) t.match(await verify(t, await mintToken({ payload })), { ok: false }, name)
})

await t.test('the algorithm is ours, whatever the token says', async t => {
  const key = await ourKey()
  const pem = key.publicKey.export({ type: 'spki', format: 'pem' }) as string
  const der = key.publicKey.export({ type: 'spki', format: 'der' })
  const pkcs1 = key.publicKey.export({ type: 'pkcs1', format: 'pem' }) as string
  const jwk = JSON.stringify(key.publicKey.export({ format: 'jwk' }))
  const hmac = (secret: string | Buffer, hash = 'sha256') => (input: string): Buffer => createHmac(hash, secret).update(input).digest()
  const none = (): Buffer => Buffer.alloc(0)
  const recipes: [name: string, recipe: Recipe][] = [
    ...['none', 'None', 'NONE', 'nOnE', '', ' none', 'null'].flatMap((alg): [string, Recipe][] => [
      [`alg ${JSON.stringify(alg)} without a signature`, { header: { alg }, sign: none }],
      [`alg ${JSON.stringify(alg)} with a right one`, { header: { alg } }]
    ]),
    ...Object.entries({ pem, 'pem and a line end': `${pem}\n`, 'pem without one': pem.trim(), 'a space and pem': ` ${pem}`, 'a line end and pem': `\n${pem}`, der, 'der as base64': der.toString('base64'), pkcs1, jwk, kid: key.kid, nothing: '' })
      .flatMap(([name, secret]): [string, Recipe][] => [
        [`HS256 with ${name}`, { header: { alg: 'HS256' }, sign: hmac(secret) }],
        [`HS512 with ${name}`, { header: { alg: 'HS512' }, sign: hmac(secret, 'sha512') }],
        [`RS256 that is HS256 with ${name}`, { sign: hmac(secret) }]
      ]),
    ['RS384 with our key', { header: { alg: 'RS384' }, sign: input => sign('sha384', Buffer.from(input), key.privateKey) }],
    ['RS512 with our key', { header: { alg: 'RS512' }, sign: input => sign('sha512', Buffer.from(input), key.privateKey) }],
    ['PS256 with our key', { header: { alg: 'PS256' }, sign: input => sign('sha256', Buffer.from(input), { key: key.privateKey, padding: 6, saltLength: 32 }) }],
    ['RS256 that is PS256', { sign: input => sign('sha256', Buffer.from(input), { key: key.privateKey, padding: 6, saltLength: 32 }) }],
    ...['rs256', 'RS256 ', ' RS256', 'ES256', 'EdDSA', 'dir', 'RSA-OAEP', 5, null, true, ['RS256'], { toString: 'RS256' }, undefined].map((alg): [string, Recipe] => [`alg ${JSON.stringify(alg)}`, { header: { alg } }])
  ]
  for (const [name, recipe] of recipes) t.match(await verify(t, await mintToken(recipe)), { ok: false, code: /^token_(?:malformed|bad_signature)$/ }, name)
})

await t.test('the key is ours, whatever the token brings, and nobody is asked for one', async t => {
  const [ours, stranger] = [await ourKey(), await strangersKey()]
  let asked = 0
  const server = createServer((_request, response) => { asked++; response.end('{}') })
  await new Promise<void>(resolve => { server.listen(0, '127.0.0.1', resolve) })
  t.teardown(() => { server.close(); server.closeAllConnections() })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks.json`
  const jwk = { ...stranger.publicKey.export({ format: 'jwk' }), kid: ours.kid, alg: 'RS256', use: 'sig' }
  const x5c = [stranger.publicKey.export({ type: 'spki', format: 'der' }).toString('base64')]
  const headers: [name: string, header: Record<string, unknown>][] = [
    ['no key', {}],
    ['jwk', { jwk }],
    ['jku', { jku: url }],
    ['x5u', { x5u: url }],
    ['x5c', { x5c }],
    ['all of them', { jwk, jku: url, x5u: url, x5c, 'x5t#S256': 'x' }]
  ]
  for (const [name, header] of headers) {
    t.strictSame(await verify(t, await mintToken({ key: stranger, header: { ...header, kid: ours.kid } })), { ok: false, code: 'token_bad_signature' }, `${name}, under our kid`)
    t.strictSame(await verify(t, await mintToken({ key: stranger, header })), { ok: false, code: 'token_unknown_key' }, `${name}, under its own kid`)
  }
  t.equal(asked, 0)
})

await t.test('a kid is one of ours, or unknown', async t => {
  const { kid } = await ourKey()
  const unknown = ['', 'x', '../../dev/null', '/dev/null', "' OR 1=1 --", `${kid} `, ` ${kid}`, kid.slice(1), kid.toLowerCase(), kid.toUpperCase(), '__proto__', 'constructor', 'http://127.0.0.1:1/', 'a\0b', 'x'.repeat(8_000)]
  for (const other of unknown) t.strictSame(await verify(t, await mintToken({ header: { kid: other } })), { ok: false, code: 'token_unknown_key' }, JSON.stringify(other.slice(0, 40)))
  t.strictSame(await verify(t, await mintToken({ header: { kid: undefined } })), { ok: false, code: 'token_unknown_key' }, 'none')
  for (const other of [null, 5, true, [kid], { kid }]) t.strictSame(await verify(t, await mintToken({ header: { kid: other } })), { ok: false, code: 'token_malformed' }, JSON.stringify(other))
})

await t.test('each of several keys verifies what it signed itself', async t => {
  const keys = [await ourKey(), await keyNamed('second')] as const
  const verifier = await verifierOf({ keys: () => trusting(keys) })
  for (const key of keys) t.match(await verifier.verify(await mintToken({ key })), { ok: true })
  t.strictSame(await verifier.verify(await mintToken({ key: keys[1], header: { kid: keys[0].kid } })), { ok: false, code: 'token_bad_signature' })
})

await t.test('a header that we do not write is refused', async t => {
  const headers: [name: string, header: Record<string, unknown>][] = [
    ['an access token of another server', { typ: 'at+jwt' }],
    ['typ in lower case', { typ: 'jwt' }],
    ['typ in full', { typ: 'application/jwt' }],
    ['typ as a number', { typ: 5 }],
    ['no typ', { typ: undefined }],
    ['an unknown crit', { crit: ['x'], x: 1 }],
    ['a crit of a known name', { crit: ['exp'], exp: NOW }],
    ['an empty crit', { crit: [] }],
    ['crit as a string', { crit: 'x' }],
    ['crit null', { crit: null }],
    ['crit that is not there', { crit: ['x'] }],
    ['an unencoded payload', { crit: ['b64'], b64: false }],
    ['an encoded payload that says so', { crit: ['b64'], b64: true, typ: 'x' }]
  ]
  for (const [name, header] of headers) t.strictSame(await verify(t, await mintToken({ header })), { ok: false, code: 'token_malformed' }, name)
})

await t.test('a token that was touched is refused', async t => {
  const token = await mintToken()
  const { header, payload, signature } = partsOf(token)
  const [head = '', body = ''] = token.split('.')
  const more = { access: [{ ...pull[0], actions: ['pull', 'push'] }] }
  const cases: [name: string, token: string][] = [
    ['more actions', withClaims(token, more)],
    ['another tenant', withClaims(token, { access: [{ ...pull[0], name: 'org2/repo2' }] })],
    ['a longer life', withClaims(token, { exp: NOW + 299 })],
    ['another subject', withClaims(token, { sub: 'user:alice' })],
    ['another header', withHeader(token, { x: 1 })],
    ['its header in another order', [encode(Object.fromEntries(Object.entries(header).reverse())), body, signature].join('.')],
    ['its claims in another order', [head, encode(Object.fromEntries(Object.entries(payload).reverse())), signature].join('.')],
    ['no signature', withSignature(token, '')],
    ['a short signature', withSignature(token, signature.slice(0, -4))],
    ['a long signature', withSignature(token, `${signature}AAAA`)],
    ['a signature of zeros', withSignature(token, 'A'.repeat(signature.length))],
    ['one bit of the signature', withSignature(token, (signature.startsWith('A') ? 'B' : 'A') + signature.slice(1))],
    ['the signature of another token', withSignature(token, partsOf(await mintToken({ claims: more })).signature)],
    ['a signature that is no base64url', withSignature(token, '%%%')],
    ['four parts', `${token}.x`],
    ['five parts, as an encrypted one', `${token}.x.y`],
    ['two parts', `${head}.${body}`],
    ['one part', head],
    ['nothing', ''],
    ['dots', '..'],
    ['a space in front', ` ${token}`],
    ['a line end in the middle', token.replace('.', '\n.')],
    ['a payload that is no base64url', `${head}.{}.${signature}`],
    ['a header that is no JSON', `${encode('{"alg"')}.${body}.${signature}`],
    ['a header that is a list', `${encode('[]')}.${body}.${signature}`],
    ['a header that is a string', `${encode('"x"')}.${body}.${signature}`],
    ['a header that is null', `${encode('null')}.${body}.${signature}`],
    ['a header that is not UTF-8', `${Buffer.from([0x7b, 0xff, 0x7d]).toString('base64url')}.${body}.${signature}`],
    ['JSON serialisation', JSON.stringify({ protected: head, payload: body, signature })]
  ]
  for (const [name, bad] of cases) t.match(await verify(t, bad), { ok: false, code: /^token_(?:malformed|bad_signature)$/ }, name)
})

await t.test('a token that is too long is not looked at', async t => {
  const cases: [name: string, token: string][] = [
    ['a good token of 1 MB', await mintToken({ claims: { filler: 'x'.repeat(1_000_000) } })],
    ['a kid of 1 MB', await mintToken({ header: { kid: 'x'.repeat(1_000_000) } })],
    ['a signature of 1 MB', withSignature(await mintToken(), 'A'.repeat(1_000_000))],
    ['1 MB of nothing', 'e'.repeat(1_000_000)],
    ['1 M dots', '.'.repeat(1_000_000)],
    ['a header and 1 M dots', `${encode({ alg: 'RS256' })}${'.'.repeat(1_000_000)}`],
    ['16 k dots', '.'.repeat(16_384)]
  ]
  for (const [name, token] of cases) t.strictSame(await verify(t, token), { ok: false, code: 'token_malformed' }, name)
  t.match(await verify(t, await mintToken({ claims: { filler: 'x'.repeat(10_000) } })), { ok: true }, 'one of 14 kB is')
})

await t.test('a verified token is remembered until it expires', async t => {
  let now = NOW
  const verifier = await verifierOf({ clock: clockOf(() => now) })
  const { token } = await issueToken(await ourKey(), SOURCE, 'key:master', [{ type: 'artifact-repository', name: 'org1/repo1', actions: ['pull'] }], NOW)
  t.equal(verifier.remembered(token), undefined)
  const first = await verifier.verify(token)
  t.strictSame(verifier.remembered(token), first)
  for (const other of [`${token} `, ` ${token}`, `x${token.slice(1)}`, token.slice(-48)]) t.equal(verifier.remembered(other), undefined)
  t.equal(verifier.remembered(withClaims(token, { sub: 'user:alice' })), undefined)
  now = NOW + 309
  t.strictSame(verifier.remembered(token), first, 'also within the leeway')
  t.strictSame(await verifier.verify(token), first)
  now = NOW + 310
  t.strictSame(verifier.remembered(token), { ok: false, code: 'token_expired' })
  t.strictSame(await verifier.verify(token), { ok: false, code: 'token_expired' })
})

await t.test('what a token had left when it was first verified is all that it has', async t => {
  const clock = testClock(NOW)
  const verifier = await verifierOf({ clock })
  const { token } = await issueToken(await ourKey(), SOURCE, 'key:master', [], NOW)
  t.match(await verifier.verify(token), { ok: true })
  clock.pass(200)
  clock.set(-200)
  t.match(await verifier.verify(token), { ok: true, principal: { expires: { wall: NOW + 300, monotonic: 300 } } }, 'verified once more, it ends when it did')
  clock.pass(109)
  t.match([verifier.remembered(token), await verifier.verify(token)], [{ ok: true }, { ok: true }])
  clock.pass(1)
  t.match([verifier.remembered(token), await verifier.verify(token)], [{ code: 'token_expired' }, { code: 'token_expired' }])
  t.match(await (await verifierOf({ clock })).verify(token), { ok: true }, 'only who has never seen it has nothing but the clock that was set')
})

await t.test('tokens of the same moment are not taken for each other', async t => {
  const verifier = await verifierOf()
  const tokens = await Promise.all(['org1/repo1', 'org2/repo2'].map(async name => await mintToken({ claims: { access: [{ ...pull[0], name }] } })))
  await Promise.all([...tokens, ...tokens].map(async token => await verifier.verify(token)))
  for (const token of [...tokens, ...tokens].reverse()) t.match(verifier.remembered(token), { ok: true, principal: { grants: partsOf(token).payload['access'] } })
})

await t.test('a subject that is gone has no token any more, and one that comes back has', async t => {
  let accounts = new Set(['user:alice'])
  const verifier = await verifierOf({ knowsSubject: subject => accounts.has(subject) })
  const token = await mintToken({ claims: { sub: 'user:alice' } })
  const good = await verifier.verify(token)
  t.match(good, { ok: true })
  accounts = new Set()
  t.strictSame(verifier.remembered(token), { ok: false, code: 'token_unknown_subject' })
  t.strictSame(await verifier.verify(token), { ok: false, code: 'token_unknown_subject' })
  accounts.add('user:alice')
  t.strictSame(verifier.remembered(token), good)
  t.strictSame(await verifier.verify(await mintToken({ claims: { sub: 'user:alice2' } })), { ok: false, code: 'token_unknown_subject' })
})

await t.test('no number of tokens makes the memory grow without end: the oldest is forgotten', async t => {
  const verifier = await verifierOf({ most: 3 })
  const tokens = await Promise.all([0, 1, 2, 3].map(async i => await mintToken({ claims: { jti: String(i) } })))
  const [first, second, third, fourth] = tokens as [string, string, string, string]
  for (const token of [first, second, third]) await verifier.verify(token)
  t.match(verifier.remembered(first), { ok: true })
  await verifier.verify(fourth)
  t.equal(verifier.remembered(first), undefined)
  for (const token of [second, third, fourth]) t.match(verifier.remembered(token), { ok: true })
})

await t.test('a token that was revoked is refused, remembered or not, and one that was issued later is not', async t => {
  const revocations = createRevocations(clockOf(() => NOW))
  const verifier = await verifierOf({ revocations })
  const [token, other, later] = [await mintToken(), await mintToken({ claims: { jti: 'b' } }), await mintToken({ claims: { jti: 'c', iat: NOW + 1 } })]
  t.match(verifier.verify(token), { ok: true })
  revocations.add([revocationText({ token: '00000000-0000-4000-8000-000000000000' }, NOW, 300)])
  const revoked = { ok: false, code: 'token_revoked' }
  t.strictSame(verifier.remembered(token), revoked)
  t.strictSame(verifier.verify(token), revoked)
  t.match(verifier.verify(other), { ok: true })
  revocations.add([revocationText({ subject: 'key:master' }, NOW, 300)])
  t.strictSame(verifier.remembered(other), revoked)
  t.match(verifier.verify(later), { ok: true })
})
