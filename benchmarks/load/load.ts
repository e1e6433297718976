// Who asks? wrk where it is installed, else autocannon; one thread, on the core beside
// the tested one, with connections that are kept alive.
import { join } from 'node:path'
import { ROOT, findProgram } from '../../test/helpers/processes.ts'
import type { Cores } from '../lab/cores.ts'
import { runProgram } from '../lab/program.ts'
import { readAutocannon, readWrk, type Load } from './outputs.ts'

export interface LoadOptions {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly connections: number
  readonly seconds: number
  /** A file of tokens that are sent in turn, and whether it ends when each was sent once; wrk alone can. */
  readonly tokens?: { readonly file: string, readonly once: boolean }
}

export interface LoadGenerator {
  readonly name: 'wrk' | 'autocannon'
  readonly run: (options: LoadOptions) => Promise<Load>
}

const DRIVE = join(ROOT, 'benchmarks/load/drive.lua')
const AUTOCANNON = join(ROOT, 'node_modules/autocannon/autocannon.js')

export async function findLoadGenerator (cores: Cores): Promise<LoadGenerator> {
  const pin = cores.pin('beside')
  const wrk = await findProgram('wrk')
  return wrk === undefined
    ? { name: 'autocannon', run: async options => readAutocannon(await runProgram([...pin, process.execPath, AUTOCANNON, ...autocannonArguments(options)])) }
    : { name: 'wrk', run: async options => readWrk(await runProgram([...pin, wrk, ...wrkArguments(options)], wrkEnvironment(options))) }
}

function wrkArguments ({ url, headers, connections, seconds }: LoadOptions): string[] {
  return ['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '10s', '-s', DRIVE, ...Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`]), url]
}

function wrkEnvironment ({ tokens }: LoadOptions): Record<string, string> {
  return tokens === undefined ? {} : { BENCH_TOKENS: tokens.file, BENCH_ONCE: tokens.once ? '1' : '0' }
}

function autocannonArguments ({ url, headers, connections, seconds }: LoadOptions): string[] {
  return ['--json', '--no-progress', '-c', String(connections), '-d', String(seconds), ...Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}=${value}`]), url]
}
