// How fast is the embedded repository with many charts? 10,000 versions in one tenant:
// a cold start (nothing remembered), a warm one, a push and the index after it, and the
// memory of the process. Prints figures, judges none.
//   npx tsc --outDir dist && node dist/benchmarks/repository.js
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
import { openRepository } from '../src/repository/repository.ts'

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
  const opened = await openRepository({ dir, depth: 2, contextPath: '', maxUploadSize: 20 * 1024 * 1024 })
  if (!opened.ok) throw new Error(opened.message)
  const { repository: { server, close } } = opened
  server.listen(0, '127.0.0.1', () => { process.send?.((server.address() as AddressInfo).port) })
  process.on('message', message => {
    if (message === 'usage') process.send?.({ rss: process.memoryUsage().rss, cpu: process.cpuUsage(), most: process.resourceUsage().maxRSS * 1024 })
    else void close().then(() => { process.disconnect() })
  })
}

async function start (dir: string): Promise<{ child: ChildProcess, port: number }> {
  const child = fork(fileURLToPath(import.meta.url), ['serve', dir])
  const [port] = await once(child, 'message') as [number]
  return { child, port }
}

async function call (port: number, method: string, path: string, body?: Buffer): Promise<number> {
  return await new Promise((resolve, reject) => {
    request({ port, host: '127.0.0.1', method, path, headers: body === undefined ? {} : { 'content-length': body.length } }, response => {
      let bytes = 0
      response.on('data', (chunk: Buffer) => { bytes += chunk.length }).on('end', () => { resolve(bytes) })
    }).on('error', reject).end(body)
  })
}

interface Usage { rss: number, most: number, cpu: NodeJS.CpuUsage }

async function usage (child: ChildProcess): Promise<Usage> {
  child.send('usage')
  const [found] = await once(child, 'message') as [Usage]
  return found
}

async function timed<T> (label: string, child: ChildProcess | undefined, work: () => Promise<T>): Promise<T> {
  const before = child === undefined ? undefined : await usage(child)
  const from = performance.now()
  const result = await work()
  const wall = performance.now() - from
  const after = child === undefined ? undefined : await usage(child)
  const cpu = before === undefined || after === undefined ? '' : `  (processor ${((after.cpu.user + after.cpu.system - before.cpu.user - before.cpu.system) / 1000).toFixed(0)} ms)`
  console.log(`${label.padEnd(58)} ${wall.toFixed(0).padStart(7)} ms${cpu}`)
  return result
}

async function memory (label: string, child: ChildProcess): Promise<void> {
  const { rss, most } = await usage(child)
  console.log(`${label.padEnd(58)} ${(rss / 1024 / 1024).toFixed(0).padStart(7)} MiB (at most ${(most / 1024 / 1024).toFixed(0)})`)
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
      const { child, port } = await timed(`${kind} start of ${VERSIONS} versions, process until it listens`, undefined, async () => await start(dir))
      const bytes = await timed(`${kind} first index.yaml`, child, async () => await call(port, 'GET', INDEX))
      await timed(`next index.yaml (${(bytes / 1024 / 1024).toFixed(1)} MiB)`, child, async () => await call(port, 'GET', INDEX))
      await memory(`memory after the ${kind} start`, child)
      const charts = await Promise.all(Array.from({ length: PUSHES }, async (_, i) => await archive('pushed', `${kind === 'cold' ? 1 : 2}.0.${i}`)))
      await timed(`${PUSHES} pushes, one after the other`, child, async () => { for (const chart of charts) await call(port, 'POST', '/api/org1/repo1/charts', chart) })
      await timed('index.yaml after them', child, async () => await call(port, 'GET', INDEX))
      await new Promise(resolve => setTimeout(resolve, 2_500))
      await timed('index.yaml after a while', child, async () => await call(port, 'GET', INDEX))
      await memory('memory after them', child)
      child.send('close')
      await once(child, 'exit')
    }
  } finally {
    rmSync(dir, { recursive: true })
  }
}

await (process.argv[2] === 'serve' ? serve(process.argv[3] as string) : measure())
