// Attack class 33: a job that is taken for another one. Each published mistake, against rules as
// the configuration takes them; vague rules are refused before (test/config/federation-rules.test.ts).
import t from 'tap'
import type { ProviderConfig } from '../../src/identity/federation/federation-config.ts'
import { createFederationSource } from '../../src/identity/sources/federation.ts'
import { createFederation, openFederation } from '../../src/identity/federation/providers.ts'
import { createRemoteKeys, FETCH_LIMITS } from '../../src/tokens/remote-keys.ts'
import { clockOf } from '../helpers/clock.ts'
import { AUDIENCE, federationOf, GITHUB, githubClaims, GITHUB_SUB_WITH_IDS, GITLAB, gitlabClaims, idToken, KUBERNETES, kubernetesClaims, ruleFor, startIssuer } from '../helpers/federation.ts'
import { keyNamed } from '../helpers/keys.ts'
import { NOW } from '../helpers/tokens.ts'

const KEY = await keyNamed('platform')

/** Who a job is for a provider with one right rule, or why it is nobody. */
async function judge (provider: ProviderConfig, claims: Readonly<Record<string, unknown>>, more: object = {}): Promise<string | undefined> {
  const federation = await federationOf({ providers: [provider], rules: [ruleFor(provider, more)] }, KEY)
  const source = createFederationSource({ federation: () => federation, ours: () => new Set(), clock: clockOf(() => NOW) })
  const result = await source.authenticate({ secret: await idToken(KEY, claims) })
  return result?.ok === true ? result.principal.subject : result?.code
}

await t.test('the jobs that are meant are let in', async t => {
  t.equal(await judge(GITHUB, githubClaims()), 'ci:github:octo-org/octo-repo')
  t.equal(await judge(GITHUB, githubClaims({ sub: GITHUB_SUB_WITH_IDS })), 'ci:github:octo-org/octo-repo')
  for (const iss of [`${GITHUB.issuer}/octo-enterprise`, 'https://ghes.example.com/_services/token']) {
    t.equal(await judge({ ...GITHUB, issuer: iss }, githubClaims({ iss, sub: 'repository_owner_id:65:repository_id:74', enterprise: 'octo-enterprise', enterprise_id: '3' })), 'ci:github:octo-org/octo-repo', 'of an enterprise')
    t.equal(await judge(GITHUB, githubClaims({ iss })), undefined, 'which is an issuer of its own')
  }
  t.equal(await judge(GITLAB, gitlabClaims()), 'ci:gitlab:my-group/my-project')
  t.equal(await judge(KUBERNETES, kubernetesClaims()), 'ci:cluster:ci/publisher')
})

await t.test('a name that somebody else has registered since is another project', async t => {
  t.equal(await judge(GITHUB, githubClaims({ repository_owner_id: '66', repository_id: '75' })), 'federation_no_rule', 'recycled owner')
  t.equal(await judge(GITHUB, githubClaims({ repository_id: '75' })), 'federation_no_rule', 'recycled repository')
  t.equal(await judge(GITLAB, gitlabClaims({ namespace_id: '73' })), 'federation_no_rule')
  t.equal(await judge(GITHUB, githubClaims({ repository: 'octo-org/renamed', workflow_ref: 'octo-org/renamed/.github/workflows/release.yml@refs/heads/main' })), 'ci:github:octo-org/renamed', 'renamed by its owner it is the same')
})

await t.test('names that collide when they are joined are told apart by ids', async t => {
  for (const [owner, repository] of [['octo', 'org-octo-repo'], ['octo-org-octo', 'repo']]) t.equal(await judge(GITHUB, githubClaims({ sub: `repo:${owner}-65/${repository}-74:ref:refs/heads/main`, repository: `${owner}/${repository}`, repository_id: '7', repository_owner_id: '465' })), 'federation_no_rule')
})

