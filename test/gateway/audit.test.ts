// What the audit log says of requests: who, what, by which rule, why not; and with
// audit.required what becomes of a change that cannot be recorded.
import { request } from 'node:http'
import t from 'tap'
import type { AuditEvent } from '../../src/observe/audit/schema.ts'
import { grant, startApp } from '../helpers/app.ts'
import { chartOf } from '../helpers/packages.ts'
import { sendRaw } from '../helpers/raw.ts'
import { newPassword, newSecret } from '../helpers/secrets.ts'
import { EMPTY_INDEX, startStubUpstream, type StubUpstream } from '../helpers/stub-upstream.ts'
import { basic, form, startTeam } from '../helpers/team.ts'
import { untilTrue } from '../helpers/until.ts'

const TRACE = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'

await t.test('a failed login says which account it was about, and of a name that nobody has a hash', async t => {
  const secret = newPassword()
  const { gateway, ask } = await startTeam(t, { people: [{ name: 'alice', password: newPassword() }], robots: [{ name: 'ci', secrets: [newSecret()] }] })
  for (const name of ['alice', 'ci', secret, secret]) t.equal((await ask('/team-a/web/index.yaml', { authorization: basic(name, 'wrong-password') })).status, 401)
  t.equal((await ask('/oauth/token', { ...form({ grant_type: 'password', service: 'x', username: secret, password: 'wrong-password' }) })).status, 401)
  await ask('/team-a/web/index.yaml', { authorization: 'Basic !' })
  await ask('/team-a/web/index.yaml', { authorization: 'Bearer a b' })
  await ask('/team-a/web/index.yaml', { authorization: 'Digest x' })
  const actors = gateway.audit.map(({ action, outcome, actor }) => `${action} ${outcome} ${actor.subject} ${actor.kind} ${actor.method}`)
  t.same(actors, [
    'login denied user:alice user basic',
    'login denied robot:ci robot basic',
    ...Array(3).fill('login denied unknown unknown basic') as string[],
    'login denied unknown unknown basic',
    'login denied unknown unknown bearer',
    'login denied anonymous anonymous none'
  ])
  const hashes = gateway.audit.slice(2, 5).map(({ actor }) => actor.name_hash)
  t.equal(new Set(hashes).size, 1)
  t.match(hashes[0], /^[0-9a-f]{64}$/)
  t.notMatch(gateway.auditText() + gateway.logText(), secret)
})

await t.test('a token is recorded with its id, and so is what is done with it', async t => {
  const upstream = await startStubUpstream(t)
  const gateway = await startApp(t, { origin: upstream.origin, config: config => ({ ...config, audit: { reads: true, required: false }, trustedProxies: ['127.0.0.1'] }) })
  answerIndex(upstream)
  const url = `${gateway.url}/oauth/token?service=x&scope=artifact-repository:org1/repo1:pull`
  const { token } = await (await fetch(url, { headers: { authorization: `Bearer ${gateway.masterKey}` } })).json() as { token: string }
  const headers = { authorization: `Bearer ${token}`, traceparent: TRACE, 'x-forwarded-for': '203.0.113.9' }
  await fetch(`${gateway.url}/org1/repo1/index.yaml`, { headers })
  await fetch(`${gateway.url}/api/org1/repo1/charts`, { headers })
  await fetch(`${gateway.url}/health`)
  await untilTrue(() => gateway.audit.length === 3)
  const [issued, index, api] = gateway.audit as [AuditEvent, AuditEvent, AuditEvent]
  const { jti } = JSON.parse(Buffer.from(token.split('.')[1] as string, 'base64url').toString()) as { jti: string }
  t.match(issued, { action: 'token.issue', outcome: 'success', actor: { subject: 'key:master', method: 'bearer' }, token: { id: jti, granted: 'artifact-repository:org1/repo1:pull' } })
  t.match(index, { action: 'pull', actor: { subject: 'key:master', kind: 'key', token_id: jti, key_id: issued.token?.key_id }, client: { address: '127.0.0.1', forwarded: '203.0.113.9' }, trace_id: TRACE.slice(3, 35), rule: 'token' })
  t.match(api, { action: 'pull', upstream_status: 200, tenant: 'org1/repo1' })
  const traces = upstream.seen.map(({ headers }) => headers['traceparent'])
  t.same(traces, [undefined, TRACE], 'what several may share carries nobody\'s')
  t.match(gateway.logText(), '"asked":"artifact-repository')
  t.notMatch(gateway.logText(), `"id":"${jti}"`)
})

await t.test('who leaves before the end of what they read is recorded too, once', async t => {
  const upstream = await startStubUpstream(t)
  upstream.answer = () => ({ status: 200, body: 'x'.repeat(16 * 1024 * 1024) })
  const gateway = await startApp(t, { origin: upstream.origin, config: config => ({ ...config, audit: { reads: true, required: false } }) })
  const sent = request(`${gateway.url}/org1/repo1/charts/mine-1.0.0.tgz`, { headers: { authorization: `Bearer ${gateway.masterKey}` }, agent: false })
  sent.on('error', () => {}).on('response', response => { response.on('error', () => {}).once('data', () => { sent.destroy() }) }).end()
  await untilTrue(() => gateway.log.some(({ decision }) => decision === 'aborted'))
  await untilTrue(() => gateway.audit.length === 1)
  t.match(gateway.audit, [{ action: 'pull', outcome: 'success', actor: { subject: 'key:master' }, file: 'mine-1.0.0.tgz', rule: 'master key' }])
})

