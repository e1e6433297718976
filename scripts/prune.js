// Takes out of dist what was made of a file that is gone: tsc leaves it there, and a test
// that was renamed would run on.
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const MADE = /^(.*)\.js(?:\.map)?$/

const dist = join(ROOT, 'dist')
for (const file of existsSync(dist) ? readdirSync(dist, { recursive: true, encoding: 'utf8' }) : []) {
  const source = MADE.exec(file)?.[1]
  if (source !== undefined && !['.ts', '.js'].some(end => existsSync(join(ROOT, source + end)))) rmSync(join(dist, file))
}