await t.test('a missing claim, a list of claims and a number that is a text elsewhere', async t => {
  for (const claim of ['repository_id', 'repository_owner_id', 'workflow_ref', 'ref']) {
    t.equal(await judge(GITHUB, githubClaims({ [claim]: undefined })), 'federation_no_rule', claim)
    t.equal(await judge(GITHUB, githubClaims({ [claim]: [githubClaims()[claim], 'x'] })), 'federation_no_rule', `${claim} as list`)
    t.equal(await judge(GITHUB, githubClaims({ [claim]: [githubClaims()[claim]] })), 'federation_no_rule', `${claim} as list of one`)
  }
  t.equal(await judge(GITHUB, githubClaims({ repository_id: 74 })), 'ci:github:octo-org/octo-repo')
  for (const id of ['074', '74.0', ' 74', '7e1', 74.5, true]) t.equal(await judge(GITHUB, githubClaims({ repository_id: id })), 'federation_no_rule', String(id))
})

await t.test('a fork, a pull request and a reusable workflow are not the release', async t => {
  t.equal(await judge(GITHUB, githubClaims({ event_name: 'pull_request_target' })), 'federation_no_rule')
  t.equal(await judge(GITHUB, githubClaims({ event_name: 'pull_request', ref: 'refs/pull/7/merge' })), 'federation_no_rule')
  for (const event of ['workflow_run', 'check_run', 'status', 'gollum', 'issue_comment']) t.equal(await judge(GITHUB, githubClaims({ event_name: event })), 'federation_no_rule', event)
  t.equal(await judge(GITLAB, gitlabClaims({ pipeline_source: 'parent_pipeline' })), 'federation_no_rule', 'a child of a merge request\'s pipeline says the branch of the fork as its ref')
  t.equal(await judge(GITLAB, gitlabClaims({ pipeline_source: 'merge_request_event' })), 'federation_no_rule', 'of a fork they once had the ids of the target')
  t.equal(await judge(GITHUB, githubClaims({ workflow_ref: 'octo-org/octo-repo/.github/workflows/lint.yml@refs/heads/main', job_workflow_ref: 'octo-org/octo-repo/.github/workflows/release.yml@refs/heads/main' })), 'federation_no_rule', 'who is called is not who calls')
  t.equal(await judge(GITHUB, githubClaims({ workflow: 'release', workflow_ref: 'octo-org/octo-repo/.github/workflows/evil.yml@refs/heads/main' })), 'federation_no_rule', 'a title is nobody')
  t.equal(await judge(GITLAB, gitlabClaims({ ref_type: 'tag', ref_path: 'refs/tags/main' })), 'federation_no_rule', 'a tag that is called as the branch is')
})

await t.test('an issuer is one to the letter, and a token for another gateway is none', async t => {
  for (const iss of [`${GITHUB.issuer}/`, GITHUB.issuer.toUpperCase(), `${GITHUB.issuer}/octo`]) t.equal(await judge(GITHUB, githubClaims({ iss })), undefined, iss)
  for (const aud of ['https://other.example.test', `${AUDIENCE}/`, [AUDIENCE, 'https://other.example.test'], 'https://github.com/octo-org']) t.equal(await judge(GITHUB, githubClaims({ aud })), 'token_wrong_claims', String(aud))
})

await t.test('another service account, and a namespace that is named by a claim of one\'s own', async t => {
  const nested = (more: object): Readonly<Record<string, unknown>> => kubernetesClaims({ 'kubernetes.io': { ...kubernetesClaims()['kubernetes.io'] as object, ...more } })
  t.equal(await judge(KUBERNETES, nested({ serviceaccount: { name: 'default' } })), 'federation_no_rule')
  t.equal(await judge(KUBERNETES, nested({ namespace: 'ci-2' })), 'federation_no_rule')
  t.equal(await judge(KUBERNETES, kubernetesClaims({ 'kubernetes.io': undefined, 'kubernetes.io/namespace': 'ci', 'kubernetes.io/serviceaccount/name': 'publisher' })), 'federation_no_rule')
  t.equal(await judge(KUBERNETES, nested({ serviceaccount: ['publisher'] })), 'federation_no_rule')
  t.equal(await judge(KUBERNETES, kubernetesClaims(), { match: { ...ruleFor(KUBERNETES).match, 'kubernetes.io/serviceaccount/uid': ['another'] } }), 'federation_no_rule', 'recycled, where its uid is named')
})

