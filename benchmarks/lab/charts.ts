// Charts to serve: one small one, very many, and large ones whose files no compressor
// gets smaller.
import { randomBytes } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { archiveOf, type Entry } from '../../test/helpers/packages.ts'
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
  await put(root, SMALL_FILE, await smallArchive('mychart', '0.1.0'))
}

/** 4,000 versions of 20 charts: an index of about 1.8 MB. */
export const manyCharts: Fill = async root => {
  for (let i = 0; i < VERSIONS; i++) {
    const [name, version] = [`chart${i % 20}`, `1.${Math.floor(i / 20)}.0`]
    await put(root, `${name}-${version}.tgz`, await smallArchive(name, version))
  }
}

export async function smallArchive (name: string, version: string): Promise<Buffer> {
  return await archiveOf([...chartEntries(name, version), { name: `${name}/templates/cm.yaml`, body: 'apiVersion: v1\nkind: ConfigMap\n' }])
}

/** A chart of 16 MiB in four files, made with tar and gzip; its file. */
export async function largeArchive (folder: string, name: string, version: string): Promise<string> {
  const chart = join(folder, name)
  await mkdir(join(chart, 'files'), { recursive: true })
  for (const { name: file, body = '' } of chartEntries(name, version)) await writeFile(join(folder, file), body)
  for (const part of ['a', 'b', 'c', 'd']) await writeFile(join(chart, 'files', part), randomBytes(4 * MIB))
  const archive = join(folder, `${name}-${version}.tgz`)
  await runProgram(['tar', '--format=ustar', '--owner=0', '--group=0', '-C', folder, '-czf', archive, name])
  return archive
}

function chartEntries (name: string, version: string): Entry[] {
  const lines = ['apiVersion: v2', `name: ${name}`, `version: ${version}`, 'appVersion: "1.16.0"', 'description: A Helm chart for Kubernetes, for benchmarking', 'type: application', 'icon: https://charts.example.test/icon.svg', 'keywords:', '- web', 'maintainers:', '- name: ops', '  email: ops@example.test', '']
  return [{ name: `${name}/Chart.yaml`, body: lines.join('\n') }, { name: `${name}/values.yaml`, body: 'replicas: 1\n' }]
}

async function put (root: string, file: string, body: Buffer): Promise<void> {
  const folder = join(root, TENANT)
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, file), body)
}
