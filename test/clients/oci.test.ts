// The real Helm 3, Helm 4 and oras at /v2/: charts that came by the classic API, pulled as
// oci://, in front of the embedded repository and of a real ChartMuseum.
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { inFrontOfEach, keep, store, type ClientLab, type Login } from '../helpers/client-lab.ts'
import { BUILD_LIMIT, goTool } from '../helpers/go-tool.ts'
import { helmVersions, runHelm, succeed, type Helm } from '../helpers/helm.ts'
import { notTried } from '../helpers/not-tried.ts'
import { askOci, digestOfBytes } from '../helpers/oci.ts'
import { chartOf } from '../helpers/packages.ts'
import { run, temporaryFolder, type RunResult } from '../helpers/processes.ts'
import { newPassword } from '../helpers/secrets.ts'
import { signedChart, type SignedChart } from '../helpers/signed-chart.ts'
import { basic } from '../helpers/team.ts'

const TENANT = 'org1/repo1'
const REPOSITORY = `${TENANT}/mychart`

t.setTimeout(BUILD_LIMIT)
const helms = await helmVersions()
if (!helms.ok) await notTried(t, 'real Helm at the registry', helms.reason)
const oras = await goTool('oras')
if (!oras.ok) await notTried(t, 'oras at the registry', oras.reason)
const versions = helms.ok ? helms.versions : []
const charts = new Map<string, Buffer>()
for (const version of ['0.2.0', '0.10.0', '1.0.0+build.5', '2.0.0-rc.1']) charts.set(version, await chartOf('mychart', version))

await inFrontOfEach(t, async (t, lab) => {
  const signed = versions[0] === undefined ? undefined : await signedChart(t, versions[0])
  if (signed === undefined && helms.ok) await notTried(t, 'signed charts at the registry', 'gpg is not installed')
  for (const chart of charts.values()) await store(lab, lab.ci, TENANT, chart)
  if (signed !== undefined) await store(lab, lab.ci, TENANT, signed.chart, signed.prov)
  for (const helm of versions) await t.test(helm.name, async t => { await tryHelm(t, lab, helm, signed) })
  if (oras.ok) await t.test('oras', async t => { await tryOras(t, lab, oras.path) })
})

type Say = (...args: string[]) => Promise<RunResult>

/** A machine of somebody who has logged in. */
async function helmOf (t: Test, lab: ClientLab, helm: Helm, login?: Login): Promise<{ say: Say, home: string }> {
  const home = await temporaryFolder(t)
  const say: Say = async (...args) => await runHelm(helm, [...args, '--plain-http'], { home })
  if (login !== undefined) {
    const { code } = await say('registry', 'login', hostOf(lab), '-u', login.username, '-p', login.password)
    t.equal(code, 0, `${login.username} logs in`)
  }
  return { say, home }
}

function hostOf ({ gateway }: ClientLab): string {
  return new URL(gateway.url).host
}

