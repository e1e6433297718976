// A proxy that asks, in a cluster: does the Helm chart open what it needs, to whom values name
// and to nobody else, and leave all other doors as they are?
import t, { type Test } from 'tap'
import { parse } from 'yaml'
import { find, manifestsOf, podOf, template, type Manifest } from '../helpers/chart.ts'
import { GOOD } from '../helpers/chart-matrix.ts'
import { BUILD_LIMIT } from '../helpers/go-tool.ts'
import { helmVersions, type Helm } from '../helpers/helm.ts'
import { notTried } from '../helpers/not-tried.ts'
import { temporaryFolder } from '../helpers/processes.ts'

t.setTimeout(BUILD_LIMIT)
const THERE = 'a proxy that asks, and leads to a ChartMuseum that is there'
const BESIDE = 'a proxy that asks, and leads to a ChartMuseum beside the gateways, also with uploads'
const helms = await helmVersions()
if (!helms.ok) await notTried(t, 'the Helm chart, with a proxy that asks', helms.reason)
else await t.test('a proxy that asks', async t => { await tryAuthz(t, helms.versions[0] as Helm) })

interface Values { config: { authz?: object }, networkPolicy: { authzFrom?: object[] } }

async function tryAuthz (t: Test, helm: Helm): Promise<void> {
  const home = await temporaryFolder(t)
  const render = async (values: object): Promise<readonly Manifest[]> => manifestsOf((await template(helm, values, { home })).stdout)

  await t.test('finds the gateways at a Service of their own, which no type of the public one publishes', async t => {
    for (const [name, port] of [[THERE, 5003], [BESIDE, 9000]] as const) {
      const made = await render({ ...GOOD[name], service: { type: 'LoadBalancer' } })
      t.match(find(made, 'Service', 'chartgate-authz').spec, { type: 'ClusterIP', ports: [{ port, targetPort: 'authz' }] })
      t.same(find(made, 'Service', 'chartgate').spec.ports.length, 1)
      const pod = podOf(find(made, 'Deployment', 'chartgate'))
      t.same(pod.containers[0].ports.filter((each: { name: string }) => each.name === 'authz'), [{ name: 'authz', containerPort: port }])
      const { authz } = parse(find(made, 'ConfigMap', 'chartgate').data?.['chartgate.yaml'] as string) as { authz: { listen: object } }
      t.same(authz.listen, { host: '0.0.0.0', port }, 'and they listen there')
    }
  })

  await t.test('is let in, to where it asks and to ChartMuseum, and nobody else is', async t => {
    for (const name of [THERE, BESIDE]) {
      const { networkPolicy: { authzFrom } } = GOOD[name] as Values
      const made = await render(GOOD[name] as object)
      const [publicPort, authz, ...more] = find(made, 'NetworkPolicy', 'chartgate').spec.ingress
      t.equal(publicPort.from, undefined)
      t.same([authz.from, more], [authzFrom, []])
      const museum = find(made, 'NetworkPolicy', 'chartgate-chartmuseum').spec.ingress
      t.same(museum.length, 1)
      t.same(museum[0].from.slice(1), authzFrom)
      t.match(museum[0].from[0], { podSelector: { matchLabels: { 'app.kubernetes.io/component': 'gateway' } } })
    }
  })

  await t.test('changes nothing else: probes, routes and what clients reach', async t => {
    const values = { ...GOOD[THERE] as Values, httpRoute: { enabled: true, parentRefs: [{ name: 'web' }] }, ingress: { enabled: true } }
    const { config: { authz, ...config }, networkPolicy: { authzFrom, ...networkPolicy } } = values
    const [asked, plain] = [await render(values), await render({ ...values, config, networkPolicy })]
    for (const [kind, name] of [['HTTPRoute', 'chartgate'], ['Ingress', 'chartgate'], ['Service', 'chartgate'], ['Service', 'chartgate-admin'], ['Pod', 'chartgate-test-token']] as const) {
      t.same(find(asked, kind, name), find(plain, kind, name), `${kind}/${name}`)
    }
    const probes = (made: readonly Manifest[]): object[] => {
      const { startupProbe, livenessProbe, readinessProbe } = podOf(find(made, 'Deployment', 'chartgate')).containers[0]
      return [startupProbe, livenessProbe, readinessProbe]
    }
    t.same(probes(asked), probes(plain))
    t.notOk(plain.some(({ metadata }) => metadata.name === 'chartgate-authz'), 'and without it there is no such Service')
  })
}