await t.test('a flood of unknown kids costs one fetch, a redirect leads nowhere, and good tokens go on', async t => {
  const issuer = await startIssuer(t, KEY)
  const provider = { ...GITHUB, issuer: issuer.issuer }
  const { federation } = await openFederation({ providers: [provider], rules: [ruleFor(provider)] })
  const source = createFederationSource({ federation: () => federation, ours: () => new Set(), clock: clockOf(() => NOW) })
  const good = await idToken(KEY, githubClaims({ iss: issuer.issuer }))
  t.match(await source.authenticate({ secret: good }), { ok: true })
  issuer.documents.set('/keys', { status: 302, headers: { location: `${issuer.issuer}/elsewhere` }, body: '' })
  const stranger = await keyNamed('stranger')
  for (let i = 0; i < 100; i++) t.match(await source.authenticate({ secret: await idToken(stranger, githubClaims({ iss: issuer.issuer }), { kid: `kid-${i}` }) }), { ok: false, code: 'token_unknown_key' })
  t.match(await source.authenticate({ secret: await idToken(KEY, githubClaims({ iss: issuer.issuer, jti: 'next' })) }), { ok: true })
  t.ok(issuer.seen.length <= 2 * (1 + Math.ceil(60_000 / FETCH_LIMITS.between)), 'so many fetches in a minute at most')
  t.equal(issuer.seen.some(({ url }) => url === '/elsewhere'), false)
})

await t.test('a key set that was not seen for a day counts no more, nor does what it let in', async t => {
  const issuer = await startIssuer(t, KEY)
  let time = 0
  const remote = createRemoteKeys({ discover: issuer.issuer }, FETCH_LIMITS, () => time)
  const provider = { ...GITHUB, issuer: issuer.issuer }
  const federation = createFederation({ providers: [provider], rules: [ruleFor(provider)] }, [{ keys: remote.keys, remote }])
  const source = createFederationSource({ federation: () => federation, ours: () => new Set(), clock: clockOf(() => NOW) })
  const job = async (jti: string): Promise<string> => await idToken(KEY, githubClaims({ iss: issuer.issuer, jti }))
  const ask = async (secret: string): Promise<unknown> => await source.authenticate({ secret })
  const first = await job('1')
  t.match(await ask(first), { ok: true })
  issuer.documents.clear()
  time = FETCH_LIMITS.keep - 1
  t.match([await ask(first), await ask(await job('2'))], [{ ok: true }, { ok: true }], 'last-good keys through an outage')
  time = FETCH_LIMITS.keep + FETCH_LIMITS.between
  t.strictSame([await ask(first), await ask(await job('3'))], [{ ok: false, code: 'token_unknown_key' }, { ok: false, code: 'token_unknown_key' }])
})

await t.test('keys, addresses and algorithms that a token brings along are nothing', async t => {
  const stranger = await keyNamed('stranger')
  const jwk = stranger.publicKey.export({ format: 'jwk' })
  const federation = await federationOf({ providers: [GITHUB], rules: [ruleFor(GITHUB)] }, KEY)
  const source = createFederationSource({ federation: () => federation, ours: () => new Set(), clock: clockOf(() => NOW) })
  for (const header of [{ jwk, kid: KEY.kid }, { jku: 'https://evil.example/keys', kid: KEY.kid }, { x5u: 'https://evil.example', kid: KEY.kid }, { alg: 'none' }, { alg: 'HS256' }]) t.match(await source.authenticate({ secret: await idToken(stranger, githubClaims(), header) }), { ok: false, code: 'token_unknown_key' })
})