await t.test('bytes that are no request and targets that are none are recorded without what they hold', async t => {
  const gateway = await startApp(t, { origin: 'http://127.0.0.1:9' })
  await sendRaw(gateway.port, 'GET /\x01secret HTTP/1.1\r\nHost: a\r\n\r\n')
  await fetch(`${gateway.url}/nothing/here/of/the/kind`, { headers: { traceparent: TRACE } })
  await fetch(`${gateway.url}/org1/repo1/index.yaml`)
  await fetch(`${gateway.url}/org1/repo1/index.yaml`, { headers: { authorization: `Bearer ${await gateway.token([grant('org2/repo2', 'pull')])}` } })
  t.match(gateway.audit, [
    { action: 'request', outcome: 'failure', reason: 'bad_request', client: { address: '127.0.0.1' } },
    { action: 'request', outcome: 'failure', reason: 'no_such_route', actor: { subject: 'anonymous' } },
    { action: 'pull', outcome: 'denied', reason: 'missing_credentials', actor: { subject: 'anonymous', kind: 'anonymous', method: 'none' } },
    { action: 'pull', outcome: 'denied', reason: 'insufficient_scope', actor: { subject: 'key:master', method: 'bearer' } }
  ])
  t.notMatch(gateway.auditText(), /secret|4bf92f/)
})

await t.test('what cannot be recorded before is not done, and what cannot be recorded after is said to be done', async t => {
  const upstream = await startStubUpstream(t)
  upstream.answer = request => request.method === 'POST' ? { status: 201, body: '{"saved":true}' } : { status: 404, body: '{"error":"not found"}' }
  const fails: ('intent' | 'outcome')[] = []
  const gateway = await startApp(t, {
    origin: upstream.origin,
    config: config => ({ ...config, audit: { reads: false, required: true } }),
    records: async line => !fails.includes((JSON.parse(line) as AuditEvent).phase)
  })
  const authorization = `Bearer ${gateway.masterKey}`
  const push = async (version: string): Promise<Response> => await fetch(`${gateway.url}/api/org1/repo1/charts`, { method: 'POST', headers: { authorization }, body: await chartOf('mine', version) })
  const pushes = (): number => upstream.seen.filter(({ method }) => method === 'POST').length
  const token = async (): Promise<Response> => await fetch(`${gateway.url}/oauth/token?service=x&scope=artifact-repository:org1/repo1:pull`, { headers: { authorization } })

  t.equal((await push('1.0.0')).status, 201)
  t.equal((await token()).status, 200)
  t.same(gateway.audit.map(({ phase, action }) => `${phase} ${action}`), ['intent push', 'outcome push', 'intent token.issue', 'outcome token.issue'])
  fails.push('intent')
  const refused = await push('2.0.0')
  t.equal(refused.status, 503)
  t.ok(Number(refused.headers.get('retry-after')) > 0)
  t.equal((await token()).status, 503)
  t.equal((await fetch(`${gateway.url}/api/org1/repo1/charts/mine/1.0.0`, { method: 'DELETE', headers: { authorization } })).status, 503)
  t.equal(pushes(), 1)
  fails.splice(0, 1, 'outcome')
  const done = await push('3.0.0')
  t.equal(done.status, 500)
  t.match(await done.text(), 'the change was made, but could not be recorded')
  t.equal(done.headers.get('retry-after'), null)
  t.equal(pushes(), 2)
  const without = await token()
  t.equal(without.status, 503)
  t.notMatch(await without.text(), 'eyJ')
  t.match(gateway.logText(), '"reason":"audit_outcome_lost"')
})

await t.test('who leaves between the intent and the change leaves its outcome behind: nothing was done', async t => {
  const upstream = await startStubUpstream(t)
  upstream.answer = async () => await new Promise<never>(() => {}) // whether the version is there
  const gateway = await startApp(t, {
    origin: upstream.origin,
    config: config => ({ ...config, audit: { reads: false, required: true } }),
    records: async () => true
  })
  const headers = { authorization: `Bearer ${gateway.masterKey}` }
  const sent = request(`${gateway.url}/api/org1/repo1/charts`, { method: 'POST', headers, agent: false })
  sent.on('error', () => {}).end(await chartOf('mine', '1.0.0'))
  await untilTrue(() => upstream.seen.length === 1)
  sent.destroy()
  await untilTrue(() => gateway.audit.length === 2)
  const [intent, outcome] = gateway.audit as [AuditEvent, AuditEvent]
  t.match(intent, { phase: 'intent', action: 'push' })
  t.match(outcome, { phase: 'outcome', action: 'push', outcome: 'failure', reason: 'client_gone', event_id: intent.event_id })
  t.notOk(upstream.seen.some(({ method }) => method === 'POST'))
})

function answerIndex (upstream: StubUpstream): void {
  upstream.answer = request => request.target.endsWith('index.yaml') ? { status: 200, body: EMPTY_INDEX } : { status: 200, body: '{}' }
}
