// What a proxy that asks is told, over real sockets: who may ask, what a yes carries, what
// each no is in each dialect, and that log, audit log, metrics and limits know of it as of
// every door.
import { once } from 'node:events'
import { decodeJwt } from 'jose'
import t, { type Test } from 'tap'
import type { Config } from '../../src/config/schema.ts'
import { DIALECTS, type DialectName } from '../../src/words/dialects.ts'
import { grant } from '../helpers/app.ts'
import { askedBy, question, startAsked, type AskedGateway } from '../helpers/authz.ts'
import { askRaw, openRaw, type RawResponse } from '../helpers/raw.ts'
import { newPassword } from '../helpers/secrets.ts'
import { basic } from '../helpers/team.ts'
import { bearer } from '../helpers/two-tenants.ts'
import { untilTrue } from '../helpers/until.ts'

const INDEX = '/org1/repo1/index.yaml'

function withAuthz (change: Partial<NonNullable<Config['authz']>>, more: Partial<Config> = {}): (config: Config) => Config {
  return config => ({ ...config, ...more, authz: { ...config.authz as NonNullable<Config['authz']>, ...change } })
}

/** The one right of the token that a yes carries. */
function handedOut ({ headers }: RawResponse): unknown {
  return decodeJwt((headers['authorization']?.[0] as string).replace('Bearer ', ''))['access']
}

/** What nobody but somebody who may is told. */
function tellsNothing (t: Test, { headers, status }: RawResponse, name: string): void {
  t.same(['authorization', 'x-auth-user', 'x-auth-tenant', 'location'].filter(each => headers[each] !== undefined), [], `${name}: a no hands out nothing`)
  t.not(status, 204)
}

for (const dialect of DIALECTS) {
  await t.test(`${dialect}: a yes is 200 with whose it is, which tenant, and a token for that tenant and action alone`, async t => {
    const { ask, ci, gateway, stub } = await startAsked(t, dialect, { config: withAuthz({ push: true }) })
    for (const [method, target, action] of [['GET', INDEX, 'pull'], ['HEAD', INDEX, 'pull'], ['GET', '/api/org1/repo1/charts/a?x=1', 'pull'], ['POST', '/api/org1/repo1/charts', 'push'], ['POST', '/api/org1/repo1/charts?force', 'push'], ['DELETE', '/api/org1/repo1/charts/a/1.0.0', 'push']] as const) {
      const answer = await ask(method, target, [`Authorization: ${ci}`])
      t.equal(answer.status, 200, `${method} ${target}`)
      t.match(answer.headers, { 'x-auth-user': ['robot:ci'], 'x-auth-tenant': ['org1/repo1'], 'content-length': ['0'], 'cache-control': ['no-store'], 'x-request-id': [/^[0-9a-f-]{36}$/] })
      t.same(handedOut(answer), [{ type: 'artifact-repository', name: 'org1/repo1', actions: [action] }])
    }
    t.same(stub.seen, [], 'the upstream hears nothing of it')
    t.equal((await askRaw(gateway.port, `GET ${INDEX} HTTP/1.1\r\nHost: x\r\nAuthorization: ${(await ask('GET', INDEX, [`Authorization: ${ci}`])).headers['authorization']?.[0]}\r\n\r\n`)).status, 401, 'and the gateway itself takes no such token')
  })

  await t.test(`${dialect}: a no has the status that the proxy can pass on`, async t => {
    const { ask, ci } = await startAsked(t, dialect)
    const own = (status: number): number => dialect === 'nginx' ? 403 : status
    const cases: [string, string, readonly string[], number][] = [
      ['GET', INDEX, [], 401],
      ['GET', INDEX, [`Authorization: ${basic('ci', newPassword())}`], 401],
      ['GET', '/org2/repo2/index.yaml', [`Authorization: ${ci}`], 403],
      ['GET', '/org1/repo1/../../org2/repo2/index.yaml', [`Authorization: ${ci}`], own(400)],
      ['GET', INDEX, [`Authorization: ${ci}`, `Authorization: ${ci}`], own(400)],
      ['GET', INDEX, [`Authorization: ${ci}`, 'Authorization: Bearer x'], own(400)],
      ['GET', '/nowhere', [`Authorization: ${ci}`], own(404)],
      ['GET', '/health', [`Authorization: ${ci}`], own(404)],
      ['POST', '/oauth/token', [`Authorization: ${ci}`], own(404)],
      ['PUT', INDEX, [`Authorization: ${ci}`], own(405)],
      ['POST', '/api/org1/repo1/charts', [`Authorization: ${ci}`], 403],
      ['DELETE', '/api/org1/repo1/charts/a/1.0.0', [`Authorization: ${ci}`], 403]
    ]
    for (const [method, target, headers, status] of cases) {
      const answer = await ask(method, target, headers)
      t.equal(answer.status, status, `${method} ${target}`)
      tellsNothing(t, answer, target)
      t.match(answer.headers['content-type'], ['application/json; charset=utf-8'])
    }
    t.same((await ask('GET', INDEX)).headers['www-authenticate'], [
      'Bearer realm="http://charts.example.test/oauth/token",service="charts.example.test",scope="artifact-repository:org1/repo1:pull"',
      'Basic realm="charts.example.test", charset="UTF-8"'
    ])
  })
}

