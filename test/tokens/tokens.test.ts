import { createHmac, createSign, generateKeyPairSync, sign as signBytes, type KeyObject } from 'node:crypto'
import { chmod, mkdir, readFile, readdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { calculateJwkThumbprint, exportJWK } from 'jose'
import t from 'tap'
import { createUpstreamMinter, issueToken } from '../../src/tokens/issue.ts'
import { openKeyStore, type KeyStore } from '../../src/tokens/keys.ts'
import { createVerifier, type Verifier } from '../../src/tokens/verify.ts'
import { grant } from '../helpers/app.ts'

const NOW = 1_800_000_000
const SOURCE = { issuer: 'http://charts.example.test', audience: 'charts.example.test', ttl: 300 }
const GRANTS = [grant('org1/repo1', 'pull')]

async function storeIn (dir: string): Promise<KeyStore> {
  const opened = await openKeyStore(dir)
  if (!opened.ok) throw new Error(opened.message)
  return opened.keys
}

const encode = (value: unknown): string => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
function rs256 (header: object, claims: unknown, key: KeyObject): string {
  const input = `${encode(header)}.${encode(claims)}`
  return `${input}.${createSign('RSA-SHA256').update(input).sign(key).toString('base64url')}`
}

await t.test('keys are made at the first start, for this user alone, and stay', async t => {
  const dir = join(t.testdir(), 'keys')
  const [keys, again] = [await storeIn(dir), await storeIn(dir)]
  t.equal(keys.signing.kid, again.signing.kid)
  t.not(keys.signing.kid, keys.upstream.kid)
  t.same((await readdir(dir)).sort(), ['token.pem', 'upstream.pem'])
  for (const { file } of [keys.signing, keys.upstream]) t.equal((await stat(file)).mode & 0o777, 0o600)
  t.equal((await stat(dir)).mode & 0o777, 0o700)
  const [jwk] = keys.jwks().keys
  t.equal(jwk?.kid, await calculateJwkThumbprint(await exportJWK(keys.signing.publicKey)))
  t.equal(keys.jwks().keys.length, 1, 'the upstream key is not published')
})

await t.test('two processes that start at once agree on the keys', async t => {
  const dir = join(t.testdir(), 'keys')
  const kids = (await Promise.all([storeIn(dir), storeIn(dir), storeIn(dir)])).map(keys => keys.signing.kid)
  t.equal(new Set(kids).size, 1)
  t.same((await readdir(dir)).sort(), ['token.pem', 'upstream.pem'])
})

await t.test('a key that cannot be used is one clear sentence without a byte of it', async t => {
  const small = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey.export({ type: 'pkcs8', format: 'pem' })
  const curve = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' })
  const cases: [string, (dir: string) => Promise<unknown>, RegExp][] = [
    ['no key', async dir => { await writeFile(join(dir, 'token.pem'), 'hidden', { mode: 0o600 }) }, /not an unencrypted private key/],
    ['a small key', async dir => { await writeFile(join(dir, 'token.pem'), small, { mode: 0o600 }) }, /at least 2048 bits/],
    ['another kind of key', async dir => { await writeFile(join(dir, 'token.pem'), curve, { mode: 0o600 }) }, /not an RSA key/],
    ['a key that others can read', async dir => { await storeIn(dir); await chmod(join(dir, 'token.pem'), 0o644) }, /can be read by others \(mode 644\)/],
    ['a folder in its place', async dir => { await mkdir(join(dir, 'token.pem')) }, /EISDIR/]
  ]
  for (const [name, prepare, expected] of cases) {
    const dir = join(t.testdir(), 'keys')
    await mkdir(dir)
    await prepare(dir)
    const opened = await openKeyStore(dir)
    t.match(opened, { ok: false, message: expected }, name)
    t.notMatch(JSON.stringify(opened), 'hidden')
  }
  const file = join(t.testdir({ file: '' }), 'file', 'keys')
  t.match(await openKeyStore(file), { ok: false, message: /cannot be used/ })
})

await t.test('the upstream gets tokens for one right each, used for a minute', async t => {
  const { upstream } = await storeIn(join(t.testdir(), 'keys'))
  let now = NOW
  const mint = createUpstreamMinter(upstream, 'http://issuer', () => now)
  const access = { type: 'artifact-repository', name: 'org1/repo1', action: 'pull' } as const
  const token = await mint(access)
  t.equal(await mint(access), token)
  t.not(await mint({ ...access, action: 'push' }), token)
  t.not(await mint({ ...access, name: 'org1/repo2' }), token)
  now += 61
  t.not(await mint(access), token)
  const claims = JSON.parse(Buffer.from(token.split('.')[1] as string, 'base64url').toString()) as Record<string, unknown>
  t.match(claims, { iat: NOW - 10, nbf: NOW - 10, exp: NOW + 120, access: [{ type: 'artifact-repository', name: 'org1/repo1', actions: ['pull'] }] })
  for (let i = 0; i < 10_001; i++) void mint({ ...access, name: `t/${i}` })
  t.not(await mint({ ...access, name: 't/1' }), token, 'what is kept is bounded')
})

await t.test('only what we issued, whole and in time, is verified', async t => {
  const { signing } = await storeIn(join(t.testdir(), 'keys'))
  const { privateKey: foreign } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  let now = NOW
  let knows = true
  const fresh = (): Verifier => createVerifier({ keys: [signing], source: SOURCE, knowsSubject: () => knows, now: () => now })
  const good = { iss: SOURCE.issuer, sub: 'key:master', aud: SOURCE.audience, iat: NOW, nbf: NOW - 10, exp: NOW + 300, jti: 'id', access: GRANTS }
  const header = { alg: 'RS256', typ: 'JWT', kid: signing.kid }
  const claims = (change: object): string => rs256(header, { ...good, ...change }, signing.privateKey)
  const without = (name: string): string => rs256(header, Object.fromEntries(Object.entries(good).filter(([key]) => key !== name)), signing.privateKey)
  const pem = signing.publicKey.export({ type: 'spki', format: 'pem' }) as string
  const hmac = (secret: string): string => {
    const input = `${encode({ ...header, alg: 'HS256' })}.${encode(good)}`
    return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`
  }
  const token = claims({})
  const [head, , signature] = token.split('.') as [string, string, string]
  const foreignJwk = { ...await exportJWK(foreign), kid: signing.kid }
  const cases: [string, string, string][] = [
    ['alg none', `${encode({ ...header, alg: 'none' })}.${encode(good)}.`, 'token_malformed'],
    ['alg None', `${encode({ ...header, alg: 'None' })}.${encode(good)}.${signature}`, 'token_malformed'],
    ['HS256 with the public PEM', hmac(pem), 'token_malformed'], ['HS256 with a trimmed PEM', hmac(pem.trim()), 'token_malformed'], ['HS256 with the DER', hmac(signing.publicKey.export({ type: 'spki', format: 'der' }).toString('latin1')), 'token_malformed'],
    ['PS256 with our key', (() => { const input = `${encode({ ...header, alg: 'PS256' })}.${encode(good)}`; return `${input}.${signBytes('sha256', Buffer.from(input), { key: signing.privateKey, padding: 6, saltLength: 32 }).toString('base64url')}` })(), 'token_malformed'],
    ['a foreign key under our kid', rs256(header, good, foreign), 'token_bad_signature'],
    ['a key of its own', rs256({ ...header, jwk: foreignJwk, jku: 'http://127.0.0.1:1/', x5u: 'http://127.0.0.1:1/', x5c: ['x'] }, good, foreign), 'token_bad_signature'],
    ['an unknown kid', rs256({ ...header, kid: '../../dev/null' }, good, foreign), 'token_unknown_key'],
    ['no kid', rs256({ alg: 'RS256', typ: 'JWT' }, good, signing.privateKey), 'token_malformed'],
    ['another type', rs256({ ...header, typ: 'at+jwt' }, good, signing.privateKey), 'token_malformed'],
    ['an unknown crit', rs256({ ...header, crit: ['x'], x: 1 }, good, signing.privateKey), 'token_malformed'],
    ['a tampered payload', `${head}.${encode({ ...good, access: [grant('org2/repo2', 'pull')] })}.${signature}`, 'token_bad_signature'],
    ['no JSON', `${encode('x')}.${encode('y')}.z`, 'token_malformed'], ['a megabyte', token + 'A'.repeat(1_000_000), 'token_malformed'], ['dots', '.'.repeat(16_000), 'token_malformed'],
    ...['iss', 'sub', 'aud', 'exp', 'iat', 'jti'].map((name): [string, string, string] => [`no ${name}`, without(name), 'token_wrong_claims']),
    ['no nbf', without('nbf'), 'token_not_yet_valid'],
    ['another issuer', claims({ iss: 'http://other' }), 'token_wrong_claims'], ['another audience', claims({ aud: 'other' }), 'token_wrong_claims'], ['a list without ours', claims({ aud: ['a', 'b'] }), 'token_wrong_claims'], ['a number as audience', claims({ aud: 5 }), 'token_wrong_claims'],
    ['exp as text', claims({ exp: String(NOW + 300) }), 'token_wrong_claims'], ['an expiry far away', claims({ exp: NOW + 10 ** 9 }), 'token_wrong_claims'], ['a lifetime too long', claims({ exp: NOW + 301 }), 'token_wrong_claims'],
    ['expired', claims({ iat: NOW - 320, exp: NOW - 20 }), 'token_expired'], ['not yet valid', claims({ nbf: NOW + 60 }), 'token_not_yet_valid'], ['from the future', claims({ iat: NOW + 60, exp: NOW + 360 }), 'token_not_yet_valid'],
    ['an empty subject', claims({ sub: '' }), 'token_wrong_claims'], ['jti as a number', claims({ jti: 5 }), 'token_wrong_claims'],
    ...[undefined, null, {}, 'pull', [null], ['x'], [{ type: 'x', name: 'a', actions: [] }], [{ ...GRANTS[0], name: 5 }], [{ ...GRANTS[0], actions: 'pull' }], [{ ...GRANTS[0], actions: ['pull', 'admin'] }]]
      .map((access): [string, string, string] => [`access ${JSON.stringify(access)}`, claims({ access }), 'token_wrong_claims'])
  ]
  for (const [name, bad, code] of cases) t.same(await fresh().verify(bad), { ok: false, code }, name)
  const principal = { kind: 'token', subject: 'key:master', grants: GRANTS, expires: NOW + 300 }
  for (const ok of [token, claims({ aud: ['x', SOURCE.audience] }), claims({ access: [] }), claims({ nbf: NOW + 5 }), (await issueToken(signing, SOURCE, 'key:master', GRANTS, NOW)).token]) t.match(await fresh().verify(ok), { ok: true })

  const verifier = fresh()
  t.equal(verifier.remembered(token), undefined)
  t.same(await verifier.verify(token), { ok: true, principal })
  t.same(verifier.remembered(token), { ok: true, principal })
  knows = false
  t.same(verifier.remembered(token), { ok: false, code: 'token_unknown_subject' })
  t.same(await verifier.verify(token), { ok: false, code: 'token_unknown_subject' })
  knows = true
  now = NOW + 309
  t.match(verifier.remembered(token), { ok: true }, 'within the leeway')
  now = NOW + 310
  t.same(verifier.remembered(token), { ok: false, code: 'token_expired' })
  t.equal(verifier.remembered(token), undefined, 'and it is forgotten')
})

await t.test('the key file is what the keys were read from', async t => {
  const { signing } = await storeIn(join(t.testdir(), 'keys'))
  t.match(await readFile(signing.file, 'utf8'), 'BEGIN PRIVATE KEY')
})
