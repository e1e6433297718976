// crane, and the client library of Flux, at /v2/: charts that came by the API and by crane
// itself, in front of the embedded repository and of a real ChartMuseum.
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { inFrontOfEach, store, type ClientLab, type Login } from '../helpers/client-lab.ts'
import { BUILD_LIMIT, goTool } from '../helpers/go-tool.ts'
import { helmVersions } from '../helpers/helm.ts'
import { notTried } from '../helpers/not-tried.ts'
import { ARCHIVE_TYPE, PROVENANCE_TYPE, askOci, digestOfBytes, manifestIn } from '../helpers/oci.ts'
import { chartOf } from '../helpers/packages.ts'
import { run, temporaryFolder, type RunResult } from '../helpers/processes.ts'
import { newPassword } from '../helpers/secrets.ts'
import { signedChart } from '../helpers/signed-chart.ts'
import { basic } from '../helpers/team.ts'

const REPOSITORY = 'org1/repo1/mychart'

t.setTimeout(BUILD_LIMIT)
const crane = await goTool('crane')
if (!crane.ok) await notTried(t, 'crane at the registry', crane.reason)
const flux = await goTool('flux')
if (!flux.ok) await notTried(t, "Flux's client at the registry", flux.reason)
const helms = await helmVersions()

const charts = new Map<string, Buffer>()
for (const version of ['0.2.0', '0.10.0', '1.0.0+build.5', '2.0.0-rc.1']) charts.set(version, await chartOf('mychart', version))

await inFrontOfEach(t, async (t, lab) => {
  for (const chart of charts.values()) await store(lab, lab.ci, 'org1/repo1', chart)
  if (crane.ok) await t.test('crane', async t => { await tryCrane(t, lab, crane.path) })
  if (flux.ok) await t.test("Flux's client", async t => { await tryFlux(t, lab, flux.path) })
})

function hostOf ({ gateway }: ClientLab): string {
  return new URL(gateway.url).host
}

type Say = (...args: string[]) => Promise<RunResult>

/** A machine on which somebody has logged in, or nobody has. */
async function craneOf (t: Test, lab: ClientLab, path: string, login?: Login): Promise<{ say: Say, home: string }> {
  const home = await temporaryFolder(t)
  const say: Say = async (...args) => await run(path, args, { cwd: home, env: { HOME: home, DOCKER_CONFIG: join(home, 'docker') } })
  if (login !== undefined) t.match(await say('auth', 'login', hostOf(lab), '-u', login.username, '-p', login.password), { code: 0 }, `${login.username} logs in`)
  return { say, home }
}

