// `npm run soak -- --minutes N`: the built gateway under a load of all kinds while everything
// around it fails at random (test/faults/soak.ts). `npm run soak -- reloads`: while its files
// change a thousand times (test/faults/reloads.ts). Ends with 1 after any finding, and with 2
// when it was asked wrongly.
import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'
import { reloads } from '../test/faults/reloads.ts'
import { soak } from '../test/faults/soak.ts'
import { HAS_PROC } from '../test/properties/neighbours/proc.ts'
import { Cleanup, orWrong } from './fuzzers/fuzzer.ts'

const OPTIONS = {
  minutes: { type: 'string', default: '60' },
  seed: { type: 'string' },
  count: { type: 'string', default: '1000' }
} as const
const given = orWrong(() => parseArgs({ options: OPTIONS, allowPositionals: true }))
const values = given?.values
const [what = 'all', ...more] = given?.positionals ?? []
const count = Number(values?.count)
const minutes = Number(values?.minutes)
const seed = values?.seed === undefined ? randomInt(2 ** 31) : Number(values.seed)
const print = (line: string): void => { process.stdout.write(`${line}\n`) }

const isKnown = ['all', 'reloads'].includes(what) && more.length === 0
if (values === undefined || !isKnown || !(minutes > 0) || !Number.isSafeInteger(seed) || !(count > 0)) {
  process.stderr.write('usage: npm run soak -- [--minutes 60] [--seed S]\n       npm run soak -- reloads [--count 1000]\n')
  process.exit(2)
}
if (!HAS_PROC) {
  print('this system has no /proc, and so nobody can see what is left behind')
  process.exit(2)
}
if (what === 'all') print(`seed ${seed}`)
const cleanup = new Cleanup()
try {
  const found = what === 'reloads'
    ? await reloads(cleanup, { count, say: print })
    : await soak(cleanup, { minutes, seed, say: print })
  for (const each of found) print(`finding: ${each}`)
  print(found.length === 0 ? 'nothing was found' : `${found.length} findings`)
  process.exitCode = found.length === 0 ? 0 : 1
} finally {
  await cleanup.run()
}
