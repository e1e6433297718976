// Is what docs/kubernetes.md shows right? Each helm command in it renders with the values
// that stand there, by both Helms; keys are made as it says, and taken by chartgate check; and
// a backup made with its commands restores a gateway, with a folder for the pod's volume.
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import t, { type Test } from 'tap'
import { curl } from '../helpers/curl.ts'
import { otherBlocks } from '../helpers/documents.ts'
import { layOut, manifestsOf } from '../helpers/chart.ts'
import { runChartgate, startGateway } from '../helpers/gateway.ts'
import { BUILD_LIMIT } from '../helpers/go-tool.ts'
import { helmVersions, runHelm, type Helm } from '../helpers/helm.ts'
import { ending } from '../helpers/museum.ts'
import { notTried } from '../helpers/not-tried.ts'
import { chartOf } from '../helpers/packages.ts'
import { ROOT, run, temporaryFolder, type RunResult } from '../helpers/processes.ts'
import { newMasterKey, recordSecret } from '../helpers/secrets.ts'

t.setTimeout(BUILD_LIMIT)
const blocks = otherBlocks(await readFile(join(ROOT, 'docs/kubernetes.md'), 'utf8')).map(({ text }) => text)
const lines = blocks.flatMap(text => text.split('\n'))
/** Words of a command, without the quotes that a shell takes off. */
const words = (line: string): string[] => [...line.matchAll(/'([^']*)'|(\S+)/g)].map(match => (match[1] ?? match[2]) as string)

const helms = await helmVersions()
if (!helms.ok) await notTried(t, 'the commands of helm', helms.reason)
else await t.test('each helm command renders with the values that stand there', async t => { await renderAll(t, helms.versions) })

async function renderAll (t: Test, versions: readonly Helm[]): Promise<void> {
  const home = await temporaryFolder(t)
  for (const text of blocks) {
    const [, name] = /^# (\S+\.yaml)\n/.exec(text) ?? []
    if (name !== undefined) await writeFile(join(home, name), text)
  }
  const commands = lines.filter(line => /^helm (?:install|upgrade) /.test(line))
  t.ok(commands.length >= 9)
  for (const line of commands) {
    const [, , ...rest] = words(line)
    const args = rest.map(word => word === 'deploy/chartgate' ? join(ROOT, word) : word).filter(word => !/^--(?:wait|create-namespace|reuse-values|reset-then-reuse-values)$/.test(word))
    for (const helm of versions) {
      const rendered = await runHelm(helm, ['template', ...args, '--kube-version', '1.37.0'], { home })
      t.equal(rendered.code, 0, `${helm.name}: ${line}`, { stderr: rendered.stderr })
    }
  }

  await t.test('keys that are made as it says, and rotated, are what chartgate takes', async t => {
    const folder = await temporaryFolder(t)
    for (const line of lines.filter(line => line.startsWith('openssl genpkey') || line.startsWith('openssl pkey'))) {
      const made = await run('sh', ['-c', line], { cwd: folder })
      t.equal(made.code, 0, line, { stderr: made.stderr })
    }
    const files = ['token.pem', 'token-2.pem', 'upstream.pem']
    const keys = Object.fromEntries(await Promise.all(files.map(async name => [name, await readFile(join(folder, name), 'utf8')] as const)))
    for (const pem of Object.values(keys)) recordSecret(pem.split('\n')[1] as string)
    const rotations = lines.filter(line => line.includes('keys.tokens='))
    t.equal(rotations.length, 3)
    for (const line of rotations) {
      const args = words(line).slice(2).map(word => word === 'deploy/chartgate' ? join(ROOT, word) : word).filter(word => word !== '--reuse-values')
      const { stdout } = await runHelm(versions[0] as Helm, ['template', ...args, '--kube-version', '1.37.0'], { home })
      const { config, env } = await layOut(manifestsOf(stdout), 'chartgate', { 'chartgate-keys': keys }, await temporaryFolder(t))
      t.match(await runChartgate(['check', '--config', config], env), { code: 0 }, line)
    }
    t.equal((await readFile(join(folder, 'upstream.pub.pem'), 'utf8')).split('\n')[0], '-----BEGIN PUBLIC KEY-----')
  })
}

await t.test('a backup that is made as it says restores a gateway', async t => {
  const folder = await temporaryFolder(t)
  const [bin, state, other] = ['bin', 'state', 'other'].map(name => join(folder, name)) as [string, string, string]
  await mkdir(bin)
  // Runs what stands behind -- here, where the pod's volume is a folder.
  await writeFile(join(bin, 'kubectl'), '#!/bin/sh\nwhile [ "$1" != -- ] && [ $# -gt 0 ]; do shift; done\n[ $# -gt 0 ] || exit 0\nshift\nexec "$@"\n')
  await chmod(join(bin, 'kubectl'), 0o755)
  const follow = async (text: string, volume: string): Promise<RunResult> => await run('sh', ['-e', '-c', text.replaceAll('/var/lib/chartgate', volume)], { cwd: folder, env: { PATH: `${bin}${delimiter}${process.env['PATH']}` } })
  const config = { masterKey: newMasterKey() }
  const first = await startGateway(t, config, { stateDir: state })
  const ask = async (url: string, ...args: string[]) => await curl('-H', `Authorization: Bearer ${config.masterKey}`, ...args, url)
  await writeFile(join(folder, 'chart'), await chartOf('mychart', '1.0.0'))
  t.equal((await ask(`${first.url}/api/org1/repo1/charts`, '--data-binary', `@${join(folder, 'chart')}`)).status, 201)
  const index = (await ask(`${first.url}/org1/repo1/index.yaml`)).body

  const [backup, restore] = ['kubectl --namespace charts exec deploy/chartgate -c chartgate -- tar c', 'kubectl --namespace charts exec -i deploy/chartgate -c chartgate -- tar x'].map(begins => blocks.find(text => text.startsWith(begins))) as [string, string]
  t.match(await follow(backup, state), { code: 0 })
  // Into a release that is new: its gateway has made keys of its own, and runs.
  const second = await startGateway(t, config, { stateDir: other })
  t.match(await follow(restore, other), { code: 0 })
  await ending(second)()
  const third = await startGateway(t, config, { stateDir: other })
  t.equal((await ask(`${third.url}/org1/repo1/index.yaml`)).body, index, 'the same index, byte for byte')
  t.equal(await readFile(join(other, 'keys/token.pem'), 'utf8'), await readFile(join(state, 'keys/token.pem'), 'utf8'), 'and the same keys')
})
