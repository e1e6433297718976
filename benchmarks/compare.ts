// Did a change make the hot path dearer? Two builds of chartgate take short turns in
// pairs; what counts is the CPU time of the process for one request, which the rest of
// the machine disturbs less than a rate. After some pairs both are new processes: each has
// its own luck with the compiler and with where things lie, which no number of turns evens
// out. `npm run bench:compare -- FOLDER [--pairs N]`; with `.` and `--here KEYS`, what some
// keys of the configuration cost.
import { access } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { MANIFEST_TYPE } from '../test/helpers/oci.ts'
import { ROOT } from '../test/helpers/processes.ts'
import { startChartMuseum } from './lab/chartmuseum.ts'
import { SMALL_FILE, smallChart } from './lab/charts.ts'
import { findCores } from './lab/cores.ts'
import { startGateway, type Gateway, type GatewayOptions } from './lab/gateway.ts'
import { openLab, type Lab } from './lab/lab.ts'
import { TENANT } from './lab/server.ts'
import { cpuOf } from './lab/usage.ts'
import { drive, type Ask } from './load/contestants.ts'
import { indexOf, type Expectation } from './load/expectations.ts'
import { findLoadGenerator } from './load/load.ts'
import { byRound, medianInterval, summarise } from './report/statistics.ts'
import { number, table } from './report/text.ts'
import { INDEX } from './scenarios/names.ts'

const USAGE = `npm run bench:compare -- FOLDER [--pairs N] [--starts N] [--seconds N] [--here KEYS]
FOLDER: another checkout of chartgate, built there with npm ci && npm run build, or this one
KEYS: configuration that only the gateway of this one has, such as '{"audit":{"reads":true}}'
`

interface Question {
  readonly name: string
  readonly options: GatewayOptions
  readonly ask: (gateway: Gateway) => Ask
}

const found: Expectation = ({ status }) => status === 200 ? undefined : `the status is ${status}`
const QUESTIONS: readonly Question[] = [
  { name: 'index, 0s, Bearer', options: { maxAge: '0s' }, ask: () => ({ path: INDEX, expect: indexOf(1) }) },
  { name: 'index, 1s, Bearer', options: { maxAge: '1s' }, ask: () => ({ path: INDEX, expect: indexOf(1) }) },
  { name: 'index, 1s, Basic', options: { maxAge: '1s' }, ask: ({ basic }) => ({ path: INDEX, expect: indexOf(1), authorization: basic }) },
  { name: 'oci:// manifest by tag', options: {}, ask: () => ({ path: `/v2/${TENANT}/mychart/manifests/0.1.0`, headers: { accept: MANIFEST_TYPE }, expect: found }) },
  { name: 'small chart file', options: {}, ask: () => ({ path: `/${TENANT}/charts/${SMALL_FILE}`, expect: found }) }
]

interface How {
  /** Of each start. */
  readonly pairs: number
  /** How often both are started anew. */
  readonly starts: number
  readonly seconds: number
  /** Keys that only the gateway of this build has. */
  readonly here: object
}

/** Microseconds of CPU, user and system, for one request of a turn. */
async function turn (lab: Lab, name: string, gateway: Gateway, ask: Ask, seconds: number): Promise<number> {
  const before = await cpuOf(gateway.program.pid)
  const { requests } = await drive(lab, name, gateway, ask, { seconds })
  return (await cpuOf(gateway.program.pid) - before) / requests
}

type Roots = readonly [before: string, now: string]

/** Turns of either before those that count: the compiler has come to its end then. */
const WARM = 3

/** Adds the pairs of two new processes to what is spent. @returns the upstream */
async function takePairs (lab: Lab, { name, options, ask }: Question, roots: Roots, how: How, spent: readonly [number[], number[]]): Promise<string> {
  const museum = await startChartMuseum(lab, { charts: smallChart, auth: 'bearer', place: 'beside' })
  const place = 'missing' in museum ? { charts: smallChart } : { upstream: museum }
  const gateways = await Promise.all(roots.map(async (root, which) => await startGateway(lab, { ...options, ...place, root, besides: which === 1 ? how.here : {} }))) as [Gateway, Gateway]
  for (let pair = -WARM; pair < how.pairs; pair++) {
    // Who is first takes turns too.
    for (const which of pair % 2 === 0 ? [0, 1] as const : [1, 0] as const) {
      const cpu = await turn(lab, name, gateways[which], ask(gateways[which]), how.seconds)
      if (pair >= 0) spent[which].push(cpu)
    }
  }
  return 'missing' in museum ? 'embedded' : 'ChartMuseum'
}

async function answer (question: Question, roots: Roots, how: How, open: () => Promise<Lab>): Promise<string[]> {
  const spent: [number[], number[]] = [[], []]
  let upstream = ''
  for (let start = 0; start < how.starts; start++) {
    const lab = await open()
    try {
      upstream = await takePairs(lab, question, roots, how, spent)
    } finally {
      await lab.close()
    }
  }
  const ratios = byRound(spent[1], spent[0], (now, before) => now / before)
  const { low, high } = medianInterval(ratios)
  const microseconds = spent.map(each => `${number(summarise(each).median)} µs`)
  return [question.name, upstream, ...microseconds, number(summarise(ratios).median), `${number(low)} – ${number(high)}`]
}

async function main (folder: string, how: How): Promise<void> {
  const before = resolve(folder)
  await access(join(before, 'dist/src/cli.js'))
  const cores = await findCores()
  const load = await findLoadGenerator(cores)
  const rows: string[][] = []
  for (const question of QUESTIONS) {
    rows.push(await answer(question, [before, ROOT], how, async () => await openLab(cores, load)))
    console.error(`  ${question.name}: done`)
  }
  console.log(table(['question', 'upstream', 'there', 'here', 'here / there', '95 % of its median'], rows))
  console.log(`CPU time of the process for a request; ${how.starts} × ${how.pairs} pairs of ${how.seconds} s, each time of new processes`)
}

const OPTIONS = {
  pairs: { type: 'string', default: '4' },
  starts: { type: 'string', default: '6' },
  seconds: { type: 'string', default: '1' },
  here: { type: 'string', default: '{}' }
} as const
const { values, positionals: [folder] } = parseArgs({ allowPositionals: true, options: OPTIONS })
const counts = [values.pairs, values.starts, values.seconds].map(Number) as [number, number, number]
const [pairs, starts, seconds] = counts
if (folder === undefined || !counts.every(count => Number.isInteger(count) && count > 0) || pairs * starts < 6) {
  process.stderr.write(USAGE)
  process.exitCode = 2
} else {
  await main(folder, { pairs, starts, seconds, here: JSON.parse(values.here) as object })
}
