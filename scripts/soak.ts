// `npm run soak -- --minutes N`: the built gateway under a load of all kinds while everything
// around it fails at random (test/faults/soak.ts). `npm run soak -- reloads`: while its files
// change a thousand times (test/faults/reloads.ts). `npm run soak -- replicas`: three replicas on
// one Redis, a hundred times (test/faults/replicas-rounds.ts). Ends with 1 after any finding, and
// with 2 when it was asked wrongly.
import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'
import { reloads } from '../test/faults/reloads.ts'
import { replicasRounds } from '../test/faults/replicas-rounds.ts'
import { soak } from '../test/faults/soak.ts'
import { HAS_PROC } from '../test/properties/neighbours/proc.ts'
import { Cleanup, orWrong } from './fuzzers/fuzzer.ts'

const OPTIONS = {
  minutes: { type: 'string', default: '60' },
  seed: { type: 'string' },
  count: { type: 'string' }
} as const
const print = (line: string): void => { process.stdout.write(`${line}\n`) }

interface Asked {
  readonly count: number | undefined
  readonly minutes: number
  readonly seed: number
}

/** What it is asked to do, by name; what was found. The first is what runs when none is named. */
const WHAT: Readonly<Record<string, (cleanup: Cleanup, asked: Asked) => Promise<readonly string[]>>> = {
  async all (cleanup, { minutes, seed }) {
    print(`seed ${seed}`)
    return await soak(cleanup, { minutes, seed, say: print })
  },
  reloads: async (cleanup, { count = 1000 }) => await reloads(cleanup, { count, say: print }),
  replicas: async (_cleanup, { count = 100 }) => await replicasRounds({ count, say: print })
}

const given = orWrong(() => parseArgs({ options: OPTIONS, allowPositionals: true }))
const [name = 'all', ...more] = given?.positionals ?? []
const work = Object.hasOwn(WHAT, name) && more.length === 0 ? WHAT[name] : undefined
const { minutes, seed, count } = given?.values ?? {}
const asked: Asked = { minutes: Number(minutes), seed: seed === undefined ? randomInt(2 ** 31) : Number(seed), count: count === undefined ? undefined : Number(count) }

if (work === undefined || !(asked.minutes > 0) || !Number.isSafeInteger(asked.seed) || !(asked.count === undefined || asked.count > 0)) {
  process.stderr.write('usage: npm run soak -- [--minutes 60] [--seed S]\n       npm run soak -- reloads [--count 1000]\n       npm run soak -- replicas [--count 100]\n')
  process.exit(2)
}
if (!HAS_PROC) {
  print('this system has no /proc, and so nobody can see what is left behind')
  process.exit(2)
}
const cleanup = new Cleanup()
try {
  const found = await work(cleanup, asked)
  for (const each of found) print(`finding: ${each}`)
  print(found.length === 0 ? 'nothing was found' : `${found.length} findings`)
  process.exitCode = found.length === 0 ? 0 : 1
} finally {
  await cleanup.run()
}
