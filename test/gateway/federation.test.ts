// Jobs at the doors: three ways in, one verification, their rights and no more, and what is
// recorded of them.
import { createServer } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import t from 'tap'
import type { Config } from '../../src/config/schema.ts'
import type { FederationRule, ProviderConfig } from '../../src/identity/federation/federation-config.ts'
import { NO_FEDERATION } from '../../src/identity/federation/providers.ts'
import { federationPart } from '../../src/live/live-federation.ts'
import type { Look } from '../../src/live/part.ts'
import type { Shown, Spent, Use } from '../../src/tokens/spent.ts'
import { askedBy, question } from '../helpers/authz.ts'
import { testClock, type TestClock } from '../helpers/clock.ts'
import { AUDIENCE, GITHUB, githubClaims, idToken, ruleFor, startIssuer, type StubIssuer } from '../helpers/federation.ts'
import type { TestLike } from '../helpers/folder.ts'
import { keyNamed } from '../helpers/keys.ts'
import { askRaw } from '../helpers/raw.ts'
import { basic, form, startTeam, type Team } from '../helpers/team.ts'
import { NOW } from '../helpers/tokens.ts'
import { untilTrue } from '../helpers/until.ts'

const KEY = await keyNamed('platform')
const SCOPE = 'artifact-repository:team-a/web:pull,push'
const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange'
const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
const ID_TOKEN = 'urn:ietf:params:oauth:token-type:id_token'

interface Lab extends Team {
  readonly issuer: StubIssuer
  readonly clock: TestClock
  /** A token of a job of the issuer. */
  job (more?: Record<string, unknown>): Promise<string>
  /** Puts these rules in force, as a reload does. */
  rules (...rules: readonly Partial<FederationRule>[]): Promise<void>
}

async function lab (t: TestLike, more: Partial<ProviderConfig> = {}, spent?: Spent): Promise<Lab> {
  const issuer = await startIssuer(t, KEY)
  const provider = { ...GITHUB, issuer: issuer.issuer, ...more }
  const clock = testClock(NOW)
  const federated = (rules: readonly Partial<FederationRule>[]): Config['federation'] => ({ providers: [provider], rules: rules.map(rule => ruleFor(provider, rule)) })
  const team = await startTeam(t, {
    clock,
    ...(spent === undefined ? {} : { spent }),
    policy: [{ repositories: ['shared/*'], subjects: ['group:publishers'], actions: ['pull'] }, { repositories: ['public/*'], subjects: ['anonymous'], actions: ['pull'] }, { repositories: ['known/*'], subjects: ['authenticated'], actions: ['pull'] }],
    config: config => ({ ...config, audit: { reads: true, required: false }, authz: askedBy('traefik', { push: true }), federation: federated([{ groups: ['publishers'] }]) })
  })
  const { gateway } = team
  return {
    ...team,
    issuer,
    clock,
    job: async (claims = {}) => await idToken(KEY, githubClaims({ iss: issuer.issuer, ...claims })),
    async rules (...rules) {
      await federationPart(gateway.federation, () => {}).load({ config: { ...gateway.config, federation: federated(rules) } } as unknown as Look, gateway.app.log)
    }
  }
}

await t.test('the token of a job gets in as Bearer, as it is, and as the password of Basic under any name', async t => {
  const { ask, job, issuer, gateway } = await lab(t)
  const token = await job()
  for (const authorization of [`Bearer ${token}`, token, basic('ci', token), basic('', token), basic('octo-org/octo-repo', token)]) t.equal((await ask('/team-a/web/index.yaml', { authorization })).status, 200)
  t.strictSame(issuer.seen.map(({ url }) => url), ['/.well-known/openid-configuration', '/keys'], 'keys are fetched once')
  t.match(gateway.log.filter(({ route }) => route === 'index').at(-1), { subject: 'ci:github:octo-org/octo-repo', by: 'federation.rules[0]' })
})

