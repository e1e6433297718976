// `npm run soak -- --minutes N`: the built gateway under a load of all kinds while everything
// around it fails at random (test/faults/soak.ts). Ends with 1 after any finding, and with 2
// when it was asked wrongly.
import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'
import { soak } from '../test/faults/soak.ts'
import { HAS_PROC } from '../test/properties/neighbours/proc.ts'
import { Cleanup, orWrong } from './fuzzers/fuzzer.ts'

const OPTIONS = { minutes: { type: 'string', default: '60' }, seed: { type: 'string' } } as const
const values = orWrong(() => parseArgs({ options: OPTIONS }).values)
const minutes = Number(values?.minutes)
const seed = values?.seed === undefined ? randomInt(2 ** 31) : Number(values.seed)
const print = (line: string): void => { process.stdout.write(`${line}\n`) }

if (values === undefined || !(minutes > 0) || !Number.isSafeInteger(seed)) {
  process.stderr.write('usage: npm run soak -- [--minutes 60] [--seed S]\n')
  process.exit(2)
}
if (!HAS_PROC) {
  print('this system has no /proc, and so nobody can see what is left behind')
  process.exit(2)
}
print(`seed ${seed}`)
const cleanup = new Cleanup()
try {
  const found = await soak(cleanup, { minutes, seed, say: print })
  for (const each of found) print(`finding: ${each}`)
  print(found.length === 0 ? 'nothing was found' : `${found.length} findings`)
  process.exitCode = found.length === 0 ? 0 : 1
} finally {
  await cleanup.run()
}
