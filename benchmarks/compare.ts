// Did a change make the hot path dearer? Two builds of chartgate take short turns in
// pairs; what counts is the CPU time of the process for one request, which the rest of
// the machine disturbs less than a rate. `npm run bench:compare -- FOLDER [--pairs N]`; with
// `.` and `--here KEYS`, what some keys of the configuration cost.
import { access } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
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

const USAGE = `npm run bench:compare -- FOLDER [--pairs N] [--seconds N] [--here KEYS]
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
  { name: 'small chart file', options: {}, ask: () => ({ path: `/${TENANT}/charts/${SMALL_FILE}`, expect: found }) }
]

interface How {
  readonly pairs: number
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

async function answer (lab: Lab, { name, options, ask }: Question, roots: readonly [before: string, now: string], how: How): Promise<string[]> {
  const museum = await startChartMuseum(lab, { charts: smallChart, auth: 'bearer', place: 'beside' })
  const place = 'missing' in museum ? { charts: smallChart } : { upstream: museum }
  const gateways = await Promise.all(roots.map(async (root, which) => await startGateway(lab, { ...options, ...place, root, besides: which === 1 ? how.here : {} }))) as [Gateway, Gateway]
  const spent: [number[], number[]] = [[], []]
  for (let pair = -1; pair < how.pairs; pair++) {
    // Who is first takes turns too.
    for (const which of pair % 2 === 0 ? [0, 1] as const : [1, 0] as const) {
      const cpu = await turn(lab, name, gateways[which], ask(gateways[which]), how.seconds)
      if (pair >= 0) spent[which].push(cpu) // the first pair warms up
    }
  }
  const ratios = byRound(spent[1], spent[0], (now, before) => now / before)
  const { low, high } = medianInterval(ratios)
  const microseconds = spent.map(each => `${number(summarise(each).median)} µs`)
  return [name, 'missing' in museum ? 'embedded' : 'ChartMuseum', ...microseconds, number(summarise(ratios).median), `${number(low)} – ${number(high)}`]
}

async function main (folder: string, how: How): Promise<void> {
  const before = resolve(folder)
  await access(join(before, 'dist/src/cli.js'))
  const cores = await findCores()
  const load = await findLoadGenerator(cores)
  const rows: string[][] = []
  for (const question of QUESTIONS) {
    const lab = await openLab(cores, load)
    try {
      rows.push(await answer(lab, question, [before, ROOT], how))
    } finally {
      await lab.close()
    }
    console.error(`  ${question.name}: done`)
  }
  console.log(table(['question', 'upstream', 'there', 'here', 'here / there', '95 % of its median'], rows))
  console.log(`CPU time of the process for a request; ${how.pairs} pairs of ${how.seconds} s`)
}

const { values, positionals: [folder] } = parseArgs({ allowPositionals: true, options: { pairs: { type: 'string', default: '20' }, seconds: { type: 'string', default: '1' }, here: { type: 'string', default: '{}' } } })
const [pairs, seconds] = [Number(values.pairs), Number(values.seconds)]
if (folder === undefined || !Number.isInteger(pairs) || pairs < 6 || !Number.isInteger(seconds) || seconds < 1) {
  process.stderr.write(USAGE)
  process.exitCode = 2
} else {
  await main(folder, { pairs, seconds, here: JSON.parse(values.here) as object })
}
