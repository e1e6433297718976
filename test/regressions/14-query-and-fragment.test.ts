// The query or the fragment in the decision: a rule for public paths such as /health is
// asked about more than the path. oauth2-proxy GHSA-7rh7-c77v-6434 (the query) and
// GHSA-pxq7-h93f-9jrg (the fragment).
import t from 'tap'
import { isRefused, OWN, startTwoTenants } from '../helpers/two-tenants.ts'

const OPEN = ['/health', '/info', '/oauth/token', '/.well-known/jwks.json']
const PRIVATE = ['/org2/repo2/index.yaml', '/org2/repo2/charts/secret-1.0.0.tgz', '/api/org2/repo2/charts']
const MARKS = ['?', '#', '%3f', '%3F', '%23', ';', '%3b', '?#', '#?', '??', '%00', '%20', '&', '%26', '\\', '%0a', '?x=', '#x=', '?x=1&', '?url=http://x', '?path=', '?\\', '%2523', '%253f']

await t.test('nothing behind a mark makes a private path public, or a public path private content', async t => {
  const tenants = await startTwoTenants(t)
  const { ask } = tenants
  for (const secret of PRIVATE) {
    for (const open of OPEN) {
      const targets = [
        ...MARKS.flatMap(mark => [`${secret}${mark}${open}`, `${secret}${mark}/..${open}`]),
        `${open}/..${secret}`, `${open}/../..${secret}`, `${open}/%2e%2e${secret}`, `${open}/..%2f..${secret}`, `${open}/.${secret}`, `${open}/${secret}`, `${open}${secret}`, `${open};${secret}`, `${open}%2f..${secret}`, `${open}\\..${secret}`, `${open}#/..${secret}`, `${open}%23/..${secret}`, `${open}%3f/..${secret}`
      ]
      for (const target of targets) {
        // one with no credential at all, one with a credential for another tenant
        for (const authorization of [null, undefined]) isRefused(t, tenants, await ask('GET', target, { authorization }), target)
      }
    }
  }
})

await t.test('a public path stays itself whatever its query says, and asks nobody', async t => {
  const tenants = await startTwoTenants(t)
  for (const path of ['/health', '/info', '/.well-known/jwks.json']) {
    for (const query of ['', '?', '?/org2/repo2/index.yaml', '?x=/../org2/repo2/index.yaml', '?url=/org2/repo2/index.yaml', '?a=%23&b=%2f..']) {
      const answer = await tenants.ask('GET', path + query, { authorization: null })
      t.equal(answer.status, 200, path + query)
      t.equal(answer.body, (await tenants.ask('GET', path, { authorization: null })).body)
      t.same(tenants.taken(), [])
    }
  }
})

await t.test('the query of an own request decides nothing, and stays behind', async t => {
  const tenants = await startTwoTenants(t)
  for (const query of ['/health', 'x=/health', 'x=/../../org2/repo2', 'repo=org2/repo2', 'tenant=org2', '/..%2f..%2forg2/repo2/index.yaml', 'access_token=x', 'offset=1&force']) {
    t.equal((await tenants.ask('GET', `/${OWN}/index.yaml?${query}`)).body, '{"entries":{},"body":"own"}', query)
    t.same(tenants.taken().map(({ target }) => target), [`/${OWN}/index.yaml`])
  }
})
