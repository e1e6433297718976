// Tokens of other token servers: whose they are, and what they open.
import { createHmac, sign } from 'node:crypto'
import t from 'tap'
import { isOfIssuer, openIssuers, type Issuer, type IssuerConfig } from '../../src/tokens/issuers.ts'
import type { IssuerKey } from '../../src/tokens/issuer-keys.ts'
import { thumbprintOf, type SigningKey } from '../../src/tokens/keys.ts'
import { algorithmsOf } from '../../src/tokens/signature.ts'
import { createVerifier, type Verification, type Verifier } from '../../src/tokens/verify.ts'
import { at, clockOf, testClock } from '../helpers/clock.ts'
import { testFolder } from '../helpers/folder.ts'
import { keyNamed, ourKey, strangersKey, trusting } from '../helpers/keys.ts'
import { mintForeign, mintToken, NOW, SOURCE } from '../helpers/tokens.ts'

const THEIRS = await keyNamed('theirs')
const pull = { type: 'artifact-repository', name: 'org1/repo1', actions: ['pull'] }

async function keyOf ({ publicKey }: SigningKey, kid?: string): Promise<IssuerKey> {
  return { kid, thumbprint: await thumbprintOf(publicKey), algorithms: algorithmsOf(publicKey), publicKey }
}

async function issuer (config: Partial<IssuerConfig> = {}, ...keys: readonly IssuerKey[]): Promise<Issuer> {
  const all = keys.length > 0 ? keys : [await keyOf(THEIRS)]
  return { config: { name: 'cm', ...config }, keys: () => all }
}

async function verifierOf (...issuers: readonly Issuer[]): Promise<Verifier> {
  const trusted = trusting([await ourKey()], issuers)
  return createVerifier({ keys: () => trusted, source: SOURCE, knowsSubject: subject => subject === 'key:master', clock: clockOf(() => NOW) })
}

async function verify (token: string, ...issuers: readonly Issuer[]): Promise<Verification> {
  return await (await verifierOf(...issuers)).verify(token)
}

await t.test('a token as chartmuseum/auth makes it says what it opens, and is remembered', async t => {
  const verifier = await verifierOf(await issuer())
  const token = await mintForeign(THEIRS)
  const expected = { ok: true, principal: { kind: 'token', subject: 'issuer:cm', subjects: ['anonymous'], grants: [pull], expires: at(NOW + 3600) } }
  t.strictSame(verifier.verify(token), expected)
  t.strictSame(verifier.remembered(token), expected)
  t.strictSame(await verify(token), { ok: false, code: 'token_unknown_key' }, 'without the issuer it is nobody\'s')
  t.match(await verify(await mintToken(), await issuer()), { ok: true, principal: { subject: 'key:master' } }, 'ours are ours')
})

await t.test('every algorithm of the key counts, and no other', async t => {
  for (const alg of ['RS256', 'ES256', 'EdDSA'] as const) {
    const key = await keyNamed('theirs', alg)
    t.match(await verify(await mintForeign(key), await issuer({}, await keyOf(key))), { ok: true }, alg)
  }
  const cases: [alg: string, signature: (input: string) => Buffer, ok: boolean][] = [
    ['RS512', input => sign('sha512', Buffer.from(input), THEIRS.privateKey), true],
    ['PS256', input => sign('sha256', Buffer.from(input), { key: THEIRS.privateKey, padding: 6, saltLength: 32 }), true],
    ['PS256', input => sign('sha256', Buffer.from(input), THEIRS.privateKey), false],
    ['none', () => Buffer.alloc(1), false],
    ['HS256', input => createHmac('sha256', THEIRS.publicKey.export({ type: 'spki', format: 'pem' })).update(input).digest(), false],
    ['RS256', input => createHmac('sha256', THEIRS.publicKey.export({ type: 'spki', format: 'pem' })).update(input).digest(), false],
    ['ES256', input => sign('sha256', Buffer.from(input), THEIRS.privateKey), false],
    ['constructor', input => sign('sha256', Buffer.from(input), THEIRS.privateKey), false]
  ]
  for (const [alg, signature, ok] of cases) t.match(await verify(await mintToken({ key: THEIRS, header: { alg, kid: undefined }, sign: signature }), await issuer()), ok ? { ok } : { ok, code: 'token_unknown_key' }, alg)
})

