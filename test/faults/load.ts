// What clients of all kinds ask at once, over connections that they keep, and whether each
// was answered as it has to be: for as long as a test says.
import { once } from 'node:events'
import { Agent, request, type IncomingMessage } from 'node:http'
import { Agent as TlsAgent, request as tlsRequest } from 'node:https'
import { buffer } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { chartOf } from '../helpers/packages.ts'

export interface LoadTarget {
  /** Where clients go; with https also whom they trust. */
  readonly url: string
  readonly ca?: Buffer
  readonly key: string
  /** Tenant that the load has for itself. */
  readonly tenant: string
}

export interface Load {
  /** What was not answered as it has to be. */
  readonly wrong: string[]
  /** How many were. */
  answered (): number
  /** Every version that was pushed, whatever came of it, */
  readonly pushed: Map<string, Buffer>
  /** and those that were answered 201, and not deleted since. */
  readonly stored: Map<string, Buffer>
  /** How many requests of each kind. */
  readonly counts: Map<string, number>
  /** Lets what runs end. */
  stop (): Promise<void>
}

export interface LoadOptions {
  /** Whether what was asked since then (performance.now()) may be refused, or not be answered; default: nothing may. */
  readonly mayFail?: (since: number) => boolean
  /** Milliseconds that a slow upload takes; default: 3,000. */
  readonly slow?: number
}

interface Said { readonly status: number, readonly body: Buffer }

interface Client {
  ask (method: string, path: string, more?: { readonly body?: Buffer, readonly authorization?: string, readonly pause?: number }): Promise<Said>
  close (): void
}

function clientOf ({ url, ca, key }: LoadTarget): Client {
  const { protocol, hostname, port } = new URL(url)
  const isTls = protocol === 'https:'
  const agent = isTls ? new TlsAgent({ keepAlive: true, maxSockets: 1, ca }) : new Agent({ keepAlive: true, maxSockets: 1 })
  return {
    async ask (method, path, { body, authorization = `Bearer ${key}`, pause = 0 } = {}) {
      const headers = { ...(authorization === '' ? {} : { authorization }), ...(body === undefined ? {} : { 'content-length': body.length }) }
      const options = { hostname, port, path, method, headers, agent }
      const sent = isTls ? tlsRequest(options) : request(options)
      const answer = once(sent, 'response') as Promise<[IncomingMessage]>
      answer.catch(() => {}) // whoever waits for it hears of it
      if (body === undefined) sent.end()
      else {
        sent.write(body.subarray(0, body.length / 2))
        if (pause > 0) await sleep(pause)
        sent.end(body.subarray(body.length / 2))
      }
      const [got] = await answer
      return { status: got.statusCode as number, body: await buffer(got) }
    },
    close () { agent.destroy() }
  }
}

/** What clients are told while something is away. */
const REFUSED = [502, 503, 504]

