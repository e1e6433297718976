// Clients of several replicas, and what they may see: each read of an index has every version
// whose push was answered before it began, and none whose delete was; of those who push one
// version at once one is told that it is saved; and nobody does more than their token says. What
// has no answer may have been done.
import { Agent, request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { chartOf } from '../helpers/packages.ts'

export interface ModelOptions {
  /** Of the replicas that are not known to be gone. */
  readonly addresses: () => readonly string[]
  /** Of somebody who has every right. */
  readonly key: string
  /** A token for reading the first tenant, and for nothing else. */
  readonly reader: string
  /** That are answered, of all clients, */
  readonly operations: number
  /** and more, until nothing happens to them any more. */
  readonly isOver: () => boolean
  /** What happens to them now. */
  readonly phase: () => string
  readonly clients: number
}

export interface ModelResult {
  readonly wrong: readonly string[]
  readonly stored: number
  readonly conflicts: number
  readonly failed: number
  /** Requests, with a status below 500. */
  readonly answered: number
  /** How many reads that began in a phase were answered, by its name. */
  readonly reads: ReadonlyMap<string, number>
}

export const TENANTS = ['org1/repo1', 'org1/repo2'] as const

/** What is known of a version, from answers alone. */
interface Version {
  state: 'stored' | 'deleted' | 'unknown'
  /** Something that changes it is on its way. */
  busy: boolean
}

export async function runModel ({ addresses, key, reader, operations, isOver, phase, clients }: ModelOptions): Promise<ModelResult> {
  const known = new Map<string, Version>()
  const wrong: string[] = []
  const reads = new Map<string, number>()
  const counts = { stored: 0, conflicts: 0, failed: 0 }
  const agent = new Agent({ keepAlive: true })
  let last = 0
  /** Statuses below 500. */
  let answered = 0
  const isDone = (): boolean => answered >= operations && isOver()

  /** Status 0: no answer. */
  async function ask (method: string, path: string, body?: Buffer, credential = key): Promise<{ status: number, text: string }> {
    const urls = addresses()
    const url = urls[Math.floor(Math.random() * urls.length)] as string
    return await new Promise(resolve => {
      const sent = request(url + path, { agent, method, headers: { authorization: `Bearer ${credential}`, ...(body === undefined ? {} : { 'content-length': body.length }) }, timeout: 60_000 }, answer => {
        let text = ''
        answer.setEncoding('utf8').on('data', (chunk: string) => { text += chunk })
        answer.on('end', () => {
          const status = answer.statusCode as number
          if (status < 500) answered++
          resolve({ status, text })
        })
        answer.on('error', () => { resolve({ status: 0, text }) })
      })
      sent.on('timeout', () => sent.destroy()).on('error', () => { resolve({ status: 0, text: '' }) })
      sent.end(body)
    })
  }

  /** Two or three push the same version at once, with different bytes. */
  async function push (tenant: string): Promise<void> {
    const version = `1.0.${last++}`
    const state: Version = { state: 'unknown', busy: true }
    known.set(`${tenant} ${version}`, state)
    const charts = await Promise.all([1, 2, 3].slice(Math.floor(Math.random() * 3)).map(async i => await chartOf('c', version, [{ name: 'c/mark', body: String(i) }])))
    const answers = await Promise.all(charts.map(async chart => await ask('POST', `/api/${tenant}/charts`, chart)))
    const saved = answers.filter(({ status }) => status === 201).length
    if (saved > 1) wrong.push(`${version} was stored ${saved} times (${phase()})`)
    counts.conflicts += answers.filter(({ status }) => status === 409).length
    counts.failed += answers.filter(({ status }) => status === 0 || status >= 500).length
    if (saved === 1) {
      counts.stored++
      state.state = 'stored'
    }
    state.busy = false
  }

  async function remove (tenant: string): Promise<void> {
    const [name, found] = [...known].find(([name, { state, busy }]) => name.startsWith(`${tenant} `) && state === 'stored' && !busy) ?? []
    if (name === undefined || found === undefined) return
    found.busy = true
    const { status } = await ask('DELETE', `/api/${tenant}/charts/c/${name.split(' ')[1]}`)
    found.state = status === 200 ? 'deleted' : 'unknown'
    found.busy = false
  }

  async function read (tenant: string): Promise<void> {
    const before = [...known].filter(([name, { busy, state }]) => name.startsWith(`${tenant} `) && !busy && state !== 'unknown').map(([name, version]) => ({ name, version, state: version.state }))
    const begun = phase()
    const { status, text } = await ask('GET', `/${tenant}/index.yaml`)
    if (status !== 200) {
      counts.failed++
      return await sleep(20) // as clients do before they try again: what fails at once would be most of the operations
    }
    reads.set(begun, (reads.get(begun) ?? 0) + 1)
    const listed = new Set(Array.from(text.matchAll(/c-(1\.0\.\d+)\.tgz/g), ([, version]) => `${tenant} ${version}`))
    for (const { name, version, state } of before) {
      if (version.busy || version.state !== state) continue // it was changed meanwhile
      if (listed.has(name) !== (state === 'stored')) wrong.push(`${name} is ${state}, and ${listed.has(name) ? '' : 'not '}in an index that was asked for then (${begun})`)
    }
  }

  /** Somebody tries what is not theirs. */
  async function exceed (): Promise<void> {
    const [own, other] = TENANTS
    const chart = await chartOf('c', `9.0.${last++}`)
    for (const [method, path, body] of [['POST', `/api/${own}/charts`, chart], ['GET', `/${other}/index.yaml`, undefined], ['DELETE', `/api/${own}/charts/c/1.0.0`, undefined]] as const) {
      const { status } = await ask(method, path, body, reader)
      if (status !== 0 && status !== 401) wrong.push(`${method} ${path} was ${status} for somebody who may only read ${own}`)
    }
  }

  async function client (): Promise<void> {
    while (!isDone()) {
      const tenant = TENANTS[Math.floor(Math.random() * TENANTS.length)] as string
      const dice = Math.random()
      if (dice < 0.1) await push(tenant)
      else if (dice < 0.17) await remove(tenant)
      else if (dice < 0.19) await exceed()
      else await read(tenant)
    }
  }

  await Promise.all(Array.from({ length: clients }, client))
  agent.destroy()
  return { wrong, answered, reads, ...counts }
}
