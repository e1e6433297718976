// A real ChartMuseum behind the built gateway: it takes nothing but the key that
// chartgate exports, as the README has it.
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { DEMO, runChartgate } from './gateway.ts'
import { layKeys } from './key-pool.ts'
import { findProgram, freePorts, startProcess, temporaryFolder, type TestLike } from './processes.ts'

/** The program, or undefined: $CHARTMUSEUM, or the one on PATH. */
export const chartMuseum = process.env['CHARTMUSEUM'] ?? await findProgram('chartmuseum')

/** Why there is none. */
export const NO_CHARTMUSEUM = 'no chartmuseum on the PATH, and CHARTMUSEUM names none'

export interface ChartMuseum {
  readonly url: string
  /** For a gateway in front of it: its upstream key is the one that is accepted. */
  readonly stateDir: string
  /** The folder of its charts. */
  readonly storage: string
  readonly pid: number
}

/** Starts it, at depth 2, with its charts in a new folder; mounted at `contextPath`. */
export async function startChartMuseum (t: TestLike, contextPath = '', program = chartMuseum): Promise<ChartMuseum> {
  if (program === undefined) throw new Error(NO_CHARTMUSEUM)
  const folder = await temporaryFolder(t)
  const [stateDir, pem, storage] = [join(folder, 'state'), join(folder, 'upstream.pem'), join(folder, 'charts')]
  await mkdir(storage)
  await layKeys(stateDir)
  const exported = await runChartgate(['keys', 'export', '--config', DEMO, '--out', pem], { CHARTGATE_STATE_DIR: stateDir })
  if (exported.code !== 0) throw new Error(exported.stderr)
  const [port] = await freePorts(1)
  const url = `http://127.0.0.1:${port}`
  const { pid } = await startProcess(t, program, [
    '--depth', '2', '--storage', 'local', '--storage-local-rootdir', storage, '--port', String(port), '--listen-host', '127.0.0.1',
    '--bearer-auth', '--auth-realm', 'http://localhost/oauth/token', '--auth-service', 'localhost', '--auth-cert-path', pem,
    ...(contextPath === '' ? [] : ['--context-path', contextPath])
  ], { readyUrl: `${url}${contextPath}/health` })
  return { url, stateDir, storage, pid }
}