await t.test('everybody is answered empty headers too, who has not said who they are', async t => {
  const policy = [{ repositories: ['org1/repo1'], subjects: ['anonymous'], actions: ['pull' as const] }]
  for (const auth of ['none', 'basic', 'bearer'] as const) {
    const { ask } = await startAsked(t, 'traefik', { config: config => ({ ...config, policy, upstream: { ...config.upstream, auth, username: 'curator', password: newPassword() } }) })
    const answer = await ask('GET', INDEX, ['X-Auth-User: user:root', 'X-Auth-Tenant: org2/repo2'])
    t.match(answer, { status: 200, headers: { 'x-auth-user': [''], 'x-auth-tenant': ['org1/repo1'] } })
    t.equal(answer.headers['authorization'] !== undefined, auth === 'bearer', `${auth}: only a token for one right is handed out, and never the one password`)
  }
})

await t.test('nobody may ask but proxies that are named, whatever they say', async t => {
  const { gateway, send, ci } = await startAsked(t, 'traefik', { config: withAuthz({ trustedProxies: ['127.0.0.2', '10.0.0.0/8'] }, { trustedProxies: ['127.0.0.1'] }) })
  for (const head of [question('traefik', 'GET', INDEX, [`Authorization: ${ci}`, 'X-Forwarded-For: 127.0.0.2']), 'GET /authz HTTP/1.1\r\nHost: x\r\n\r\n', 'GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n']) {
    const answer = await send(head)
    t.match(answer, { status: 403, body: '{"error":"this address may not ask here"}' })
    t.match(answer.headers['connection'], ['close'], 'and holds no connection that a proxy could have')
    tellsNothing(t, answer, head.split('\r\n', 1)[0] as string)
  }
  t.match(gateway.log.at(-1), { door: 'authz', ip: '127.0.0.1', path: '/nowhere', reason: 'authz_peer' })
  const other = await openRaw(t, gateway.authzPort, { localAddress: '127.0.0.2' })
  other.socket.write(question('traefik', 'GET', INDEX, [`Authorization: ${ci}`]))
  await other.received(/\r\n\r\n/)
  t.match(other.text(), /^HTTP\/1\.1 200 OK/, 'a proxy that is named')
})

await t.test('who may not ask, and says nothing, is not waited for', async t => {
  const { gateway } = await startAsked(t, 'envoy')
  const silent = await openRaw(t, gateway.authzPort, { localAddress: '127.0.0.3' })
  await once(silent.socket, 'close')
  t.equal(silent.text(), '')
})

