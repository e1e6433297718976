// What is there when somebody starts chartgate for the first time? One chart in the
// embedded repository.
import { createWriteStream } from 'node:fs'
import { mkdir, readFile, readdir, rename } from 'node:fs/promises'
import { basename, join, relative, sep } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { pack } from 'tar-stream'
import { parse } from 'yaml'

/**
 * Packages the chart folder into <chartsDir>/org1/repo1 when that tenant was never
 * there; a chart that somebody deleted stays deleted.
 */
export async function seedDemoChart (chartFolder: string, chartsDir: string): Promise<void> {
  const tenantDir = join(chartsDir, 'org1', 'repo1')
  if (await mkdir(tenantDir, { recursive: true }) === undefined) return
  const chartYaml = await readFile(join(chartFolder, 'Chart.yaml'), 'utf8')
  const { name, version } = parse(chartYaml) as { name: string, version: string }
  const archive = pack()
  const temporary = join(tenantDir, '.demo.tmp')
  const written = pipeline(archive, createGzip(), createWriteStream(temporary))
  const entries = await readdir(chartFolder, { recursive: true, withFileTypes: true })
  for (const entry of entries.filter(entry => entry.isFile())) {
    const file = join(entry.parentPath, entry.name)
    const path = [basename(chartFolder), ...relative(chartFolder, file).split(sep)].join('/')
    archive.entry({ name: path, mode: 0o644 }, await readFile(file))
  }
  archive.finalize()
  await written
  await rename(temporary, join(tenantDir, `${name}-${version}.tgz`))
}
