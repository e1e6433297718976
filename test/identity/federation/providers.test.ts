// What a token of a job proves, and the providers that are opened and kept.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { claimsFault, judgeIdToken, NO_FEDERATION, openFederation, providersOf, signersOf, type Provider } from '../../../src/identity/federation/providers.ts'
import type { FederationRule, ProviderConfig } from '../../../src/identity/federation/federation-config.ts'
import { readToken, type SignedToken } from '../../../src/tokens/signature.ts'
import type { Principal } from '../../../src/words/principal.ts'
import { clockOf } from '../../helpers/clock.ts'
import { AUDIENCE, federationOf, GITHUB, githubClaims, idToken, keySet, KUBERNETES, kubernetesClaims, ruleFor } from '../../helpers/federation.ts'
import { testFolder } from '../../helpers/folder.ts'
import { keyNamed } from '../../helpers/keys.ts'
import { NOW } from '../../helpers/tokens.ts'

const KEY = await keyNamed('platform')
const NOBODY = new Set<string>()

async function tokenOf (claims: Readonly<Record<string, unknown>>, header = {}, key = KEY): Promise<SignedToken> {
  return readToken(await idToken(key, claims, header)) as SignedToken
}

async function judge (more: Record<string, unknown>, { provider = {}, rules = [{}], header = {}, now = NOW }: { provider?: Partial<ProviderConfig>, rules?: Partial<FederationRule>[], header?: object, now?: number } = {}): Promise<unknown> {
  const config = { ...GITHUB, ...provider }
  const federation = await federationOf({ providers: [config], rules: rules.map(rule => ruleFor(config, rule)) }, KEY)
  const token = await tokenOf(githubClaims(more), header)
  const [signed] = signersOf(providersOf(federation, token), token, NOBODY)
  if (signed === undefined) return 'unsigned'
  const verdict = judgeIdToken(signed, token, clockOf(() => now))
  return verdict.ok ? verdict.principal : verdict.code
}

await t.test('a job has the rights of the first rule that takes it, its groups, and what is open to everyone', async t => {
  const principal = await judge({}, { rules: [{ match: { ref: ['x'] } }, { groups: ['publishers'] }, {}] })
  t.match(principal, {
    kind: 'ci',
    subject: 'ci:github:octo-org/octo-repo',
    subjects: ['group:publishers', 'anonymous'],
    rights: { place: 'federation.rules[1]' },
    proof: { tokenId: '4f1d0d2b-0000-4000-8000-000000000001', keyId: KEY.kid, federated: { ids: { repository_id: '74' } } }
  })
  t.notHas(principal as object, { grants: [] })
  t.equal(await judge({}, { rules: [{ match: { ref: ['x'] } }] }), 'federation_no_rule')
  t.equal(await judge({}, { rules: [] }), 'federation_no_rule')
})

await t.test('a token without jti and kid has the names that there are', async t => {
  t.match(await judge({ jti: undefined }, { header: { kid: undefined } }), { proof: { tokenId: undefined, keyId: KEY.kid } })
})

await t.test('it ends when it says so, or so long after its issue as its rule says', async t => {
  t.match(await judge({}), { expires: { wall: NOW + 600 } })
  t.match(await judge({ exp: NOW + 600.9 }), { expires: { wall: NOW + 600 } })
  t.match(await judge({ exp: NOW + 86_400 }), { expires: { wall: NOW + 3600 } })
  t.match(await judge({}, { rules: [{ maxLifetime: 60 }] }), { expires: { wall: NOW + 60 } })
  t.equal(await judge({ exp: NOW + 86_400 }, { now: NOW + 3609 }) instanceof Object, true)
  t.equal(await judge({ exp: NOW + 86_400 }, { now: NOW + 3610 }), 'token_expired')
  t.equal(await judge({}, { now: NOW + 611 }), 'token_expired')
  t.match(await judge({}, { now: NOW + 611, provider: { clockSkew: 30 } }), { kind: 'ci' })
})

await t.test('what is no ID token for this gateway alone is refused, whichever rule there is', async t => {
  const wrong: [Record<string, unknown>, string][] = [
    [{ aud: 'https://other.example.test' }, 'token_wrong_claims'],
    [{ aud: undefined }, 'token_wrong_claims'],
    [{ aud: [AUDIENCE, 'https://other.example.test'] }, 'token_wrong_claims'],
    [{ aud: [] }, 'token_wrong_claims'],
    [{ aud: [[AUDIENCE]] }, 'token_wrong_claims'],
    [{ aud: 5 }, 'token_wrong_claims'],
    [{ sub: undefined }, 'token_wrong_claims'],
    [{ sub: '' }, 'token_wrong_claims'],
    [{ sub: ['x'] }, 'token_wrong_claims'],
    [{ iat: undefined }, 'token_wrong_claims'],
    [{ iat: String(NOW) }, 'token_wrong_claims'],
    [{ exp: undefined }, 'token_wrong_claims'],
    [{ exp: NOW - 10 }, 'token_expired'],
    [{ iat: NOW + 11 }, 'token_not_yet_valid'],
    [{ nbf: NOW + 11 }, 'token_not_yet_valid']
  ]
  for (const [claims, code] of wrong) t.equal(await judge(claims), code, JSON.stringify(claims))
  t.match(await judge({ aud: [AUDIENCE] }), { kind: 'ci' })
  for (const typ of ['at+jwt', 'application/at+jwt', 'dpop+jwt', 5, null]) t.equal(await judge({}, { header: { typ } }), 'token_malformed', String(typ))
  for (const typ of [undefined, 'JWT', 'jwt', 'application/jwt']) t.match(await judge({}, { header: { typ } }), { kind: 'ci' }, String(typ))
})