await t.test('kid and iss spare looking where a token cannot be from, and open nothing', async t => {
  const [a, b] = [await keyNamed('a'), await keyNamed('b')]
  const set = await issuer({}, await keyOf(a, 'one'), await keyOf(b, 'two'))
  const cases: [name: string, token: string, ok: boolean][] = [
    ['its own kid', await mintForeign(b, { header: { kid: 'two' } }), true],
    ['no kid', await mintForeign(b), true],
    ['the kid of another', await mintForeign(b, { header: { kid: 'one' } }), false],
    ['a kid of nobody', await mintForeign(b, { header: { kid: 'three' } }), false],
    ['a right kid on the signature of a stranger', await mintForeign(await strangersKey(), { header: { kid: 'two' } }), false],
    ['a key that it brings', await mintForeign(await strangersKey(), { header: { kid: 'two', jwk: (await strangersKey()).publicKey.export({ format: 'jwk' }) } }), false],
    ['our kid', await mintForeign(b, { header: { kid: (await ourKey()).kid } }), false]
  ]
  for (const [name, token, ok] of cases) t.match(await verify(token, set), { ok }, name)
  t.match(await verify(await mintForeign(a, { header: { kid: 'whatever' } }), await issuer({}, await keyOf(a))), { ok: true }, 'a PEM has no kid')
  for (const kid of [null, 5, ['one']]) t.strictSame(await verify(await mintForeign(a, { header: { kid } }), await issuer({}, await keyOf(a))), { ok: false, code: 'token_malformed' })
})

await t.test('issuers are asked in their order, and each by its own rules', async t => {
  const strict = await issuer({ name: 'strict', issuer: 'https://a', audience: 'charts', pushIncludes: ['delete'] })
  const loose = await issuer({ name: 'loose' })
  const push = { access: [{ ...pull, actions: ['push'] }] }
  const token = await mintForeign(THEIRS, { claims: { ...push, iss: 'https://a', aud: 'charts' } })
  t.match(await verify(token, strict, loose), { principal: { subject: 'issuer:strict', grants: [{ actions: ['push', 'delete'] }] } })
  t.match(await verify(token, loose, strict), { principal: { subject: 'issuer:loose', grants: [{ actions: ['push'] }] } })
  t.match(await verify(await mintForeign(THEIRS, { claims: { iss: 'https://a', aud: 'other' } }), strict, loose), { principal: { subject: 'issuer:loose' } })
  t.match(await verify(await mintForeign(THEIRS, { claims: { iss: 'https://a', aud: 'other' } }), strict), { ok: false, code: 'token_wrong_claims' })
})

await t.test('issuer and audience count when they are configured', async t => {
  const their = await issuer({ issuer: 'https://a', audience: 'charts' })
  const right = { iss: 'https://a', aud: 'charts' }
  const cases: [claims: object, ok: boolean][] = [
    [right, true], [{ ...right, aud: ['x', 'charts'] }, true],
    ...[undefined, 'https://a/', 'https://b', 5, ['https://a'], null].map((iss): [object, boolean] => [{ ...right, iss }, false]),
    ...[undefined, 'chart', [], ['x'], 5, null, { charts: 1 }].map((aud): [object, boolean] => [{ ...right, aud }, false])
  ]
  for (const [claims, ok] of cases) t.match(await verify(await mintForeign(THEIRS, { claims: { ...claims } }), their), { ok }, JSON.stringify(claims))
})

