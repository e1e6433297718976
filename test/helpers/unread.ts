// A gateway whose log nobody reads, or whose processes do what a test says when they get
// a signal: what startGateway does not have.
import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { closeSync, constants, openSync, readSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { stringify } from 'yaml'
import { layKeys } from './key-pool.ts'
import { freePorts, ROOT, temporaryFolder, type TestLike } from './processes.ts'
import { KEY, lives } from './several.ts'
import { untilTrue } from './until.ts'

/** What a process does when it gets a signal that means nothing to the gateway. */
const MISCHIEF = (fifo: string): string => `import { open } from 'node:fs'
process.on('SIGWINCH', () => { Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0) })
process.on('SIGURG', () => { for (let i = 0; i < 4; i++) open(${JSON.stringify(fifo)}, 'r', () => {}) })
`

/** Milliseconds in which the slowest machine has started it. */
const STARTED = 60_000

/** Its event loop stands still from then on, and takes no processor time from others. */
export const HANGS = 'SIGWINCH'
/** All threads that read files and hash passwords wait from then on; its event loop goes on. */
export const THREADS_HANG = 'SIGURG'

export interface Unread {
  readonly child: ChildProcess
  readonly pid: number
  readonly url: string
  readonly adminUrl: string
  readonly stateDir: string
  /** Its exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>
  readonly stderr: () => string
  /** Everything that it has written and that nobody has read yet. */
  read (): string
  /** Nobody can read it any more. */
  closeReader (): void
}

export interface UnreadOptions {
  /** Its processes have HANGS and THREADS_HANG. */
  readonly mischief?: boolean
  readonly config?: object
}

/** Starts it with its standard output in a pipe that is read when a test says so. */
export async function startUnread (t: TestLike, { mischief = false, config = {} }: UnreadOptions = {}): Promise<Unread> {
  const folder = await temporaryFolder(t)
  const [port, adminPort] = await freePorts(2) as [number, number]
  const file = join(folder, 'chartgate.yaml')
  const stateDir = join(folder, 'state')
  await writeFile(file, stringify({ listen: { port }, admin: { port: adminPort }, stateDir, masterKey: KEY, log: { reads: true }, ...config }))
  await layKeys(stateDir)
  const fifo = join(folder, 'fifo')
  const pipe = join(folder, 'log')
  execFileSync('mkfifo', [fifo, pipe])
  const module = join(folder, 'mischief.mjs')
  await writeFile(module, MISCHIEF(fifo))
  const reader = openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK)
  const writer = openSync(pipe, constants.O_WRONLY)
  const child = spawn('env', ['-u', 'NODE_OPTIONS', process.execPath, ...(mischief ? ['--import', pathToFileURL(module).href] : []), 'dist/src/cli.js', 'serve', '--config', file], { cwd: ROOT, env: { PATH: process.env['PATH'] }, stdio: ['ignore', writer, 'pipe'] })
  closeSync(writer)
  let stderr = ''
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => { stderr += chunk })
  const ended = new Promise<number | NodeJS.Signals>(resolve => { child.once('exit', (code, signal) => { resolve(code ?? signal as NodeJS.Signals) }) })
  let open = true
  const closeReader = (): void => {
    if (open) closeSync(reader)
    open = false
  }
  t.teardown(async () => {
    child.kill('SIGKILL')
    await ended
    closeReader()
  })
  const adminUrl = `http://127.0.0.1:${adminPort}`
  await untilTrue(async () => await fetch(`${adminUrl}/readyz`).then(({ ok }) => ok, () => false), STARTED)
  return {
    child,
    pid: child.pid as number,
    url: `http://127.0.0.1:${port}`,
    adminUrl,
    stateDir,
    ended,
    stderr: () => stderr,
    read: () => readAll(reader),
    closeReader
  }
}

/** What lies in a pipe that is opened without waiting. */
export function readAll (fd: number): string {
  const chunks: Buffer[] = []
  for (;;) {
    const chunk = Buffer.alloc(65_536)
    try {
      const length = readSync(fd, chunk)
      if (length === 0) break
      chunks.push(chunk.subarray(0, length))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN') break
      throw error
    }
  }
  return Buffer.concat(chunks).toString()
}

/** The children of a process, as the system has them. */
export async function childrenOf (pid: number): Promise<number[]> {
  return (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).split(' ').filter(text => text !== '').map(Number)
}

/** A gateway with two workers, none of which outlives the test. */
export async function startWithWorkers (t: TestLike, options: UnreadOptions = {}): Promise<Unread & { readonly workers: readonly number[] }> {
  const gateway = await startUnread(t, { ...options, config: { workers: 2, ...options.config } })
  const workers = await childrenOf(gateway.pid)
  t.teardown(() => { for (const pid of workers) if (lives(pid)) process.kill(pid, 'SIGKILL') })
  return { ...gateway, workers }
}
