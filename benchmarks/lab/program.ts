// Starts a pinned program and ends it. What it prints goes into a file, as a service's
// log does: a pipe would give the benchmark's own process work during a turn.
import { spawn, type ChildProcess } from 'node:child_process'
import { open, readFile } from 'node:fs/promises'
import { request } from 'node:http'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

export interface Program {
  readonly pid: number
  /** Milliseconds until it answered. */
  readonly startedIn: number
  readonly stop: () => Promise<void>
}

export interface ProgramOptions {
  /** The file for its output; new. */
  readonly log: string
  /** It is ready when this answers at all; of tcp:, when a connection is taken. */
  readonly readyUrl: string
  /** Milliseconds that it may take to. */
  readonly limit?: number
  /** All of its environment besides PATH. */
  readonly env?: Readonly<Record<string, string>>
}

const START_LIMIT = 30_000
const STOP_LIMIT = 15_000
const LOOK = 5

/** Starts it; resolves when it answers, and rejects with what it printed when it does not. */
export async function startProgram (command: readonly string[], { log, readyUrl, limit = START_LIMIT, env = {} }: ProgramOptions): Promise<Program> {
  const output = await open(log, 'w', 0o600)
  const from = performance.now()
  const child = spawn(command[0] as string, command.slice(1), { env: { PATH: process.env['PATH'], ...env }, stdio: ['ignore', output.fd, output.fd] })
  await output.close()
  const ends = new Promise<string>(resolve => {
    child.once('error', error => { resolve(error.message) })
    child.once('exit', (code, signal) => { resolve(`it ended with ${code ?? signal}`) })
  })
  const end = from + limit
  while (!await answers(readyUrl)) {
    const ended = await Promise.race([ends, sleep(LOOK)])
    if (ended === undefined && performance.now() < end) continue
    child.kill('SIGKILL')
    throw new Error(`${command.join(' ')} does not answer at ${readyUrl}: ${ended ?? `nothing in ${limit / 1000} s`}\n${await readFile(log, 'utf8')}`)
  }
  return { pid: child.pid as number, startedIn: performance.now() - from, stop: async () => { await stop(child, ends) } }
}

async function stop (child: ChildProcess, end: Promise<string>): Promise<void> {
  child.kill('SIGTERM')
  const timer = setTimeout(() => { child.kill('SIGKILL') }, STOP_LIMIT)
  await end
  clearTimeout(timer)
}

async function answers (url: string): Promise<boolean> {
  return await new Promise(resolve => {
    if (url.startsWith('tcp:')) {
      const { hostname: host, port } = new URL(url)
      const socket = connect({ host, port: Number(port) }, () => {
        socket.destroy()
        resolve(true)
      }).on('error', () => { resolve(false) })
      return
    }
    request(url, { agent: false }, response => {
      response.resume()
      resolve(true)
    }).on('error', () => { resolve(false) }).end()
  })
}

/** Runs a program to its end; what it printed. Rejects when it fails. */
export async function runProgram (command: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> {
  const child = spawn(command[0] as string, command.slice(1), { env: { PATH: process.env['PATH'], ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  let [out, err] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => { out += chunk })
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => { err += chunk })
  const code = await new Promise((resolve, reject) => { child.once('error', reject).once('close', resolve) })
  // What follows may be a header of the load generator's.
  if (code !== 0) throw new Error(`${command.slice(0, 5).join(' ')} … ended with ${String(code)}: ${err}${out}`)
  return out + err
}