await t.test('the log says whose job was refused and what is in the way, and no client is told', async t => {
  const { ask, job, rules, token, gateway } = await lab(t)
  await rules({ match: { repository_id: ['75'] } }, { match: { repository_id: ['74'], ref: ['refs/heads/dev'] } }, { match: { repository_id: ['7'] } })
  const said = 'a job of github, sub "repo:octo-org/octo-repo:ref:refs/heads/main", with a token for "https://charts.example.test"'
  const refused = await ask('/team-a/web/index.yaml', { authorization: `Bearer ${await job()}` })
  t.match(refused, { status: 401, body: '{"error":"unauthorized"}' })
  t.match(gateway.log.at(-1), { reason: 'federation_no_rule', because: `${said}: federation.rules[1] does not take it: ref is "refs/heads/main", and has to be "refs/heads/dev"` })
  const grant = await token('', form({ grant_type: JWT_BEARER, assertion: await job({ aud: 'https://github.com/octo-org' }), scope: SCOPE }))
  t.match(grant, { status: 400, body: /^(?!.*octo)/ })
  t.match(gateway.log.at(-1), { reason: 'token_wrong_claims', because: /for "https:\/\/github.com\/octo-org"$/ })
  await rules()
  await ask('/team-a/web/index.yaml', { authorization: `Bearer ${await job()}` })
  t.match(gateway.log.at(-1), { because: `${said}: no rule names github` })
})

await t.test('it has the rights of its rule, of the rule\'s groups and what is open to everyone, and no more', async t => {
  const { ask, job, stub } = await lab(t)
  const [bearer, asBasic] = [`Bearer ${await job()}`, basic('ci', await job())]
  const status = async (path: string, method = 'GET', authorization = bearer): Promise<number> => (await ask(path, { method, authorization })).status
  t.equal(await status('/team-a/web/index.yaml'), 200)
  t.equal(await status('/shared/tools/index.yaml'), 200)
  t.equal(await status('/public/charts/index.yaml'), 200)
  const asked = stub.seen.length
  for (const path of ['/team-b/web/index.yaml', '/team-ab/web/index.yaml', '/known/charts/index.yaml']) {
    t.equal(await status(path), 401, path)
    t.equal(await status(path, 'GET', asBasic), 403, path)
  }
  t.equal(await status('/api/team-a/web/charts/x/1.0.0', 'DELETE'), 401)
  t.equal(stub.seen.length, asked, 'and the upstream hears of none of it')
})

await t.test('a token is exchanged for one of ours, which carries its rule and does not outlive it', async t => {
  const { ask, job, token, clock, gateway } = await lab(t)
  const secret = await job()
  for (const parameters of [
    { grant_type: TOKEN_EXCHANGE, subject_token: secret, subject_token_type: ID_TOKEN },
    { grant_type: JWT_BEARER, assertion: secret }
  ]) {
    const got = await token('', form({ ...parameters, scope: `${SCOPE} artifact-repository:team-b/web:pull` }))
    t.equal(got.status, 200, parameters.grant_type)
    t.match(JSON.parse(got.body), { token_type: 'Bearer', expires_in: 300, scope: SCOPE })
    t.equal((JSON.parse(got.body) as Record<string, unknown>)['issued_token_type'], parameters.grant_type === TOKEN_EXCHANGE ? 'urn:ietf:params:oauth:token-type:access_token' : undefined)
    t.match(got.claims, { sub: 'ci:github:octo-org/octo-repo', aud: gateway.config.tokens.service, ci: { ids: { repository_id: '74', repository_owner_id: '65' } } })
    t.equal((await ask('/team-a/web/index.yaml', { authorization: `Bearer ${got.token}` })).status, 200)
    t.equal((await ask('/team-b/web/index.yaml', { authorization: `Bearer ${got.token}` })).status, 401)
  }
  const withBasic = await token(`?scope=${SCOPE}`, { authorization: basic('ci', secret) })
  t.equal(withBasic.status, 200, 'as every client asks for one')
  clock.pass(500)
  t.match(JSON.parse((await token('', form({ grant_type: JWT_BEARER, assertion: secret, scope: SCOPE }))).body), { expires_in: 100 })
  clock.pass(99)
  t.equal((await token('', form({ grant_type: JWT_BEARER, assertion: secret }))).status, 200)
  clock.pass(20)
  const refused = await token('', form({ grant_type: JWT_BEARER, assertion: secret }))
  t.match([refused.status, JSON.parse(refused.body), refused.headers['www-authenticate']], [400, { error: 'invalid_grant', error_description: 'bad credentials' }, undefined])
  const exchanged = await token('', form({ grant_type: TOKEN_EXCHANGE, subject_token: secret, subject_token_type: ID_TOKEN }))
  t.match([exchanged.status, JSON.parse(exchanged.body)], [400, { error: 'invalid_request' }])
  t.match(gateway.audit.slice(-2), [{ action: 'login', outcome: 'denied', reason: 'token_expired' }, { action: 'login', outcome: 'denied', reason: 'token_expired' }])
})

