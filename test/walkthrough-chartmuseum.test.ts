// The same walkthrough with only `upstream.url` changed: a real ChartMuseum that accepts
// nothing but the key that chartgate exports.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { DEMO, runChartgate, serveFile, type Gateway } from './helpers/gateway.ts'
import { BUILD_LIMIT } from './helpers/go-tool.ts'
import { helmVersions, packageExample, useRepository, type Helm } from './helpers/helm.ts'
import { chartOf } from './helpers/packages.ts'
import { notTried } from './helpers/not-tried.ts'
import { findProgram, freePorts, startProcess, temporaryFolder } from './helpers/processes.ts'
import { tokenFor, upload, walkThrough } from './helpers/walkthrough.ts'

const program = process.env['CHARTMUSEUM'] ?? await findProgram('chartmuseum')

t.setTimeout(BUILD_LIMIT)
await t.test('the walkthrough in front of a real ChartMuseum', { skip: program === undefined && 'no chartmuseum on the PATH, and CHARTMUSEUM names none' }, async t => {
  const folder = await temporaryFolder(t)
  const [stateDir, pem] = [join(folder, 'state'), join(folder, 'upstream.pem')]
  const exported = await runChartgate(['keys', 'export', '--config', DEMO, '--out', pem], { CHARTGATE_STATE_DIR: stateDir })
  t.equal(exported.code, 0, exported.stderr)
  const upstream = await startChartMuseum(t, program as string, join(folder, 'charts'), pem)
  t.equal((await fetch(`${upstream}/org1/repo1/index.yaml`)).status, 401, 'ChartMuseum answers nobody else')

  const gateway = await serveFile(t, { file: DEMO, stateDir, env: { CHARTGATE_UPSTREAM_URL: upstream } })
  const helms = await helmVersions()
  const first = helms.ok ? helms.versions[0] : undefined
  const chart = first === undefined ? await chartOf('mychart', '0.1.0') : await packageExample(t, first)
  await writeFile(join(folder, 'mychart-0.1.0.tgz'), chart)
  const push = await tokenFor(gateway, 'artifact-repository:org1/repo1:push')
  t.equal((await upload(gateway, push, join(folder, 'mychart-0.1.0.tgz'))).status, 201)

  if (!helms.ok) await notTried(t, 'real Helm', helms.reason)
  else for (const helm of helms.versions) await t.test(`6. ${helm.name} takes the token as a password`, async t => { await stepHelm(t, helm, gateway, chart) })
  await walkThrough(t, gateway)
})

async function stepHelm (t: Test, helm: Helm, gateway: Gateway, chart: Buffer): Promise<void> {
  const token = await tokenFor(gateway, 'artifact-repository:org1/repo1:pull')
  await useRepository(t, helm, `${gateway.url}/org1/repo1`, ['--username', 'any', '--password', token], chart)
}

/** A ChartMuseum as the README runs it; its URL. */
async function startChartMuseum (t: Test, program: string, storage: string, pem: string): Promise<string> {
  const [port] = await freePorts(1)
  const url = `http://127.0.0.1:${port}`
  await startProcess(t, program, [
    '--depth', '2', '--storage', 'local', '--storage-local-rootdir', storage, '--port', String(port), '--listen-host', '127.0.0.1',
    '--bearer-auth', '--auth-realm', 'http://localhost/oauth/token', '--auth-service', 'localhost', '--auth-cert-path', pem
  ], { readyUrl: `${url}/health` })
  return url
}
