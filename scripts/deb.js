// How is the Debian package made? Of the package of `npm run package`, with the dependencies that
// the lock file has, by nfpm (deploy/deb, which pins it and says what goes where). Writes
// chartgate_VERSION_ARCH.deb into the folder that is named, or this one. What is packed is
// built before (`npm run deb` does it). Needs npm and Go.
import { execFileSync } from 'node:child_process'
import { chmodSync, copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const { version, bin } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))

/** Node's names of processors, with Debian's. */
const ARCHITECTURES = { x64: 'amd64', arm64: 'arm64' }

const run = (command, args, cwd, env = {}) => {
  execFileSync(command, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'ignore', 'inherit'] })
}

const arch = ARCHITECTURES[process.arch]
if (arch === undefined) throw new Error(`no Debian package for ${process.arch}: expected one of ${Object.keys(ARCHITECTURES).join(', ')}`)
const deb = resolve(process.argv[2] ?? '.', `chartgate_${version}_${arch}.deb`)
const work = mkdtempSync(join(tmpdir(), 'chartgate-deb-'))
try {
  run('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', work], ROOT)
  run('tar', ['xzf', `chartgate-${version}.tgz`], work)
  const stage = join(work, 'package')
  copyFileSync(join(ROOT, 'package-lock.json'), join(stage, 'package-lock.json'))
  run('npm', ['ci', '--omit=dev', '--ignore-scripts', '--prefer-offline', '--bin-links=false'], stage)
  rmSync(join(stage, 'package-lock.json'))
  for (const path of [stage, join(stage, bin.chartgate)]) chmodSync(path, 0o755) // as npm does when it installs one
  const nfpm = join(work, 'nfpm')
  run('go', ['build', '-o', nfpm, 'tool'], join(ROOT, 'deploy/deb'))
  const env = { STAGE: stage, VERSION: version, ARCH: arch }
  run(nfpm, ['package', '--config', 'deploy/deb/nfpm.yaml', '--packager', 'deb', '--target', deb], ROOT, env)
  process.stdout.write(`${deb}\n`)
} finally {
  rmSync(work, { recursive: true })
}