await t.test('a token has to end, to have begun, to say what it opens, and to be an access token', async t => {
  const cases: [name: string, recipe: Parameters<typeof mintForeign>[1], code: string | undefined][] = [
    ['no exp', { claims: { exp: undefined } }, 'token_wrong_claims'],
    ['exp 0', { claims: { exp: 0 } }, 'token_expired'],
    ['exp now', { claims: { exp: NOW } }, undefined],
    ['exp ten seconds ago', { claims: { exp: NOW - 10 } }, 'token_expired'],
    ...['1', null, true, [NOW + 60], {}].map((exp): [string, object, string] => [`exp ${JSON.stringify(exp)}`, { claims: { exp } }, 'token_wrong_claims']),
    ['no iat', { claims: { iat: undefined } }, undefined],
    ['iat in 11 s', { claims: { iat: NOW + 11 } }, 'token_not_yet_valid'],
    ['iat a text', { claims: { iat: '1' } }, 'token_wrong_claims'],
    ['nbf in 10 s', { claims: { nbf: NOW + 10 } }, undefined],
    ['nbf in 11 s', { claims: { nbf: NOW + 11 } }, 'token_not_yet_valid'],
    ['nbf null', { claims: { nbf: null } }, 'token_wrong_claims'],
    ['no access', { claims: { access: undefined } }, 'token_wrong_claims'],
    ...[null, {}, 'x', [null], [[]], ['x'], [{ ...pull, actions: 'pull' }], [{ ...pull, actions: [5] }], [{ ...pull, name: 5 }], [{ ...pull, type: undefined }]]
      .map((access): [string, object, string] => [`access ${JSON.stringify(access)}`, { claims: { access } }, 'token_wrong_claims']),
    ['an empty access', { claims: { access: [] } }, undefined],
    ...['JWT', 'jwt', 'at+jwt', 'application/at+jwt'].map((typ): [string, object, undefined] => [`typ ${typ}`, { header: { typ } }, undefined]),
    ['no typ', { header: { typ: undefined } }, undefined],
    ...['refresh+jwt', 'logout+jwt', 'secevent+jwt', 'JOSE', '', 5, null].map((typ): [string, object, string] => [`typ ${typ}`, { header: { typ } }, 'token_malformed']),
    ['crit', { header: { crit: ['exp'] } }, 'token_malformed'],
    ...['', 'ci', 'ä@b', 'x'.repeat(256)].map((sub): [string, object, undefined] => [`sub ${sub}`, { claims: { sub } }, undefined]),
    ...[null, 5, ['x'], 'a\nb', 'a\u202eb', 'x'.repeat(257)].map((sub): [string, object, string] => [`sub ${JSON.stringify(sub)}`, { claims: { sub } }, 'token_wrong_claims'])
  ]
  for (const [name, recipe, code] of cases) t.match(await verify(await mintForeign(THEIRS, recipe), await issuer()), code === undefined ? { ok: true } : { ok: false, code }, name)
})

await t.test('what an access claim says counts as far as it means something here', async t => {
  const cases: [access: object[], grants: object[], pushIncludes?: ('overwrite' | 'delete')[]][] = [
    [[{ ...pull, actions: ['pull', 'push'], class: 'x' }], [{ ...pull, actions: ['pull', 'push'] }]],
    [[{ ...pull, actions: ['pull', 'push'] }], [{ ...pull, actions: ['pull', 'push', 'overwrite', 'delete'] }], ['overwrite', 'delete']],
    [[{ ...pull, actions: ['push', 'delete'] }], [{ ...pull, actions: ['push', 'delete'] }], ['delete']],
    [[pull], [pull], ['overwrite', 'delete']],
    [[{ ...pull, actions: ['*', 'admin', 'PULL', 'pull'] }], [pull]],
    [[{ type: 'registry', name: 'catalog', actions: ['*'] }, pull], [pull]],
    [[{ type: 'repository', name: 'org1/repo1', actions: ['pull'] }], [{ type: 'repository', name: 'org1/repo1', actions: ['pull'] }]]
  ]
  for (const [access, grants, pushIncludes = []] of cases) {
    t.strictSame(await verify(await mintForeign(THEIRS, { claims: { access } }), await issuer({ pushIncludes })), { ok: true, principal: { kind: 'token', subject: 'issuer:cm', subjects: ['anonymous'], grants, expires: at(NOW + 3600) } }, JSON.stringify(access))
  }
})

await t.test('no token of theirs is an account of ours, whatever it calls itself', async t => {
  for (const sub of ['user:alice', 'key:master', 'anonymous', '../user:alice']) t.match(await verify(await mintForeign(THEIRS, { claims: { sub } }), await issuer()), { principal: { subject: `issuer:cm/${sub}`, subjects: ['anonymous'] } })
})

