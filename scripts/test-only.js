// Runs some test files without coverage, as they are called in test/:
// `npm run test:only -- test/limits/*.test.ts`. Other arguments go to tap as they are.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const made = argument => argument.replace(/^(?:\.\/)?(test\/.*)\.ts$/, 'dist/$1.js')
const args = ['run', '--disable-coverage', ...process.argv.slice(2).map(made)]
const { status } = spawnSync('npx', ['--no-install', 'tap', ...args], { cwd: ROOT, stdio: 'inherit' })
process.exit(status ?? 1)
