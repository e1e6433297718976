// The built chartgate in a process of its own, as a user starts it. `npm test` builds
// before it tests; a single test file needs `npm run build` first.
import { writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { layKeys } from './key-pool.ts'
import { freePorts, run, startProcess, temporaryFolder, type Environment, type RunResult, type StartedProcess, type TestLike } from './processes.ts'
import { KEPT_LOG_LEVEL, keepLog } from './secrets.ts'
import { until } from './until.ts'

export interface Gateway extends StartedProcess {
  /** http://localhost:PORT and the base path, as in challenges and tokens. */
  readonly url: string
  readonly adminUrl: string
  readonly stateDir: string
}

export interface GatewayOptions {
  /** The configuration file, relative to the project. */
  readonly file: string
  /** CHARTGATE_* variables besides those for ports and stateDir. */
  readonly env?: Environment
  /** Where its data lies; default: a new folder. */
  readonly stateDir?: string
  /** Where it is mounted, such as /helm; default: at the root. */
  readonly basePath?: string
  /** Its port, where another program has to know it before; default: any free one. */
  readonly port?: number
  /** The program; default: what `npm run build` made. */
  readonly cli?: string
  /** How many characters of its output are kept, the last ones; default: all. */
  readonly keep?: number
}

export const DEMO = 'config/chartgate.demo.yaml'

const ATTEMPTS = 3
const logLevel: Environment = KEPT_LOG_LEVEL === undefined ? {} : { CHARTGATE_LOG_LEVEL: KEPT_LOG_LEVEL }

/** A gateway with this configuration; ports and stateDir are chosen here. */
export async function startGateway (t: TestLike, config: object = {}, place: Pick<GatewayOptions, 'port' | 'stateDir' | 'cli' | 'keep'> = {}): Promise<Gateway> {
  const file = join(await temporaryFolder(t), 'chartgate.yaml')
  await writeFile(file, stringify(config))
  return await serveFile(t, { file, ...place })
}

/** A gateway with this configuration file, moved to free ports by the environment. */
export async function serveFile (t: TestLike, { file, env = {}, stateDir, port: wanted, basePath = '', cli = 'dist/src/cli.js', keep = Infinity }: GatewayOptions): Promise<Gateway> {
  const dir = stateDir ?? await newStateDir(t)
  for (let attempt = 1; ; attempt++) {
    const [freePort, adminPort] = await freePorts(2)
    const port = wanted ?? freePort
    const adminUrl = `http://localhost:${adminPort}`
    const url = `http://localhost:${port}${basePath}`
    let output: StartedProcess | undefined
    // Registered before the process is, so called after it has ended.
    t.teardown(() => { if (output !== undefined) keepLog(output.stdout() + output.stderr()) })
    const place = { CHARTGATE_LISTEN_PORT: String(port), CHARTGATE_ADMIN_PORT: String(adminPort), CHARTGATE_STATE_DIR: dir, ...(basePath === '' ? {} : { CHARTGATE_PUBLIC_URL: url }) }
    try {
      output = await startProcess(t, process.execPath, [cli, 'serve', '--config', file], { keep, env: { ...logLevel, ...env, ...place }, readyUrl: `${adminUrl}/healthz` })
      // Its probes are answered before it listens.
      await Promise.race([output.ended, until(async () => await connects(port as number) ? true : undefined)])
      return { ...output, url, adminUrl, stateDir: dir }
    } catch (error) {
      // another program took the port in the meantime
      if (attempt === ATTEMPTS || !(error as Error).message.includes('is in use by another program')) throw error
    }
  }
}

async function connects (port: number): Promise<boolean> {
  return await new Promise(resolve => {
    const socket = connect({ port, host: 'localhost' })
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    }).once('error', () => { resolve(false) })
  })
}

async function newStateDir (t: TestLike): Promise<string> {
  const dir = join(await temporaryFolder(t), 'state')
  await layKeys(dir)
  return dir
}

/** Runs one of chartgate's other commands to its end. */
export async function runChartgate (args: readonly string[], env: Environment = {}): Promise<RunResult> {
  return await run(process.execPath, ['dist/src/cli.js', ...args], { env })
}
