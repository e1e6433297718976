// The same walkthrough with only `upstream.url` changed: a real ChartMuseum that accepts
// nothing but the key that chartgate exports.
import { cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { delimiter, join, resolve } from 'node:path'
import t, { type Test } from 'tap'
import { chartMuseum, NO_CHARTMUSEUM, startChartMuseum } from '../helpers/chartmuseum.ts'
import { DEMO, serveFile, type Gateway } from '../helpers/gateway.ts'
import { BUILD_LIMIT } from '../helpers/go-tool.ts'
import { helmVersions, packageExample, useRepository, type Helm } from '../helpers/helm.ts'
import { chartOf } from '../helpers/packages.ts'
import { notTried } from '../helpers/not-tried.ts'
import { freePorts, ROOT, run, startProcess, temporaryFolder } from '../helpers/processes.ts'
import { tokenFor, upload, walkThrough } from '../helpers/walkthrough.ts'
import { linesOf } from '../helpers/several.ts'

const skip = chartMuseum === undefined && NO_CHARTMUSEUM

t.setTimeout(BUILD_LIMIT)
await t.test('the walkthrough in front of a real ChartMuseum', { skip }, async t => {
  const folder = await temporaryFolder(t)
  const { url: upstream, stateDir } = await startChartMuseum(t)
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

await t.test('what the README says about ChartMuseum works word for word', { skip }, async t => {
  const [port, adminPort, upstreamPort] = await freePorts(3)
  const readme = await readFile(join(ROOT, 'README.md'), 'utf8')
  const [section = ''] = /## In front of your ChartMuseum\n.*?(?=\n## )/s.exec(readme) ?? []
  // Other programs may be on the ports that the README has.
  const blocks = [...section.matchAll(/^```sh\n(.*?)\n```$/gms)].map(([, block = '']) => block.replaceAll(/\b5001\b/g, String(port)).replaceAll(/\b8080\b/g, String(upstreamPort)))
  t.equal(blocks.length, 5)
  const [prepare, exportKey, startUpstream, startGateway, push] = blocks as [string, string, string, string, string]
  const folder = await temporaryFolder(t)
  await cp(join(ROOT, 'examples'), join(folder, 'examples'), { recursive: true })
  const bin = join(folder, 'bin')
  await mkdir(bin)
  await writeFile(join(bin, 'chartgate'), `#!/bin/sh\nexec '${process.execPath}' '${join(ROOT, 'dist/src/cli.js')}' "$@"\n`, { mode: 0o755 })
  await symlink(resolve(chartMuseum as string), join(bin, 'chartmuseum'))
  const place = { cwd: folder, env: { PATH: `${bin}${delimiter}${process.env['PATH']}`, CHARTGATE_LISTEN_PORT: String(port), CHARTGATE_ADMIN_PORT: String(adminPort) } }
  const prepared = await run('bash', ['-e', '-c', `${prepare}\n${exportKey}`], place)
  t.match(prepared, { code: 0, stdout: /^configuration is valid: .* 1 rule/, stderr: 'chartgate: chartgate-upstream.pub.pem is the public upstream key' })

  const there = { ...place, cwd: join(folder, 'gateway') }
  const [variables = ''] = exportKey.split('\n')
  await startProcess(t, 'bash', ['-c', `exec ${startUpstream}`], { ...there, readyUrl: `http://127.0.0.1:${upstreamPort}/health` })
  const gateway = await startProcess(t, 'bash', ['-c', `${variables}\nexec ${startGateway}`], { ...there, readyUrl: `http://127.0.0.1:${adminPort}/readyz` })
  const pushed = await run('bash', ['-e', '-c', push], there)
  t.match(pushed, { code: 0, stdout: /^{"saved":true}\napiVersion: v1\nentries:\n {2}mychart:\n.*version: 0\.1\.0\n/s })
  const log = linesOf(gateway.stdout()).filter(({ category }) => category !== 'audit')
  t.match(log, [{ level: 'info', msg: /^chartgate listens; configuration file \S+chartgate\.yaml$/ }, { level: 'info', decision: 'allowed' }])
  t.notOk(log.some(({ level, msg }) => level !== 'info' || /upstream|repository/.test(String(msg))), 'nothing is said of the upstream')
})
