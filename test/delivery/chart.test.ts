// Does the Helm chart make what a cluster takes, and what runs? Rendered by Helm 3 and 4 from
// a matrix of values; every manifest is judged by the schemas of three versions of
// Kubernetes, by the CRDs, and as "restricted"; what is configured is read by chartgate.
import { generateKeyPairSync } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { parse, stringify } from 'yaml'
import { readDuration } from '../../src/files/units.ts'
import { CHART, crdFiles, find, KUBERNETES, layOut, manifestsOf, podOf, sources, template, type Manifest, type Mount, type Volume } from '../helpers/chart.ts'
import { BAD, GOOD } from '../helpers/chart-matrix.ts'
import { Authority } from '../helpers/certificates.ts'
import { startDiscovery } from '../helpers/cluster-of-discovery.ts'
import { runChartgate } from '../helpers/gateway.ts'
import { BUILD_LIMIT, goTool } from '../helpers/go-tool.ts'
import { helmVersions, runHelm, type Helm } from '../helpers/helm.ts'
import { notTried } from '../helpers/not-tried.ts'
import { pythonTool } from '../helpers/python-tool.ts'
import { run, temporaryFolder } from '../helpers/processes.ts'
import { newMasterKey, newPassword } from '../helpers/secrets.ts'

t.setTimeout(BUILD_LIMIT)
const helms = await helmVersions()
if (!helms.ok) await notTried(t, 'the Helm chart', helms.reason)
else await t.test('the Helm chart', async t => { await tryChart(t, helms.versions) })

type Secrets = Readonly<Record<string, Readonly<Record<string, string>>>>

