// Wherever the gateway is mounted, and wherever the upstream is, at every depth: a client
// that knows one URL finds everything from it. cm-push makes the address that it pushes
// to from `serverInfo.contextPath`, Helm the address of a chart from the index's own, and
// who is refused finds the token endpoint in the challenge.
import { writeFile } from 'node:fs/promises'
import { join, posix } from 'node:path'
import t, { type Test } from 'tap'
import { parse } from 'yaml'
import type { Depth } from '../../src/words/tenant.ts'
import type { OpenedKeys } from '../../src/live/live-keys.ts'
import { startApp, type TestGateway } from '../helpers/app.ts'
import { testFolder } from '../helpers/folder.ts'
import { inShort } from '../helpers/in-short.ts'
import { skipped } from '../helpers/not-tried.ts'
import { chartOf, formOf, provenanceOf } from '../helpers/packages.ts'
import { findProgram, run, temporaryFolder } from '../helpers/processes.ts'
import { findChartMuseum, OPEN, startChartMuseum, startEmbedded } from '../repository/servers.ts'

const BASE_PATHS = ['', '/helm', '/a/charts.v1']
/** Also the gateway's own, as in front of a ChartMuseum that was there before. */
const CONTEXT_PATHS = ['', '/helm']
const TENANTS: readonly (readonly [depth: Depth, ...tenants: string[]])[] = [
  [0, ''],
  [1, 'helm'],
  [2, 'helm/repo1'],
  [3, 'org1/team/repo1'],
  ['dynamic', '', 'helm', 'org1/team/repo1']
]

interface Place {
  readonly basePath: string
  readonly contextPath: string
  readonly depth: Depth
  readonly tenants: readonly string[]
  readonly gateway: TestGateway
  /** The one URL that a client knows, of a tenant. */
  readonly url: (tenant: string) => string
}

/** Uses a gateway at every mount; those in front of the same upstream share it. */
async function atEveryMount (t: Test, start: typeof startEmbedded, all = TENANTS): Promise<void> {
  let keys: OpenedKeys | undefined
  for (const contextPath of CONTEXT_PATHS) {
    for (const [depth, ...tenants] of all) {
      const { port } = await start(t, testFolder(t), { ...OPEN, depth, contextPath })
      for (const basePath of BASE_PATHS) {
        await t.test(`depth ${depth}, the gateway at ${basePath}/, the upstream at ${contextPath}/`, async t => {
          const gateway = await startApp(t, {
            origin: `http://127.0.0.1:${port}`,
            ...(keys === undefined ? {} : { keys }),
            config: config => ({ ...config, publicUrl: config.publicUrl + basePath, basePath, upstream: { ...config.upstream, auth: 'none' }, charts: { ...config.charts, depth, contextPath } })
          })
          keys = gateway.opened
          const place = { basePath, contextPath, depth, tenants, gateway, url: (tenant: string) => gateway.url + (tenant === '' ? '' : `/${tenant}`) }
          for (const tenant of tenants) await useFromOneUrl(t, place, tenant)
          if (plugin !== undefined) await pushWithPlugin(t, plugin, place)
        })
      }
    }
  }
}

interface Index { readonly entries: Readonly<Record<string, { readonly version: string, readonly urls: string[] }[]>>, readonly serverInfo: { readonly contextPath?: string } }

/** Where cm-push sends a chart, from the URL that it was given and that URL's index (chartmuseum/helm-push v0.10.4, pkg/chartmuseum/upload.go). */
function pushAddress (url: string, { serverInfo: { contextPath = '' } }: Index): string {
  const { origin, pathname } = new URL(url)
  return origin + posix.join('/', contextPath, 'api', pathname.startsWith(contextPath) ? pathname.slice(contextPath.length) : pathname, 'charts')
}

