// Is the chart a chart, for chartgate itself? It is packaged by Helm, pushed to a running
// chartgate and pulled back; and what `helm test` runs in a cluster is run here, in front of
// gateways with tenants that are open, closed, at the root, under a path and behind TLS.
import { createHash } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { stringify } from 'yaml'
import { CHART, find, manifestsOf, podOf, template } from '../helpers/chart.ts'
import { Authority } from '../helpers/certificates.ts'
import { curl } from '../helpers/curl.ts'
import { startGateway } from '../helpers/gateway.ts'
import { BUILD_LIMIT } from '../helpers/go-tool.ts'
import { helmVersions, succeed, type Helm } from '../helpers/helm.ts'
import { notTried } from '../helpers/not-tried.ts'
import { freePorts, run, temporaryFolder, type Environment, type RunResult } from '../helpers/processes.ts'
import { newMasterKey, newPassword } from '../helpers/secrets.ts'
import packageJson from '../../package.json' with { type: 'json' }

t.setTimeout(BUILD_LIMIT)
const helms = await helmVersions()
if (!helms.ok) await notTried(t, 'the Helm chart', helms.reason)
else {
  for (const helm of helms.versions) await t.test(`${helm.name} packages the chart, and gets it back from a chartgate`, async t => { await pushAndPull(t, helm) })
  await t.test('what helm test runs', async t => { await tryToken(t, helms.versions[0] as Helm) })
}

async function pushAndPull (t: Test, helm: Helm): Promise<void> {
  const home = await temporaryFolder(t)
  const masterKey = newMasterKey()
  const gateway = await startGateway(t, { masterKey })
  const file = join(home, `chartgate-${packageJson.version}.tgz`)
  await succeed(t, helm, ['package', CHART, '--destination', home], { home })
  const pushed = await curl('-H', `Authorization: Bearer ${masterKey}`, '--data-binary', `@${file}`, `${gateway.url}/api/platform/charts/charts`)
  t.strictSame([pushed.status, pushed.body], [201, '{"saved":true}'])
  await succeed(t, helm, ['repo', 'add', 'r', `${gateway.url}/platform/charts`, '--username', 'any', '--password', masterKey], { home })
  await mkdir(join(home, 'pulled'))
  await succeed(t, helm, ['pull', 'r/chartgate', '--destination', join(home, 'pulled')], { home })
  const digest = async (path: string): Promise<string> => createHash('sha256').update(await readFile(path)).digest('hex')
  t.equal(await digest(join(home, 'pulled', `chartgate-${packageJson.version}.tgz`)), await digest(file), 'byte for byte')
  const here = await succeed(t, helm, ['template', 'x', CHART, '--kube-version', '1.37.0'], { home })
  t.equal(await succeed(t, helm, ['template', 'x', 'r/chartgate', '--kube-version', '1.37.0'], { home }), here, 'and it renders the same')
}

async function tryToken (t: Test, helm: Helm): Promise<void> {
  const home = await temporaryFolder(t)
  const password = newPassword()
  const { stdout: hash } = await run('sh', ['-c', `printf %s "$PASSWORD" | '${process.execPath}' dist/src/cli.js hash-password`], { env: { PASSWORD: password } })
  const accounts = join(home, 'accounts.yaml')
  await writeFile(accounts, stringify({ users: [{ name: 'tester', passwordHash: hash.trim() }] }))
  const policy = [
    { repositories: ['open/charts'], subjects: ['anonymous'], actions: ['pull', 'push'] },
    { repositories: ['helm/test'], subjects: ['user:tester'], actions: ['pull', 'push'] }
  ]
  /** As the pod of the chart runs it, with the values' environment and what differs here. */
  const runTest = async (values: object, origin: string, env: Environment = {}): Promise<RunResult> => {
    const rendered = await template(helm, values, { home })
    t.equal(rendered.code, 0, rendered.stderr)
    const pod = podOf(find(manifestsOf(rendered.stdout), 'Pod', 'chartgate-test-token')).containers[0] as { command: string[], args: string[], env: { name: string, value?: string }[] }
    const given = Object.fromEntries(pod.env.flatMap(({ name, value }) => value === undefined ? [] : [[name, value]]))
    return await run(process.execPath, [...pod.command.slice(1), ...pod.args], { env: { ...given, ORIGIN: origin, ...env } })
  }

  await t.test('sees the challenge, a token and an index', async t => {
    const [port] = await freePorts(1) as [number]
    const publicUrl = 'https://charts.example.test/helm'
    const { url } = await startGateway(t, { publicUrl, policy, accounts: { files: [accounts] } }, { port })
    const config = { config: { publicUrl } }
    t.match(await runTest(config, url), { code: 0, stdout: 'ok: helm/test asks for a token, at https://charts.example.test/helm (401)\nok: a token for nobody (200)\nok: nobody has no right to it (401)\n' })
    t.match(await runTest({ ...config, test: { existingSecret: 'tester' } }, url, { USERNAME: 'tester', PASSWORD: password }), { code: 0, stdout: /ok: a token for tester \(200\)\nok: the index of helm\/test comes with it \(200\)\n$/ })
    t.match(await runTest({ ...config, test: { tenant: 'open/charts' } }, url), { code: 0, stdout: /^ok: anybody may read open\/charts \(200\)\n[^]*comes with it \(200\)\n$/ })
    t.match(await runTest({ config: { publicUrl: 'https://other.example.test/helm' } }, url), { code: 1, stdout: /^not ok: helm\/test asks for a token, at https:\/\/other/ }, 'another realm is noticed')
    t.match(await runTest({ ...config, test: { existingSecret: 'tester' } }, url, { USERNAME: 'tester', PASSWORD: newPassword() }), { code: 1, stdout: /not ok: a token for tester \(401\)\nx-request-id / })
  })

  await t.test('at depth 0, and over TLS with the certificate of the Secret', async t => {
    const authority = Authority.make(join(home, 'authority'))
    const { certText, cert, key } = authority.issue({ names: 'DNS:charts.example.test' })
    const chain = join(home, 'chain.pem')
    await writeFile(chain, certText + authority.certText)
    const root = await startGateway(t, { charts: { depth: 0 } })
    t.match(await runTest({ config: { publicUrl: root.url, charts: { depth: 0 } } }, root.url), { code: 0, stdout: /^ok: repo asks for a token/ })
    const publicUrl = 'https://charts.example.test'
    const tls = await startGateway(t, { publicUrl, listen: { tls: { cert: chain, key } } })
    const values = { config: { publicUrl }, tls: { existingSecret: 'tls' } }
    const origin = tls.url.replace('http:', 'https:')
    t.match(await runTest(values, origin, { CERTIFICATE: chain }), { code: 0, stdout: /^ok: helm\/test asks for a token/ })
    const { cert: another } = Authority.make(join(home, 'another')).issue({ names: 'DNS:charts.example.test' })
    t.match(await runTest(values, origin, { CERTIFICATE: another }), { code: 1, stderr: / certificate/ }, 'another certificate is not trusted')
    // The image has Node 24, which trusts a certificate without its authority.
    if (Number(process.versions.node.split('.')[0]) >= 24) t.match(await runTest(values, origin, { CERTIFICATE: cert }), { code: 0 })
  })
}
