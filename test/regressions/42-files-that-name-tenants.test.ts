// File names as names of tenants, at depth dynamic: a folder `x-1.0.0.tgz` below a tenant
// keeps that version of it away for ever, and tells whether it is there.
import t from 'tap'
import { chartOf } from '../helpers/packages.ts'
import { overEachRepository } from '../helpers/repositories.ts'

const NAMES = ['x-1.0.0.tgz', 'x-1.0.0.tgz.prov', 'index-cache.yaml', 'X-1.0.0.TGZ', 'x.Tgz.PROV', 'Index-Cache.YAML']
const CHART = await chartOf('x', '1.0.0')

await t.test('what is named like a file is no tenant, in paths and in scopes', async t => {
  await overEachRepository(t, {}, async (t, repository) => {
    const { ask, between, depth, gateway, origin } = repository
    for (const name of NAMES) {
      for (const tenant of [`team-a/${name}`, `${name}/team-a`, ...(depth === 'dynamic' ? [name, `team-a/${name}/b`] : [])]) {
        for (const [method, path] of [['GET', `/${tenant}/index.yaml`], ['GET', `/${tenant}/charts/y-1.0.0.tgz`], ['GET', `/api/${tenant}/charts`], ['POST', `/api/${tenant}/charts`], ['POST', `/api/${tenant}/prov`], ['DELETE', `/api/${tenant}/charts/y/1.0.0`]] as const) {
          const { status, error } = await ask(method, path, method === 'POST' ? CHART : undefined)
          t.equal(status, 400, `${method} ${path}`)
          t.match(error, /named like a file/)
        }
        const scope = `artifact-repository:${tenant}:pull,push`
        const token = await fetch(`${gateway.url}/oauth/token?scope=${encodeURIComponent(scope)}`, { headers: { authorization: `Basic ${Buffer.from(`x:${gateway.masterKey}`).toString('base64')}` } })
        t.match(await token.json(), { scope: '' }, scope)
        if (repository.name.startsWith('the embedded')) t.equal((await fetch(`${origin}/${tenant}/index.yaml`)).status, 404, 'the embedded repository knows no such tenant either')
      }
    }
    t.same(between.seen, [])
    t.equal((await ask('POST', '/api/team-a/b/charts', CHART)).status, 201)
    t.same(await repository.files('team-a/b'), ['x-1.0.0.tgz'])
  })
})
