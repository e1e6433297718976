// As much of a cluster as `helm install --dry-run` of Helm 3 asks for: which kinds there are,
// and that nothing of what it would make is there. Helm 4 asks nobody.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { writeFile } from 'node:fs/promises'
import { temporaryFolder, type TestLike } from './processes.ts'

/** Kinds that the chart has, by group and version, with their resources. */
const KINDS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  v1: { ConfigMap: 'configmaps', PersistentVolumeClaim: 'persistentvolumeclaims', Pod: 'pods', Service: 'services', ServiceAccount: 'serviceaccounts' },
  'apps/v1': { Deployment: 'deployments' },
  'autoscaling/v2': { HorizontalPodAutoscaler: 'horizontalpodautoscalers' },
  'batch/v1': { Job: 'jobs' },
  'gateway.networking.k8s.io/v1': { HTTPRoute: 'httproutes' },
  'monitoring.coreos.com/v1': { PrometheusRule: 'prometheusrules', ServiceMonitor: 'servicemonitors' },
  'networking.k8s.io/v1': { Ingress: 'ingresses', NetworkPolicy: 'networkpolicies' },
  'policy/v1': { PodDisruptionBudget: 'poddisruptionbudgets' },
  'rbac.authorization.k8s.io/v1': { Role: 'roles', RoleBinding: 'rolebindings' }
}

/** @returns the path of a kubeconfig that leads there */
export async function startDiscovery (t: TestLike): Promise<string> {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url as string, 'http://localhost')
    const body = answerTo(pathname)
    response.writeHead(body === undefined ? 404 : 200, { 'content-type': 'application/json' })
    response.end(JSON.stringify(body ?? { kind: 'Status', apiVersion: 'v1', status: 'Failure', reason: 'NotFound', code: 404 }))
  })
  await new Promise<void>(resolve => { server.listen(0, '127.0.0.1', resolve) })
  t.teardown(() => { server.closeAllConnections(); server.close() })
  const file = join(await temporaryFolder(t), 'kubeconfig')
  const cluster = { server: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
  await writeFile(file, JSON.stringify({ apiVersion: 'v1', kind: 'Config', clusters: [{ name: 'a', cluster }], contexts: [{ name: 'a', context: { cluster: 'a', user: 'a' } }], users: [{ name: 'a', user: {} }], 'current-context': 'a' }))
  return file
}

function answerTo (path: string): object | undefined {
  if (path === '/version') return { major: '1', minor: '37', gitVersion: 'v1.37.0' }
  if (path === '/api') return { kind: 'APIVersions', versions: ['v1'] }
  if (path === '/apis') {
    const groups = Object.keys(KINDS).filter(each => each !== 'v1').map(groupVersion => {
      const version = { groupVersion, version: groupVersion.split('/')[1] }
      return { name: groupVersion.split('/')[0], versions: [version], preferredVersion: version }
    })
    return { kind: 'APIGroupList', apiVersion: 'v1', groups }
  }
  const groupVersion = path.replace(/^\/apis?\//, '')
  const kinds = KINDS[groupVersion]
  if (kinds === undefined) return undefined
  const resources = Object.entries(kinds).map(([kind, name]) => ({ name, kind, namespaced: true, verbs: ['create', 'get', 'list', 'patch', 'delete'] }))
  return { kind: 'APIResourceList', apiVersion: 'v1', groupVersion, resources }
}
