// Sends wrong passwords, each for another name, and asks for an index with a token while
// they are hashed: how long does that take, and how much memory does the process have?
import { Agent, request } from 'node:http'
import { readFileSync } from 'node:fs'
import { readTask, report } from './task.ts'

interface PasswordsTask {
  readonly origin: string
  readonly path: string
  /** A file with the Authorization header. */
  readonly authorizationFile: string
  readonly pid: number
  readonly passwords: number
}

/** Reads before anybody guesses. */
const ALONE = 500

const { origin, path, authorizationFile, pid, passwords } = readTask<PasswordsTask>()
const authorization = readFileSync(authorizationFile, 'utf8')

async function statusOf (agent: Agent, authorization: string): Promise<number> {
  return await new Promise((resolve, reject) => {
    request(origin + path, { agent, headers: { authorization } }, response => {
      response.resume().on('error', reject).on('end', () => { resolve(response.statusCode ?? 0) })
    }).on('error', reject).end()
  })
}

function residentMebibytes (): number {
  return Number(/^VmRSS:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024
}

const readers = new Agent({ keepAlive: true })

/** Milliseconds of reads, one after the other, for as long as somebody wants more. */
async function readWhile (more: (reads: number) => boolean): Promise<number[]> {
  const times: number[] = []
  do {
    const from = performance.now()
    if (await statusOf(readers, authorization) !== 200) throw new Error('an index was not answered')
    times.push(performance.now() - from)
  } while (more(times.length))
  return times
}

function p99Of (times: number[]): number {
  return times.sort((a, b) => a - b)[Math.ceil(times.length * 0.99) - 1] as number
}

const alone = await readWhile(reads => reads < ALONE)
const guessers = new Agent({ keepAlive: false })
const still = { waiting: passwords }
const round = process.hrtime.bigint()
const guesses = Array.from({ length: passwords }, async (_, i) => {
  const status = await statusOf(guessers, `Basic ${Buffer.from(`nobody${i}:wrong-${round}-${i}`).toString('base64')}`)
  still.waiting--
  return status
})

let most = 0
const times = await readWhile(() => {
  most = Math.max(most, residentMebibytes())
  return still.waiting > 0
})
const statuses = await Promise.all(guesses)
const others = statuses.filter(status => status !== 401)
if (others.length > 0) throw new Error(`${others.length} passwords were not hashed: ${[...new Set(others)].join(', ')}`)
readers.destroy()
report({ alone: p99Of(alone), p99: p99Of(times), reads: times.length, rss: most })
