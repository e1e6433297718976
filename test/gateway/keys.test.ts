// Keys at the doors: what is published, and what tokens of other token servers open.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createLocalJWKSet, jwtVerify, type JSONWebKeySet } from 'jose'
import t from 'tap'
import { rotateFolder } from '../../src/tokens/key-folder.ts'
import { startApp, type TestGateway } from '../helpers/app.ts'
import { keyNamed } from '../helpers/keys.ts'
import { INDEX, statusWith } from '../helpers/refused.ts'
import { startStubUpstream } from '../helpers/stub-upstream.ts'
import { until } from '../helpers/until.ts'
import { mintForeign, NOW } from '../helpers/tokens.ts'

async function jwksOf ({ url }: TestGateway, headers: Record<string, string> = {}, method = 'GET'): Promise<Response> {
  return await fetch(`${url}/.well-known/jwks.json`, { headers, method })
}

await t.test('every key whose tokens count is published, before it signs, and in a form that is kept', async t => {
  const gateway = await startApp(t, { origin: 'http://127.0.0.1:9', now: () => NOW })
  const first = await jwksOf(gateway)
  t.match([first.status, first.headers.get('content-type'), first.headers.get('cache-control'), first.headers.get('etag')], [200, 'application/json; charset=utf-8', 'public, max-age=60', /^"[\w-]{43}"$/])
  const one = await first.json() as JSONWebKeySet
  t.match(one, { keys: [{ kty: 'RSA', kid: gateway.keys.current.ring.signing(NOW).kid, alg: 'RS256', use: 'sig' }] })
  const etag = first.headers.get('etag') as string
  for (const header of [etag, `W/${etag}`, `"x", ${etag}`, '*']) {
    const again = await jwksOf(gateway, { 'if-none-match': header })
    t.strictSame([again.status, await again.text(), again.headers.get('etag'), again.headers.get('cache-control')], [304, '', etag, 'public, max-age=60'], header)
  }
  for (const header of ['"x"', etag.slice(1, -1), '']) t.equal((await jwksOf(gateway, { 'if-none-match': header })).status, 200, header)
  const head = await jwksOf(gateway, {}, 'HEAD')
  t.strictSame([head.status, head.headers.get('etag'), await head.text()], [200, etag, ''])

  await rotateFolder(join(gateway.config.stateDir, 'keys'), 'ES256', 300, NOW)
  await until(async () => (await jwksOf(gateway, { 'if-none-match': etag })).status === 200 ? true : undefined)
  const two = await (await jwksOf(gateway)).json() as JSONWebKeySet
  t.match(two, { keys: [{ kid: one.keys[0]?.kid }, { kty: 'EC', crv: 'P-256', alg: 'ES256', use: 'sig' }] }, 'beside the one that signs')
  t.notMatch(JSON.stringify(two), /"d":/)
  const token = await gateway.token([])
  t.match(await jwtVerify(token, createLocalJWKSet(two), { currentDate: new Date(NOW * 1000) }), { payload: { sub: 'key:master' } })
})

await t.test('a token of a configured issuer opens what it says, and no more', async t => {
  const theirs = await keyNamed('theirs')
  const stub = await startStubUpstream(t)
  const gateway = await startApp(t, {
    origin: stub.origin,
    now: () => NOW,
    config (config) {
      const publicKey = join(config.stateDir, 'server.pem')
      writeFileSync(publicKey, theirs.publicKey.export({ type: 'spki', format: 'pem' }))
      const policy = [{ repositories: ['public/*'], subjects: ['anonymous'], actions: ['pull' as const] }, { repositories: ['**'], subjects: ['authenticated', 'user:ci', 'group:ci'], actions: ['pull' as const, 'push' as const] }]
      return { ...config, policy, tokens: { ...config.tokens, issuers: [{ name: 'cm', publicKey }] } }
    }
  })
  const access = (type: string, name: string, ...actions: string[]): object => ({ claims: { sub: 'ci', access: [{ type, name, actions }] } })
  const push = await mintForeign(theirs, access('artifact-repository', 'org1/repo1', 'push'))
  const pull = await mintForeign(theirs, access('artifact-repository', 'org1/repo1', 'pull'))
  const oci = await mintForeign(theirs, access('repository', 'org1/repo1', 'pull', 'push'))
  const all = await mintForeign(theirs, access('artifact-repository', '*', '*'))
  // 404: the upstream was asked, and has nothing.
  const cases: [name: string, method: string, path: string, token: string, status: number][] = [
    ['pull pulls', 'GET', INDEX, pull, 404],
    ['and nothing of another tenant', 'GET', '/org1/repo10/index.yaml', pull, 401],
    ['nor does it push', 'DELETE', '/api/org1/repo1/charts/a/1.0.0', pull, 401],
    ['push does not pull', 'GET', INDEX, push, 401],
    ['push does not delete', 'DELETE', '/api/org1/repo1/charts/a/1.0.0', push, 401],
    ['push does not overwrite', 'POST', '/api/org1/repo1/charts?force', push, 401],
    ['push pushes', 'POST', '/api/org1/repo1/charts', push, 400],
    ['a grant for an OCI repository opens no chart route', 'GET', INDEX, oci, 401],
    ['a star is no tenant', 'GET', INDEX, all, 401],
    ['what is public is so for them too', 'GET', '/public/x/index.yaml', all, 404],
    ['a rule for those who have an account is not for them', 'GET', '/org2/repo2/index.yaml', push, 401]
  ]
  for (const [name, method, path, token, status] of cases) {
    const answer = await fetch(gateway.url + path, { method, headers: { authorization: `Bearer ${token}` } })
    t.equal(answer.status, status, name)
  }
  t.match(gateway.log.filter(line => line['subject'] === 'issuer:cm/ci').length > 0, true, 'the log names them')
  for (const { headers } of stub.seen) t.notMatch(headers.authorization, pull, 'the upstream never sees their token')

  const exchanged = await (await fetch(`${gateway.url}/oauth/token?scope=artifact-repository:org1/repo1:pull,push&scope=artifact-repository:org2/repo2:pull`, { headers: { authorization: `Basic ${Buffer.from(`ci:${pull}`).toString('base64')}` } })).json() as { token: string, scope: string }
  t.equal(exchanged.scope, 'artifact-repository:org1/repo1:pull', 'the token endpoint gives what it proves')
  t.equal(await statusWith(gateway, exchanged.token), 404)

  const brief = await mintForeign(theirs, { claims: { sub: 'ci', exp: NOW + 100.5 } })
  const got = await (await fetch(`${gateway.url}/oauth/token`, { headers: { authorization: `Bearer ${brief}` } })).json() as { token: string, expires_in: number }
  const { exp } = JSON.parse(Buffer.from(String(got.token.split('.')[1]), 'base64url').toString()) as { exp: number }
  t.same([got.expires_in, exp], [100, NOW + 100], 'a life that ends within a second is given in whole ones, and no longer')
})
