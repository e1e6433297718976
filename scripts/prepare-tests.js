// Makes ready what tests run with: takes out of dist what was made of a file that is gone
// (tsc leaves it there, and a test that was renamed would run on), says which files share a
// process, makes keys for gateways under test, and has tap made without its compiler, as
// .taprc says. tap does so itself, but goes on with what it had before.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { writeGroups } from './test-groups.js'
import { writeKeys } from './test-keys.js'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const MADE = /^(.*)\.js(?:\.map)?$/

const dist = join(ROOT, 'dist')
for (const file of existsSync(dist) ? readdirSync(dist, { recursive: true, encoding: 'utf8' }) : []) {
  const source = MADE.exec(file)?.[1]
  if (source !== undefined && !['.ts', '.js'].some(end => existsSync(join(ROOT, source + end)))) rmSync(join(dist, file))
}
writeGroups(ROOT)
writeKeys(ROOT)

// The file that `tap build` makes names every plugin.
if (readFileSync(new URL(import.meta.resolve('@tapjs/test/test-built')), 'utf8').includes('@tapjs/typescript')) {
  const { status } = spawnSync('npx', ['--no-install', 'tap', 'build'], { cwd: ROOT, stdio: 'inherit' })
  process.exitCode = status ?? 1
}
