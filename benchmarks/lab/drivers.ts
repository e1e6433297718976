// A program of the benchmarks' own, pinned: it prints what it found as JSON in its last line.
import { join } from 'node:path'
import { ROOT } from '../../test/helpers/processes.ts'
import type { Place } from './cores.ts'
import type { Lab } from './lab.ts'
import { runProgram } from './program.ts'

/** @param task what it is to do; no secret: others may read a process's arguments */
export async function runDriver<T> (lab: Pick<Lab, 'cores'>, place: Place, name: string, task: object): Promise<T> {
  const output = await runProgram([...lab.cores.pin(place), process.execPath, join(ROOT, `dist/benchmarks/drivers/${name}.js`)], { BENCH_TASK: JSON.stringify(task), TMPDIR: process.env['TMPDIR'] ?? '/tmp' })
  return JSON.parse(output.trimEnd().split('\n').at(-1) as string) as T
}
