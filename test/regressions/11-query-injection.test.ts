// Query-language and filter injection: a name becomes part of a query. chartmuseum/auth
// v0.6.0 pastes the tenant of the path into the JMESPath expression
// `access[?name=='$NAMESPACE' && …]` unescaped, so that a name with a quote is an expression
// of the attacker's; LDAP filters and templates fail alike (CWE-90, CWE-943). Here rights
// are compared, never queried, and no such name ever reaches the upstream.
import { decodeJwt } from 'jose'
import t from 'tap'
import type { Depth } from '../../src/words/tenant.ts'
import { grant } from '../helpers/app.ts'
import { authorisedFor, bearer, isRefused, OTHER, OWN, shown, startTwoTenants } from '../helpers/two-tenants.ts'

// Without `/`: each is one segment of a name.
const NAMES = [
  "repo1'||'1", "repo1'||name=='org2", "']||[?name!='", "' || `true` || '", "x'&&'", "'", '"', '`', '`[]`', '|', 'repo1|[0]', '&', '&&', '(', ')', '*', '**', '*)(uid=*', '*)(|(uid=*))', '\\', "\\'", '\\27',
  '$', '$NAMESPACE', '$ACCESS_ENTRY_TYPE', '$' + '{repo}', '$(id)', '{', '}', '{{.}}', '#{x}', '<%= x %>', '@', '[*]', '[?1]', '!', '=', ',', ':', '%', '%27', '%22', '%60', '%7C', '%2A', '?', ';', 'a b', '~', '^', "' or 1=1 --"
]
/** As it can stand in a request line, and percent-encoded as a client would send it. */
const spellings = (name: string): string[] => [name, encodeURIComponent(name).replace(/[!'()*]/g, character => '%' + character.charCodeAt(0).toString(16))]

for (const depth of [2, 'dynamic'] as Depth[]) {
  await t.test(`a tenant whose name is an expression is refused at depth ${depth}, whoever asks`, async t => {
    const tenants = await startTwoTenants(t, config => ({ ...config, charts: { ...config.charts, depth }, policy: [{ repositories: ['org1/**'], subjects: ['anonymous'], actions: ['pull'] }] }))
    for (const name of NAMES.flatMap(spellings)) {
      // after a ? or a # there is no name, and before it may be the root, which says the same to everybody
      const targets = [`/org1/${name}/index.yaml`, `/api/org1/${name}/charts`, `/${name}/repo1/charts/x-1.0.0.tgz`].filter(target => !target.startsWith('/?')).map(target => target.replaceAll(' ', '%20'))
      for (const target of targets) {
        for (const authorization of [`Bearer ${tenants.gateway.masterKey}`, null]) isRefused(t, tenants, await tenants.ask('GET', target, { authorization }), shown(target))
      }
    }
  })
}

await t.test('a scope or a token whose name is an expression opens nothing', async t => {
  const tenants = await startTwoTenants(t)
  const { ask, gateway } = tenants
  for (const name of NAMES.map(name => `org1/${name}`)) {
    const answer = await ask('GET', `/oauth/token?scope=${encodeURIComponent(`artifact-repository:${name}:pull`)}`, { authorization: `Bearer ${gateway.masterKey}` })
    const granted = answer.status === 200 ? decodeJwt((JSON.parse(answer.body) as { token: string }).token)['access'] : []
    t.same(granted, [], `the scope ${shown(name)}`)
    const authorization = await bearer(gateway, grant(name, 'pull'), grant(`${name}/**`, 'pull'))
    for (const target of [`/${OTHER}/index.yaml`, `/${OWN}/index.yaml`]) isRefused(t, tenants, await ask('GET', target, { authorization }), `${target} with a token for ${shown(name)}`)
  }
})

await t.test('a user name that is a filter is nobody, and none gets to the upstream', async t => {
  const tenants = await startTwoTenants(t)
  const { ask, gateway, taken } = tenants
  const basic = (user: string, password: string): string => `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
  for (const user of [...NAMES, 'org1/repo1']) {
    isRefused(t, tenants, await ask('GET', `/${OWN}/index.yaml`, { authorization: basic(user, 'wrong') }), `the user ${shown(user)}`)
    t.equal((await ask('GET', '/oauth/token', { authorization: basic(user, user) })).status, 401, `${shown(user)} gets no token`)
    const token = (await bearer(gateway, grant(OWN, 'pull'))).replace('Bearer ', '')
    const answer = await ask('GET', `/${OWN}/index.yaml`, { authorization: basic(user.replaceAll(':', ''), token) })
    t.equal(answer.status, 200, 'a token as the password is what counts')
    t.same(taken().map(authorisedFor), [grant(OWN, 'pull')])
  }
})
