// The repositories that stand behind a fault, as programs of their own, and what may be
// left over in a gateway after one: nothing.
import { join } from 'node:path'
import type { Test } from 'tap'
import { findChartMuseum, OPEN, startChartMuseum } from '../repository/servers.ts'
import { NO_CHARTMUSEUM } from '../helpers/chartmuseum.ts'
import type { Gateway } from '../helpers/gateway.ts'
import { skipped } from '../helpers/not-tried.ts'
import { freePorts, startProcess, temporaryFolder, type Environment, type StartedProcess, type TestLike } from '../helpers/processes.ts'
import { until } from '../helpers/until.ts'

export interface RepositoryProcess extends StartedProcess {
  readonly origin: string
  readonly port: number
}

/** `chartgate repository`, the built one, which asks for no token. */
export async function startRepository (t: TestLike, dir: string, place: { readonly port?: number, readonly env?: Environment } = {}): Promise<RepositoryProcess> {
  const port = place.port ?? (await freePorts(1))[0] as number
  const args = ['dist/src/cli.js', 'repository', '--dir', dir, '--port', String(port), '--depth', '2']
  const origin = `http://127.0.0.1:${port}`
  return { ...await startProcess(t, process.execPath, args, { readyUrl: `${origin}/health`, ...(place.env === undefined ? {} : { env: place.env }) }), origin, port }
}

/** A ChartMuseum that asks for no credentials, on a folder that others may have too. @param flags besides */
export async function startMuseum (t: TestLike, storage: string, port: number, flags: readonly string[]): Promise<StartedProcess> {
  return await startProcess(t, findChartMuseum() as string, [
    '--depth', '2', '--storage', 'local', '--storage-local-rootdir', storage, '--port', String(port), '--listen-host', '127.0.0.1', ...flags
  ], { readyUrl: `http://127.0.0.1:${port}/health` })
}

/** Runs the test before each of them: the built embedded repository, and ChartMuseum where there is one. */
export async function beforeEach (t: Test, work: (t: Test, origin: string) => Promise<void>): Promise<void> {
  await t.test('chartgate repository', async t => { await work(t, (await startRepository(t, join(await temporaryFolder(t), 'charts'))).origin) })
  if (findChartMuseum() === undefined) await skipped(t, 'ChartMuseum', NO_CHARTMUSEUM)
  else await t.test('ChartMuseum', async t => { await work(t, `http://127.0.0.1:${(await startChartMuseum(t, await temporaryFolder(t), OPEN)).port}`) })
}

const HELD = ['chartgate_upstream_connections', 'chartgate_queue_length', 'chartgate_spool_bytes', 'chartgate_spool_files', 'http_server_active_requests']

/** Waits until no process of the gateway holds anything for a request: a place, a turn, a file of the spool. */
export async function nothingIsHeld ({ adminUrl }: Pick<Gateway, 'adminUrl'>): Promise<string[]> {
  let held: string[] = ['nobody has looked']
  await until(async () => {
    const text = await (await fetch(`${adminUrl}/metrics`)).text()
    held = text.split('\n').filter(line => HELD.some(name => line.startsWith(name) && /[{ ]/.test(line[name.length] ?? '')) && !line.endsWith(' 0'))
    return held.length === 0 ? true : undefined
  }, 10_000).catch(() => {})
  return held
}
