// The token endpoint as its clients call it, through the real door.
import t from 'tap'
import { grant, startApp, type TestGateway } from '../helpers/app.ts'
import { sendRaw } from '../helpers/raw.ts'

const NO_UPSTREAM = 'http://127.0.0.1:9'
const SCOPE = 'artifact-repository:org1/repo1:pull'
const basic = (user: string, password: string): string => 'Basic ' + Buffer.from(`${user}:${password}`).toString('base64')

interface Answer { status: number, headers: Headers, body: Record<string, unknown> }

async function ask (gateway: TestGateway, query: string, init: RequestInit = {}): Promise<Answer> {
  const answer = await fetch(`${gateway.url}/oauth/token${query}`, init)
  return { status: answer.status, headers: answer.headers, body: JSON.parse(await answer.text()) as Record<string, unknown> }
}

function claimsOf (answer: Answer): Record<string, unknown> {
  return JSON.parse(Buffer.from(String(answer.body['access_token']).split('.')[1] as string, 'base64url').toString()) as Record<string, unknown>
}

await t.test('every documented form of a request gets a token', async t => {
  const gateway = await startApp(t, { origin: NO_UPSTREAM })
  const key = gateway.masterKey
  const form = (text: string): RequestInit => ({ method: 'POST', body: text, headers: { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' } })
  const cases: [string, string, RequestInit][] = [
    ['POST with query parameters and a key, without body and content type', `?grant_type=client_credentials&scope=${SCOPE}`, { method: 'POST', headers: { authorization: `Bearer ${key}` } }],
    ['GET with Basic, as Docker clients', `?service=other&scope=${SCOPE}&account=any&client_id=x`, { headers: { authorization: basic('any', key) } }],
    ['form with client credentials', '', form(`grant_type=client_credentials&client_id=any&client_secret=${key}&scope=${SCOPE}`)],
    ['form with a password, as helm registry login', '', form(`grant_type=password&username=any&password=${key}&scope=${encodeURIComponent(SCOPE)}&service=x&client_id=oras-go`)],
    ['the same scope in query and form', `?scope=${SCOPE}`, form(`grant_type=password&username=any&password=${key}&scope=${SCOPE}`)]
  ]
  for (const [name, query, init] of cases) {
    const answer = await ask(gateway, query, init)
    t.equal(answer.status, 200, name)
    t.match(answer.body, { token_type: 'Bearer', expires_in: 300, scope: SCOPE, issued_at: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/ })
    t.equal(answer.body['token'], answer.body['access_token'])
    t.equal(answer.headers.get('cache-control'), 'no-store')
    const claims = claimsOf(answer)
    t.match(claims, { iss: 'http://charts.example.test', aud: 'charts.example.test', sub: 'key:master', access: [{ type: 'artifact-repository', name: 'org1/repo1', actions: ['pull'] }] })
    t.equal(Number(claims['exp']) - Number(claims['iat']), 300)
  }
  t.match(gateway.log.at(-1), { route: 'token', granted: SCOPE, subject: 'key:master' })
  t.notMatch(gateway.logText(), key)
})

await t.test('a token holds the intersection of what was asked and what may be', async t => {
  const gateway = await startApp(t, { origin: NO_UPSTREAM, config: config => ({ ...config, policy: [{ repositories: ['public/*'], subjects: ['anonymous'], actions: ['pull'] }] }) })
  const cases: [string, string, unknown][] = [
    ['anonymous', '?scope=artifact-repository:public/x:pull,push&scope=artifact-repository:org1/repo1:pull', [{ type: 'artifact-repository', name: 'public/x', actions: ['pull'] }]],
    ['anonymous, two scopes in one parameter', '?scope=artifact-repository:public/x:pull+artifact-repository:public/y:pull,delete', [{ type: 'artifact-repository', name: 'public/x', actions: ['pull'] }, { type: 'artifact-repository', name: 'public/y', actions: ['pull'] }]],
    ['anonymous, nothing of it', '?scope=artifact-repository:org1/repo1:pull', []],
    ['no scope', '', []]
  ]
  for (const [name, query, access] of cases) {
    const answer = await ask(gateway, query)
    t.equal(answer.status, 200, name)
    t.same(claimsOf(answer)['access'], access, name)
    t.equal(claimsOf(answer)['sub'], 'anonymous')
  }
  const headers = { authorization: `Bearer ${gateway.masterKey}` }
  for (const name of ['org1/*', 'org1/../org2/repo2', 'org1', 'api/x']) {
    t.same(claimsOf(await ask(gateway, `?scope=artifact-repository:${name}:pull`, { headers }))['access'], [], name)
  }
  t.same(claimsOf(await ask(gateway, '?scope=artifact-repository:org1/repo1:*', { headers }))['access'], [], '* means nothing')
  t.same(claimsOf(await ask(gateway, '?scope=registry:catalog:*', { headers }))['access'], [], 'other resources are unknown')
})

await t.test('a token that was got with a token has no more rights and lives no longer', async t => {
  let now = Math.floor(Date.now() / 1000)
  const gateway = await startApp(t, { origin: NO_UPSTREAM, now: () => now })
  const headers = { authorization: `Bearer ${await gateway.token([grant('org1/repo1', 'pull')])}` }
  now += 100
  const answer = await ask(gateway, '?scope=artifact-repository:org1/repo1:pull,push', { headers })
  t.same(claimsOf(answer)['access'], [{ type: 'artifact-repository', name: 'org1/repo1', actions: ['pull'] }])
  t.equal(answer.body['expires_in'], 200)
  now += 203 // expired, within the leeway
  t.equal((await ask(gateway, '', { headers })).status, 401)
})

await t.test('what cannot be understood is 400 and bad credentials are 401, in one body for all readers', async t => {
  const gateway = await startApp(t, { origin: NO_UPSTREAM })
  const key = { authorization: `Bearer ${gateway.masterKey}` }
  const post = (body: string, contentType = 'application/x-www-form-urlencoded', headers: Record<string, string> = {}): RequestInit => ({ method: 'POST', body, headers: { 'content-type': contentType, ...headers } })
  const cases: [string, string, RequestInit, number, string, RegExp][] = [
    ['unknown grant type', '?grant_type=refresh_token', { headers: key }, 400, 'unsupported_grant_type', /not supported/],
    ['no grant type in a POST', '', { method: 'POST', headers: key }, 400, 'invalid_request', /grant_type is missing/],
    ['a repeated parameter', '?grant_type=password&grant_type=password', { headers: key }, 400, 'invalid_request', /more than once/],
    ['two different values', '?username=a', post('grant_type=password&username=b&password=x'), 400, 'invalid_request', /more than once/],
    ['two different scopes', '?scope=a:b:pull', post('grant_type=password&username=b&password=x&scope=a:c:pull'), 400, 'invalid_request', /different values/],
    ['two credentials', '', post('grant_type=password&username=b&password=x', undefined, key), 400, 'invalid_request', /send one/],
    ['an account of somebody else', '?account=bob', { headers: { authorization: basic('alice', 'x') } }, 400, 'invalid_request', /account/],
    ['a broken scope', '?scope=nonsense', { headers: key }, 400, 'invalid_scope', /wrong form/],
    ['too many scopes', '?scope=' + 'a:b:pull+'.repeat(33), { headers: key }, 400, 'invalid_scope', /at most 32/],
    ['JSON', '', post('{}', 'application/json'), 400, 'invalid_request', /form-urlencoded/],
    ['a huge body', '', post('a=' + 'x'.repeat(20_000)), 400, 'invalid_request', /at most 16384/],
    ['a wrong key', `?grant_type=client_credentials&scope=${SCOPE}`, { method: 'POST', headers: { authorization: 'Bearer WRONG' } }, 401, 'invalid_client', /bad credentials/],
    ['a wrong password', '', post('grant_type=password&username=a&password=wrong'), 401, 'invalid_client', /bad credentials/],
    ['no credentials for a grant', '', post('grant_type=client_credentials&client_id=x'), 401, 'invalid_client', /needs credentials/]
  ]
  for (const [name, query, init, status, error, description] of cases) {
    const answer = await ask(gateway, query, init)
    t.equal(answer.status, status, name)
    t.match(answer.body, { error, error_description: description, errors: [{ code: status === 401 ? 'UNAUTHORIZED' : 'UNSUPPORTED', message: description }] }, name)
    t.equal(answer.headers.get('cache-control'), 'no-store', name)
    if (status === 401) t.equal(answer.headers.get('www-authenticate'), 'Basic realm="charts.example.test", charset="UTF-8"')
  }
  const twice = await sendRaw(gateway.port, 'GET /oauth/token HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer a\r\nauthorization: Bearer b\r\n\r\n')
  t.equal(twice.status, 400)
})

await t.test('the log says what a refused request asked for', async t => {
  const gateway = await startApp(t, { origin: NO_UPSTREAM })
  await ask(gateway, `?grant_type=client_credentials&scope=${SCOPE},push%20registry:catalog:*&scope=artifact-repository:org2/repo2:delete`, { method: 'POST', headers: { authorization: basic('alice', 'not-the-key') } })
  t.match(gateway.log.at(-1), { decision: 'refused', reason: 'bad_credentials', asked: `${SCOPE},push artifact-repository:org2/repo2:delete`, granted: undefined })
  t.notMatch(gateway.logText(), 'not-the-key')
})

await t.test('another method is 405, whatever its body, and names those that there are', async t => {
  const gateway = await startApp(t, { origin: NO_UPSTREAM })
  for (const init of [{ method: 'PUT' }, { method: 'PUT', body: '{}', headers: { 'content-type': 'application/json' } }, { method: 'DELETE' }, { method: 'PATCH' }, { method: 'OPTIONS' }]) {
    const answer = await ask(gateway, `?scope=${SCOPE}`, init)
    t.same([answer.status, answer.headers.get('allow'), answer.headers.get('cache-control')], [405, 'GET, POST', 'no-store'], init.method)
    t.match(answer.body, { error: 'invalid_request', error_description: 'method not allowed' })
  }
  const head = await fetch(`${gateway.url}/oauth/token`, { method: 'HEAD' })
  t.same([head.status, head.headers.get('allow')], [405, 'GET, POST'])
})

await t.test('an error that nobody expected tells the client nothing', async t => {
  let isBroken = false
  const now = (): number => {
    if (isBroken) throw new Error('secret of the clock')
    return Date.now() / 1000
  }
  const gateway = await startApp(t, { origin: NO_UPSTREAM, now })
  isBroken = true
  const answer = await fetch(`${gateway.url}/oauth/token`)
  t.equal(answer.status, 500)
  t.match(JSON.parse(await answer.text()), { error: 'server_error', error_description: 'internal error' })
})