await t.test('one that counts once is exchanged once, and gets in nowhere else', async t => {
  const { ask, job, token, gateway, clock } = await lab(t, { exchangeOnce: true })
  const secret = await job()
  for (const authorization of [`Bearer ${secret}`, basic('ci', secret), basic('ci', `${secret}\n`)]) t.equal((await ask('/public/charts/index.yaml', { authorization })).status, 401)
  t.match(gateway.log.filter(({ route }) => route === 'index'), [{ reason: 'federation_exchange_only', subject: 'ci:github:octo-org/octo-repo' }, { reason: 'federation_exchange_only' }, { reason: 'padded_secret' }])
  t.equal((await token('', form({ grant_type: JWT_BEARER, assertion: secret, account: 'somebody' }))).status, 400, 'what is refused uses nothing up')
  const asked = await Promise.all(Array.from({ length: 4 }, async () => await token('', form({ grant_type: JWT_BEARER, assertion: secret, scope: SCOPE }))))
  t.strictSame(asked.map(({ status }) => status).sort(), [200, 400, 400, 400])
  const got = asked.find(({ status }) => status === 200)?.token as string
  t.equal((await ask('/team-a/web/index.yaml', { authorization: `Bearer ${got}` })).status, 200)
  t.equal((await token('', form({ grant_type: JWT_BEARER, assertion: got, scope: SCOPE }))).status, 200, 'what is ours may be exchanged again')
  t.match(JSON.parse((await token('', form({ grant_type: JWT_BEARER, assertion: secret }))).body), { error: 'invalid_grant' })
  t.match(JSON.parse((await token('', form({ grant_type: TOKEN_EXCHANGE, subject_token: secret, subject_token_type: ID_TOKEN }))).body), { error: 'invalid_request' })
  t.equal((await token(`?scope=${SCOPE}`, { authorization: basic('ci', secret) })).status, 401, 'as a client asks for one too')
  t.match(gateway.audit.at(-1), { action: 'login', outcome: 'denied', reason: 'federation_token_used', actor: { subject: 'ci:github:octo-org/octo-repo', token_id: '4f1d0d2b-0000-4000-8000-000000000001' } })
  clock.pass(1)
  t.equal((await token('', form({ grant_type: JWT_BEARER, assertion: await job({ run_attempt: '3' }) }))).status, 400, 'of one id there is one')
  const unnamed = { jti: undefined, run_attempt: '4' }
  t.equal((await token(`?scope=${SCOPE}`, { authorization: basic('ci', await job(unnamed)) })).status, 200)
  t.equal((await token('', form({ grant_type: JWT_BEARER, assertion: await job(unnamed) }))).status, 400)
})

await t.test('one that counts once is not exchanged where nobody can say that it is the first, and the client is told whether to try again', async t => {
  const asked: Shown[] = []
  let use: Use = 'unproved'
  const { job, token, gateway, clock } = await lab(t, { exchangeOnce: true, clockSkew: 30 }, { async spend (shown) { asked.push(shown); return use } })
  const secret = await job()
  clock.pass(100)
  for (const parameters of [{ grant_type: JWT_BEARER, assertion: secret }, { grant_type: TOKEN_EXCHANGE, subject_token: secret, subject_token_type: ID_TOKEN }]) {
    const away = await token('', form(parameters))
    t.match([away.status, away.headers['retry-after'], JSON.parse(away.body)], [503, '5', { error: 'server_error', error_description: 'nobody can say now whether the token was exchanged before: try again shortly' }])
  }
  t.equal((await token(`?scope=${SCOPE}`, { authorization: basic('ci', secret) })).status, 503)
  t.match(gateway.log.at(-1), { reason: 'federation_use_unproved', subject: 'ci:github:octo-org/octo-repo' })
  t.match(asked[0], { provider: 'github', name: /^[\w-]{43}$/, seconds: 1_100, age: 131 }, 'as old as it is by both clocks')
  clock.pass(50)
  use = 'too_early'
  t.match(JSON.parse((await token('', form({ grant_type: JWT_BEARER, assertion: secret }))).body), { error: 'invalid_grant' })
  t.equal((await token(`?scope=${SCOPE}`, { authorization: basic('ci', secret) })).status, 401)
  t.match(gateway.audit.at(-1), { action: 'login', outcome: 'denied', reason: 'federation_token_too_early' })
  t.equal(asked.at(-1)?.age, 181, 'and older when it comes again')
})

