// Programs that tests start: curl, Helm, ChartMuseum, and the built chartgate. Each gets
// a clean environment, and none outlives its test.
import { spawn, type ChildProcess } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { createSocket, type Socket } from 'node:dgram'
import { access, constants, mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

export interface TestLike {
  teardown (fn: () => unknown): unknown
}

export type Environment = Readonly<Record<string, string>>

export interface RunOptions {
  readonly cwd?: string
  /** All that the program sees besides PATH. */
  readonly env?: Environment
  /** How many characters of each output are kept, the last ones; default: all. */
  readonly keep?: number
}

export interface RunResult {
  /** 128 and more when a signal ended it, as in a shell. */
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface StartedProcess {
  readonly pid: number
  /** Its exit code, as in RunResult. */
  readonly ended: Promise<number>
  readonly stdout: () => string
  readonly stderr: () => string
}

/** The project's folder, from dist/test as well as from test. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url)).replace(/dist[/\\]$/, '')

const START_LIMIT = 30_000
const STOP_LIMIT = 10_000

/** Runs a program to its end; rejects only when it cannot be started. */
export async function run (command: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const child = launch(command, args, options)
  const output = collect(child, options.keep)
  const code = await ended(child)
  return { code, stdout: output.stdout(), stderr: output.stderr() }
}

/** Starts a program, waits until `readyUrl` answers 200, and ends it with the test. */
export async function startProcess (t: TestLike, command: string, args: readonly string[], { readyUrl, ...options }: RunOptions & { readonly readyUrl: string }): Promise<StartedProcess> {
  const child = launch(command, args, options)
  const output = collect(child, options.keep)
  const end = ended(child)
  end.catch(() => {}) // the loop below reports it
  t.teardown(async () => { await stop(child, end) })
  const exited = end.then(code => { throw new Error(`${command} ended with code ${code}: ${output.stderr()}${output.stdout()}`) })
  await Promise.race([exited, answersAt(readyUrl, () => output.stderr())])
  return { pid: child.pid as number, ended: end, ...output }
}

/** A folder with a short name, because Unix sockets below it allow about 100 bytes; removed with the test. */
export async function temporaryFolder (t: TestLike): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'chartgate-'))
  t.teardown(async () => { await rm(folder, { recursive: true, force: true }) })
  return folder
}

// Below those that systems give to outgoing connections (from 32768 on Linux) and to who
// listens on port 0: one of these would be taken before the program that it is for begins.
const FIRST_PORT = 15_000
const LAST_PORT = 32_000
const CLAIMS_FROM = 17_000

/**
 * Ports on loopback that nobody uses, all different. No other process of the tests is given
 * one of them before this one ends: a UDP port for each is kept as the claim (not that of the
 * same number, which Caddy takes for HTTP/3).
 */
export async function freePorts (count: number): Promise<number[]> {
  const ports: number[] = []
  while (ports.length < count) {
    const port = randomInt(FIRST_PORT, LAST_PORT)
    if (await canListen(port) && await claim(port)) ports.push(port)
  }
  return ports
}

async function canListen (port: number): Promise<boolean> {
  const server = createServer()
  const isFree = await begins(server, () => { server.listen(port, '127.0.0.1') })
  if (isFree) await new Promise(resolve => { server.close(resolve) })
  return isFree
}

async function claim (port: number): Promise<boolean> {
  const socket = createSocket('udp4').unref()
  return await begins(socket, () => { socket.bind({ port: port + CLAIMS_FROM, address: '127.0.0.1', exclusive: true }) })
}

async function begins (server: Server | Socket, start: () => void): Promise<boolean> {
  return await new Promise<boolean>((resolve, reject) => {
    server.once('listening', () => { resolve(true) })
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(false)
      else reject(error)
    })
    start()
  })
}

/** Where the program lies; undefined when PATH does not have it. */
export async function findProgram (name: string): Promise<string | undefined> {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const path = join(folder, name)
    if (await access(path, constants.X_OK).then(() => true, () => false)) return path
  }
  return undefined
}

// tap puts NODE_OPTIONS into every child, whatever its `env` says; env(1) takes it out
// again, so that a spawned chartgate is the one that users start, or that a test asks for.
function launch (command: string, args: readonly string[], { cwd = ROOT, env = {} }: RunOptions): ChildProcess {
  const { NODE_OPTIONS: options } = env
  const own = options === undefined ? ['-u', 'NODE_OPTIONS'] : [`NODE_OPTIONS=${options}`]
  return spawn('env', [...own, command, ...args], { cwd, env: { PATH: process.env['PATH'], ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
}

function collect (child: ChildProcess, keep = Infinity): Pick<StartedProcess, 'stdout' | 'stderr'> {
  const text = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (chunk: string) => {
      text[name] += chunk
      if (text[name].length > 2 * keep) text[name] = text[name].slice(-keep)
    })
  }
  return { stdout: () => text.stdout, stderr: () => text.stderr }
}

async function ended (child: ChildProcess): Promise<number> {
  return await new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => { resolve(code ?? (signal === 'SIGKILL' ? 137 : 143)) })
  })
}

async function stop (child: ChildProcess, end: Promise<number>): Promise<void> {
  child.kill('SIGTERM')
  const timer = setTimeout(() => { child.kill('SIGKILL') }, STOP_LIMIT)
  await end.catch(() => {})
  clearTimeout(timer)
}

async function answersAt (url: string, why: () => string): Promise<void> {
  const limit = Date.now() + START_LIMIT
  while (Date.now() < limit) {
    const ok = await fetch(url).then(async answer => { await answer.arrayBuffer(); return answer.ok }, () => false)
    if (ok) return
    await sleep(50)
  }
  throw new Error(`nothing answers at ${url}: ${why()}`)
}
