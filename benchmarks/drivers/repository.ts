// How fast is the embedded repository with many charts? 10,000 versions in one tenant:
// a cold start (nothing remembered), a warm one, a push and the index after it, and the
// memory of the process.
import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { pack } from 'tar-stream'
import { openRepository } from '../../src/repository/repository.ts'
import type { Figure, Unit } from '../scenario.ts'
import { report } from './task.ts'

const VERSIONS = 10_000
const CHARTS = 20
const PUSHES = 50
const INDEX = '/org1/repo1/index.yaml'

async function archive (name: string, version: string): Promise<Buffer> {
  const tar = pack()
  tar.entry({ name: `${name}/Chart.yaml` }, [
    'apiVersion: v2', `name: ${name}`, `version: ${version}`, 'appVersion: "1.16.0"', 'description: A Helm chart for Kubernetes, one of very many of its kind',
    'type: application', 'home: https://charts.example.test/', 'icon: https://charts.example.test/icon.svg', 'keywords:', '- web', '- http', '- proxy',
    'maintainers:', '- name: ops', '  email: ops@example.test', 'sources:', `- https://git.example.test/${name}`, 'annotations:', '  category: Infrastructure',
    'dependencies:', '- name: common', '  version: 1.x.x', '  repository: https://charts.example.test/', ''
  ].join('\n'))
  tar.entry({ name: `${name}/values.yaml` }, 'replicaCount: 1\n')
  tar.entry({ name: `${name}/templates/cm.yaml` }, 'apiVersion: v1\nkind: ConfigMap\n')
  tar.finalize()
  return gzipSync(await buffer(tar))
}

/** The server is a process of its own, so that its memory is its own. */
async function serve (dir: string): Promise<void> {
  const opened = await openRepository({ dir, depth: 2, contextPath: '', maxUploadSize: () => 20 * 1024 * 1024 })
  if (!opened.ok) throw new Error(opened.message)
  const { repository: { server, close } } = opened
  server.listen(0, '127.0.0.1', () => { process.send?.((server.address() as AddressInfo).port) })
  process.on('message', message => {
    if (message === 'usage') process.send?.({ rss: process.memoryUsage().rss, most: process.resourceUsage().maxRSS * 1024 })
    else void close().then(() => { process.disconnect() })
  })
}

async function start (dir: string): Promise<{ child: ChildProcess, port: number }> {
  const child = fork(fileURLToPath(import.meta.url), ['serve', dir])
  const [port] = await once(child, 'message') as [number]
  return { child, port }
}

async function call (port: number, method: string, path: string, body?: Buffer): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    request({ port, host: '127.0.0.1', method, path, headers: body === undefined ? {} : { 'content-length': body.length } }, response => {
      const expected = method === 'GET' ? 200 : 201
      if (response.statusCode !== expected) reject(new Error(`${method} ${path} is answered with ${String(response.statusCode)}`))
      response.resume().on('end', resolve)
    }).on('error', reject).end(body)
  })
}

interface Usage { rss: number, most: number }

async function usage (child: ChildProcess): Promise<Usage> {
  child.send('usage')
  const [found] = await once(child, 'message') as [Usage]
  return found
}

const figures: Figure[] = []

function found (name: string, value: number, unit: Unit): void {
  figures.push({ name, value, unit })
}

async function timed<T> (label: string, work: () => Promise<T>): Promise<T> {
  const from = performance.now()
  const result = await work()
  found(label, performance.now() - from, 'ms')
  return result
}

async function memory (label: string, child: ChildProcess): Promise<void> {
  const { rss, most } = await usage(child)
  found(label, rss / 1024 / 1024, 'MiB')
  found(`${label}, at most`, most / 1024 / 1024, 'MiB')
}

async function measure (): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'chartgate-bench-'))
  try {
    const tenant = join(dir, 'org1', 'repo1')
    mkdirSync(tenant, { recursive: true })
    for (let i = 0; i < VERSIONS; i++) {
      const [name, version] = [`chart${i % CHARTS}`, `1.${Math.floor(i / CHARTS)}.0`]
      writeFileSync(join(tenant, `${name}-${version}.tgz`), await archive(name, version))
    }
    for (const kind of ['cold', 'warm']) {
      const index = async (when: string): Promise<void> => { await timed(`${kind}, ${when}`, async () => await call(port, 'GET', INDEX)) }
      const { child, port } = await timed(`${kind}, start until it listens`, async () => await start(dir))
      await index('first index.yaml')
      await index('next index.yaml')
      await memory(`${kind}, memory then`, child)
      const charts = await Promise.all(Array.from({ length: PUSHES }, async (_, i) => await archive('pushed', `${kind === 'cold' ? 1 : 2}.0.${i}`)))
      await timed(`${kind}, ${PUSHES} pushes, one after the other`, async () => { for (const chart of charts) await call(port, 'POST', '/api/org1/repo1/charts', chart) })
      await index('index.yaml after them')
      await new Promise(resolve => setTimeout(resolve, 2_500))
      await index('index.yaml a while later')
      await memory(`${kind}, memory at the end`, child)
      child.send('close')
      await once(child, 'exit')
    }
    report({ figures })
  } finally {
    rmSync(dir, { recursive: true })
  }
}

await (process.argv[2] === 'serve' ? serve(process.argv[3] as string) : measure())