await t.test('what was let in ends when its rule is changed or gone: the job and what it exchanged', async t => {
  const { ask, job, token, rules } = await lab(t)
  const secret = await job()
  const exchange = async (): Promise<string> => (await token('', form({ grant_type: JWT_BEARER, assertion: secret, scope: SCOPE }))).token
  const status = async (credential: string): Promise<number> => (await ask('/team-a/web/index.yaml', { authorization: `Bearer ${credential}` })).status
  const first = await exchange()
  t.strictSame([await status(secret), await status(first)], [200, 200])
  await rules({ match: { ref: ['x'] } }, { groups: ['publishers'] })
  t.strictSame([await status(secret), await status(first)], [200, 200], 'a rule that moved is the same')
  await rules({ groups: ['publishers'], actions: ['pull'] })
  t.strictSame([await status(secret), await status(first)], [200, 401])
  const second = await exchange()
  await rules()
  t.strictSame([await status(secret), await status(second)], [401, 401])
  t.equal((await token('', form({ grant_type: JWT_BEARER, assertion: secret }))).status, 400)
})

await t.test('a proxy that asks is told whose the job is and what it may, and nothing of one that no rule takes', async t => {
  const { job, gateway, stub } = await lab(t)
  const secret = await job()
  const ask = async (method: string, target: string, authorization: string): Promise<[number, string | undefined, string | undefined]> => {
    const { status, headers } = await askRaw(gateway.authzPort, question('traefik', method, target, [`Authorization: ${authorization}`]))
    return [status, headers['x-auth-user']?.[0], headers['x-auth-tenant']?.[0]]
  }
  for (const authorization of [`Bearer ${secret}`, basic('any', secret)]) {
    t.strictSame(await ask('GET', '/team-a/web/index.yaml', authorization), [200, 'ci:github:octo-org/octo-repo', 'team-a/web'])
    t.strictSame(await ask('POST', '/api/team-a/web/charts', authorization), [200, 'ci:github:octo-org/octo-repo', 'team-a/web'])
    t.match(await ask('GET', '/team-b/web/index.yaml', authorization), [Number, undefined, undefined])
    t.equal((await ask('DELETE', '/api/team-a/web/charts/x/1.0.0', authorization))[0] >= 400, true)
  }
  t.strictSame(await ask('GET', '/team-a/web/index.yaml', `Bearer ${await job({ repository_id: '75' })}`), [401, undefined, undefined])
  t.strictSame(stub.seen, [])
})

await t.test('a token with another rule, or with a rule that its subject has not, is none of ours', async t => {
  const { ask, gateway } = await lab(t)
  const grants = [{ type: 'artifact-repository', name: 'team-a/web', actions: ['pull'] }] as const
  t.equal((await ask('/team-a/web/index.yaml', { authorization: `Bearer ${await gateway.token(grants, 'ci:github:octo-org/octo-repo')}` })).status, 401, 'a job without its rule')
  t.equal((await ask('/team-a/web/index.yaml', { authorization: `Bearer ${await gateway.token(grants)}` })).status, 200)
})

await t.test('the audit log has the ids of the job, at the exchange and of what was done with it', async t => {
  const { ask, job, token, gateway } = await lab(t)
  const secret = await job()
  await ask('/team-a/web/index.yaml', { authorization: basic('ci', secret) })
  const got = await token('', form({ grant_type: TOKEN_EXCHANGE, subject_token: secret, subject_token_type: ID_TOKEN, scope: SCOPE }))
  await ask('/team-a/web/index.yaml', { authorization: `Bearer ${got.token}` })
  await ask('/team-b/web/index.yaml', { authorization: `Bearer ${secret}` })
  const ids = { repository_id: '74', repository_owner_id: '65', run_id: '3170', commit: '0123456789abcdef0123456789abcdef01234567' }
  await untilTrue(() => gateway.audit.length === 4)
  const actor = { subject: 'ci:github:octo-org/octo-repo', kind: 'ci', ids }
  t.match(gateway.audit, [
    { action: 'pull', outcome: 'success', rule: 'federation.rules[0]', actor: { ...actor, method: 'basic', token_id: '4f1d0d2b-0000-4000-8000-000000000001', key_id: KEY.kid } },
    { action: 'token.issue', outcome: 'success', actor: { ...actor, method: 'bearer' } },
    { action: 'pull', outcome: 'success', rule: 'token', actor: { ...actor, method: 'bearer' } },
    { action: 'pull', outcome: 'denied', actor }
  ])
  t.notMatch(gateway.auditText() + gateway.logText(), secret.split('.')[2] as string)
})