await t.test('the public listener has no such path, and this one has no other', async t => {
  const { gateway, send, ci } = await startAsked(t, 'traefik')
  for (const target of ['/authz', `/authz${INDEX}`, '/authz/x/index.yaml']) {
    const answer = await askRaw(gateway.port, `GET ${target} HTTP/1.1\r\nHost: x\r\nX-Forwarded-Uri: ${INDEX}\r\nX-Forwarded-Method: GET\r\nAuthorization: ${ci}\r\n\r\n`)
    t.equal(answer.status, 404, target)
    tellsNothing(t, answer, target)
  }
  for (const target of [INDEX, '/index', '/refused', '/health', '/oauth/token', '/']) {
    t.equal((await send(`GET ${target} HTTP/1.1\r\nHost: x\r\nAuthorization: ${ci}\r\n\r\n`)).status, 403, target)
  }
})

await t.test('a header that says it wrongly is named in the log, and is never a GET', async t => {
  const { gateway, send, ci } = await startAsked(t, 'nginx')
  const cases: [readonly string[], RegExp][] = [
    [[`X-Original-URI: ${INDEX}`], /^X-Original-Method is missing/],
    [[`X-Original-URI: ${INDEX}`, 'X-Original-Method:'], /^X-Original-Method is empty/],
    [[`X-Original-URI: ${INDEX}`, 'X-Original-Method: GET', 'x-original-method: GET'], /^X-Original-Method came 2 times/],
    [['X-Original-Method: GET'], /^X-Original-URI is missing/],
    [['X-Original-Method: GET', `X-Original-URI: ${INDEX}`, `X-Original-URL: http://x${INDEX}?a`], /^X-Original-URI and X-Original-URL contradict each other/]
  ]
  for (const [headers, detail] of cases) {
    const answer = await send(['GET /authz HTTP/1.1', 'Host: x', `Authorization: ${ci}`, ...headers, '', ''].join('\r\n'))
    t.equal(answer.status, 403, String(detail))
    t.match(gateway.log.at(-1), { door: 'authz', reason: 'authz_unreadable', detail, status: 403, decision: 'refused' })
  }
})

await t.test('the question\'s own query, Host, Content-Type and body count for nothing, and an expectation is no matter', async t => {
  const { gateway, ci } = await startAsked(t, 'traefik')
  const asks = ['GET /authz?X-Forwarded-Uri=/org2/repo2/index.yaml HTTP/1.1', 'POST /authz HTTP/1.1', 'HEAD /authz HTTP/1.1', 'DELETE /authz HTTP/1.1', 'OPTIONS /authz HTTP/1.1']
  const says = [[], ['Content-Type: application/json'], ['Content-Type: ;;;'], ['Expect: 100-continue'], ['Expect: anything'], ['Content-Length: 0'], ['Content-Length: 0', 'Content-Type: application/json'], ['X-HTTP-Method-Override: DELETE'], ['Upgrade: websocket', 'Connection: Upgrade']]
  for (const line of asks) {
    for (const headers of says) {
      const connection = await openRaw(t, gateway.authzPort)
      connection.socket.write([line, 'Host: evil.example', `X-Forwarded-Uri: ${INDEX}`, 'X-Forwarded-Method: GET', `Authorization: ${ci}`, ...headers, '', ''].join('\r\n'))
      await connection.received(/\r\n\r\n/)
      t.match(connection.text(), /^HTTP\/1\.1 200 OK\r\n/, `${line}, ${headers.join()}`)
      connection.socket.destroy()
    }
  }
  // A body that no proxy sends: nobody waits for it.
  const connection = await openRaw(t, gateway.authzPort)
  connection.socket.write(['POST /authz HTTP/1.1', 'Host: x', `X-Forwarded-Uri: ${INDEX}`, 'X-Forwarded-Method: GET', `Authorization: ${ci}`, 'Content-Length: 1000000', 'Expect: 100-continue', '', ''].join('\r\n'))
  await connection.received(/\r\n\r\n/)
  t.match(connection.text(), /^HTTP\/1\.1 200 OK\r\n/)
  const http10 = await askRaw(gateway.authzPort, `GET /authz HTTP/1.0\r\nConnection: close\r\nX-Forwarded-Uri: ${INDEX}\r\nX-Forwarded-Method: GET\r\nAuthorization: ${ci}\r\n\r\n`)
  t.equal(http10.status, 200, 'nginx asks by HTTP/1.0')
})