await t.test('a token that was got with one of theirs counts as long as the issuer is named', async t => {
  for (const [sub, ok] of [['issuer:cm', true], ['issuer:cm/', true], ['issuer:cm/ci', true], ['issuer:cm2', false], ['issuer:c', false], ['issuer:', false], ['user:cm', false]] as const) {
    t.equal(isOfIssuer(sub, [await issuer()]), ok, sub)
    t.match(await verify(await mintToken({ claims: { sub } }), await issuer()), ok ? { ok } : { ok, code: 'token_unknown_subject' }, sub)
  }
})

await t.test('a key of ours is nobody else\'s, wherever it was found', async t => {
  const ours = await ourKey()
  const greedy = await issuer({}, await keyOf(ours))
  t.strictSame(await verify(await mintForeign(ours), greedy), { ok: false, code: 'token_unknown_key' })
  t.strictSame(await verify(await mintToken({ claims: { sub: 'user:gone' } }), greedy), { ok: false, code: 'token_unknown_subject' })
})

await t.test('an issuer or key that is gone takes its tokens along, also remembered ones', async t => {
  let [keys, issuers]: [IssuerKey[], Issuer[]] = [[await keyOf(THEIRS)], []]
  const their: Issuer = { config: { name: 'cm' }, keys: () => keys }
  const ring = trusting([await ourKey()])
  issuers = [their]
  const verifier = createVerifier({ keys: () => ({ ...ring, issuers }), source: SOURCE, knowsSubject: () => false, clock: clockOf(() => NOW) })
  const token = await mintForeign(THEIRS)
  const good = verifier.verify(token)
  t.match(good, { ok: true })
  keys = []
  t.equal(verifier.remembered(token), undefined)
  t.strictSame(verifier.verify(token), { ok: false, code: 'token_unknown_key' })
  keys = [await keyOf(THEIRS)]
  t.strictSame(verifier.verify(token), good)
  issuers = []
  t.equal(verifier.remembered(token), undefined)
  t.strictSame(verifier.verify(token), { ok: false, code: 'token_unknown_key' })
})

await t.test('issuers are opened from their files, or every reason why not is said', async t => {
  const pem = THEIRS.publicKey.export({ type: 'spki', format: 'pem' }) as string
  const dir = testFolder(t, { 'a.pem': pem, 'b.json': JSON.stringify({ keys: [THEIRS.publicKey.export({ format: 'jwk' })] }), 'empty.json': '{"keys":[]}', 'bad.json': 'x' })
  const at = (name: string): string => `${dir}/${name}`
  const good = await openIssuers([{ name: 'a', publicKey: at('a.pem') }, { name: 'b', jwksFile: at('b.json') }, { name: 'c', jwksUrl: 'http://127.0.0.1:9/' }])
  t.strictSame(good.ok && good.issuers.map(each => [each.config.name, each.keys().length, each.remote !== undefined]), [['a', 1, false], ['b', 1, false], ['c', 0, true]])
  t.strictSame(await openIssuers([{ name: 'a', publicKey: at('none.pem') }, { name: 'b', jwksFile: at('empty.json') }, { name: 'c', jwksFile: at('bad.json') }, { name: 'd', publicKey: at('bad.json') }]), {
    ok: false,
    mistakes: [
      `tokens.issuers[0]: ${at('none.pem')} cannot be read (ENOENT)`,
      `tokens.issuers[1]: ${at('empty.json')} cannot be used: it holds no key that verifies signatures`,
      `tokens.issuers[2]: ${at('bad.json')} cannot be used: it is not JSON`,
      `tokens.issuers[3]: ${at('bad.json')} cannot be used: it is not a public key or certificate in PEM, of RSA (2048 to 8192 bits), EC or Ed25519`
    ]
  })
  const before = good.ok ? good.issuers : []
  const again = await openIssuers([{ name: 'c', jwksUrl: 'http://127.0.0.1:9/' }, { name: 'd', jwksUrl: 'http://127.0.0.1:9/' }], before)
  t.equal(again.ok && again.issuers[0], before[2], 'one that stays keeps what it has fetched')
  t.not(again.ok && again.issuers[1], before[2])
})