async function tryCrane (t: Test, lab: ClientLab, path: string): Promise<void> {
  const of = `${hostOf(lab)}/${REPOSITORY}`
  const chart = charts.get('0.10.0') as Buffer
  const authorization = basic(lab.reader.username, lab.reader.password)
  const manifest = (await askOci(lab.gateway.url, `${REPOSITORY}/manifests/0.10.0`, authorization)).bytes

  await t.test('lists, and reads a manifest by its tag and its digest, and what is in it', async t => {
    const { say } = await craneOf(t, lab, path, lab.reader)
    t.match(await say('ls', of), { code: 0, stdout: '0.10.0\n0.2.0\n1.0.0_build.5\n2.0.0-rc.1\n' })
    t.match(await say('digest', `${of}:0.10.0`), { code: 0, stdout: `${digestOfBytes(manifest)}\n` })
    for (const reference of [':0.10.0', `@${digestOfBytes(manifest)}`]) t.equal((await say('manifest', of + reference)).stdout, manifest.toString(), reference)
    t.match(await say('config', `${of}:0.10.0`), { code: 0, stdout: /^\{"name":"mychart","version":"0\.10\.0"/ })
    t.not((await say('manifest', `${of}:9.9.9`)).code, 0)
    t.not((await say('catalog', hostOf(lab))).code, 0, 'repositories are not listed')
  })

  await t.test('pulls a chart byte for byte, and exports what is in it', async t => {
    const { say, home } = await craneOf(t, lab, path, lab.reader)
    t.match(await say('pull', '--format=oci', `${of}:0.10.0`, 'layout'), { code: 0 })
    t.ok((await readFile(join(home, 'layout', 'blobs', 'sha256', digestOfBytes(chart).slice('sha256:'.length)))).equals(chart))
    t.match(await say('export', `${of}:0.10.0`, 'exported.tar'), { code: 0 })
    t.match(await run('tar', ['-xOf', 'exported.tar', 'mychart/Chart.yaml'], { cwd: home }), { code: 0, stdout: /version: 0\.10\.0/ })
    t.match(await say('validate', '--remote', `${of}:0.10.0`), { code: 0 }, 'every digest and size is right')
  })

  await t.test('copies to another tenant, tags nothing, and deletes', async t => {
    const { say } = await craneOf(t, lab, path, lab.alice)
    const other = `${hostOf(lab)}/org2/repo2/mychart`
    const copied = await say('copy', `${of}:0.10.0`, `${other}:0.10.0`)
    t.match(copied, { code: 0 }, 'copy', { copied })
    t.match(await say('digest', `${other}:0.10.0`), { code: 0, stdout: `${digestOfBytes(manifest)}\n` }, 'with the same digest')
    const classic = await fetch(`${lab.gateway.url}/org2/repo2/charts/mychart-0.10.0.tgz`, { headers: { authorization: basic(lab.alice.username, lab.alice.password) } })
    t.ok(Buffer.from(await classic.arrayBuffer()).equals(chart), 'and it is a chart at the classic URL')
    t.not((await say('tag', `${other}:0.10.0`, 'latest')).code, 0, 'a tag is the version of its archive')
    t.match(await say('delete', `${other}:0.10.0`), { code: 0 })
    t.not((await say('digest', `${other}:0.10.0`)).code, 0)
    t.match(await say('digest', `${of}:0.10.0`), { code: 0 }, 'where it came from it is still')
  })

  await t.test('a password that is wrong does not get in, nor who may only read to write', async t => {
    const { say } = await craneOf(t, lab, path)
    t.not((await say('ls', of)).code, 0, 'nobody has logged in')
    // crane keeps what it is told, and asks when it needs it.
    await say('auth', 'login', hostOf(lab), '-u', lab.alice.username, '-p', newPassword())
    t.match(await say('ls', of), { code: 1, stderr: /UNAUTHORIZED|DENIED|401/ })
    const reader = await craneOf(t, lab, path, lab.reader)
    t.not((await reader.say('copy', `${of}:0.10.0`, `${hostOf(lab)}/org1/other/mychart:0.10.0`)).code, 0)
    t.not((await reader.say('delete', `${of}:0.10.0`)).code, 0)
    t.match(await reader.say('digest', `${of}:0.10.0`), { code: 0 })
  })
}

async function tryFlux (t: Test, lab: ClientLab, path: string): Promise<void> {
  const home = await temporaryFolder(t)
  const pull = async (versions: string, { username, password }: Login, repository = REPOSITORY): Promise<RunResult> =>
    await run(path, [`${hostOf(lab)}/${repository}`, versions, ARCHIVE_TYPE, 'chart.tgz'], { cwd: home, env: { HOME: home, FLUX_CREDENTIALS: `${username}:${password}` } })

  await t.test('takes the newest version of a range, byte for byte', async t => {
    for (const [range, version] of [['0.x', '0.10.0'], ['0.2.0', '0.2.0'], ['>=1.0.0-0', '2.0.0-rc.1']] as const) {
      const pulled = await pull(range, lab.reader)
      const manifest = await askOci(lab.gateway.url, `${REPOSITORY}/manifests/${version}`, basic(lab.reader.username, lab.reader.password))
      t.match(pulled, { code: 0, stdout: `${version} ${digestOfBytes(manifest.bytes)}\n` }, range, { pulled })
      t.ok((await readFile(join(home, 'chart.tgz'))).equals(charts.get(version) as Buffer), range)
    }
    t.match(await pull('9.x', lab.reader), { code: 1, stderr: /no tag is in the range/ })
  })

  await t.test('takes the archive of a signed chart, wherever its provenance stands', async t => {
    const signed = helms.ok && helms.versions[0] !== undefined ? await signedChart(t, helms.versions[0]) : undefined
    if (signed === undefined) {
      await notTried(t, "Flux's client with a signed chart", 'gpg or Helm is not there')
      return
    }
    await store(lab, lab.ci, 'org1/signed', signed.chart, signed.prov)
    const { layers } = manifestIn(await askOci(lab.gateway.url, 'org1/signed/mychart/manifests/0.1.0', basic(lab.reader.username, lab.reader.password)))
    t.same(layers.map(({ mediaType }) => mediaType).sort(), [ARCHIVE_TYPE, PROVENANCE_TYPE].sort())
    t.match(await pull('0.1.0', lab.reader, 'org1/signed/mychart'), { code: 0 })
    t.ok((await readFile(join(home, 'chart.tgz'))).equals(signed.chart))
  })

  await t.test('is told when it may not', async t => {
    await writeFile(join(home, 'chart.tgz'), 'before')
    t.match(await pull('0.x', { ...lab.alice, password: newPassword() }), { code: 1, stderr: /DENIED|UNAUTHORIZED|401/ })
    t.match(await pull('0.x', lab.reader, 'org2/repo2/mychart'), { code: 1, stderr: /DENIED|UNAUTHORIZED|401/ })
    t.equal((await readFile(join(home, 'chart.tgz'))).toString(), 'before')
  })
}
