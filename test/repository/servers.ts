// The two programs that must be alike, started on a folder: the embedded repository in
// this process, and a real ChartMuseum when there is one.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, constants, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { openRepository, type Repository } from '../../src/repository/repository.ts'
import type { Depth } from '../../src/repository/routing.ts'
import { freePorts } from '../helpers/processes.ts'
import { KEYS, REALM, SERVICE, exchange } from './recordings.ts'

export interface ServerFlags {
  readonly depth: Depth
  readonly auth: boolean
  readonly contextPath: string
  readonly maxUploadSize: number
  readonly allowOverwrite: boolean
  /** ChartMuseum's --chart-url, which the embedded repository does not have. */
  readonly chartUrl?: string
}

export interface Running {
  readonly port: number
  stop (): Promise<void>
}

interface TestLike {
  teardown (fn: () => unknown): unknown
}

export const OPEN: ServerFlags = { depth: 2, auth: false, contextPath: '', maxUploadSize: 20 * 1024 * 1024, allowOverwrite: false }

export async function openEmbedded (storage: string, flags: ServerFlags, log?: (event: object) => void): Promise<Repository> {
  const { auth, chartUrl: _none, maxUploadSize, ...options } = flags
  const result = await openRepository({ dir: storage, ...options, maxUploadSize: () => maxUploadSize, ...(auth ? { publicKey: KEYS.publicKey, realm: REALM, service: SERVICE } : {}), ...(log === undefined ? {} : { log }) })
  if (!result.ok) throw new Error(result.message)
  return result.repository
}

export async function startEmbedded (t: TestLike, storage: string, flags: ServerFlags): Promise<Running> {
  const repository = await openEmbedded(storage, flags)
  await new Promise<void>(resolve => { repository.server.listen(0, '127.0.0.1', resolve) })
  let stopped: Promise<void> | undefined
  const stop = async (): Promise<void> => { await (stopped ??= repository.close()) }
  t.teardown(stop)
  return { port: (repository.server.address() as AddressInfo).port, stop }
}

/** $CHARTMUSEUM, or the one on PATH. */
export function findChartMuseum (): string | undefined {
  const named = process.env['CHARTMUSEUM']
  const candidates = named === undefined ? (process.env['PATH'] ?? '').split(delimiter).map(folder => join(folder, 'chartmuseum')) : [named]
  return candidates.find(path => {
    try {
      accessSync(path, constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

export async function startChartMuseum (t: TestLike, storage: string, flags: ServerFlags): Promise<Running> {
  const [port] = await freePorts(1) as [number]
  const arguments_ = ['--port', String(port), '--listen-host', '127.0.0.1', '--storage', 'local', '--storage-local-rootdir', storage, '--max-upload-size', String(flags.maxUploadSize)]
  arguments_.push(...flags.depth === 'dynamic' ? ['--depth-dynamic'] : ['--depth', String(flags.depth)])
  if (flags.contextPath !== '') arguments_.push('--context-path', flags.contextPath)
  if (flags.allowOverwrite) arguments_.push('--allow-overwrite')
  if (flags.chartUrl !== undefined) arguments_.push('--chart-url', flags.chartUrl)
  if (flags.auth) {
    const folder = mkdtempSync(join(tmpdir(), 'chartmuseum-key-'))
    t.teardown(() => { rmSync(folder, { recursive: true }) })
    const key = join(folder, 'key.pem')
    writeFileSync(key, KEYS.publicKey.export({ type: 'spki', format: 'pem' }))
    arguments_.push('--bearer-auth', '--auth-realm', REALM, '--auth-service', SERVICE, '--auth-cert-path', key)
  }
  const child = spawn(findChartMuseum() as string, arguments_, { stdio: 'ignore' })
  const gone = once(child, 'exit')
  const stop = async (): Promise<void> => { child.kill('SIGKILL'); await gone }
  t.teardown(stop)
  for (let tries = 0; tries < 300; tries++) {
    try {
      await exchange(port, 'GET', `${flags.contextPath}/health`)
      return { port, stop }
    } catch {
      await new Promise(resolve => setTimeout(resolve, 50))
    }
  }
  throw new Error('chartmuseum does not start')
}
