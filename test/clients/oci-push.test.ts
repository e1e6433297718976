// The real Helm 3, Helm 4 and oras push to /v2/, cm-push and the API to the classic URL, and
// each of them is pulled by all: in front of the embedded repository and of a real ChartMuseum.
import { readFile, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { inFrontOfEach, keep, store, type ClientLab, type Login } from '../helpers/client-lab.ts'
import { cmPush, NO_CM_PUSH } from '../helpers/cm-push.ts'
import { BUILD_LIMIT, goTool } from '../helpers/go-tool.ts'
import { helmVersions, runHelm, type Helm } from '../helpers/helm.ts'
import { notTried, skipped } from '../helpers/not-tried.ts'
import { ARCHIVE_TYPE, askOci, digestOfBytes } from '../helpers/oci.ts'
import { chartOf } from '../helpers/packages.ts'
import { run, temporaryFolder, type RunResult } from '../helpers/processes.ts'
import { signedChart } from '../helpers/signed-chart.ts'
import { basic } from '../helpers/team.ts'

const TENANT = 'org1/repo1'

t.setTimeout(BUILD_LIMIT)
const helms = await helmVersions()
if (!helms.ok) await notTried(t, 'real Helm at the registry', helms.reason)
const oras = await goTool('oras')
if (!oras.ok) await notTried(t, 'oras at the registry', oras.reason)
if (cmPush === undefined) await skipped(t, 'cm-push beside the registry', NO_CM_PUSH)
const versions = helms.ok ? helms.versions : []

/** Made once: in front of both repositories clients print the same digests. */
const charts = new Map<string, Buffer>()

/** Lays a chart into a folder as a file that was packed at one time always, which its manifest says; gives its name. */
async function layChart (home: string, name: string, version: string, more = ''): Promise<string> {
  const [file, key] = [`${name}-${version}.tgz`, `${name}-${version}-${more}`]
  const chart = charts.get(key) ?? await chartOf(name, version, more === '' ? [] : [{ name: `${name}/more`, body: more }])
  charts.set(key, chart)
  await writeFile(join(home, file), chart)
  await utimes(join(home, file), 1_767_323_045, 1_767_323_045)
  return file
}

/** A machine of somebody who has logged in: a folder, and the programs in it. */
interface Machine {
  readonly home: string
  helm (helm: Helm, ...args: string[]): Promise<RunResult>
  oras (...args: string[]): Promise<RunResult>
}

function hostOf ({ gateway }: ClientLab): string {
  return new URL(gateway.url).host
}

async function machineOf (t: Test, lab: ClientLab, { username, password }: Login): Promise<Machine> {
  const home = await temporaryFolder(t)
  const env = { HOME: home, DOCKER_CONFIG: join(home, 'docker') }
  const machine: Machine = {
    home,
    helm: async (helm, ...args) => await runHelm(helm, args, { home }),
    oras: async (...args) => await run(oras.ok ? oras.path : '', args, { cwd: home, env })
  }
  for (const helm of versions.slice(0, 1)) t.match(await machine.helm(helm, 'registry', 'login', hostOf(lab), '-u', username, '-p', password, '--plain-http'), { code: 0 })
  if (oras.ok) t.match(await machine.oras('login', hostOf(lab), '-u', username, '-p', password, '--plain-http'), { code: 0 })
  return machine
}

/** Who pushes a chart, and who pulls one. */
interface Pusher { readonly name: string, push (chart: string, version: string): Promise<RunResult | undefined> }
interface Puller { readonly name: string, pull (chart: string, version: string): Promise<Buffer> }

await inFrontOfEach(t, async (t, lab) => {
  const machine = await machineOf(t, lab, lab.alice)
  const { home } = machine
  const host = hostOf(lab)
  const { username, password } = lab.alice
  const login = ['--username', username, '--password', password]
  const lay = async (name: string, version: string): Promise<string> => await layChart(home, name, version)

  const pushers: Pusher[] = [
    ...versions.map(helm => ({ name: helm.name, push: async (chart: string, version: string) => await machine.helm(helm, 'push', await lay(chart, version), `oci://${host}/${TENANT}`, '--plain-http') })),
    ...(oras.ok ? [{ name: 'oras', push: async (chart: string, version: string) => await machine.oras('push', '--plain-http', `${host}/${TENANT}/${chart}:${version.replace('+', '_')}`, `${await lay(chart, version)}:${ARCHIVE_TYPE}`) }] : []),
    ...(cmPush === undefined ? [] : [{ name: 'cmpush', push: async (chart: string, version: string) => await run(cmPush as string, [await lay(chart, version), `${lab.gateway.url}/${TENANT}`, ...login], { cwd: home, env: { HOME: home } }) }]),
    {
      name: 'api',
      async push (chart, version) {
        await store(lab, lab.alice, TENANT, await chartOf(chart, version))
        return undefined
      }
    }
  ]

  const pullers: Puller[] = [
    ...versions.flatMap(helm => [
      {
        name: `${helm.name} oci`,
        async pull (chart: string, version: string) {
          const folder = await temporaryFolder(t)
          const pulled = await machine.helm(helm, 'pull', `oci://${host}/${TENANT}/${chart}`, '--version', version, '--plain-http', '-d', folder)
          t.equal(pulled.code, 0, `${helm.name} pulls ${chart} ${version}`, { pulled })
          return await readFile(join(folder, `${chart}-${version}.tgz`))
        }
      },
      {
        name: `${helm.name} classic`,
        async pull (chart: string, version: string) {
          const folder = await temporaryFolder(t)
          const pulled = await machine.helm(helm, 'pull', chart, '--repo', `${lab.gateway.url}/${TENANT}`, '--version', version, ...login, '-d', folder)
          t.equal(pulled.code, 0, `${helm.name} pulls ${chart} ${version} from the classic URL`, { pulled })
          return await readFile(join(folder, `${chart}-${version}.tgz`))
        }
      }
    ]),
    ...(oras.ok
      ? [{
          name: 'oras',
          async pull (chart: string, version: string) {
            const tag = `${host}/${TENANT}/${chart}:${version.replace('+', '_')}`
            const fetched = JSON.parse((await machine.oras('manifest', 'fetch', '--plain-http', tag)).stdout) as { layers: { mediaType: string, digest: string }[] }
            const { digest } = fetched.layers.find(({ mediaType }) => mediaType === ARCHIVE_TYPE) as { digest: string }
            const folder = await temporaryFolder(t)
            t.equal((await machine.oras('blob', 'fetch', '--plain-http', '--output', join(folder, 'blob'), `${host}/${TENANT}/${chart}@${digest}`)).code, 0)
            return await readFile(join(folder, 'blob'))
          }
        }]
      : [])
  ]

  await t.test('what anybody pushes, everybody pulls, byte for byte', async t => {
    for (const { name, push } of pushers) {
      for (const version of ['1.0.0', '1.1.0+build.5']) {
        const pushed = await push(name, version)
        t.equal(pushed?.code ?? 0, 0, `${name} pushes ${version}`, { pushed })
        const stored = await fetch(`${lab.gateway.url}/${TENANT}/charts/${name}-${version}.tgz`, { headers: { authorization: basic(username, password) } })
        const bytes = Buffer.from(await stored.arrayBuffer())
        for (const { name: who, pull } of pullers) t.ok((await pull(name, version)).equals(bytes), `${name} ${version} by ${who}`)
      }
    }
  })

  for (const helm of versions) await t.test(helm.name, async t => { await tryHelm(t, lab, helm) })
  if (oras.ok) await t.test('oras', async t => { await tryOras(t, lab, machine) })
})

async function tryHelm (t: Test, lab: ClientLab, helm: Helm): Promise<void> {
  const machine = await machineOf(t, lab, lab.ci)
  const host = hostOf(lab)
  const name = `by${helm.name}`
  const kept = async (...args: string[]): Promise<RunResult> => keep(lab, `${helm.name} ${args.join(' ')}`.replaceAll(host, 'HOST'), await machine.helm(helm, ...args, '--plain-http'))
  const digestIn = ({ stdout, stderr }: RunResult): string => /sha256:[0-9a-f]{64}/.exec(stdout + stderr)?.[0] ?? ''
  const push = async (file: string, tenant = TENANT): Promise<RunResult> => await kept('push', file, `oci://${host}/${tenant}`)
  const lay = async (version: string, more = ''): Promise<string> => await layChart(machine.home, name, version, more)

  await t.test('a push says the digest that every pull says from then on', async t => {
    const file = await lay('1.0.0')
    const pushed = await push(file)
    t.match(pushed, { code: 0 }, 'push', { pushed })
    const digest = digestIn(pushed)
    t.equal(digest, digestOfBytes((await askOci(lab.gateway.url, `${TENANT}/${name}/manifests/1.0.0`, basic(lab.ci.username, lab.ci.password))).bytes))
    const url = `oci://${host}/${TENANT}/${name}`
    t.equal(digestIn(await kept('pull', url, '--version', '1.0.0')), digest)
    t.match(await kept('pull', `${url}@${digest}`), { code: 0 })
    t.match(await kept('show', 'chart', url), { code: 0, stdout: new RegExp(`name: ${name}`) })
    const again = await push(await lay('1.0.0')) // as it was: the pull has written it anew
    t.strictSame([again.code, digestIn(again)], [0, digest], 'and the same again')
  })

  await t.test('other bytes are denied, and it says what to do', async t => {
    const denied = await push(await lay('1.0.0', 'other'))
    t.match(denied, { code: 1, stderr: /denied: .*delete its tag first, or overwrite it at the API with \?force/ }, 'push', { denied })
  })

  await t.test('who may not push, or not there, is told so', async t => {
    const file = await lay('2.0.0')
    t.match(await push(file, 'org2/repo2'), { code: 1, stderr: /401|unauthorized/i })
    const reader = await machineOf(t, lab, lab.reader)
    await writeFile(join(reader.home, file), await readFile(join(machine.home, file)))
    t.match(await reader.helm(helm, 'push', file, `oci://${host}/${TENANT}`, '--plain-http'), { code: 1, stderr: /401|unauthorized/i })
  })

  await t.test('signed charts are pushed with their provenance, and verified', async t => {
    const signed = await signedChart(t, helm)
    if (signed === undefined) {
      await notTried(t, 'signed charts at the registry', 'gpg is not installed')
      return
    }
    const { home } = machine
    await writeFile(join(home, 'mychart-0.1.0.tgz'), signed.chart)
    await writeFile(join(home, 'mychart-0.1.0.tgz.prov'), signed.prov)
    const tenant = `org1/${helm.name}`
    const pushed = await machine.helm(helm, 'push', 'mychart-0.1.0.tgz', `oci://${host}/${tenant}`, '--plain-http')
    t.equal(pushed.code, 0, 'push', { pushed })
    const pulled = await machine.helm(helm, 'pull', `oci://${host}/${tenant}/mychart`, '--version', '0.1.0', '--verify', '--keyring', signed.keyring, '--plain-http', '-d', await temporaryFolder(t))
    t.equal(pulled.code, 0, 'pull --verify', { pulled })
    const { username, password } = lab.ci
    const classic = await machine.helm(helm, 'pull', 'mychart', '--repo', `${lab.gateway.url}/${tenant}`, '--version', '0.1.0', '--username', username, '--password', password, '--verify', '--keyring', signed.keyring, '-d', await temporaryFolder(t))
    t.equal(classic.code, 0, 'pull --verify from the classic URL', { classic })
  })
}

async function tryOras (t: Test, lab: ClientLab, { home, oras }: Machine): Promise<void> {
  const of = `${hostOf(lab)}/${TENANT}/byoras`
  const say = async (...args: string[]): Promise<RunResult> => await oras(...args, '--plain-http')
  await writeFile(join(home, 'byoras-1.0.0.tgz'), await chartOf('byoras', '1.0.0'))
  await writeFile(join(home, 'text'), 'no chart')

  await t.test('what is no chart is not taken', async t => {
    t.match(await say('push', `${of}:1.0.0`, 'text:text/plain'), { code: 1, stderr: /charts alone are taken here/ })
    t.match(await say('push', `${of}:1.0.0`, `text:${ARCHIVE_TYPE}`), { code: 1, stderr: /gzip/ })
    t.match(await say('push', `${of}:latest`, `byoras-1.0.0.tgz:${ARCHIVE_TYPE}`), { code: 1, stderr: /the archive is byoras 1\.0\.0/ })
  })

  await t.test('a chart is copied to another tenant, and deleted by its tag', async t => {
    t.match(await say('push', `${of}:1.0.0`, `byoras-1.0.0.tgz:${ARCHIVE_TYPE}`), { code: 0 })
    const copied = await oras('cp', '--from-plain-http', '--to-plain-http', `${of}:1.0.0`, `${hostOf(lab)}/org2/repo2/byoras:1.0.0`)
    t.equal(copied.code, 0, 'cp', { copied })
    t.match(await say('repo', 'tags', `${hostOf(lab)}/org2/repo2/byoras`), { code: 0, stdout: '1.0.0\n' })
    const deleted = await say('manifest', 'delete', '-f', `${of}:1.0.0`)
    t.equal(deleted.code, 0, 'manifest delete', { deleted })
    t.not((await say('manifest', 'fetch', `${of}:1.0.0`)).code, 0)
    t.match(await say('manifest', 'fetch', `${hostOf(lab)}/org2/repo2/byoras:1.0.0`), { code: 0 })
  })

  await t.test('a push with its empty config is pulled', async t => {
    t.match(await say('push', `${of}:1.0.0`, `byoras-1.0.0.tgz:${ARCHIVE_TYPE}`), { code: 0 })
    const pulled = await say('pull', `${of}:1.0.0`, '-o', await temporaryFolder(t))
    t.equal(pulled.code, 0, 'pull', { pulled })
  })
}
