// A real redis-server of a test's own, which a test stops, kills and starts again; and a fake one
// in this process, of which a test says what it answers.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { findProgram, freePorts, temporaryFolder, type TestLike } from './processes.ts'
import { untilTrue } from './until.ts'

/** The program, or undefined. */
export const redisServer = process.env['REDIS_SERVER'] ?? await findProgram('redis-server') ?? await findProgram('valkey-server')

export const NO_REDIS = 'no redis-server and no valkey-server on the PATH, and REDIS_SERVER names none'

export const NO_TLS = 'it was built without TLS'

export interface RedisServer {
  readonly port: number
  readonly url: string
  /** One command, as words; what it answers, as it comes. */
  ask (...words: string[]): Promise<string>
  /** Ends it at once. */
  kill (): Promise<void>
  /** Lets it begin anew, with nothing in it. */
  start (): Promise<void>
  /** Lets what is in it have been there for long: in a new one nobody has a lock for ten seconds. */
  age (): Promise<void>
  /** SIGSTOP and SIGCONT. */
  signal (signal: NodeJS.Signals): void
}

/** Starts one that saves nothing, on a port that stays its own. @param more of its options */
export async function startRedis (t: TestLike, more: readonly string[] = [], password?: string): Promise<RedisServer> {
  if (redisServer === undefined) throw new Error(NO_REDIS)
  const program = redisServer
  const [port] = await freePorts(1) as [number]
  const dir = await temporaryFolder(t)
  let child: ChildProcess | undefined
  const server: RedisServer = {
    port,
    url: `redis://127.0.0.1:${port}`,
    ask: async (...words) => await asks(port, words, password === undefined ? undefined : ['AUTH', password]),
    async kill () {
      if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
      const ended = once(child, 'exit')
      child.kill('SIGCONT')
      child.kill('SIGKILL')
      await ended
    },
    async start () {
      child = spawn(program, ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', dir, ...(password === undefined ? [] : ['--requirepass', password]), ...more], { stdio: 'ignore' })
      await untilTrue(async () => await server.ask('PING').then(answer => answer.includes('PONG'), () => false))
    },
    async age () {
      await untilTrue(async () => (await server.ask('EVAL', 'if redis.call("EXISTS", KEYS[1]) == 0 then return 0 end redis.call("HSET", KEYS[1], "born", 0) return 1', '1', '{chartgate}:replicas')).startsWith(':1'))
    },
    signal (signal) { child?.kill(signal) }
  }
  t.teardown(server.kill)
  await server.start()
  return server
}

/** Whether it can: who packs one into something else may leave that out. Without a certificate it ends, and says why. */
export async function speaksTls (): Promise<boolean> {
  const [port] = await freePorts(1) as [number]
  const child = spawn(redisServer as string, ['--port', '0', '--tls-port', String(port)], { stdio: ['ignore', 'pipe', 'ignore'] })
  return /configure TLS/.test(await text(child.stdout))
}

/**
 * Starts a Sentinel that watches what is at that port as `mymaster`, and makes a replica of it the master when it is gone.
 * @param more lines of its configuration
 * @returns its port
 */
export async function startSentinel (t: TestLike, master: Pick<RedisServer, 'port'>, more: readonly string[] = []): Promise<number> {
  const [port] = await freePorts(1) as [number]
  const dir = await temporaryFolder(t)
  const file = join(dir, 'sentinel.conf')
  const own = ['bind 127.0.0.1', `port ${port}`, `dir ${dir}`, `sentinel monitor mymaster 127.0.0.1 ${master.port} 1`, 'sentinel down-after-milliseconds mymaster 500', 'sentinel failover-timeout mymaster 3000', ...more]
  await writeFile(file, own.join('\n'))
  const child = spawn(redisServer as string, [file, '--sentinel'], { stdio: 'ignore' })
  const ended = once(child, 'exit')
  t.teardown(async () => {
    child.kill('SIGKILL')
    await ended
  })
  await untilTrue(async () => await asks(port, ['PING']).then(answer => answer.includes('PONG'), () => false))
  return port
}

/** One command to whatever is there; what it answers, as it comes. @throws what ends the connection before, as Redis does to those of a replica that becomes the master */
export async function asks (port: number, words: readonly string[], before?: readonly string[]): Promise<string> {
  const socket = connect(port, '127.0.0.1').setEncoding('utf8')
  const reply = async (): Promise<string> => await new Promise((resolve, reject) => {
    socket.once('data', resolve).once('error', reject).once('close', () => { reject(new Error('closed without an answer')) })
  })
  const command = (each: readonly string[]): string => `*${each.length}\r\n${each.map(word => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`
  if (before !== undefined) {
    socket.write(command(before))
    await reply()
  }
  socket.write(command(words))
  const text = await reply()
  socket.destroy()
  return text
}
