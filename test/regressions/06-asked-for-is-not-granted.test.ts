// Class 6: the token endpoint hands out what is asked. The auth-server-example of
// chartmuseum/auth signs any scope for whoever has the key; toolhive#5284 advertised
// scopes and never checked them; Keycloak CVE-2026-4636. Here a token holds what was
// asked and what the policy gives, of both no more, whoever asks in whatever form.
import t from 'tap'
import { newPassword, newSecret } from '../helpers/secrets.ts'
import { basic, form, startTeam, type Ask, type Team } from '../helpers/team.ts'

const [alicePassword, bobPassword, secret] = [newPassword(), newPassword(), newSecret()]
const MINE = 'org1/repo1'
const PULL = [{ type: 'artifact-repository', name: MINE, actions: ['pull'] }]

async function start (t: Parameters<typeof startTeam>[0]): Promise<Team> {
  return await startTeam(t, {
    people: [{ name: 'alice', password: alicePassword }, { name: 'bob', password: bobPassword }],
    robots: [{ name: 'ci', secrets: [secret] }],
    policy: [
      { repositories: [MINE], subjects: ['user:alice', 'robot:ci'], actions: ['pull'] },
      { repositories: ['org2/repo2'], subjects: ['user:bob'], actions: ['pull', 'push', 'overwrite', 'delete'] }
    ]
  })
}

/** Every way to say who asks; each has no right but to pull from org1/repo1. */
const WAYS: readonly (readonly [string, string, Ask])[] = [
  ['Basic', '', { authorization: basic('alice', alicePassword) }],
  ['Basic, POST', 'grant_type=client_credentials', { method: 'POST', authorization: basic('alice', alicePassword) }],
  ['a form with a password', '', form({ grant_type: 'password', username: 'alice', password: alicePassword })],
  ['a form with client credentials', '', form({ grant_type: 'client_credentials', client_id: 'ci', client_secret: secret })],
  ["a robot's secret as Bearer", '', { authorization: `Bearer ${secret}` }],
  ["a robot's secret without a name", '', { authorization: basic('', secret) }]
]

/** What is asked for, and what of it is granted. */
const ASKED: readonly (readonly [string, readonly string[], unknown])[] = [
  ['more actions', [`artifact-repository:${MINE}:pull,push,overwrite,delete`], PULL],
  ['an action that is not held', [`artifact-repository:${MINE}:delete`], []],
  ['every action', [`artifact-repository:${MINE}:*`], []],
  ['every action beside one', [`artifact-repository:${MINE}:pull,*`], PULL],
  ['every tenant', ['artifact-repository:org1/*:pull', 'artifact-repository:*:pull', 'artifact-repository:**:pull', 'artifact-repository:*/*:pull'], []],
  ['another tenant', ['artifact-repository:org2/repo2:pull'], []],
  ['its own and another, in two parameters', [`artifact-repository:${MINE}:pull`, 'artifact-repository:org2/repo2:push'], PULL],
  ['its own and another, in one', [`artifact-repository:${MINE}:pull artifact-repository:org2/repo2:push`], PULL],
  ['an action in two pieces', [`artifact-repository:${MINE}:pull`, `artifact-repository:${MINE}:push`], PULL],
  ['a chart in its own and in another', [`repository:${MINE}/mychart:pull,push`, 'repository:org2/repo2/mychart:pull'], [{ type: 'repository', name: `${MINE}/mychart`, actions: ['pull'] }]],
  ['other resources', ['registry:catalog:*', `artifact:${MINE}:push`, `repository(plugin):${MINE}:push`], []],
  ['nothing', [], []]
]

await t.test('a token has the intersection of what was asked and what may be, in every form of a request', async t => {
  const { token, ask, stub } = await start(t)
  for (const [way, query, options] of WAYS) {
    for (const [name, scopes, access] of ASKED) {
      const parameters = new URLSearchParams(query)
      for (const scope of scopes) parameters.append('scope', scope)
      const answer = await token(`?${parameters}`, options)
      t.equal(answer.status, 200, `${way}: ${name}`)
      t.strictSame(answer.claims['access'], access, `${way}: ${name}`)
      t.strictSame((JSON.parse(answer.body) as { scope: string }).scope, (access as typeof PULL).map(({ type, name, actions }) => `${type}:${name}:${actions.join(',')}`).join(' '))
    }
  }
  const { token: most } = await token(`?scope=artifact-repository:${MINE}:pull,push,overwrite,delete&scope=artifact-repository:org2/repo2:pull`, { authorization: basic('alice', alicePassword) })
  const authorization = `Bearer ${most}`
  t.equal((await ask(`/${MINE}/index.yaml`, { authorization })).status, 200)
  stub.seen.length = 0
  for (const [method, path] of [['POST', `/api/${MINE}/charts`], ['POST', `/api/${MINE}/charts?force`], ['DELETE', `/api/${MINE}/charts/a/1.0.0`], ['GET', '/org2/repo2/index.yaml']] as const) {
    const answer = await ask(path, { method, authorization })
    t.match([answer.status, String(answer.headers['www-authenticate'])], [401, /error="insufficient_scope"/], `${method} ${path}`)
  }
  t.equal(stub.seen.length, 0)
})

await t.test('what service is asked for changes nothing: a token is for this gateway', async t => {
  const { token } = await start(t)
  for (const service of ['registry.example.test', '', '*', 'charts.example.test,other']) {
    const { claims } = await token(`?${new URLSearchParams({ service, audience: service, aud: service, scope: `artifact-repository:${MINE}:pull` })}`, { authorization: basic('alice', alicePassword) })
    t.match(claims, { aud: 'charts.example.test', iss: 'http://charts.example.test', sub: 'user:alice' }, service)
  }
})

await t.test('nobody gets a token in the name of somebody else', async t => {
  const { token } = await start(t)
  const cases: [string, string, Ask][] = [
    ['account', '?account=bob', { authorization: basic('alice', alicePassword) }],
    ['account, of a robot', '?account=bob', { authorization: `Bearer ${secret}` }],
    ['account, of a secret without a name', '?account=bob', { authorization: basic('', secret) }],
    ['username', '?username=bob', { authorization: basic('alice', alicePassword) }],
    ['account beside a form', '?account=bob', form({ grant_type: 'password', username: 'alice', password: alicePassword })],
    ['username in query and form', '?username=bob', form({ grant_type: 'password', username: 'alice', password: alicePassword })],
    ['a header beside a form', '', { ...form({ grant_type: 'password', username: 'alice', password: alicePassword }), authorization: basic('bob', alicePassword) }]
  ]
  for (const [name, query, options] of cases) {
    const headers = { ...options.headers, ...(options.authorization === undefined ? {} : { authorization: options.authorization }) }
    const answer = await token(query, { ...options, headers })
    t.strictSame([answer.status, answer.token], [400, ''], name)
  }
  for (const claim of ['sub', 'access', 'groups', 'client_id']) {
    t.match((await token(`?${claim}=user:bob`, { authorization: basic('alice', alicePassword) })).claims, { sub: 'user:alice', access: [] }, claim)
  }
})