/** Begins with a chart that is there, and asks until it is stopped. */
export async function startLoad (target: LoadTarget, { mayFail = () => false, slow = 3_000 }: LoadOptions = {}): Promise<Load> {
  const { tenant, key } = target
  const chart = await chartOf('there', '1.0.0')
  const wrong: string[] = []
  const stored = new Map<string, Buffer>()
  const pushed = new Map<string, Buffer>()
  const counts = new Map<string, number>()
  const going = { on: true }
  let answered = 0
  let versions = 0

  /** @param atFault is right too when it may fail @returns the status, when it is the one that is wanted */
  async function expect (kind: string, [wanted, ...atFault]: readonly [number, ...number[]], asked: Promise<Said>, isRight: (body: Buffer) => boolean = () => true): Promise<number | undefined> {
    const since = performance.now()
    counts.set(kind, (counts.get(kind) ?? 0) + 1)
    try {
      const { status, body } = await asked
      if (wanted === status && isRight(body)) {
        answered++
        return status
      }
      if (!REFUSED.concat(atFault).includes(status) || !mayFail(since)) wrong.push(`${kind}: ${status} ${body.toString().slice(0, 200)}`)
    } catch (error) {
      if (!mayFail(since)) wrong.push(`${kind}: ${String(error)}`)
    }
    return undefined
  }

  async function push (client: Client, kind: string, pause = 0): Promise<string> {
    const version = `1.0.${++versions}`
    const bytes = await chartOf('pushed', version)
    pushed.set(version, bytes)
    // What was stored when its answer was lost is there, and the very same.
    const status = await expect(kind, [201, 409], client.ask('POST', `/api/${tenant}/charts`, { body: bytes, pause }))
    if (status === 201) stored.set(version, bytes)
    return version
  }

  const file = (version: string): string => `/${tenant}/charts/pushed-${version}.tgz`
  const shapes: readonly ((client: Client) => Promise<unknown>)[] = [
    async client => await expect('index', [200], client.ask('GET', `/${tenant}/index.yaml`), body => body.includes('there-1.0.0.tgz')),
    async client => await expect('file', [200], client.ask('GET', `/${tenant}/charts/there-1.0.0.tgz`), body => body.equals(chart)),
    async client => await expect('head', [200], client.ask('HEAD', `/${tenant}/charts/there-1.0.0.tgz`)),
    async client => await expect('api', [200], client.ask('GET', `/api/${tenant}/charts/there`)),
    async client => await expect('token', [200], client.ask('POST', `/oauth/token?grant_type=client_credentials&scope=artifact-repository:${tenant}:pull`), body => body.includes('access_token')),
    async client => await expect('missing', [404], client.ask('GET', `/${tenant}/charts/missing-1.0.0.tgz`)),
    async client => await expect('basic', [200], client.ask('GET', `/${tenant}/index.yaml`, { authorization: `Basic ${Buffer.from(`x:${key}`).toString('base64')}` })),
    async client => await expect('unauthorized', [401], client.ask('GET', `/${tenant}/index.yaml`, { authorization: '' })),
    async client => {
      const version = await push(client, 'push')
      const bytes = stored.get(version)
      if (bytes === undefined) return
      await expect('read after push', [200], client.ask('GET', file(version)), body => body.equals(bytes))
      if (versions % 2 === 0) return
      stored.delete(version) // whatever comes of it
      await expect('delete', [200, 404], client.ask('DELETE', `/api/${tenant}/charts/pushed/${version}`))
    }
  ]
  const setUp = clientOf(target)
  await expect('set up', [201, 409], setUp.ask('POST', `/api/${tenant}/charts`, { body: chart }))
  setUp.close()
  const loop = async (work: (client: Client) => Promise<unknown>, pause: number): Promise<void> => {
    const client = clientOf(target)
    while (going.on) {
      await work(client)
      await sleep(pause)
    }
    client.close()
  }
  const running = [
    ...shapes.map(async shape => { await loop(shape, 25) }),
    loop(async client => await push(client, 'slow push', slow), 25)
  ]
  return {
    wrong,
    pushed,
    stored,
    counts,
    answered: () => answered,
    async stop () {
      going.on = false
      await Promise.all(running)
    }
  }
}

/** What was answered 201 and is not there any more, and what is there in part, or not as it was sent. */
export async function damage (target: LoadTarget, { pushed, stored }: Pick<Load, 'pushed' | 'stored'>): Promise<string[]> {
  const client = clientOf(target)
  const found: string[] = []
  const index = (await client.ask('GET', `/${target.tenant}/index.yaml`)).body.toString()
  for (const [version, bytes] of pushed) {
    const { status, body } = await client.ask('GET', `/${target.tenant}/charts/pushed-${version}.tgz`)
    const isListed = index.includes(`/pushed-${version}.tgz`)
    if (status === 200 ? !body.equals(bytes) || !isListed : stored.has(version) || isListed) found.push(`${version}: ${status}, ${isListed ? 'listed' : 'not listed'}`)
  }
  client.close()
  return found
}