async function tryHelm (t: Test, lab: ClientLab, helm: Helm, signed: SignedChart | undefined): Promise<void> {
  const url = `oci://${hostOf(lab)}/${REPOSITORY}`
  const { say, home } = await helmOf(t, lab, helm, lab.reader)
  const kept = async (...args: string[]): Promise<RunResult> => keep(lab, `${helm.name} ${args.join(' ')}`.replaceAll(hostOf(lab), 'HOST'), await say(...args))

  await t.test('a wrong password does not log in', async t => {
    const { say } = await helmOf(t, lab, helm)
    const result = await say('registry', 'login', hostOf(lab), '-u', lab.alice.username, '-p', newPassword())
    t.not(result.code, 0)
    t.notMatch(result.stdout + result.stderr, /succeeded/i)
  })

  await t.test('pulls by version, byte for byte, with and without a + in it, and the newest without one', async t => {
    for (const [version, chart] of charts) {
      const result = await kept('pull', url, '--version', version)
      t.equal(result.code, 0, version, { result })
      t.ok((await readFile(join(home, `mychart-${version}.tgz`))).equals(chart), version)
    }
    const newest = await kept('pull', url)
    t.match(newest.stdout + newest.stderr, /Pulled: .*\/mychart:1\.0\.0_build\.5/, 'releases alone, as Helm has it', { newest })
    t.match(await kept('pull', url, '--version', '^0.2'), { code: 0 }, 'a constraint')
    for (const version of ['9.9.9', '0.2']) t.match(await kept('pull', url, '--version', version), { code: 1, stderr: /not found/ }, version)
  })

  await t.test('shows and renders, and takes it as a dependency', async t => {
    t.match(await kept('show', 'chart', url, '--version', '0.2.0'), { code: 0, stdout: /version: 0\.2\.0/ })
    t.match(await kept('template', 'x', url, '--version', '0.2.0'), { code: 0, stdout: /kind: ConfigMap/ })
    const app = join(home, 'app')
    await mkdir(app)
    await writeFile(join(app, 'Chart.yaml'), `apiVersion: v2\nname: app\nversion: 1.0.0\ndependencies:\n  - { name: mychart, version: 0.2.0, repository: "oci://${hostOf(lab)}/${TENANT}" }\n`)
    t.equal((await say('dependency', 'update', app)).code, 0)
    t.ok((await readFile(join(app, 'charts', 'mychart-0.2.0.tgz'))).equals(charts.get('0.2.0') as Buffer))
  })

  await t.test('pulls by the digest that it was told, also together with the version', async t => {
    const told = await say('pull', url, '--version', '0.10.0')
    const [digest = ''] = /sha256:[0-9a-f]{64}/.exec(told.stdout + told.stderr) ?? []
    t.equal(digest, digestOfBytes((await askOci(lab.gateway.url, `${REPOSITORY}/manifests/0.10.0`, basic(lab.reader.username, lab.reader.password))).bytes))
    t.match(await say('pull', `${url}@${digest}`), { code: 0 })
    t.match(await say('pull', `${url}@${digest}`, '--version', '0.10.0'), { code: 0 })
    t.not((await say('pull', `${url}@${digest}`, '--version', '0.2.0')).code, 0)
    t.match(await say('template', 'x', `${url}@${digest}`), { code: 0, stdout: /kind: ConfigMap/ })
  })

  if (signed !== undefined) await t.test('verifies', async t => { await verify(t, say, url, signed) })

  await t.test('who may not pull is told so', async t => {
    const { say } = await helmOf(t, lab, helm)
    t.match(await say('pull', url, '--version', '0.2.0'), { code: 1, stderr: /401|unauthorized/i })
    const reader = await helmOf(t, lab, helm, lab.reader)
    t.match(await reader.say('pull', `oci://${hostOf(lab)}/org2/repo2/mychart`, '--version', '0.2.0'), { code: 1, stderr: /401|unauthorized/i }, 'of another tenant')
  })

  await t.test('a login holds for the classic repository no more and no less', async t => {
    const { username, password } = lab.reader
    await succeed(t, helm, ['repo', 'add', 'r', `${lab.gateway.url}/${TENANT}`, '--username', username, '--password', password], { home })
    t.match(await succeed(t, helm, ['search', 'repo', 'r/mychart', '--versions'], { home }), /0\.10\.0/)
  })
}

async function verify (t: Test, say: Say, url: string, { keyring }: SignedChart): Promise<void> {
  t.match(await say('pull', url, '--version', '0.1.0', '--verify', '--keyring', keyring), { code: 0 })
  t.match(await say('pull', url, '--version', '0.1.0', '--prov'), { code: 0 })
  t.not((await say('pull', url, '--version', '0.2.0', '--verify', '--keyring', keyring)).code, 0, 'what nobody has signed')
}

async function tryOras (t: Test, lab: ClientLab, path: string): Promise<void> {
  const home = await temporaryFolder(t)
  const orasSays: Say = async (...args) => await run(path, args, { cwd: home, env: { HOME: home, DOCKER_CONFIG: join(home, 'docker') } })
  const say: Say = async (...args) => await orasSays(...args, '--plain-http')
  const of = `${hostOf(lab)}/${REPOSITORY}`
  t.match(await say('login', hostOf(lab), '-u', lab.reader.username, '-p', lab.reader.password), { code: 0 })
  t.match(await say('repo', 'tags', of), { code: 0, stdout: /0\.10\.0\n0\.2\.0\n1\.0\.0_build\.5\n2\.0\.0-rc\.1/ })
  const pulled = await say('pull', `${of}:0.2.0`, '-o', 'out')
  t.equal(pulled.code, 0, 'pull', { pulled })
  const layout = await orasSays('cp', '--from-plain-http', `${of}:0.2.0`, '--to-oci-layout', 'layout:0.2.0')
  t.equal(layout.code, 0, 'cp', { layout })
  const digest = digestOfBytes(charts.get('0.2.0') as Buffer).slice('sha256:'.length)
  t.ok((await readFile(join(home, 'layout', 'blobs', 'sha256', digest))).equals(charts.get('0.2.0') as Buffer), 'byte for byte')
  t.match(await say('manifest', 'fetch', `${of}:0.2.0`), { code: 0, stdout: /"schemaVersion": ?2/ })
  t.match(await say('discover', `${of}:0.2.0`), { code: 0 })
  t.match(await say('blob', 'fetch', '--output', 'blob', `${of}@sha256:${digest}`), { code: 0 })
  t.not((await say('repo', 'ls', hostOf(lab))).code, 0, 'repositories are not listed')
}
