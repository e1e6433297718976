// The benchmarks' command: `npm run bench [-- SCENARIO... --seconds N --rounds N]`. A run
// of all scenarios writes RESULTS.md and results.svg; a run of some only prints. `scale` is
// another command: how cost grows (scale/run.ts).
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { ROOT } from '../test/helpers/processes.ts'
import { findCores } from './lab/cores.ts'
import { openLab, type Lab } from './lab/lab.ts'
import { findLoadGenerator } from './load/load.ts'
import { factsOf } from './report/machine.ts'
import type { Outcome } from './report/outcome.ts'
import { figuresOf } from './report/figures.ts'
import { figuresText, goalsText, resultsMarkdown, resultsPlot } from './report/results.ts'
import { table } from './report/text.ts'
import { runScenario } from './rounds.ts'
import { runScale, SCALE_USAGE } from './scale/run.ts'
import { SCENARIOS } from './scenarios/all.ts'

const USAGE = `npm run bench -- [SCENARIO...] [--seconds N] [--rounds N]\n${SCALE_USAGE}scenarios: ${SCENARIOS.map(({ name }) => name).join(', ')}\n`

interface Wish { readonly names: readonly string[], readonly seconds: number, readonly rounds: number }

/** undefined: it is none. */
function readWish (args: readonly string[]): Wish | undefined {
  try {
    const { values, positionals: names } = parseArgs({ args: [...args], allowPositionals: true, options: { seconds: { type: 'string', default: '2' }, rounds: { type: 'string', default: '5' } } })
    const [seconds, rounds] = [Number(values.seconds), Number(values.rounds)]
    const good = [seconds, rounds].every(each => Number.isInteger(each) && each >= 1) && names.every(name => SCENARIOS.some(each => each.name === name))
    return good ? { names, seconds, rounds } : undefined
  } catch {
    return undefined
  }
}

async function main ({ names, seconds, rounds }: Wish): Promise<number> {
  const cores = await findCores()
  const load = await findLoadGenerator(cores)
  const facts = await factsOf(cores, load)
  console.log(table(['what', 'version'], facts))
  let lab: Lab | undefined
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => { void Promise.resolve(lab?.close()).finally(() => process.exit(130)) })
  const open = async (): Promise<Lab> => (lab = await openLab(cores, load))

  const outcomes: Outcome[] = []
  for (const scenario of SCENARIOS) {
    if (names.length > 0 && !names.includes(scenario.name)) continue
    const from = performance.now()
    const outcome = await runScenario(scenario, open, { seconds, rounds, say: text => { console.error(`  ${scenario.name}, ${text}`) } })
    console.log(`${figuresText(outcome)}(${((performance.now() - from) / 1000).toFixed(0)} s)\n`)
    outcomes.push(outcome)
  }
  console.log(goalsText(outcomes))
  if (names.length === 0) {
    const how = `Each contestant has ${rounds} × ${seconds} s, in turns, after a warm-up, unless its scenario says less; a ratio or difference is the median of those of the rounds. ${new Date().toISOString().slice(0, 10)}.`
    const results = resultsMarkdown(outcomes, facts, how)
    await writeFile(join(ROOT, 'benchmarks/RESULTS.md'), results)
    for (const [file, svg] of figuresOf(results)) await writeFile(join(ROOT, 'docs/figures', file), svg)
    await writeFile(join(ROOT, 'benchmarks/results.svg'), resultsPlot(outcomes))
    console.log('written: benchmarks/RESULTS.md, benchmarks/results.svg, docs/figures')
  }
  return outcomes.some(({ failure }) => failure !== undefined) ? 1 : 0
}

const [command, ...words] = process.argv.slice(2)
const wish = readWish(process.argv.slice(2))
if (command === 'scale') {
  process.exitCode = await runScale(words)
} else if (wish === undefined) {
  process.stderr.write(USAGE)
  process.exitCode = 2
} else {
  process.exitCode = await main(wish)
}
