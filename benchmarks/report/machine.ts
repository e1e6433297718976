// On what was it measured, and with which versions? For the results, so that two runs can
// be told apart.
import { readFile } from 'node:fs/promises'
import { cpus, freemem, loadavg, release, totalmem } from 'node:os'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { VERSION } from '../../src/lib/version.ts'
import { chartMuseum, NO_CHARTMUSEUM } from '../../test/helpers/chartmuseum.ts'
import { ROOT, findProgram, run } from '../../test/helpers/processes.ts'
import type { Cores } from '../lab/cores.ts'
import { registryVersion } from '../lab/registry.ts'
import type { LoadGenerator } from '../load/load.ts'
import type { Facts } from './results.ts'

const GIB = 1024 ** 3

export async function factsOf (cores: Cores, load: LoadGenerator): Promise<Facts> {
  return [
    ['machine', `${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown'}, ${(totalmem() / GIB).toFixed(0)} GiB (${(freemem() / GIB).toFixed(0)} free)`],
    ['load before the run', loadavg()[0]?.toFixed(2) ?? ''],
    ['system', `${await distribution()}, Linux ${release()}`],
    ['cores', cores.fact],
    ['chartgate', `${VERSION}${await commit()}`],
    ['Node', `${process.version}, OpenSSL ${process.versions.openssl}`],
    ['load generator', load.name === 'wrk' ? await versionOf('wrk', ['-v'], /wrk \S+/) : `autocannon ${autocannonVersion()} (wrk is not installed)`],
    ['ChartMuseum', chartMuseum === undefined ? `missing: ${NO_CHARTMUSEUM}` : await versionOf(chartMuseum, ['--version'], /version \S+/)],
    ["distribution's registry", await registryVersion()],
    ['HAProxy', await versionOf('haproxy', ['-v'], /version \S+/)],
    ['nginx', await versionOf('nginx', ['-v'], /nginx\/\S+/)]
  ]
}

async function versionOf (program: string, args: readonly string[], form: RegExp): Promise<string> {
  if (!program.includes('/') && await findProgram(program) === undefined) return 'missing: not installed'
  const { stdout, stderr } = await run(program, args)
  return form.exec(stdout + stderr)?.[0] ?? 'unknown'
}

function autocannonVersion (): string {
  return (createRequire(import.meta.url)('autocannon/package.json') as { version: string }).version
}

async function distribution (): Promise<string> {
  const text = await readFile('/etc/os-release', 'utf8').catch(() => '')
  return /^PRETTY_NAME="?(.*?)"?$/m.exec(text)?.[1] ?? process.platform
}

/** Where it is a git clone. */
async function commit (): Promise<string> {
  const git = async (...args: string[]): Promise<string> => await run('git', ['-C', join(ROOT), ...args]).then(({ code, stdout }) => code === 0 ? stdout.trim() : '', () => '')
  const hash = await git('rev-parse', '--short', 'HEAD')
  if (hash === '') return ''
  return ` (${hash}${await git('status', '--porcelain', 'src', 'plugins') === '' ? '' : ', changed'})`
}