await t.test('bytes that are no request, and CONNECT, have the status that nginx passes on', async t => {
  const { gateway, send } = await startAsked(t, 'nginx')
  t.match(await send('GET /authz HTTP/1.1\r\nHost: x\r\nA: \0\r\n\r\n'), { status: 403, body: '{"error":"bad request"}' })
  t.equal((await send('CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n')).status, 403)
  t.equal((await send('GET /authz HTTP/2.0\r\nHost: x\r\n\r\n')).status, 403)
  t.equal((await askRaw(gateway.port, 'GET / HTTP/1.1\r\nHost: x\r\nA: \0\r\n\r\n')).status, 400, 'of the public listener it is the reason\'s own')
})

await t.test('log, audit log and metrics have what was asked about, and say that it was a question', async t => {
  const { gateway, ask, ci } = await startAsked(t, 'envoy', { config: withAuthz({ push: true }, { audit: { reads: true, required: false }, metrics: { tenants: true } }) })
  await ask('GET', INDEX, [`Authorization: ${ci}`, 'X-Forwarded-For: 192.0.2.7'])
  await ask('DELETE', '/api/org1/repo1/charts/a/1.0.0', [`Authorization: ${ci}`, 'X-Forwarded-For: 192.0.2.7'])
  await ask('GET', '/org2/repo2/index.yaml', [`Authorization: ${ci}`])
  await ask('GET', '/org2/../x?secret=1', [`Authorization: ${ci}`])
  await ask('GET', INDEX, [`Authorization: ${basic('ci', newPassword())}`])
  await untilTrue(() => gateway.audit.length === 5)
  const about = { door: 'authz', tenant: 'org1/repo1' }
  t.match(gateway.log.filter(({ decision }) => decision !== undefined), [
    { ...about, method: 'GET', route: 'index', action: 'pull', decision: 'allowed', subject: 'robot:ci', ip: '192.0.2.7', status: 200 },
    { ...about, method: 'DELETE', route: 'delete-version', action: 'delete', decision: 'allowed', chart: 'a', version: '1.0.0' },
    { door: 'authz', tenant: 'org2/repo2', decision: 'refused', reason: 'missing_right', status: 403 },
    { door: 'authz', method: 'GET', path: '/org2/../x', decision: 'refused', reason: 'bad_target', status: 400 },
    { ...about, decision: 'refused', reason: 'bad_credentials', status: 401 }
  ])
  t.match(gateway.audit, [
    { ...about, action: 'pull', outcome: 'success', actor: { subject: 'robot:ci' }, client: { address: '127.0.0.1', forwarded: '192.0.2.7' } },
    { ...about, action: 'delete', outcome: 'success', chart: 'a', version: '1.0.0' },
    { door: 'authz', action: 'pull', outcome: 'denied', reason: 'missing_right' },
    { door: 'authz', action: 'request', outcome: 'failure', reason: 'bad_target' },
    { door: 'authz', action: 'login', outcome: 'denied', reason: 'bad_credentials' }
  ])
  t.notMatch(gateway.logText(), 'secret=1')
  const { rows, tenants } = gateway.meter.snapshot()
  t.equal(rows.chartgate_requests_total?.reduce((all, [, count]) => all + (count as number), 0), 5)
  t.equal(rows.chartgate_uploads_total, undefined, 'what becomes of an upload is not known here')
  t.same([...new Set(tenants.map(([tenant]) => tenant))].sort(), ['_OTHER', 'org1/repo1'], 'a tenant of a rule has a series, another one has not')
})

await t.test('what is about to be allowed is recorded first, where that is required, and else it is not', async t => {
  let works = true
  const { ask, ci, gateway } = await startAsked(t, 'nginx', { config: withAuthz({ push: true }, { audit: { reads: false, required: true, file: '/nowhere' } }), records: async () => works })
  t.equal((await ask('POST', '/api/org1/repo1/charts', [`Authorization: ${ci}`])).status, 200)
  t.match(gateway.audit, [{ door: 'authz', action: 'push', phase: 'outcome', outcome: 'success' }])
  works = false
  const refused = await ask('POST', '/api/org1/repo1/charts', [`Authorization: ${ci}`])
  t.match(refused, { status: 503, body: /not made, because it cannot be recorded/ }, '503 stays')
  tellsNothing(t, refused, 'unrecorded')
  t.equal((await ask('GET', INDEX, [`Authorization: ${ci}`])).status, 200, 'a read changes nothing')
})

