// One test over every repository that a gateway can stand before: the embedded one, and
// a real ChartMuseum where there is one, each at a fixed and at a dynamic depth.
import { readdir } from 'node:fs/promises'
import type { Test } from 'tap'
import type { Depth } from '../../src/words/tenant.ts'
import type { OpenedKeys } from '../../src/live/live-keys.ts'
import { findChartMuseum, OPEN, startChartMuseum, startEmbedded, type ServerFlags } from '../repository/servers.ts'
import { startApp, type TestGateway } from './app.ts'
import { NO_CHARTMUSEUM } from './chartmuseum.ts'
import { startGateway } from './gateway.ts'
import { startFaultyUpstream, type FaultyUpstream } from './faulty-upstream.ts'
import { WORKER_COUNTS } from './in-short.ts'
import { skipped } from './not-tried.ts'
import { temporaryFolder } from './processes.ts'
import { newMasterKey } from './secrets.ts'
import { until } from './until.ts'

export interface Repository {
  readonly name: string
  readonly depth: Depth
  readonly gateway: TestGateway
  /** The folder with the tenants' folders. */
  readonly storage: string
  /** What stands between the gateway and the repository, and passes everything on until a test says otherwise. */
  readonly between: FaultyUpstream
  /** Of the repository itself, where nothing is checked. */
  readonly origin: string
  /** Asks the gateway, with every right. */
  ask (method: string, path: string, body?: Buffer | string, contentType?: string): Promise<Answered>
  /** Charts and provenance files in a tenant's folder, by name. */
  files (tenant: string): Promise<string[]>
}

export interface Answered {
  readonly status: number
  readonly bytes: Buffer
  /** The `error` of a refusal; '' otherwise. */
  readonly error: string
  readonly retryAfter: string | null
}

/** Runs the test over each of them. @param depths fewer, for what comes behind the parser */
export async function overEachRepository (t: Test, flags: Partial<ServerFlags>, work: (t: Test, repository: Repository) => Promise<void>, depths: readonly Depth[] = [2, 'dynamic']): Promise<void> {
  for (const [name, start] of [['the embedded repository', startEmbedded], ['ChartMuseum', startChartMuseum]] as const) {
    for (const depth of depths) {
      const title = `${name} at depth ${depth}`
      if (start === startChartMuseum && findChartMuseum() === undefined) await skipped(t, title, NO_CHARTMUSEUM)
      else await t.test(title, async t => { await work(t, await open(t, title, start, { ...OPEN, ...flags, depth })) })
    }
  }
}

// Making keys takes longest.
let keys: OpenedKeys | undefined

async function open (t: Test, name: string, start: typeof startEmbedded, flags: ServerFlags): Promise<Repository> {
  const storage = await temporaryFolder(t)
  const { port } = await start(t, storage, flags)
  const origin = `http://127.0.0.1:${port}`
  const between = await startFaultyUpstream(t, origin)
  const gateway = await startApp(t, {
    origin: between.origin,
    config: config => ({ ...config, upstream: { ...config.upstream, auth: 'none' }, charts: { ...config.charts, depth: flags.depth } }),
    ...(keys === undefined ? {} : { keys })
  })
  keys ??= gateway.opened
  return {
    name,
    depth: flags.depth,
    gateway,
    storage,
    between,
    origin,
    ask: async (method, path, body, contentType) => await askAs(gateway, method, path, body, contentType),
    files: async tenant => (await readdir(`${storage}/${tenant}`).catch(() => [])).filter(file => /\.tgz(?:\.prov)?$/.test(file)).sort()
  }
}

/** The built gateway, over its embedded repository at depth dynamic, with one worker and with two. */
export async function overEachBuilt (t: Test, work: (t: Test, ask: Repository['ask'], storage: string) => Promise<void>): Promise<void> {
  for (const workers of WORKER_COUNTS) {
    await t.test(`the built gateway with ${workers} worker${workers === 1 ? '' : 's'}`, async t => {
      const masterKey = newMasterKey()
      const { url, adminUrl, stateDir } = await startGateway(t, { workers, masterKey, charts: { depth: 'dynamic' } })
      await until(async () => (await fetch(`${adminUrl}/readyz`)).ok ? true : undefined) // the primary of workers lives before they listen
      await work(t, async (method, path, body, contentType) => await askAs({ url, masterKey }, method, path, body, contentType), `${stateDir}/charts`)
    })
  }
}

/** One request with the master key, and its whole answer. */
export async function askAs ({ url, masterKey }: Pick<TestGateway, 'url' | 'masterKey'>, method: string, path: string, body?: Buffer | string, contentType = 'application/octet-stream'): Promise<Answered> {
  const headers = { authorization: `Bearer ${masterKey}`, ...(body === undefined ? {} : { 'content-type': contentType }) }
  const answer = await fetch(url + path, { method, headers, ...(body === undefined ? {} : { body: typeof body === 'string' ? body : new Uint8Array(body) }) })
  const bytes = Buffer.from(await answer.arrayBuffer())
  return { status: answer.status, bytes, error: errorOf(bytes), retryAfter: answer.headers.get('retry-after') }
}

function errorOf (bytes: Buffer): string {
  try {
    return String((JSON.parse(bytes.toString()) as { error?: string }).error ?? '')
  } catch {
    return '' // no JSON
  }
}