await t.test('one that ends in a line end is said to, and is not let in', async t => {
  const { ask, job, gateway } = await lab(t)
  t.equal((await ask('/team-a/web/index.yaml', { authorization: basic('ci', `${await job()}\n`) })).status, 401)
  t.match(gateway.log.at(-1), { reason: 'padded_secret', subject: 'ci:github:octo-org/octo-repo' })
})

await t.test('what no rule takes is refused with its reason in the log, and none for the client', async t => {
  const { ask, job, gateway } = await lab(t)
  const answer = await ask('/team-a/web/index.yaml', { authorization: `Bearer ${await job({ repository_id: '75' })}` })
  t.strictSame([answer.status, answer.body], [401, '{"error":"unauthorized"}'])
  t.match(gateway.log.at(-1), { reason: 'federation_no_rule' })
  t.equal((await ask('/team-a/web/index.yaml', { authorization: `Bearer ${await job({ aud: [AUDIENCE, 'x'] })}` })).status, 401)
  t.match(gateway.log.at(-1), { reason: 'token_wrong_claims' })
  gateway.federation.current = NO_FEDERATION
  t.equal((await ask('/team-a/web/index.yaml', { authorization: `Bearer ${await job()}` })).status, 401)
  t.match(gateway.log.at(-1), { reason: 'token_unknown_key' })
})

await t.test('the proxy that keys are fetched through is none of the upstream\'s', async t => {
  const asked: string[] = []
  const proxy = createServer(({ url = '' }, response) => { asked.push(url); response.writeHead(502).end() })
  proxy.on('connect', ({ url = '' }: { url?: string }, socket: Socket) => { asked.push(url); socket.destroy() })
  await new Promise<void>(resolve => { proxy.listen(0, '127.0.0.1', resolve) })
  t.teardown(() => { proxy.close() })
  const names = ['HTTP_PROXY', 'HTTPS_PROXY', 'http_proxy', 'https_proxy']
  const before = names.map(name => [name, process.env[name]] as const)
  t.teardown(() => {
    for (const [name, value] of before) {
      delete process.env[name]
      if (value !== undefined) process.env[name] = value
    }
  })
  for (const name of names) process.env[name] = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`
  const { ask, job, stub } = await lab(t)
  t.equal((await ask('/team-a/web/index.yaml', { authorization: `Bearer ${await job()}` })).status, 200)
  t.equal((await ask('/api/team-a/web/charts', { authorization: `Bearer ${await job()}` })).status, 200)
  t.equal(stub.seen.length, 2)
  t.strictSame(asked, [], 'nor, on loopback, is it the issuer\'s')
})

await t.test('a token in the URL, an actor, another type and two credentials are no exchange', async t => {
  const { job, token, gateway } = await lab(t)
  const secret = await job()
  const right = { grant_type: TOKEN_EXCHANGE, subject_token: secret, subject_token_type: ID_TOKEN }
  t.match(await token(`?grant_type=${TOKEN_EXCHANGE}&subject_token=${secret}&subject_token_type=${ID_TOKEN}`, { method: 'POST' }), { status: 400 })
  t.match(await token('', { ...form(right), authorization: basic('ci', 'secret') }), { status: 400 })
  for (const wrong of [{ actor_token: secret }, { subject_token_type: 'urn:ietf:params:oauth:token-type:saml2' }, { requested_token_type: 'urn:ietf:params:oauth:token-type:refresh_token' }, { subject_token: 'x' }]) t.match(await token('', form({ ...right, ...wrong })), { status: 400 }, Object.keys(wrong).join())
  t.notMatch(gateway.logText(), secret)
})
