// What init writes and says, in front of a real ChartMuseum: the steps that it prints lead there.
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { chartMuseum, NO_CHARTMUSEUM } from '../helpers/chartmuseum.ts'
import { command } from '../helpers/commands.ts'
import { skipped } from '../helpers/not-tried.ts'
import { freePorts, startProcess, temporaryFolder, type TestLike } from '../helpers/processes.ts'
import { newPassword } from '../helpers/secrets.ts'

/** Starts it on an empty folder; the arguments are those that differ. */
async function start (t: TestLike, port: number, argv: readonly string[]): Promise<void> {
  const storage = join(await temporaryFolder(t), 'charts')
  await mkdir(storage)
  await startProcess(t, chartMuseum as string, [
    '--storage', 'local', '--storage-local-rootdir', storage, '--port', String(port), '--listen-host', '127.0.0.1', ...argv
  ], { readyUrl: `http://127.0.0.1:${port}/health` })
}

await t.test('with Basic it is asked at once, and another depth than its own is told', async t => {
  if (chartMuseum === undefined) {
    await skipped(t, 'ChartMuseum', NO_CHARTMUSEUM)
    return
  }
  const [port] = await freePorts(1) as [number]
  const [folder, password] = [await temporaryFolder(t), newPassword()]
  await start(t, port, ['--depth', '1', '--basic-auth-user', 'curator', '--basic-auth-pass', password])
  await writeFile(join(folder, 'password'), `${password}\n`, { mode: 0o600 })
  const argv = ['init', '--situation', 'basic', '--public-url', 'http://localhost:5001', '--upstream-url', `http://127.0.0.1:${port}`, '--upstream-username', 'curator']
  const env = { CHARTGATE_UPSTREAM_PASSWORD_FILE: 'password' }
  t.match(await command([...argv, '--depth', '1', join(folder, 'right.yaml')], env), { code: 0, out: /answers as it is configured: ChartMuseum 0\.\d+/ })
  t.match(await command([...argv, '--depth', '2', join(folder, 'wrong.yaml')], env), { code: 1, err: /the chart repository is run with depth 1, and charts\.depth is 2: set charts\.depth to 1\n/ })
})

await t.test('with bearer the steps that are printed lead to one that takes what chartgate signs', async t => {
  if (chartMuseum === undefined) {
    await skipped(t, 'ChartMuseum', NO_CHARTMUSEUM)
    return
  }
  const [port] = await freePorts(1) as [number]
  const folder = await temporaryFolder(t)
  const { code, out } = await command(['init', '--situation', 'bearer', '--public-url', 'http://localhost:5001', '--upstream-url', `http://127.0.0.1:${port}`, '--depth', '2', join(folder, 'chartgate.yaml')])
  t.equal(code, 0)
  const steps = out.split('\n').filter(line => line.startsWith('    ')).map(line => line.trim().split(' '))
  const next = async (typed?: string): Promise<object> => await command((steps.shift() as string[]).slice(1), {}, typed)
  t.match(await next(), { code: 0, err: /chartgate-upstream\.pub\.pem is the public upstream key/ })
  await start(t, port, ['--depth', '2', ...steps.shift() as string[]])
  t.match(await next(), { code: 0, out: /answers as it is configured: ChartMuseum 0\.\d+/ })
  t.match(await next(newPassword()), { code: 0, out: /^the user NAME is in / })
  t.strictSame(steps, [['chartgate', 'serve', '--config', join(folder, 'chartgate.yaml')]])
  t.match(await command(['check', '--config', join(folder, 'chartgate.yaml')]), { code: 0, err: '' })
})
