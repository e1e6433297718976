// A real ChartMuseum as the upstream, which trusts everybody: nothing but the gateway
// keeps the principal from its neighbours. Their folders, the storage's root and the
// folder above it hold charts with the canary, and must be as they were afterwards.
import { createHash } from 'node:crypto'
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { archiveOf, chartOf } from '../../helpers/packages.ts'
import { freePorts, startProcess, temporaryFolder, type TestLike } from '../../helpers/processes.ts'
import { CANARY, neighbours, type World } from './worlds.ts'

export interface ChartMuseum {
  readonly origin: string
  /** What has changed outside the principal's folder. */
  changes (): Promise<string[]>
}

export async function startChartMuseum (t: TestLike, program: string, { folder, ...world }: World): Promise<ChartMuseum> {
  const above = await temporaryFolder(t)
  const storage = join(above, 'storage')
  await fill(storage, folder, ['', ...neighbours({ folder, ...world })])
  await fill(above, undefined, [''])
  const [port] = await freePorts(1)
  const origin = `http://127.0.0.1:${port}`
  const depth = world.depth === 'dynamic' ? ['--depth-dynamic'] : ['--depth', String(world.depth)]
  await startProcess(t, program, [
    ...depth, '--context-path', world.contextPath, '--storage', 'local', '--storage-local-rootdir', storage, '--port', String(port), '--listen-host', '127.0.0.1'
  ], { readyUrl: `${origin}${world.contextPath}/health` })
  const before = await digests(above)
  return {
    origin,
    async changes () {
      const after = await digests(above)
      return [...new Set([...before.keys(), ...after.keys()])].filter(path => before.get(path) !== after.get(path) && !isOwn(path, folder))
    }
  }
}

/** Directly in the principal's folder: what lies deeper is another tenant's. */
function isOwn (path: string, folder: string): boolean {
  const own = join('storage', folder)
  return path.startsWith(own + '/') && !path.slice(own.length + 1).includes('/')
}

async function fill (root: string, own: string | undefined, folders: readonly string[]): Promise<void> {
  const canary = await canaryChart()
  for (const folder of folders) {
    const dir = join(root, folder)
    await mkdir(dir, { recursive: true })
    if (folder === own) continue
    await writeFile(join(dir, 'mychart-0.1.0.tgz'), canary)
    await writeFile(join(dir, 'mychart-0.1.0.tgz.prov'), CANARY)
  }
  if (own === undefined) return
  await mkdir(join(root, own), { recursive: true })
  await writeFile(join(root, own, 'mychart-0.1.0.tgz'), await chartOf('mychart', '0.1.0'))
}

/** A chart with the canary in every file, readable in the archive's own bytes too. */
async function canaryChart (): Promise<Buffer> {
  const archive = await archiveOf([
    { name: 'mychart/Chart.yaml', body: `apiVersion: v2\nname: mychart\nversion: 0.1.0\ndescription: ${CANARY}\n` },
    { name: 'mychart/values.yaml', body: `secret: ${CANARY}\n` },
    { name: 'mychart/templates/cm.yaml', body: `kind: ${CANARY}\n` }
  ])
  return gzipSync(gunzipSync(archive), { level: 0 })
}

async function digests (root: string): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    if (entry.isFile()) found.set(path.slice(root.length + 1), createHash('sha256').update(await readFile(path)).digest('hex'))
  }
  return found
}
