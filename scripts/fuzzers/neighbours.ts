// `npm run fuzz -- neighbours`: hostile clients against a neighbour, who must not notice,
// and what they leave behind, which must be nothing. Ten minutes in all, over the embedded
// repository and in front of a ChartMuseum, if there is one (--chartmuseum, CHARTMUSEUM or
// PATH), with one worker and with two; each with a gateway of its own.
import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'
import { chartMuseum } from '../../test/helpers/chartmuseum.ts'
import { ACTIONS } from '../../test/properties/neighbours/actions/actions.ts'
import { openLab, type Setup } from '../../test/properties/neighbours/lab.ts'
import { HAS_PROC } from '../../test/properties/neighbours/proc.ts'
import { describeTrial } from '../../test/properties/neighbours/report.ts'
import { runTrial } from '../../test/properties/neighbours/trial.ts'
import { Cleanup, orWrong, type Fuzzer } from './fuzzer.ts'

interface Task {
  readonly minutes: number
  readonly seed: number
  readonly setups: readonly Setup[]
  /** Names of actions; empty: all. */
  readonly only: readonly string[]
}

const OPTIONS = {
  minutes: { type: 'string', default: '10' },
  seed: { type: 'string' },
  workers: { type: 'string' },
  chartmuseum: { type: 'string' },
  upstream: { type: 'string' },
  only: { type: 'string' }
} as const
const WORKERS = [1, 2]
const UPSTREAMS = ['embedded', 'chartmuseum']
const MINUTE = 60_000
/** Errors of the log that are printed, and letters of each. */
const MOST_ERRORS = { lines: 5, letters: 500 }

export const neighbours: Fuzzer = {
  name: 'neighbours',
  usage: `neighbours [--minutes 10] [--seed S] [--workers ${WORKERS.join('|')}] [--chartmuseum PROGRAM]\n` +
    `                               [--upstream ${UPSTREAMS.join('|')}] [--only ACTION,ACTION]`,
  read (args) {
    const values = orWrong(() => parseArgs({ args: [...args], options: OPTIONS }).values)
    if (values === undefined) return undefined
    const minutes = Number(values.minutes)
    const seed = values.seed === undefined ? randomInt(2 ** 31) : Number(values.seed)
    const workers = WORKERS.filter(count => values.workers === undefined || values.workers === String(count))
    const upstreams = UPSTREAMS.filter(each => values.upstream === undefined || values.upstream === each)
    const program = values.chartmuseum ?? chartMuseum
    const programs = upstreams.flatMap(each => each === 'embedded' ? [undefined] : program ?? [])
    const setups = programs.flatMap(program => workers.map(count => ({ workers: count, program })))
    const only = values.only?.split(',') ?? []
    const known = only.every(name => ACTIONS.some(action => action.name === name))
    if (!(minutes > 0) || !Number.isSafeInteger(seed) || setups.length === 0 || !known) return undefined
    return async () => await fuzzAll({ minutes, seed, setups, only })
  }
}

async function fuzzAll (task: Task): Promise<boolean> {
  if (!HAS_PROC) {
    process.stdout.write('this system has no /proc, and so nobody can count what is left behind\n')
    return false
  }
  let found = 0
  for (const setup of task.setups) if (!await fuzz(setup, task)) found++
  const outcome = found === 0 ? 'nothing was found' : `findings with ${found} of ${task.setups.length} gateways`
  process.stdout.write(`${outcome}\n`)
  return found === 0
}

/** @returns true when nothing is wrong with this gateway */
async function fuzz (setup: Setup, { minutes, seed, setups, only }: Task): Promise<boolean> {
  const print = (text: string): void => { process.stdout.write(text) }
  print(`seed ${seed}, workers ${setup.workers}, upstream ${setup.program ?? 'embedded'}\n`)
  const cleanup = new Cleanup()
  try {
    const lab = await openLab(cleanup, setup)
    const ms = minutes * MINUTE / setups.length
    const { findings, ...trial } = await runTrial(lab, { seed, ms, only, say: text => { print(`  ${text}\n`) } })
    print(describeTrial({ findings, ...trial }, again => replay(setup, only, again)))
    if (findings.length > 0) print(errorsOf(lab.log()))
    return findings.length === 0
  } finally {
    await cleanup.run()
  }
}

/** The last errors that it logged; level 50 is one, and 60 is fatal. */
function errorsOf (log: string): string {
  const errors = log.split('\n').filter(line => /^\{"level":"(?:error|fatal)",/.test(line)).slice(-MOST_ERRORS.lines)
  return errors.map(line => `  logged: ${line.slice(0, MOST_ERRORS.letters)}\n`).join('')
}

/** The command for a round like the one with this seed. */
function replay ({ workers, program }: Setup, only: readonly string[], seed: number): string {
  const upstream = program === undefined ? '--upstream embedded' : `--upstream chartmuseum --chartmuseum ${program}`
  const actions = only.length === 0 ? '' : ` --only ${only.join()}`
  return `npm run fuzz -- neighbours --minutes 0.4 --seed ${seed} --workers ${workers} ${upstream}${actions}`
}
