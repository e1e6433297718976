import { createLocalJWKSet, jwtVerify } from 'jose'
import t from 'tap'
import { tokenPrincipal } from '../../src/words/principal.ts'
import type { Access, Grant } from '../../src/words/access.ts'
import { createUpstreamMinter, issueToken } from '../../src/tokens/issue.ts'
import { createVerifier } from '../../src/tokens/verify.ts'
import { at, clockOf, testClock } from '../helpers/clock.ts'
import { partsOf } from '../helpers/jwt-lab.ts'
import { ourKey, trusting } from '../helpers/keys.ts'
import { NOW, SOURCE } from '../helpers/tokens.ts'

const GRANTS: Grant[] = [{ type: 'artifact-repository', name: 'org1/repo1', actions: ['pull', 'push'] }]
const HOUR = 3600
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
const ACCESS: Access = { type: 'artifact-repository', name: 'org1/repo1', action: 'pull' }

await t.test('a client\'s token has the header and claims that were promised, and no other', async t => {
  const key = await ourKey()
  const issued = await issueToken(key, SOURCE, 'user:alice', GRANTS, NOW)
  const { header, payload } = partsOf(issued.token)
  t.strictSame(header, { alg: 'RS256', typ: 'JWT', kid: key.kid })
  const { jti, ...claims } = payload
  t.match(jti, UUID)
  t.strictSame(claims, {
    iss: 'http://charts.example.test',
    sub: 'user:alice',
    aud: 'charts.example.test',
    iat: NOW,
    nbf: NOW - 10,
    exp: NOW + 300,
    access: [{ type: 'artifact-repository', name: 'org1/repo1', actions: ['pull', 'push'] }]
  })
  t.strictSame([issued.expiresIn, issued.issuedAt.toISOString()], [300, new Date(NOW * 1000).toISOString()])
})

await t.test('access is there also when nothing was granted', async t => {
  const { token } = await issueToken(await ourKey(), SOURCE, 'anonymous', [], NOW)
  t.strictSame(partsOf(token).payload['access'], [])
})

await t.test('each token has an id of its own', async t => {
  const key = await ourKey()
  const tokens = await Promise.all(Array.from({ length: 10 }, async () => partsOf((await issueToken(key, SOURCE, 'anonymous', [], NOW)).token).payload['jti']))
  t.equal(new Set(tokens).size, 10)
})

await t.test('what is issued is accepted by our verifier, and by any other that has the key', async t => {
  const key = await ourKey()
  const { token, id } = await issueToken(key, SOURCE, 'user:alice', GRANTS, NOW)
  const verifier = createVerifier({ keys: () => trusting([key]), source: SOURCE, knowsSubject: () => true, clock: clockOf(() => NOW) })
  t.strictSame(await verifier.verify(token), { ok: true, principal: tokenPrincipal('user:alice', GRANTS, at(NOW + 300), { tokenId: id, keyId: key.kid }) })
  const jwks = createLocalJWKSet({ keys: [{ ...key.publicKey.export({ format: 'jwk' }), kid: key.kid, alg: 'RS256', use: 'sig' }] })
  t.match(await jwtVerify(token, jwks, { currentDate: new Date(NOW * 1000), issuer: SOURCE.issuer, audience: SOURCE.audience }), { payload: { sub: 'user:alice' } })
})

await t.test('the upstream\'s token is for one tenant and one action, and good by clocks without leeway that differ by a minute', async t => {
  const key = await ourKey()
  const token = await createUpstreamMinter(key, 'http://charts.example.test', clockOf(() => NOW))(ACCESS)
  const { header, payload: { jti, ...claims } } = partsOf(token)
  t.strictSame(header, { alg: 'RS256', typ: 'JWT', kid: key.kid })
  t.match(jti, UUID)
  t.strictSame(claims, {
    iss: 'http://charts.example.test',
    sub: 'chartgate',
    aud: 'chartmuseum',
    iat: NOW - 90,
    nbf: NOW - 90,
    exp: NOW + 150,
    access: [{ type: 'artifact-repository', name: 'org1/repo1', actions: ['pull'] }]
  })
  for (const second of [-60, 0, 60, 120]) await jwtVerify(token, key.publicKey, { currentDate: new Date((NOW + second) * 1000), clockTolerance: 0 })
})

await t.test('it is no token for the gateway', async t => {
  const key = await ourKey()
  const token = await createUpstreamMinter(key, SOURCE.issuer, clockOf(() => NOW))(ACCESS)
  const verifier = createVerifier({ keys: () => trusting([key]), source: SOURCE, knowsSubject: () => true, clock: clockOf(() => NOW) })
  t.strictSame(await verifier.verify(token), { ok: false, code: 'token_wrong_claims' }, 'not even if one key signed both')
})

await t.test('a minted token is used for a minute, for its own right', async t => {
  let now = NOW
  const mint = createUpstreamMinter(await ourKey(), 'x', clockOf(() => now))
  const first = await mint(ACCESS)
  t.equal(await mint({ ...ACCESS }), first)
  const others: Access[] = [{ ...ACCESS, action: 'push' }, { ...ACCESS, name: 'org1/repo2' }, { ...ACCESS, name: 'org1/repo10' }]
  for (const other of others) {
    const token = await mint(other)
    t.not(token, first)
    t.match(partsOf(token).payload, { access: [{ type: other.type, name: other.name, actions: [other.action] }] })
  }
  now += 59
  t.equal(await mint(ACCESS), first)
  now += 1
  const second = await mint(ACCESS)
  t.not(second, first)
  t.equal(partsOf(second).payload['exp'], NOW + 210)
})

await t.test('a minted token is not used when the clock was set back to before it, or a minute away', async t => {
  const clock = testClock(NOW)
  const mint = createUpstreamMinter(await ourKey(), 'x', clock)
  let last = await mint(ACCESS)
  const isNew = async (): Promise<boolean> => {
    const [before, token] = [last, await mint(ACCESS)]
    last = token
    return token !== before
  }
  for (const [seconds, expected] of [[-1, true], [-HOUR, true], [59, false], [1, true], [HOUR, true], [30, false], [-30, false], [-1, true]] as const) {
    clock.set(seconds)
    t.equal(await isNew(), expected, `${seconds} s`)
  }
  for (let i = 0; i < 6; i++) {
    clock.pass(10)
    clock.set(-10)
    t.equal(await isNew(), i === 5, 'a clock that stands still keeps none for more than a minute')
  }
})

await t.test('requests at the same moment share one signature', async t => {
  const mint = createUpstreamMinter(await ourKey(), 'x', clockOf(() => NOW))
  t.equal(mint(ACCESS), mint({ ...ACCESS }))
  t.equal(await mint(ACCESS), await mint(ACCESS))
})

await t.test('no number of tenants makes the memory grow without end', async t => {
  // A key that cannot sign: what is remembered are promises, so that none has to be kept here.
  const key = await ourKey()
  const mint = createUpstreamMinter({ ...key, privateKey: key.publicKey }, 'x', clockOf(() => NOW))
  const quiet = (name: string): Promise<string> => {
    const token = mint({ ...ACCESS, name })
    token.catch(() => {})
    return token
  }
  const first = quiet('t0')
  for (let i = 1; i < 10_000; i++) void quiet(`t${i}`)
  t.equal(quiet('t0'), first, '10000 are remembered')
  void quiet('t10000')
  t.not(quiet('t0'), first, 'and then it begins anew')
})