await t.test('one that counts once is remembered by its id, else by all that is signed, and never by its signature', async t => {
  const once = async (more: Record<string, unknown>, options: Parameters<typeof judge>[1] = {}): Promise<Principal['exchangeOnly']> => (await judge(more, { ...options, provider: { exchangeOnce: true } }) as Principal).exchangeOnly
  const first = await once({})
  t.strictSame(await once({ sub: 'another form', run_id: '1' }), first, 'the same id is the same token')
  t.not((await once({ jti: 'next' }))?.name, first?.name)
  const [unnamed, empty, listed] = [await once({ jti: undefined }), await once({ jti: '' }), await once({ jti: ['x'] })]
  t.equal(new Set([unnamed, empty, listed, first].map(each => each?.name)).size, 4)
  t.equal((await once({ jti: undefined }, { now: NOW + 1 }))?.name, unnamed?.name)
  t.equal(first?.seconds, 1_200, 'while it lasts, and both clocks may differ')
  t.equal((await once({ exp: NOW + 1e9 }))?.seconds, 87_000, 'and no longer than any rule gives')
  t.equal(first?.provider, 'github')
  t.strictSame(first?.issued, { wall: NOW - 10, monotonic: NOW - 10 }, 'its clock may be ahead')
  t.equal((await judge({}, { provider: { exchangeOnce: true, clockSkew: 60 } }) as Principal).exchangeOnly?.issued.wall, NOW - 60)
  t.notHas(await judge({}) as object, { exchangeOnly: {} })
})

await t.test('only keys say whose it is', async t => {
  const [one, other] = [await keyNamed('one'), await keyNamed('other')]
  const [a, b] = [{ ...KUBERNETES, name: 'a' }, { ...KUBERNETES, name: 'b', jwksFile: '/b.json' }]
  const providers = [...(await federationOf({ providers: [a], rules: [] }, one)).providers, ...(await federationOf({ providers: [b], rules: [] }, other)).providers]
  const names = (token: SignedToken, ours = NOBODY): string[] => signersOf(providersOf({ ...NO_FEDERATION, providers }, token), token, ours).map(({ provider }) => provider.config.name)
  t.strictSame(names(await tokenOf(kubernetesClaims(), { typ: undefined }, one)), ['a'])
  t.strictSame(names(await tokenOf(kubernetesClaims(), {}, other)), ['b'], 'two clusters of one name')
  t.strictSame(names(await tokenOf(kubernetesClaims(), {}, await keyNamed('third'))), [])
  t.strictSame(names(await tokenOf(kubernetesClaims(), {}, one), new Set([one.kid])), [], 'a key of ours is nobody else\'s')
  for (const iss of [`${KUBERNETES.issuer}/`, 'HTTPS://kubernetes.default.svc.cluster.local', [KUBERNETES.issuer], undefined]) t.strictSame(names(await tokenOf(kubernetesClaims({ iss }), {}, one)), [], String(iss))
  t.equal(claimsFault(providers[0] as Provider, await tokenOf(kubernetesClaims(), {}, one), NOW), undefined)
})

await t.test('key sets come from files, from URLs and by discovery; what is as it was keeps its keys', async t => {
  const folder = testFolder(t)
  const file = join(folder, 'jwks.json')
  await writeFile(file, keySet(KEY))
  const config = { providers: [{ ...KUBERNETES, jwksFile: file }, GITHUB, { ...GITHUB, name: 'url', issuer: 'https://x.example', jwksUrl: 'https://x.example/keys' }], rules: [ruleFor(GITHUB)] }
  const { federation, mistakes } = await openFederation(config)
  t.strictSame(mistakes, [])
  t.strictSame(federation.providers.map(({ keys, remote }) => [keys().length, remote !== undefined]), [[1, false], [0, true], [0, true]])
  t.equal(federation.rules.size, 1)
  const { federation: again } = await openFederation({ ...config, rules: [] }, federation)
  t.equal(again.providers[1]?.remote, federation.providers[1]?.remote)
  t.equal(again.rules.size, 0)
  const changed = async (more: object): Promise<boolean[]> => {
    const { federation: next } = await openFederation({ ...config, providers: config.providers.map(each => ({ ...each, ...more })) }, federation)
    t.match(next.providers, config.providers.map(() => ({ config: more })))
    return next.providers.slice(1).map(({ remote }, i) => remote === federation.providers[i + 1]?.remote)
  }
  t.strictSame(await changed({ audience: 'other', exchangeOnce: true, clockSkew: 5 }), [true, true], 'also while the issuer is away')
  t.strictSame(await changed({ ca: '/ca.pem' }), [false, false], 'they are asked for in another way')
  t.strictSame(await changed({ issuer: 'https://y.example' }), [false, true])
})

await t.test('a file that cannot be used is said, and leaves its provider the keys that it had', async t => {
  const file = join(testFolder(t), 'jwks.json')
  const config = { providers: [{ ...KUBERNETES, jwksFile: file }], rules: [] }
  const missing = await openFederation(config)
  t.match(missing, { mistakes: [/^federation.providers\[0\]: .*jwks.json cannot be read \(ENOENT\)$/] })
  t.strictSame(missing.federation.providers[0]?.keys(), [])
  await writeFile(file, keySet(KEY))
  const { federation } = await openFederation(config, missing.federation)
  await writeFile(file, '{"keys":[]}')
  const broken = await openFederation(config, federation)
  t.match(broken.mistakes, [/it holds no key that verifies signatures$/])
  t.strictSame(broken.federation.providers[0]?.keys(), federation.providers[0]?.keys())
})