async function tryChart (t: Test, versions: readonly Helm[]): Promise<void> {
  const home = await temporaryFolder(t)
  const [helm] = versions as [Helm]
  /** What each row of the matrix renders, by its name. */
  const rows = new Map<string, readonly Manifest[]>()
  let everything = ''

  await t.test('both Helms render each row of the matrix, and the same', async t => {
    for (const [name, values] of Object.entries(GOOD)) {
      const [first, second] = await Promise.all(versions.map(async each => await template(each, values, { home })))
      t.match([first, second], [{ code: 0 }, { code: 0 }], name)
      t.same(manifestsOf(second?.stdout ?? ''), manifestsOf(first?.stdout ?? ''), name)
      rows.set(name, manifestsOf(first?.stdout ?? ''))
      everything += first?.stdout ?? ''
    }
    const row = await template(helm, {}, { home, release: 'other' })
    t.ok(manifestsOf(row.stdout).every(({ metadata }) => metadata.name.startsWith('other-chartgate')), 'the release is in the names')
  })
  const of = (name: keyof typeof GOOD): readonly Manifest[] => rows.get(name) as readonly Manifest[]

  await t.test('both lint it', async t => {
    for (const each of versions) t.match(await runHelm(each, ['lint', '--strict', CHART], { home }), { code: 0 }, each.name)
  })

  await t.test('each manifest fits the schemas of Kubernetes', async t => {
    const validate = await pythonTool('kubernetes-validate')
    if (!validate.ok) {
      await notTried(t, 'the schemas of Kubernetes', validate.reason)
      return
    }
    const file = join(home, 'all.yaml')
    await writeFile(file, everything)
    const count = manifestsOf(everything).length
    for (const version of KUBERNETES) {
      const { stdout, stderr } = await run(validate.path, ['--kubernetes-version', version, '--strict', file], { env: validate.env })
      const lines = (stdout + stderr).trim().split('\n')
      t.same(lines.filter(line => !/ passed for resource | find schema for kind (?:HTTPRoute|ServiceMonitor|PrometheusRule) /.test(line)), [], version)
      t.equal(lines.length, count, `each of ${count} was looked at`)
    }
    await writeFile(file, everything.replaceAll('containerPort:', 'containerPrt:'))
    t.match(await run(validate.path, ['--kubernetes-version', '1.37', '--strict', file], { env: validate.env }), { code: 1 }, 'and a wrong one is noticed')
  })

  await t.test('custom resources fit their CRDs, and every pod is restricted', async t => {
    const tool = await goTool('kubernetes')
    if (!tool.ok) {
      await notTried(t, 'pod security admission', tool.reason)
      return
    }
    const crds = await crdFiles()
    const judge = async (text: string): Promise<string> => {
      const file = join(home, 'judged.yaml')
      await writeFile(file, text)
      return (await run('sh', ['-c', 'exec "$0" "$@" < judged.yaml', tool.path, ...crds], { cwd: home })).stdout
    }
    const all = manifestsOf(everything)
    const custom = all.filter(({ apiVersion }) => /^(?:gateway\.networking\.k8s\.io|monitoring\.coreos\.com)\//.test(apiVersion)).length
    t.equal(await judge(everything), `${custom} custom resources, ${all.filter(each => podOf(each) !== undefined).length} pods\n`, 'and nothing to complain of')
    t.match(await judge(everything.replaceAll('drop: [ALL]', 'drop: []')), /^Deployment\/chartgate: restricted: unrestricted capabilities/m, 'and a pod that is not, is noticed')
    t.match(await judge(everything.replaceAll('hostnames:', 'hostname:')), /^HTTPRoute\/chartgate: unknown field spec\.hostname$/m)
  })

  await t.test('what is configured is what chartgate check takes', async t => {
    const secrets = makeSecrets(home)
    for (const [name, manifests] of rows) {
      const root = join(await temporaryFolder(t), 'root')
      await mkdir(root)
      const deployment = manifests.find(({ kind, metadata }) => kind === 'Deployment' && metadata.labels['app.kubernetes.io/component'] === 'gateway')?.metadata.name as string
      const keys = Object.fromEntries(['chartgate-keys', `${'a'.repeat(50)}-keys`].map(name => [name, secrets['own-keys'] as Record<string, string>]))
      const { config, env } = await layOut([...manifests, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'authority', labels: {} }, data: { 'ca.crt': secrets['charts-tls']?.['tls.crt'] as string }, spec: undefined }], deployment, { ...keys, ...secrets }, root)
      const { initContainers: [init] = [] } = find(manifests, 'Deployment', deployment).spec.template.spec as { initContainers?: { command: string[], args: string[] }[] }
      if (init !== undefined) t.match(await run(process.execPath, [...init.command.slice(1), join(root, init.args[0] as string)]), { code: 0 }, 'the accounts file begins')
      const checked = await runChartgate(['check', '--config', config], env)
      t.match(checked, { code: 0, stdout: /^configuration is valid: / }, name, { stderr: checked.stderr })
    }
  })

  await t.test('without values it is one gateway with its volume, and nothing that only several need', t => {
    const made = of('no values')
    t.same(made.map(({ kind, metadata }) => `${kind}/${metadata.name}`).sort(), ['ConfigMap/chartgate', 'Deployment/chartgate', 'NetworkPolicy/chartgate', 'PersistentVolumeClaim/chartgate', 'Pod/chartgate-test-token', 'Service/chartgate', 'Service/chartgate-admin', 'ServiceAccount/chartgate'])
    t.match(find(made, 'Deployment', 'chartgate').spec, { replicas: 1, strategy: { type: 'Recreate' } })
    t.equal(find(made, 'PersistentVolumeClaim', 'chartgate').metadata.annotations?.['helm.sh/resource-policy'], 'keep')
    t.end()
  })

  await t.test('in front of a ChartMuseum it rolls, and several are spread and kept', t => {
    const [one, three, some] = [of('a ChartMuseum that is there'), of('a ChartMuseum beside three gateways, behind a Gateway'), of('a ChartMuseum over a bucket, gateways that come and go, and all that watches them')]
    t.match(find(one, 'Deployment', 'chartgate').spec, { replicas: 1, strategy: { rollingUpdate: { maxUnavailable: 0 } } })
    t.notOk(one.some(({ kind }) => ['PodDisruptionBudget', 'HorizontalPodAutoscaler', 'PersistentVolumeClaim'].includes(kind)))
    t.match(find(three, 'PodDisruptionBudget', 'chartgate').spec, { maxUnavailable: 1 })
    t.equal(podOf(find(three, 'Deployment', 'chartgate')).topologySpreadConstraints.length, 2)
    t.equal(find(some, 'Deployment', 'chartgate').spec.replicas, undefined, 'who scales it says how many')
    t.match(find(some, 'HorizontalPodAutoscaler', 'chartgate').spec, { minReplicas: 3, maxReplicas: 6 })
    t.match(find(three, 'HTTPRoute', 'chartgate').spec, { hostnames: ['charts.example.com'], rules: [{ matches: [{ path: { type: 'PathPrefix', value: '/helm' } }], backendRefs: [{ name: 'chartgate', port: 80 }] }] })
    t.end()
  })

  await t.test('the registry is routed at the root of the host, where it is said to be there', t => {
    const made = of('the registry at the root of the host, behind an ingress and a Gateway')
    t.match(find(made, 'HTTPRoute', 'chartgate').spec.rules[0].matches, [{ path: { value: '/helm' } }, { path: { type: 'PathPrefix', value: '/v2' } }])
    t.match(find(made, 'Ingress', 'chartgate').spec.rules[0].http.paths, [{ path: '/helm' }, { path: '/v2', pathType: 'Prefix' }])
    t.equal(find(of('Traefik in front'), 'Ingress', 'chartgate').spec.rules[0].http.paths.length, 1)
    t.end()
  })

  await t.test('with affinity by address the Service has it, and the controller that sends past the Service', t => {
    const annotations = { nginx: ['nginx.org/lb-method', 'ip_hash'], 'ingress-nginx': ['nginx.ingress.kubernetes.io/upstream-hash-by', '$binary_remote_addr'], haproxy: ['haproxy.org/load-balance', 'source'], 'haproxy-ingress': ['haproxy-ingress.github.io/balance-algorithm', 'source'] } as const
    for (const [controller, [name, value]] of Object.entries(annotations)) {
      const made = of(`several gateways and affinity by address, behind ${controller}`)
      t.equal(find(made, 'Service', 'chartgate').spec.sessionAffinity, 'ClientIP')
      t.equal(find(made, 'Ingress', 'chartgate').metadata.annotations?.[name], value)
    }
    t.equal(find(of('no values'), 'Service', 'chartgate').spec.sessionAffinity, 'None')
    t.notMatch(find(of('nginx in front'), 'Ingress', 'chartgate').metadata.annotations, { 'nginx.org/lb-method': 'ip_hash' })
    t.end()
  })

  await t.test('only the Job that makes keys has a token, and a right for one Secret', t => {
    for (const [name, made] of rows) {
      for (const each of made) {
        const pod = podOf(each)
        if (pod !== undefined) t.strictSame([pod.automountServiceAccountToken, pod.enableServiceLinks], [each.kind === 'Job', false], `${name}: ${each.kind}/${each.metadata.name}`)
        if (each.kind === 'ServiceAccount') t.equal(each.automountServiceAccountToken, false)
        if (each.kind === 'Role') t.strictSame(each.rules, [{ apiGroups: [''], resources: ['secrets'], resourceNames: [each.metadata.name.replace(/make-keys$/, 'keys')], verbs: ['get', 'create', 'patch'] }])
        if (['Job', 'Role', 'RoleBinding'].includes(each.kind)) t.match(each.metadata.annotations, { 'helm.sh/hook': 'pre-install,pre-upgrade', 'helm.sh/hook-delete-policy': 'before-hook-creation,hook-succeeded' })
      }
    }
    const jobs = [...rows].filter(([, made]) => made.some(({ kind }) => kind === 'Job')).map(([name]) => name)
    t.ok(jobs.includes('a ChartMuseum that is there'))
    for (const name of ['no values', 'keys and accounts of one\'s own, in the middle of a rotation', 'keys that only the configuration names', 'the embedded repository with keys and accounts from Secrets']) t.notOk(jobs.includes(name), name)
    t.end()
  })

  await t.test('nothing is made up while it is rendered, which Argo CD does at every sync', async t => {
    t.notMatch(await sources(), /\b(?:lookup|genPrivateKey|genCA|genSelfSignedCert|genSignedCert|rand\w+|uuidv4|now|htpasswd|derivePassword)\b/)
  })

  await t.test('an end has the time that it may take', t => {
    for (const [name, preStop] of [['no values', 0], ['a ChartMuseum that is there', 0], ['no drain, so a preStop', 10], ['a long drain', 0]] as const) {
      const pod = podOf(find(of(name), 'Deployment', 'chartgate'))
      const { drain: { delay } = { delay: '0s' } } = parse(find(of(name), 'ConfigMap', 'chartgate').data?.['chartgate.yaml'] as string) as { drain?: { delay: string } }
      t.equal(pod.terminationGracePeriodSeconds, readDuration(delay) + preStop + 35, `${name}: ${delay}`)
      t.equal(pod.containers[0].lifecycle?.preStop.sleep.seconds ?? 0, preStop)
    }
    t.end()
  })

  await t.test('what changes below a mount is seen by the pods', t => {
    for (const [name, made] of rows) {
      const mounts = made.flatMap(each => (podOf(each)?.containers ?? []) as { volumeMounts?: Mount[] }[]).flatMap(({ volumeMounts = [] }) => volumeMounts)
      t.notOk(mounts.some(({ subPath }) => subPath !== undefined), `${name}: the kubelet exchanges whole folders alone`)
    }
    t.end()
  })

  await t.test('ChartMuseum takes the gateway\'s tokens alone, whatever values say', t => {
    for (const name of ['a ChartMuseum beside three gateways, behind a Gateway', 'a ChartMuseum over a bucket, gateways that come and go, and all that watches them', 'tenants of any depth'] as const) {
      const made = of(name)
      const pod = podOf(find(made, 'Deployment', 'chartgate-chartmuseum')) as { volumes: Volume[], containers: [{ env: { name: string, value: string }[] }] }
      const env = Object.fromEntries(pod.containers[0].env.map(({ name, value }) => [name, value]))
      const url = name === 'tenants of any depth' ? 'http://localhost:5001' : 'https://charts.example.com/helm'
      t.match(env, { BEARER_AUTH: 'true', AUTH_REALM: `${url}/oauth/token`, AUTH_SERVICE: new URL(url).host, AUTH_CERT_PATH: '/run/chartgate/upstream.pub.pem' }, name)
      t.same(pod.volumes.find(({ secret }) => secret !== undefined)?.secret, { secretName: 'chartgate-keys', items: [{ key: 'upstream.pub.pem', path: 'upstream.pub.pem' }] }, 'it sees no private key')
      const { podSelector, ingress } = find(made, 'NetworkPolicy', 'chartgate-chartmuseum').spec
      t.match(find(made, 'Deployment', 'chartgate-chartmuseum').spec.template.metadata.labels, podSelector.matchLabels)
      t.match(find(made, 'Deployment', 'chartgate').spec.template.metadata.labels, ingress[0].from[0].podSelector.matchLabels)
    }
    const bucket = podOf(find(of('a ChartMuseum over a bucket, gateways that come and go, and all that watches them'), 'Deployment', 'chartgate-chartmuseum')).containers[0].env as { name: string, value: string }[]
    t.match(Object.fromEntries(bucket.map(({ name, value }) => [name, value])), { STORAGE: 'amazon', DEPTH: '1', CONTEXT_PATH: '/museum', MAX_UPLOAD_SIZE: '1073741824', CHART_POST_FORM_FIELD_NAME: 'package' })
    t.end()
  })

  await t.test('each Service and policy finds the pods that it is for', t => {
    for (const [name, made] of rows) {
      const pods = made.filter(({ kind }) => kind === 'Deployment').map(({ spec }) => spec.template.metadata.labels as Record<string, string>)
      for (const { kind, metadata, spec } of made) {
        const selector = (kind === 'Service' ? spec.selector : ['NetworkPolicy', 'Deployment', 'PodDisruptionBudget'].includes(kind) ? (spec.podSelector ?? spec.selector).matchLabels : undefined) as Record<string, string> | undefined
        if (selector === undefined || selector['app'] === 'chartmuseum') continue
        t.equal(pods.filter(labels => Object.entries(selector).every(([key, value]) => labels[key] === value)).length, 1, `${name}: ${kind}/${metadata.name}`)
      }
    }
    t.end()
  })

  await t.test('what is wrong is refused in a sentence, by both Helms', async t => {
    for (const [values, sentence] of BAD) {
      for (const each of versions) t.match(await template(each, values, { home }), { code: 1, stderr: sentence }, `${each.name} ${JSON.stringify(values)}`)
    }
    const two = await template(helm, { replicaCount: 2, httpRoute: { enabled: true } }, { home })
    t.match(two.stderr, /embedded repository[^]*config\.publicUrl[^]*parentRefs/, 'all at once')
    t.notMatch((await template(helm, { config: { masterKey: 'nobody-should-read-this' } }, { home })).stderr, /nobody-should-read/, 'and no secret is in it')
  })

  await t.test('the notes say what works next for these values, and the same by both Helms', async t => {
    const kubeconfig = await startDiscovery(t)
    const notes = async (values: object): Promise<string> => {
      const [first, second] = [await notesOf(t, home, versions[0] as Helm, values, kubeconfig), await notesOf(t, home, versions[1] as Helm, values, kubeconfig)]
      t.equal(first, second)
      return first
    }
    t.match(await notes({}), /port-forward service\/chartgate 5001:80[^]*user add admin --groups admins\n {2}helm repo add charts http:\/\/localhost:5001\/helm\/test --username admin\n/)
    t.match(await notes(GOOD['a ChartMuseum that is there'] as object), /robot create admin [^]*create secret generic chartgate-accounts --from-file=accounts\.yaml\n {2}helm upgrade chartgate CHART [^]*The keys are in the Secret chartgate-keys/)
    t.match(await notes({ upstream: { url: 'http://a' }, replicaCount: 2, config: { publicUrl: 'https://charts.example.com' }, masterKey: { existingSecret: 'k' } }), /get secret k [^]*https:\/\/charts\.example\.com\/helm\/test --username any[^]*Of each pod alone are: /)
    t.match(await notes(GOOD['a proxy that asks, and leads to a ChartMuseum that is there'] as object), /\nProxies \(dialect gateway-api\) ask at http:\/\/chartgate-authz\.charts\.svc:5003\/authz, and lead\nwhat may pass to http:\/\/chartmuseum\.charts\.svc:8080\. \/oauth\/, \/\.well-known\/, uploads and deletes have to lead to the Service chartgate\.\n/)
    for (const values of Object.values(GOOD)) t.equal((await notes(values)).match(/^ {2}(?!#)\S.*$/gm)?.length, 3, 'three commands')
  })
}

/** What `helm install` prints at its end; Helm 3 asks a cluster before it does. */
async function notesOf (t: Test, home: string, helm: Helm, values: object, kubeconfig: string): Promise<string> {
  const file = join(home, 'notes.yaml')
  await writeFile(file, stringify(values))
  const { stdout, stderr, code } = await runHelm(helm, ['install', 'chartgate', CHART, '--namespace', 'charts', '--dry-run=client', '--disable-openapi-validation', '-f', file], { home, env: { KUBECONFIG: kubeconfig } })
  t.equal(code, 0, helm.name, { stderr })
  return stdout.slice(stdout.indexOf('\nNOTES:\n')).trimEnd() + '\n'
}

/** What lies in the Secrets that the matrix names. */
function makeSecrets (home: string): Secrets {
  const rsa = (): string => generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
  const { certText, keyText } = Authority.make(join(home, 'authority')).issue({ names: 'DNS:charts.example.com' })
  const tls = { 'tls.crt': certText, 'tls.key': keyText }
  return {
    'own-keys': { 'token.pem': rsa(), 'upstream.pem': rsa(), 'new.pem': generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }) as string },
    people: { 'accounts.yaml': 'users: []\n', htpasswd: '' },
    'museum-password': { password: newPassword() },
    redis: { password: newPassword() },
    'master-key': { masterKey: newMasterKey() },
    'admin-token': { token: newMasterKey() },
    'charts-tls': tls,
    'admin-tls': tls
  }
}
