// Attack class 53: names, references and digests of a registry that lead elsewhere. Whatever
// stands below /v2/, who may read one tenant gets nothing of another, the upstream hears of
// nothing that was not granted, and no name is a path on the disk.
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { bearer, isRefused, OTHER, OWN, SECRET, shown, startTwoTenants } from '../helpers/two-tenants.ts'

const DIGEST = `sha256:${'0'.repeat(64)}`
const CHART = `${OWN}/mychart`

await t.test('what is asked of another tenant, in whatever spelling, is refused before the upstream hears of it', async t => {
  const tenants = await startTwoTenants(t)
  const targets = [
    `/v2/${OTHER}/secret/manifests/1.0.0`, `/v2/${OTHER}/secret/blobs/${DIGEST}`, `/v2/${OTHER}/secret/tags/list`, `/v2/${OTHER}/secret/referrers/${DIGEST}`,
    `/v2/${OWN}/../../${OTHER}/secret/tags/list`, `/v2/${OWN}/..%2f..%2f${OTHER}/secret/tags/list`, `/v2/${OWN}/%2e%2e/%2e%2e/${OTHER}/secret/tags/list`,
    `/v2/./${OTHER}/secret/tags/list`, `/v2//${OTHER}/secret/tags/list`, `//v2/${OTHER}/secret/tags/list`, `/v2/../${OTHER}/index.yaml`, `/v2/../api/${OTHER}/charts`,
    `/v2/${OWN}/${OTHER}/secret/tags/list`, `/v2/${OWN}%2f..%2f..%2f${OTHER}/secret/tags/list`, `/v2/${OWN}\\..\\..\\${OTHER}/secret/tags/list`,
    `/v2/${CHART}/manifests/../../../../${OTHER}/charts/secret-1.0.0.tgz`, `/v2/${CHART}/manifests/..`, `/v2/${CHART}/manifests/.`, `/v2/${CHART}/manifests/1.0.0/../../../${OTHER}`,
    `/v2/${CHART}/manifests/1.0.0%00`, `/v2/${CHART}/manifests/1.0.0%2f..`, `/v2/${CHART}/manifests/1.0.0;x`, `/v2/${CHART}/manifests/1.0.0#x`, `/v2/${CHART}/manifests/`,
    `/v2/${CHART}/blobs/sha256:../../../../keys`, `/v2/${CHART}/blobs/sha256:${'0'.repeat(60)}/../`, `/v2/${CHART}/blobs/${DIGEST}/`, `/v2/${CHART}/blobs/${DIGEST}%0d%0ax:y`,
    `/v2/${CHART}/blobs/..:${'0'.repeat(64)}`, `/v2/${CHART}/blobs/sha256:${'0'.repeat(63)}`, `/v2/${CHART}/blobs/sha256:${'0'.repeat(64)}?x`.replace('?x', '%3fx'),
    `/v2/${OWN}/_content/manifests/1.0.0`, `/v2/${OWN}/mychart/_versions/tags/list`, `/v2/${OWN}/:repo/tags/list`, '/v2/:repo/x/mychart/tags/list', `/v2/${OWN}/.hidden/tags/list`,
    `/v2/${OWN.toUpperCase()}/mychart/tags/list`, `/V2/${CHART}/tags/list`, '/v2/repo/mychart/tags/list', '/v2/org1/mychart/tags/list', '/v2/_catalog', '/v2/_catalog/', '/v2/index.yaml',
    `http://charts.example.test/v2/${OTHER}/secret/tags/list`, `/v2/${OTHER}/secret/tags/list?name=${CHART}`, '/v2/api/repo1/mychart/tags/list', '/v2/static1/repo1/mychart/tags/list',
    `/v2/${OWN}/${'a'.repeat(300)}/tags/list`, `/v2/${'a/'.repeat(200)}tags/list`, '/oci', `/oci/${CHART}`
  ]
  for (const target of targets) for (const method of ['GET', 'HEAD']) isRefused(t, tenants, await tenants.ask(method, target), `${method} ${shown(target.slice(0, 100))}`)
  for (const [method, target] of [['POST', `/v2/${CHART}/blobs/uploads/?mount=${DIGEST}&from=${OTHER}/secret`], ['PUT', `/v2/${CHART}/manifests/1.0.0`], ['DELETE', `/v2/${CHART}/manifests/1.0.0`], ['PATCH', `/v2/${CHART}/blobs/uploads/x`]] as const) {
    isRefused(t, tenants, await tenants.ask(method, target, { body: 'x' }), `${method} ${target}`)
  }
  t.strictSame(await readdir(join(tenants.gateway.config.stateDir, 'oci')).catch(() => []), [], 'and nothing was kept of it')
})

await t.test('a grant of one chart opens nothing beside it', async t => {
  const tenants = await startTwoTenants(t)
  const authorization = await bearer(tenants.gateway, { type: 'repository', name: CHART, actions: ['pull'] })
  for (const target of [`/v2/${OWN}/mychart2/tags/list`, `/v2/${OWN}/my/tags/list`, `/v2/${OTHER}/mychart/tags/list`, `/${OWN}/index.yaml`, `/${OWN}/charts/mychart-1.0.0.tgz`, `/api/${OWN}/charts`, `/api/${OWN}/charts/mychart`, `/api/${CHART}/charts`]) {
    isRefused(t, tenants, await tenants.ask('GET', target, { authorization }), target)
  }
})

await t.test('what the upstream says of another chart, version or file is not passed on', async t => {
  const tenants = await startTwoTenants(t)
  const hex = 'a'.repeat(64)
  const entry = (name: string, version: string, url: string): string => `{"name":${JSON.stringify(name)},"version":${JSON.stringify(version)},"description":"${SECRET}","urls":[${JSON.stringify(url)}],"digest":"${hex}"}`
  for (const [name, version, url] of [['secret', '1.0.0', 'charts/secret-1.0.0.tgz'], ['mychart', '2.0.0', 'charts/mychart-2.0.0.tgz'], ['mychart', '1.0.0', `../../${OTHER}/charts/..`], ['mychart', '1.0.0', 'charts/%2e%2e%2fx.tgz']] as const) {
    tenants.stub.answer = ({ target }) => ({ body: target.includes('/charts/mychart') && target.startsWith('/api/') ? entry(name, version, url) : SECRET })
    const answer = await tenants.ask('GET', `/v2/${CHART}/manifests/1.0.0`)
    t.equal(answer.status, 404, url)
    t.notOk(answer.text.includes(SECRET))
    for (const { target } of tenants.taken()) t.match(target, /^\/(?:api\/)?org1\/repo1\/charts\/mychart(?:\/1\.0\.0|-1\.0\.0\.tgz\.prov)$/, target)
  }
})