await t.test('a token of a key that is not known yet waits for the keys that are fetched, and only for those', async t => {
  let keys: IssuerKey[] = []
  let fetches = 0
  const arriving = [await keyOf(THEIRS)]
  const remote = { keys: () => keys, refresh: async () => { fetches++; keys = arriving }, follow: () => {}, close: () => {} }
  const verifier = await verifierOf({ config: { name: 'far' }, keys: remote.keys, remote }, await issuer({ name: 'near' }, await keyOf(await keyNamed('near'))))
  const token = await mintForeign(THEIRS)
  const first = verifier.verify(token)
  t.ok(first instanceof Promise)
  t.match(await first, { ok: true, principal: { subject: 'issuer:far' } })
  t.notOk(verifier.verify(await mintForeign(THEIRS, { claims: { sub: 'x' } })) instanceof Promise, 'what is known waits for nothing')
  t.equal(fetches, 1)
  t.strictSame(await verifier.verify(await mintForeign(await strangersKey())), { ok: false, code: 'token_unknown_key' }, 'what nobody knows is asked for, and refused')
  t.equal(fetches, 2)
  const early = await verifierOf({ config: { name: 'far' }, keys: () => [], remote: { ...remote, refresh: () => undefined } })
  t.strictSame(early.verify(token), { ok: false, code: 'token_unknown_key' }, 'at once, where it is too early to ask again')
})

await t.test('an issuer\'s clock may differ by ten seconds, or by what it is given', async t => {
  for (const [clockSkew, seconds] of [[undefined, 10], [0, 0], [300, 300]] as const) {
    const config = clockSkew === undefined ? {} : { clockSkew }
    const verdict = async (claims: Record<string, unknown>): Promise<unknown> => await verify(await mintForeign(THEIRS, { claims }), await issuer(config))
    t.match(await verdict({ exp: NOW - seconds + 1 }), { ok: true }, `${seconds} s: about to end`)
    t.match(await verdict({ exp: NOW - seconds }), { ok: false, code: 'token_expired' })
    for (const claim of ['iat', 'nbf']) {
      t.match(await verdict({ [claim]: NOW + seconds }), { ok: true })
      t.match(await verdict({ [claim]: NOW + seconds + 1 }), { ok: false, code: 'token_not_yet_valid' }, claim)
    }
  }
})

await t.test('a remembered token of an issuer counts as long as a new one', async t => {
  const clock = testClock(NOW)
  const trusted = trusting([await ourKey()], [await issuer({ clockSkew: 60 })])
  const verifier = createVerifier({ keys: () => trusted, source: SOURCE, knowsSubject: () => false, clock })
  const token = await mintForeign(THEIRS, { claims: { exp: NOW + 100 } })
  t.match(verifier.verify(token), { ok: true })
  clock.pass(159)
  t.match([verifier.remembered(token), verifier.verify(token)], [{ ok: true }, { ok: true }])
  clock.pass(1)
  t.match([verifier.remembered(token), verifier.verify(token)], [{ code: 'token_expired' }, { code: 'token_expired' }])
})

await t.test('the registry is open to those of whom the configuration says so, and to what is got with their tokens', async t => {
  const open = await issuer({ oci: true })
  const [closed, other] = [await issuer(), await issuer({ name: 'other', oci: true })]
  const theirs = await mintForeign(THEIRS)
  const got = await mintToken({ claims: { sub: 'issuer:cm/ci' } })
  for (const [token, subject] of [[theirs, 'issuer:cm'], [got, 'issuer:cm/ci']] as const) {
    for (const [issuers, opens] of [[[open], true], [[closed], undefined], [[closed, other], undefined]] as const) {
      const verifier = await verifierOf(...issuers)
      for (const verification of [await verifier.verify(token), verifier.remembered(token)]) {
        t.match(verification, { ok: true, principal: { subject } })
        t.equal(verification?.ok === true && verification.principal.opensRegistry, opens, `${subject} ${String(opens)}`)
      }
    }
  }
  t.notOk('opensRegistry' in (await verify(await mintToken(), open) as { principal: object }).principal, 'ours need no such word')
})