async function useFromOneUrl (t: Test, { gateway, url, basePath, contextPath, depth }: Place, tenant: string): Promise<void> {
  const headers = { authorization: `Bearer ${gateway.masterKey}` }
  const version = `1.0.${BASE_PATHS.indexOf(basePath)}`
  const name = tenant === '' ? 'root' : tenant.replaceAll('/', '-')
  const chart = await chartOf(name, version)
  const readIndex = async (authorization = headers.authorization): Promise<Index> => parse(await (await fetch(`${url(tenant)}/index.yaml`, { headers: { authorization } })).text()) as Index

  // who is refused finds the token endpoint, under the gateway's own path
  const challenge = String((await fetch(`${url(tenant)}/index.yaml`)).headers.get('www-authenticate'))
  const [, realm = '', service = '', scope = ''] = /^Bearer realm="([^"]+)",service="([^"]+)",scope="([^"]+)"/.exec(challenge) ?? []
  t.equal(realm, `http://charts.example.test${basePath}/oauth/token`)
  const granted = await fetch(`http://127.0.0.1:${gateway.port}${new URL(realm).pathname}?${new URLSearchParams({ service, scope }).toString()}`, { headers })
  const { access_token: token } = await granted.json() as { access_token: string }

  // cm-push finds the API from the index, Helm the chart from the index's own address
  const index = await readIndex(`Bearer ${token}`)
  t.equal(index.serverInfo.contextPath ?? '', basePath)
  const api = pushAddress(url(tenant), index)
  const form = formOf([{ field: 'chart', filename: '/tmp/helm-push-1/x.tgz', body: chart }])
  const pushed = await fetch(api, { method: 'POST', body: form.body, headers: { ...headers, 'content-type': form.contentType } })
  t.same([pushed.status, await pushed.text()], [201, '{"saved":true}'], `push to ${tenant}`)
  const [file = ''] = (await readIndex()).entries[name]?.find(each => each.version === version)?.urls ?? []
  const address = new URL(file, `${url(tenant)}/`)
  t.ok(address.href.startsWith(`${url(tenant)}/`), 'the index leads back here')
  t.equal(Buffer.compare(Buffer.from(await (await fetch(address, { headers })).arrayBuffer()), chart), 0)

  // the rest of the API is beside it
  const prov = await fetch(api.replace(/charts$/, 'prov'), { method: 'POST', body: provenanceOf(name, version), headers })
  t.same([prov.status, (await fetch(`${address.href}.prov`, { headers })).status], [201, 200])
  t.match(await (await fetch(`${api}/${name}/${version}`, { headers })).json(), { name, version })
  t.match(await (await fetch(api, { headers })).json(), { [name]: Array })
  t.equal((await fetch(`${api}/${name}/${version}`, { method: 'DELETE', headers })).status, 200)
  t.equal((await fetch(address, { headers })).status, 404)
  t.equal((await readIndex()).entries[name]?.some(each => each.version === version) ?? false, false)

  // no other path leads to it; at depth dynamic it would be another tenant's
  for (const other of depth === 'dynamic' ? [] : new Set(['', contextPath, basePath + contextPath])) {
    if (other === basePath) continue
    const answer = await fetch(`http://127.0.0.1:${gateway.port}${other}${tenant === '' ? '' : `/${tenant}`}/index.yaml`, { headers })
    t.equal(answer.status, 404, `below ${other}/`)
  }
}

/** cm-push itself, by URL. */
async function pushWithPlugin (t: Test, plugin: string, { gateway, url, tenants, basePath }: Place): Promise<void> {
  const home = await temporaryFolder(t)
  const name = `pushed-0.0.${BASE_PATHS.indexOf(basePath)}.tgz`
  await writeFile(join(home, name), await chartOf('pushed', name.slice('pushed-'.length, -'.tgz'.length)))
  const [tenant = ''] = tenants.slice(-1)
  const { code, stdout, stderr } = await run(plugin, [join(home, name), url(tenant)], { env: { HOME: home, HELM_REPO_ACCESS_TOKEN: gateway.masterKey } })
  t.same([code, stdout], [0, `Pushing ${name} to ${url(tenant)}...\nDone.\n`], stderr)
}

const plugin = await findProgram('helm-cm-push')
if (plugin === undefined) await skipped(t, 'cm-push itself', 'helm-cm-push is not on PATH')

await t.test('from one URL a client finds everything, with the embedded repository behind the gateway', async t => {
  await atEveryMount(t, startEmbedded)
})

if (findChartMuseum() === undefined) await skipped(t, 'from one URL a client finds everything, with a real ChartMuseum', 'chartmuseum is not on PATH')
else {
  await t.test('from one URL a client finds everything, with a real ChartMuseum behind the gateway', async t => {
    await atEveryMount(t, startChartMuseum, inShort(TENANTS.filter(([depth]) => depth === 2 || depth === 'dynamic'), TENANTS))
  })
}
