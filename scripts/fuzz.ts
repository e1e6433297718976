// `npm run fuzz -- [FUZZER] [OPTIONS]`: sends the built gateway what nobody should, for as
// long as one likes. Ends with 1 after any finding, and with 2 when it was asked wrongly.
import { archives } from './fuzzers/archives.ts'
import { neighbours } from './fuzzers/neighbours.ts'
import { targets } from './fuzzers/targets.ts'
import type { Fuzzer } from './fuzzers/fuzzer.ts'

/** The first is what runs when none is named. */
const FUZZERS: readonly Fuzzer[] = [targets, neighbours, archives]

const [first = '', ...rest] = process.argv.slice(2)
const named = FUZZERS.find(({ name }) => name === first)
const fuzzer = named ?? (first === '' || first.startsWith('-') ? FUZZERS[0] : undefined)
const options = fuzzer?.read(named === undefined ? process.argv.slice(2) : rest)
if (options === undefined) {
  process.stderr.write(`usage: ${FUZZERS.map(({ usage }) => `npm run fuzz -- ${usage}`).join('\n       ')}\n`)
  process.exit(2)
}
process.exitCode = await options() ? 0 : 1
