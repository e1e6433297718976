// chartgate as it is shipped: the built program, its own process, its defaults, and only
// what a benchmark names changed.
import { randomBytes } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { ROOT, freePorts } from '../../test/helpers/processes.ts'
import { hashPassword } from '../../src/identity/sources/passwords.ts'
import { ACTIONS } from '../../src/words/access.ts'
import type { Fill } from './charts.ts'
import type { Place } from './cores.ts'
import type { Lab } from './lab.ts'
import type { Program } from './program.ts'
import type { MaybeServer, Server } from './server.ts'
import { PUBLIC_URL, USER, clientToken } from './tokens.ts'

export interface Gateway extends Server {
  readonly program: Program
  readonly masterKey: string
  /** An Authorization header with the user's password. */
  readonly basic: string
}

export interface GatewayOptions {
  /** What it stands in front of; left out: its embedded repository. */
  readonly upstream?: Server
  /** Puts charts into the embedded repository. */
  readonly charts?: Fill
  readonly maxAge?: '0s' | '1s'
  /** Logs reads too. */
  readonly reads?: boolean
  readonly workers?: number
  /** Keys of the configuration besides. */
  readonly besides?: object
  /** Keys of `listen` besides. */
  readonly listen?: object
  /** Text behind the configuration, for what is too long to be made of values. */
  readonly lines?: string
  readonly place?: Place
  /** Milliseconds that a start may take. */
  readonly limit?: number
  /** The folder of another build; default: this one. */
  readonly root?: string
}

/** Starts it in front of an upstream; where that is missing, so is this. */
export async function startInFront (lab: Lab, upstream: MaybeServer, options: Omit<GatewayOptions, 'upstream' | 'charts'> = {}): Promise<Gateway | { readonly missing: string }> {
  return 'missing' in upstream ? upstream : await startGateway(lab, { ...options, upstream })
}

export async function startGateway (lab: Lab, options: GatewayOptions = {}): Promise<Gateway> {
  const { charts, place = 'tested', root = ROOT } = options
  const stateDir = await lab.stateDir()
  if (charts !== undefined) {
    await mkdir(join(stateDir, 'charts'))
    await charts(join(stateDir, 'charts'))
  }
  const [port, adminPort] = await freePorts(2) as [number, number]
  const [masterKey, password] = [secret(), secret()]
  const [file, accounts] = [join(stateDir, 'chartgate.yaml'), join(stateDir, 'accounts.yaml')]
  await writeFile(accounts, stringify({ users: [{ name: USER, passwordHash: await hashPassword(password) }] }), { mode: 0o600 })
  const { listen = {}, lines = '' } = options
  const config = { ...placeOf(adminPort, stateDir), listen: { port, ...listen }, masterKey, ...chosen(options), accounts: { files: [accounts] }, ...options.besides }
  await writeFile(file, stringify(config) + lines, { mode: 0o600 })
  const origin = `http${'tls' in listen ? 's' : ''}://127.0.0.1:${port}`
  const readyUrl = 'tls' in listen ? `http://127.0.0.1:${adminPort}/healthz` : `${origin}/health`
  const patience = options.limit === undefined ? {} : { limit: options.limit }
  const program = await lab.start([...lab.cores.pin(place), process.execPath, join(root, 'dist/src/cli.js'), 'serve', '--config', file], { readyUrl, ...patience })
  return {
    origin,
    program,
    masterKey,
    basic: `Basic ${Buffer.from(`${USER}:${password}`).toString('base64')}`,
    authorization: async tenant => `Bearer ${await clientToken(lab, tenant)}`
  }
}

const secret = (): string => `bench-${randomBytes(16).toString('hex')}`

function placeOf (adminPort: number, stateDir: string): object {
  return { admin: { port: adminPort }, publicUrl: PUBLIC_URL, stateDir, policy: [{ repositories: ['org1/*'], subjects: [`user:${USER}`], actions: [...ACTIONS] }] }
}

function chosen ({ upstream, maxAge, reads, workers }: GatewayOptions): object {
  return {
    ...(upstream === undefined ? {} : { upstream: { url: upstream.origin } }),
    ...(maxAge === undefined ? {} : { charts: { index: { maxAge } } }),
    ...(reads === undefined ? {} : { log: { reads } }),
    ...(workers === undefined ? {} : { workers })
  }
}
