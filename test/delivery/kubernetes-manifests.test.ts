// Are the manifests that docs/kubernetes.md shows what a cluster takes? Each is judged by the
// CRD of its kind, with the API server's own code; and they say what the chart's Services and
// docs/forward-auth.md say.
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { parse, stringify } from 'yaml'
import { crdFiles, find, manifestsOf, template, type Manifest } from '../helpers/chart.ts'
import { controllerCrds } from '../helpers/crds.ts'
import { otherBlocks } from '../helpers/documents.ts'
import { BUILD_LIMIT, goTool } from '../helpers/go-tool.ts'
import { helmVersions, type Helm } from '../helpers/helm.ts'
import { notTried } from '../helpers/not-tried.ts'
import { ROOT, run, temporaryFolder } from '../helpers/processes.ts'

t.setTimeout(BUILD_LIMIT)
const blocks = otherBlocks(await readFile(join(ROOT, 'docs/kubernetes.md'), 'utf8')).map(({ text }) => text)
const shown = blocks.filter(text => /^apiVersion:/.test(text)).flatMap(manifestsOf)
const HEADERS = ['X-Auth-User', 'X-Auth-Tenant', 'Authorization']

await t.test('each manifest fits its CRD, and a wrong one is noticed', async t => {
  const tool = await goTool('kubernetes')
  if (!tool.ok) {
    await notTried(t, 'the manifests of docs/kubernetes.md', tool.reason)
    return
  }
  const cwd = await temporaryFolder(t)
  const crds = [...await crdFiles('experimental'), ...await controllerCrds(cwd)]
  const judge = async (text: string): Promise<string> => {
    await writeFile(join(cwd, 'judged.yaml'), text)
    return (await run('sh', ['-c', 'exec "$0" "$@" < judged.yaml', tool.path, ...crds], { cwd })).stdout
  }
  const all = shown.map(each => stringify(each)).join('---\n')
  t.same(shown.map(({ kind }) => kind), ['HTTPRoute', 'SecurityPolicy', 'HTTPRoute', 'Middleware', 'IngressRoute'])
  t.equal(await judge(all), `${shown.length} custom resources, 0 pods\n`)
  for (const field of ['externalAuth', 'headersToBackend', 'trustForwardHeader', 'middlewares']) {
    t.match(await judge(all.replaceAll(`${field}:`, `${field}s:`)), /unknown field|Invalid value/, field)
  }
})

await t.test('they put the three headers of a yes in the place of the client\'s own, and pass nothing when nobody answers', t => {
  const of = (kind: string, name: string): Manifest['spec'] => find(shown, kind, name).spec
  t.same(of('HTTPRoute', 'charts').rules[0].filters[0].externalAuth.http, { path: '/authz', allowedHeaders: ['X-Forwarded-For'], allowedResponseHeaders: HEADERS })
  t.match(of('SecurityPolicy', 'charts').extAuth, { failOpen: false, http: { path: '/authz', headersToBackend: HEADERS } })
  t.match(of('Middleware', 'chartgate').forwardAuth, { trustForwardHeader: false, authResponseHeaders: HEADERS })
  t.equal(of('SecurityPolicy', 'charts').targetRefs[0].name, 'charts-reads', 'the route that leads to ChartMuseum')
  t.end()
})

const helms = await helmVersions()
if (!helms.ok) await notTried(t, 'the Services that manifests name', helms.reason)
else {
  await t.test('they ask the Services that the chart makes with the values of the page', async t => {
    const values = parse(blocks.find(text => text.startsWith('# asked.yaml\n')) as string) as object
    const made = manifestsOf((await template((helms.versions as readonly Helm[])[0] as Helm, values, { home: await temporaryFolder(t) })).stdout)
    const ports = new Map(made.filter(({ kind }) => kind === 'Service').map(({ metadata, spec }) => [metadata.name, (spec.ports as { port: number }[]).map(({ port }) => port)]))
    const text = stringify(shown)
    const named = [...text.matchAll(/name: (chartgate\S*)\n\s+port: (\d+)/g), ...text.matchAll(/http:\/\/(chartgate-authz)\.charts\.svc:(\d+)/g)]
    t.ok(named.length >= 6)
    for (const [, name, port] of named) t.same(ports.get(name as string)?.includes(Number(port)), true, `${name}:${port}`)
  })
}
