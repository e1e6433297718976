// Clients of several replicas, and what they may see: each read of an index has every version
// whose push was answered before it began, and none whose delete was; of those who push one
// version at once one is told that it is saved; and nobody does more than their token says. What
// has no answer may have been done.
import { Agent, request } from 'node:http'
import { chartOf } from '../helpers/packages.ts'

export interface ModelOptions {
  readonly urls: readonly string[]
  /** Of somebody who has every right. */
  readonly key: string
  /** A token for reading the first tenant, and for nothing else. */
  readonly reader: string
  /** Of each client, */
  readonly operations: number
  /** and more, until nothing happens to them any more. */
  readonly isOver: () => boolean
  /** Hears when each read began that was answered. */
  readonly onRead: (begunAt: number) => void
  readonly clients: number
}

export interface ModelResult {
  readonly wrong: readonly string[]
  readonly stored: number
  readonly reads: number
  readonly conflicts: number
  readonly failed: number
}

export const TENANTS = ['org1/repo1', 'org1/repo2'] as const

/** What is known of a version, from answers alone. */
interface Version {
  state: 'stored' | 'deleted' | 'unknown'
  /** Something that changes it is on its way. */
  busy: boolean
}

export async function runModel ({ urls, key, reader, operations, isOver, onRead, clients }: ModelOptions): Promise<ModelResult> {
  const known = new Map<string, Version>()
  const wrong: string[] = []
  const counts = { stored: 0, reads: 0, conflicts: 0, failed: 0 }
  const agent = new Agent({ keepAlive: true })
  let last = 0
  let done = 0

  /** Status 0: no answer. */
  async function ask (method: string, path: string, body?: Buffer, credential = key): Promise<{ status: number, text: string }> {
    const url = urls[Math.floor(Math.random() * urls.length)] as string
    return await new Promise(resolve => {
      const sent = request(url + path, { agent, method, headers: { authorization: `Bearer ${credential}`, ...(body === undefined ? {} : { 'content-length': body.length }) }, timeout: 60_000 }, answer => {
        let text = ''
        answer.setEncoding('utf8').on('data', (chunk: string) => { text += chunk })
        answer.on('end', () => { resolve({ status: answer.statusCode as number, text }) })
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
    if (saved > 1) wrong.push(`${version} was stored ${saved} times`)
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
    const begunAt = performance.now()
    const { status, text } = await ask('GET', `/${tenant}/index.yaml`)
    if (status !== 200) {
      counts.failed++
      return
    }
    counts.reads++
    onRead(begunAt)
    const listed = new Set(Array.from(text.matchAll(/c-(1\.0\.\d+)\.tgz/g), ([, version]) => `${tenant} ${version}`))
    for (const { name, version, state } of before) {
      if (version.busy || version.state !== state) continue // it was changed meanwhile
      if (listed.has(name) !== (state === 'stored')) wrong.push(`${name} is ${state}, and ${listed.has(name) ? '' : 'not '}in an index that was asked for then`)
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
    while (done++ < operations * clients || !isOver()) {
      const tenant = TENANTS[Math.floor(Math.random() * TENANTS.length)] as string
      const dice = Math.random()
      if (dice < 0.1) await push(tenant)
      else if (dice < 0.13) await remove(tenant)
      else if (dice < 0.15) await exceed()
      else await read(tenant)
    }
  }

  await Promise.all(Array.from({ length: clients }, client))
  agent.destroy()
  return { wrong, ...counts }
}