await t.test('a limit of failed logins is one for both listeners, by the address that the proxy says', async t => {
  const logins = { perAccount: 3, perAddress: 3, within: 300 }
  const { ask, ci } = await startAsked(t, 'caddy', { config: config => ({ ...config, limits: { logins } }) })
  const guess = async (address: string): Promise<RawResponse> => await ask('GET', INDEX, [`Authorization: ${basic('nobody', newPassword())}`, `X-Forwarded-For: ${address}`])
  const statuses: number[] = []
  for (let i = 0; i < 4; i++) statuses.push((await guess('192.0.2.8')).status)
  t.same(statuses, [401, 401, 401, 429])
  t.match((await guess('192.0.2.8')).headers['retry-after'], [/^\d+$/])
  t.equal((await guess('192.0.2.9')).status, 401, 'another address has its own')
  t.equal((await ask('GET', INDEX, [`Authorization: ${ci}`, 'X-Forwarded-For: 192.0.2.8'])).status, 200, 'and a good secret comes in')
})

await t.test('tokens of the token endpoint say what they say at every door', async t => {
  const { ask, gateway } = await startAsked(t, 'traefik')
  const pull = await bearer(gateway, grant('org1/repo1', 'pull'))
  t.equal((await ask('GET', INDEX, [`Authorization: ${pull}`])).status, 200)
  const other = await ask('GET', '/org2/repo2/index.yaml', [`Authorization: ${pull}`])
  t.match(other, { status: 401, headers: { 'www-authenticate': [/error="insufficient_scope"/, /^Basic/] } })
  t.match(await ask('GET', INDEX, [`Authorization: Bearer ${gateway.masterKey}`]), { status: 200, headers: { 'x-auth-user': ['key:master'] } })
})

await t.test('what still runs is counted over both listeners, and both end', async t => {
  const { gateway } = await startAsked(t, 'nginx')
  t.equal(gateway.meter.snapshot().rows.http_server_active_requests?.[0]?.[1], 0)
  t.equal(gateway.app.authz?.running().length, 0)
})

await t.test('every dialect keeps to its own words', async t => {
  for (const dialect of DIALECTS) {
    const asked: AskedGateway = await startAsked(t, dialect)
    for (const other of DIALECTS) {
      const isSame = (a: DialectName): string => a === 'caddy' ? 'traefik' : a === 'gateway-api' ? 'envoy' : a
      const { status } = await asked.send(question(other, 'GET', INDEX, [`Authorization: ${asked.ci}`]))
      t.equal(status, isSame(other) === isSame(dialect) ? 200 : 403, `${dialect} asked as ${other}`)
    }
  }
  t.match(askedBy('nginx'), { dialect: 'nginx' })
})

await t.test('who may ask, and whether changes pass, is what the configuration says now', async t => {
  const { ask, ci, gateway } = await startAsked(t, 'nginx')
  const authz = gateway.settings.current.authz as NonNullable<Config['authz']>
  const put = (change: Partial<typeof authz>): void => { gateway.settings.current = { ...gateway.settings.current, authz: { ...authz, ...change } } }
  const status = async (method: string, target: string): Promise<number> => (await ask(method, target, [`Authorization: ${ci}`])).status
  const push = async (): Promise<number> => await status('POST', '/api/org1/repo1/charts')
  t.equal(await push(), 403)
  put({ push: true })
  t.equal(await push(), 200)
  put({ trustedProxies: ['127.0.0.2'] })
  t.equal(await status('GET', INDEX), 403, 'also over connections that are open')
  put({})
  t.equal(await status('GET', INDEX), 200)
  t.equal(await push(), 403)
})
