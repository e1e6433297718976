// What is in a gateway that runs? Writes sbom.cdx.json, a CycloneDX list of all packages
// that one is made of, on every platform; `npm sbom` makes it of the lock file. It is
// given one without development dependencies, because its own --omit=dev leaves out what
// a development dependency asks for too (npm/cli#7909: `yaml`).
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const FILE = join(ROOT, 'sbom.cdx.json')

const read = name => JSON.parse(readFileSync(join(ROOT, name), 'utf8'))

const work = mkdtempSync(join(tmpdir(), 'chartgate-sbom-'))
try {
  const { devDependencies: left, ...manifest } = read('package.json')
  const folder = join(work, manifest.name) // npm calls the package as its folder is called
  mkdirSync(folder)
  const lock = read('package-lock.json')
  lock.packages = Object.fromEntries(Object.entries(lock.packages).filter(([, { dev }]) => dev !== true))
  delete lock.packages[''].devDependencies
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest))
  writeFileSync(join(folder, 'package-lock.json'), JSON.stringify(lock))
  const args = ['sbom', '--package-lock-only', '--sbom-format=cyclonedx', '--sbom-type=application']
  const { serialNumber, ...sbom } = JSON.parse(execFileSync('npm', args, { cwd: folder, encoding: 'utf8' }))
  delete sbom.metadata.timestamp // with the serial number, all that differs from run to run
  // Whole or not at all: others may be packing.
  writeFileSync(`${FILE}.${process.pid}`, `${JSON.stringify(sbom, null, 2)}\n`)
  renameSync(`${FILE}.${process.pid}`, FILE)
} finally {
  rmSync(work, { recursive: true })
}
