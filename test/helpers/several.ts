// A gateway with several workers in real processes, and what a test asks of it: which
// worker answered, which of them live, an upload that is half there.
import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { Agent, request, type IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { startGateway, type Gateway, type GatewayOptions } from './gateway.ts'
import type { AskOci } from './oci.ts'
import { chartOf } from './packages.ts'
import type { TestLike } from './processes.ts'
import { until, untilTrue } from './until.ts'

export const KEY = 'the-master-key-of-this-test'
export const INDEX = '/org1/repo1/index.yaml'

export type Line = Readonly<Record<string, unknown>>

export interface Several extends Gateway {
  /** Every line of log so far. */
  readonly log: () => Line[]
  /** Workers that listen, as the log has them. */
  readonly workers: () => number[]
}

export interface Answer { readonly status: number, readonly body: string }

export interface Asked {
  readonly method?: string
  readonly key?: string
  readonly body?: Buffer
  /** A connection of its own if left out. */
  readonly agent?: Agent
}

/** A gateway with two workers, all of which listen. */
export async function startSeveral (t: TestLike, config: object = {}, place: Pick<GatewayOptions, 'stateDir'> = {}): Promise<Several> {
  const gateway = await startGateway(t, { workers: 2, masterKey: KEY, log: { reads: true }, ...config }, place)
  await untilTrue(async () => (await fetch(`${gateway.adminUrl}/readyz`)).ok)
  const several = { ...gateway, log: () => linesOf(gateway.stdout()), workers: () => workersOf(gateway.stdout()) }
  await untilTrue(() => several.workers().length === 2)
  return several
}

/** The lines of log in what a gateway has written. */
export function linesOf (text: string): Line[] {
  return text.split('\n').filter(line => line.startsWith('{')).map(line => JSON.parse(line) as Line)
}

/** The workers that listen by then. */
export function workersOf (text: string): number[] {
  const log = linesOf(text)
  const ended = log.filter(({ msg }) => String(msg).startsWith('a worker ended')).map(({ worker }) => worker)
  return log.flatMap(({ msg, worker }) => msg === 'a worker listens' && !ended.includes(worker) ? [worker as number] : [])
}

/** One request. */
export async function ask (gateway: Pick<Gateway, 'url'>, path: string, { method = 'GET', key = KEY, body, agent }: Asked = {}): Promise<Answer> {
  const sent = request(gateway.url.replace('localhost', '127.0.0.1') + path, { agent: agent ?? false, method, headers: { authorization: `Bearer ${key}` } })
  sent.end(body)
  return await answerTo(sent)
}

async function answerTo (sent: ReturnType<typeof request>): Promise<Answer> {
  const [answer] = await once(sent, 'response') as [IncomingMessage]
  let text = ''
  for await (const chunk of answer.setEncoding('utf8')) text += String(chunk)
  return { status: answer.statusCode as number, body: text }
}

/** A connection that stays open, and the worker that it came to; the log has to have reads. */
export async function connectionTo (gateway: Several, t: TestLike, wanted: (pid: number) => boolean = () => true): Promise<{ agent: Agent, pid: number }> {
  for (let i = 1; ; i++) {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    t.teardown(() => { agent.destroy() })
    const path = `/probe/n${process.hrtime.bigint()}/index.yaml`
    await ask(gateway, path, { agent })
    const pid = await until(() => gateway.log().find(({ tenant }) => tenant === path.slice(1, -'/index.yaml'.length))?.['pid'] as number | undefined)
    if (wanted(pid)) return { agent, pid }
    agent.destroy()
    if (i === 20) throw new Error('no connection came to that worker')
  }
}

export function lives (pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

/** Waits until none of them lives. */
export async function allGone (pids: readonly number[]): Promise<void> {
  await untilTrue(() => !pids.some(lives))
}

/** An upload of which half has arrived; the function sends the other half. */
export async function halfAnUpload (gateway: Pick<Gateway, 'url' | 'stateDir'>, tenant = 'org1/repo1'): Promise<() => Promise<Answer>> {
  const chart = await chartOf('slow', '1.0.0')
  const sent = request(`${gateway.url.replace('localhost', '127.0.0.1')}/api/${tenant}/charts`, { agent: false, method: 'POST', headers: { authorization: `Bearer ${KEY}`, 'content-length': chart.length } })
  sent.write(chart.subarray(0, 20))
  const answer = answerTo(sent)
  answer.catch(() => {}) // whoever waits for it hears of it
  const spool = join(gateway.stateDir, 'spool')
  await untilTrue(async () => (await readdir(spool, { recursive: true, withFileTypes: true })).some(entry => entry.isFile()))
  return async () => {
    sent.end(chart.subarray(20))
    return await answer
  }
}

/** Asks the registry over a connection, which is one of a worker's. */
export function ociOver ({ url }: Pick<Gateway, 'url'>, agent: () => Agent): AskOci {
  return async (path, { method = 'GET', headers = {}, body } = {}) => {
    const bytes = body === undefined ? Buffer.alloc(0) : Buffer.from(body as Buffer)
    const sent = request(`${url.replace('localhost', '127.0.0.1')}/v2/${path}`, { agent: agent(), method, headers: { authorization: `Bearer ${KEY}`, 'content-length': bytes.length, ...headers } })
    sent.end(bytes)
    const [answer] = await once(sent, 'response') as [IncomingMessage]
    const chunks: Buffer[] = []
    for await (const chunk of answer) chunks.push(chunk as Buffer)
    return { status: answer.statusCode as number, headers: answer.headers, bytes: Buffer.concat(chunks), codes: [] }
  }
}
