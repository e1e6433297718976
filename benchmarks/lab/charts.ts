// Charts to serve: one small one, very many, and large ones whose files no compressor
// gets smaller.
import { randomBytes } from 'node:crypto'
import { mkdir, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import { pack } from 'tar-stream'
import { runProgram } from './program.ts'
import { TENANT } from './server.ts'

/** Puts charts into a storage folder as ChartMuseum lays it out. */
export type Fill = (root: string) => Promise<void>

export const SMALL_FILE = 'mychart-0.1.0.tgz'
export const VERSIONS = 4_000
const MIB = 1024 * 1024

/** An empty repository. */
export const noCharts: Fill = async () => {}

/** The one chart whose index has about 546 bytes. */
export const smallChart: Fill = async root => {
  await put(root, SMALL_FILE, await smallArchive('mychart', '0.1.0'), 0)
}

/** So many versions of the small chart: 0.1.0, 0.2.0 and so on. */
export function smallVersions (count: number): Fill {
  return async root => {
    for (let i = 0; i < count; i++) {
      const version = `0.${i + 1}.0`
      await put(root, `mychart-${version}.tgz`, await smallArchive('mychart', version), i)
    }
  }
}

/** 4,000 versions of 20 charts: an index of about 1.8 MB. */
export const manyCharts: Fill = async root => { await chartsOf(VERSIONS)(root) }

/** So many versions of 20 charts. */
export function chartsOf (versions: number): Fill {
  return async root => {
    for (let i = 0; i < versions; i++) {
      const [name, version] = [`chart${i % 20}`, `1.${Math.floor(i / 20)}.0`]
      await put(root, `${name}-${version}.tgz`, await smallArchive(name, version), i)
    }
  }
}

/** The same bytes each time. */
export async function smallArchive (name: string, version: string): Promise<Buffer> {
  const tar = pack()
  for (const [file, text] of [...chartFiles(name, version), ['templates/cm.yaml', 'apiVersion: v1\nkind: ConfigMap\n'] as const]) tar.entry({ name: `${name}/${file}`, mtime: new Date(0) }, text)
  tar.finalize()
  return gzipSync(await buffer(tar))
}

/** A chart of 16 MiB, or of another size, in four files, made with tar and gzip; its file. */
export async function largeArchive (folder: string, name: string, version: string, mebibytes = 16): Promise<string> {
  const chart = join(folder, name)
  await mkdir(join(chart, 'files'), { recursive: true })
  for (const [file, text] of chartFiles(name, version)) await writeFile(join(chart, file), text)
  for (const part of ['a', 'b', 'c', 'd']) await writeFile(join(chart, 'files', part), randomBytes(mebibytes / 4 * MIB))
  const archive = join(folder, `${name}-${version}.tgz`)
  await runProgram(['tar', '--format=ustar', '--owner=0', '--group=0', '-C', folder, '-czf', archive, name])
  return archive
}

function chartFiles (name: string, version: string): ReadonlyArray<readonly [file: string, text: string]> {
  const lines = ['apiVersion: v2', `name: ${name}`, `version: ${version}`, 'appVersion: "1.16.0"', 'description: A Helm chart for Kubernetes, made for benchmarking only', 'type: application', 'icon: https://charts.example.test/icon.svg', 'keywords:', '- web', 'maintainers:', '- name: ops', '  email: ops@example.test', '']
  return [['Chart.yaml', lines.join('\n')], ['values.yaml', 'replicas: 1\n']]
}

/** Stored in a certain hour, so that everyone's index has the same bytes; whole seconds, as object storage has them. */
async function put (root: string, file: string, body: Buffer, hour: number): Promise<void> {
  const folder = join(root, TENANT)
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, file), body)
  const stored = (Date.UTC(2024, 0, 1) + hour * 3_600_000) / 1000
  await utimes(join(folder, file), stored, stored)
}
