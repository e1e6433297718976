// What the doors do with a request, on a real socket and with a stub upstream.
import t from 'tap'
import { grant, startApp, type TestGateway } from '../helpers/app.ts'
import { sendRaw } from '../helpers/raw.ts'
import { EMPTY_INDEX, startStubUpstream } from '../helpers/stub-upstream.ts'

const TENANT = 'org1/repo1'
const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` })
const basic = (user: string, password: string): Record<string, string> => ({ authorization: 'Basic ' + Buffer.from(`${user}:${password}`).toString('base64') })

interface Answer { status: number, headers: Headers, text: string }
async function get (url: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> {
  const answer = await fetch(url, { method, headers })
  return { status: answer.status, headers: answer.headers, text: await answer.text() }
}

await t.test('a request without credentials is challenged for exactly what it needs', async t => {
  const stub = await startStubUpstream(t)
  const gateway = await startApp(t, { origin: stub.origin })
  const cases: [string, string, string][] = [
    ['GET', '/org1/repo1/index.yaml', 'artifact-repository:org1/repo1:pull'],
    ['GET', '/org1/repo1/charts/mychart-0.1.0.tgz', 'artifact-repository:org1/repo1:pull'],
    ['POST', '/api/org1/repo1/charts', 'artifact-repository:org1/repo1:push'],
    ['POST', '/api/org1/repo1/charts?%66orce=1', 'artifact-repository:org1/repo1:overwrite'],
    ['POST', '/api/org1/repo1/prov', 'artifact-repository:org1/repo1:push'],
    ['DELETE', '/api/org1/repo1/charts/mychart/0.1.0', 'artifact-repository:org1/repo1:delete']
  ]
  for (const [method, target, scope] of cases) {
    const answer = await sendRaw(gateway.port, `${method} ${target} HTTP/1.1\r\nHost: evil.example\r\nX-Forwarded-Host: evil.example\r\n\r\n`)
    t.equal(answer.status, 401, target)
    t.same(answer.headers['www-authenticate'], [
      `Bearer realm="http://charts.example.test/oauth/token",service="charts.example.test",scope="${scope}"`,
      'Basic realm="charts.example.test", charset="UTF-8"'
    ], target)
    t.equal(answer.body, '{"error":"unauthorized"}')
  }
  t.same(stub.seen, [])
})

await t.test('each credential form opens what it proves, and the upstream gets a token of its own', async t => {
  const stub = await startStubUpstream(t)
  stub.answer = () => ({ headers: { 'content-type': 'application/x-yaml' }, body: EMPTY_INDEX })
  const gateway = await startApp(t, { origin: stub.origin })
  const token = await gateway.token([grant(TENANT, 'pull')])
  const forms: [string, Record<string, string>][] = [
    ['Bearer token', bearer(token)],
    ['lower case scheme', { authorization: `bearer ${token}` }],
    ['bare token, as cm-push can send it', { authorization: token }],
    ['Basic with the token as password', basic('any', token)],
    ['Basic without a user name', basic('', token)],
    ['Basic with the master key', basic('any', gateway.masterKey)],
    ['the master key as Bearer', bearer(gateway.masterKey)]
  ]
  for (const [name, headers] of forms) {
    stub.seen.length = 0
    const answer = await get(`${gateway.url}/org1/repo1/index.yaml`, { ...headers, cookie: 'a=b', 'x-forwarded-for': '6.6.6.6' })
    t.equal(answer.status, 200, name)
    t.equal(answer.text, EMPTY_INDEX)
    t.equal(answer.headers.get('content-type'), 'application/x-yaml')
    t.match(answer.headers.get('x-request-id'), /^[0-9a-f-]{36}$/)
    const [seen] = stub.seen
    t.equal(seen?.target, '/org1/repo1/index.yaml')
    t.notOk(seen?.headers.cookie)
    t.notOk(seen?.headers['x-forwarded-for'])
    const sent = String(seen?.headers.authorization)
    t.notMatch(sent, token)
    t.notMatch(sent, gateway.masterKey)
    const claims = JSON.parse(Buffer.from(sent.split('.')[1] as string, 'base64url').toString()) as Record<string, unknown>
    t.same(claims['access'], [{ type: 'artifact-repository', name: TENANT, actions: ['pull'] }])
  }
})

await t.test('what a credential does not prove is refused without asking the upstream', async t => {
  const stub = await startStubUpstream(t)
  const gateway = await startApp(t, { origin: stub.origin })
  const pull = await gateway.token([grant(TENANT, 'pull')])
  const other = await gateway.token([grant('org2/repo2', 'pull', 'push', 'overwrite', 'delete')])
  const nothing = await gateway.token([])
  const flip = (token: string): string => token.slice(0, -5) + (token.at(-5) === 'A' ? 'B' : 'A') + token.slice(-4)
  const url = `${gateway.url}/org1/repo1/index.yaml`
  const upload = `${gateway.url}/api/org1/repo1/charts`
  const cases: [string, string, string, Record<string, string>, number, string | undefined][] = [
    ['a token of another tenant', 'GET', url, bearer(other), 401, 'insufficient_scope'],
    ['a token without grants', 'GET', url, bearer(nothing), 401, 'insufficient_scope'],
    ['a pull token that pushes', 'POST', upload, bearer(pull), 401, 'insufficient_scope'],
    ['a pull token that deletes', 'DELETE', `${upload}/mychart/0.1.0`, bearer(pull), 401, 'insufficient_scope'],
    ['a token of another tenant, as Basic', 'GET', url, basic('x', other), 403, undefined],
    ['a tampered token', 'GET', url, bearer(flip(pull)), 401, 'invalid_token'],
    ['a wrong key', 'GET', url, bearer('not-the-key'), 401, 'invalid_token'],
    ['a wrong key as Basic', 'GET', url, basic('x', 'not-the-key'), 401, undefined],
    ['an unknown scheme', 'GET', url, { authorization: 'Digest abc' }, 401, 'invalid_token']
  ]
  for (const [name, method, target, headers, status, error] of cases) {
    const answer = await get(target, headers, method)
    t.equal(answer.status, status, name)
    const challenge = answer.headers.get('www-authenticate') ?? ''
    if (error === undefined) t.notMatch(challenge, 'error=', name)
    else t.match(challenge, `error="${error}"`, name)
    t.type((JSON.parse(answer.text) as { error: unknown }).error, 'string')
  }
  t.same(stub.seen, [])
})

await t.test('what anonymous may do, everyone may, and bad credentials are refused all the same', async t => {
  const stub = await startStubUpstream(t)
  stub.answer = () => ({ body: 'entries: {}\n' })
  const gateway = await startApp(t, {
    origin: stub.origin,
    config: config => ({ ...config, policy: [{ repositories: ['public/*'], subjects: ['anonymous'], actions: ['pull'] }] })
  })
  const url = `${gateway.url}/public/charts/index.yaml`
  t.equal((await get(url)).status, 200)
  t.equal((await get(url, bearer(await gateway.token([grant(TENANT, 'pull')])))).status, 200, 'a token for another tenant opens what is public')
  t.equal((await get(url, basic('x', 'wrong'))).status, 401, 'people must notice that their password is wrong')
  t.equal((await get(`${gateway.url}/publicity/charts/index.yaml`)).status, 401)
})

await t.test('a request is rebuilt from its parts', async t => {
  const stub = await startStubUpstream(t)
  stub.answer = () => ({ body: 'x', headers: { 'content-type': 'application/x-tar', server: 'secret/1', 'www-authenticate': 'Basic realm="up"', 'x-internal': 'y' } })
  const gateway = await startApp(t, { origin: stub.origin, config: config => ({ ...config, charts: { ...config.charts, contextPath: '/ctx' } }) })
  const cases: [string, string, string][] = [
    ['GET', '/org1/repo1/charts/plus-1.0.0%2bbuild.5.tgz?x=1', '/ctx/org1/repo1/charts/plus-1.0.0+build.5.tgz'],
    ['GET', '/api/org1/repo1/charts?limit=5&evil=1&offset=2', '/ctx/api/org1/repo1/charts?limit=5&offset=2'],
    ['GET', '/api/org1/repo1/charts/mychart/^1.2?force', '/ctx/api/org1/repo1/charts/mychart/%5E1.2'],
    ['HEAD', '/api/org1/repo1/charts/mychart/latest', '/ctx/api/org1/repo1/charts/mychart/latest'],
    ['DELETE', '/api/org1/repo1/charts/mychart/0.1.0?force', '/ctx/api/org1/repo1/charts/mychart/0.1.0'],
    ['GET', '/org1/repo1/artifacthub-repo.yml', '/ctx/org1/repo1/artifacthub-repo.yml']
  ]
  for (const [method, target, expected] of cases) {
    stub.seen.length = 0
    const answer = await sendRaw(gateway.port, [
      `${method} ${target} HTTP/1.1`, 'Host: x', `Authorization: Bearer ${gateway.masterKey}`,
      'Connection: authorization, x-request-id', 'X-HTTP-Method-Override: POST', 'X-Original-URL: /org2/repo2', 'Keep-Alive: timeout=5', 'TE: trailers', '', ''
    ].join('\r\n'))
    t.equal(answer.status, 200, target)
    // Before a delete it is looked what is in the file.
    const asked = method === 'HEAD' ? 'GET' : method // whose headers it is answered with
    t.same(stub.seen.filter(seen => seen.method === asked).map(seen => [seen.method, seen.target]), [[asked, expected]])
    t.same(Object.keys(stub.seen[0]?.headers ?? {}).sort(), ['authorization', 'connection', 'host', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'x-request-id'])
    for (const hidden of ['server', 'www-authenticate', 'x-internal']) t.notOk(answer.headers[hidden], hidden)
  }
})

await t.test('a target outside the grammar is 400, one outside the table 404 and another method 405, before anybody is asked', async t => {
  const stub = await startStubUpstream(t)
  const gateway = await startApp(t, { origin: stub.origin })
  const cases: [string, number][] = [
    ['GET /org1/repo1/../repo2/index.yaml', 400], ['GET /org1/%2e%2e/index.yaml', 400], ['GET //index.yaml', 400],
    ['GET /org1/repo1/charts/..%2f..%2fx.tgz', 400], ['GET http://x/org1/repo1/index.yaml', 400], ['GET /a%zz/b/index.yaml', 400],
    ['GET /org1/repo1', 404], ['GET /org1/index.yaml', 404], ['GET /a/b/c/index.yaml', 404], ['GET /index', 404],
    ['POST /upload', 404], ['GET /forward', 404], ['GET /refused', 404], ['GET /metrics', 404], ['PUT /org1/repo1/index.yaml', 405],
    ['OPTIONS *', 400], ['HEAD /org1/repo1/charts/a-1.0.0.zip', 404], ['PROPFIND /org1/repo1/index.yaml', 405],
    ['GET /v2/x/index.yaml', 404], ['GET /static/x/index.yaml', 404]
  ]
  for (const [line, status] of cases) {
    const answer = await sendRaw(gateway.port, `${line} HTTP/1.1\r\nHost: x\r\n\r\n`)
    t.equal(answer.status, status, line)
    if (!line.startsWith('HEAD')) t.type((JSON.parse(answer.body) as { error: unknown }).error, 'string')
    t.match(answer.headers['x-request-id']?.[0], /^[0-9a-f-]{36}$/, line)
  }
  t.same(stub.seen, [])
})

await t.test('failures of the upstream are 502 or 504 in our own words', async t => {
  const stub = await startStubUpstream(t)
  const gateway = await startApp(t, { origin: stub.origin })
  const headers = bearer(gateway.masterKey)
  const cases: [string, number, string, number, string][] = [
    ['a path in the text', 404, '{"error":"remove /storage/x.tgz: no such file or directory"}', 404, 'not found'],
    ['a sentence', 404, '{"error":"chart not found"}', 404, 'chart not found'],
    ['an empty 500', 500, '', 502, 'the chart repository gave an answer that makes no sense'],
    ['its own 401', 401, '{"error":"unauthorized"}', 502, 'the chart repository does not accept the gateway'],
    ['a text 413', 413, 'request too large', 413, 'request too large for the chart repository'],
    ['HTML', 502, '<html>', 502, 'the chart repository gave an answer that makes no sense'],
    ['HTML of a proxy without a server', 503, '<html>', 503, 'the chart repository is busy: try again shortly'],
    ['a limit', 429, '{"error":"slow down, /org1"}', 503, 'the chart repository is busy: try again shortly']
  ]
  for (const [name, status, body, expected, error] of cases) {
    for (const path of ['/org1/repo1/index.yaml', '/api/org1/repo1/charts/mychart']) {
      stub.answer = () => ({ status, body, headers: { 'www-authenticate': 'Bearer realm="upstream"' } })
      const answer = await get(gateway.url + path, headers)
      t.equal(answer.status, expected, name)
      t.same(JSON.parse(answer.text), { error }, name)
      t.notOk(answer.headers.get('www-authenticate'))
      t.equal(answer.headers.get('retry-after'), [502, 503].includes(expected) ? '5' : null)
    }
  }
  stub.server.close()
  stub.server.closeAllConnections()
  for (const path of ['/org1/repo1/index.yaml', '/api/org1/repo1/charts/mychart']) {
    const answer = await get(gateway.url + path, headers)
    t.equal(answer.status, 502)
    t.same(JSON.parse(answer.text), { error: 'the chart repository cannot be reached' })
  }
})

await t.test('the log says who, what and why, and nothing secret', async t => {
  const stub = await startStubUpstream(t)
  const gateway: TestGateway = await startApp(t, { origin: stub.origin })
  const token = await gateway.token([grant(TENANT, 'pull')])
  await get(`${gateway.url}/org1/repo1/index.yaml?secret=hidden`, bearer(token))
  await get(`${gateway.url}/org2/repo2/index.yaml`, basic('x', 'hidden-password'))
  await get(`${gateway.url}/nowhere?token=hidden`, {})
  t.match(gateway.log.filter(line => line['decision'] !== undefined), [
    { reason: 'not_in_upstream', tenant: TENANT, action: 'pull', subject: 'key:master', decision: 'refused', status: 404 },
    { reason: 'bad_credentials', tenant: 'org2/repo2', decision: 'refused', status: 401 },
    { reason: 'no_such_route', path: '/nowhere', status: 404 }
  ])
  for (const secret of [token, token.split('.')[2] as string, 'hidden', gateway.masterKey]) t.notMatch(gateway.logText(), secret)
})
