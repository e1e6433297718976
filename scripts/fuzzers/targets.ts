// `npm run fuzz -- [targets] --cases N --seed S [--chartmuseum PROGRAM]`: mutated requests,
// none of which may reach anything outside the principal's tenant. A ChartMuseum that is
// named (or by CHARTMUSEUM) is the upstream, otherwise a stub as sloppy as it. Finds leaks,
// crashes, hangs and answers without their form, and says when too few cases got through
// to mean anything.
import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'
import { Pool } from 'undici'
import { startChartMuseum } from '../../test/properties/fuzz/chartmuseum.ts'
import { openArena, runCases, type Finding, type Tally } from '../../test/properties/fuzz/fuzzer.ts'
import { startBuiltGateway } from '../../test/properties/fuzz/opponent.ts'
import { startWitness } from '../../test/properties/fuzz/witness.ts'
import { shared, type World } from '../../test/properties/fuzz/worlds.ts'
import { Cleanup, orWrong, type Fuzzer } from './fuzzer.ts'

const OPTIONS = {
  cases: { type: 'string', default: '20000' },
  seed: { type: 'string' },
  chartmuseum: { type: 'string' }
} as const
const CONNECTIONS = 24
const SMALLEST_PART_FORWARDED = 0.05

interface Task { readonly cases: number, readonly seed: number, readonly program: string | undefined }

export const targets: Fuzzer = {
  name: 'targets',
  usage: '[targets] [--cases N] [--seed S] [--chartmuseum PROGRAM], with whole numbers',
  read (args) {
    const values = orWrong(() => parseArgs({ args: [...args], options: OPTIONS }).values)
    if (values === undefined) return undefined
    const cases = Number(values.cases)
    const seed = values.seed === undefined ? randomInt(2 ** 31) : Number(values.seed)
    if (!Number.isSafeInteger(cases) || cases < 1 || !Number.isSafeInteger(seed)) return undefined
    return async () => await fuzzAll({ cases, seed, program: values.chartmuseum ?? process.env['CHARTMUSEUM'] })
  }
}

async function fuzzAll ({ cases, seed, program }: Task): Promise<boolean> {
  process.stdout.write(`seed ${seed}, upstream: ${program ?? 'a stub'}\n`)
  const total = { cases: 0, forwarded: 0, leak: 0, crash: 0, hang: 0, form: 0 }
  const started = performance.now()
  const secondsSince = (start: number): number => (performance.now() - start) / 1000
  for (const { world, cases: part } of shared(cases)) {
    const start = performance.now()
    const tally = await fuzz(world, { cases: part, seed, program })
    for (const key of Object.keys(total) as (keyof typeof total)[]) total[key] += tally[key]
    process.stdout.write(summary(world.name, tally, secondsSince(start)) + tally.findings.map(describe).join(''))
  }
  process.stdout.write(summary('all', total, secondsSince(started)))
  const enough = total.forwarded >= total.cases * SMALLEST_PART_FORWARDED
  if (!enough) process.stdout.write('too few cases were forwarded to show anything\n')
  const faults = total.leak + total.crash + total.hang + total.form
  if (faults > 0) process.stdout.write(`to see it again: npm run fuzz -- --cases ${cases} --seed ${seed}\n`)
  return faults === 0 && enough
}

async function fuzz (world: World, { cases, seed, program }: Task): Promise<Tally> {
  const cleanup = new Cleanup()
  try {
    const museum = program === undefined ? undefined : await startChartMuseum(cleanup, program, world)
    const relay = museum === undefined ? undefined : new Pool(museum.origin)
    if (relay !== undefined) cleanup.teardown(async () => { await relay.close() })
    const witness = await startWitness(cleanup, world, relay)
    const gateway = await startBuiltGateway(cleanup, world, witness.origin, museum === undefined ? 'bearer' : 'none')
    await witness.contacted
    witness.complaints() // nobody's case
    const tally = await runCases(await openArena(world, gateway, witness), { cases, seed, lines: CONNECTIONS })
    for (const path of await museum?.changes() ?? []) {
      tally.leak++
      const text = `${path} was changed, outside of ${world.tenant}`
      tally.findings.push({ faults: [{ kind: 'leak', text }], sent: [] })
    }
    if (tally.crash > 0) process.stdout.write(`the gateway said: ${gateway.output().slice(-4_000)}\n`)
    return tally
  } finally {
    await cleanup.run()
  }
}

function describe ({ faults, sent }: Finding): string {
  const commands = sent.map(text => `    printf '${text.replaceAll("'", "'\\''")}'\n`)
  return [...faults.map(({ kind, text }) => `  ${kind}: ${text}\n`), ...commands].join('')
}

function summary (name: string, tally: Omit<Tally, 'findings'>, seconds: number): string {
  const { cases, forwarded, leak, crash, hang, form } = tally
  const got = `cases ${cases}, forwarded ${forwarded}, refused ${cases - forwarded}`
  const found = `leaks ${leak}, crashes ${crash}, hangs ${hang}, malformed refusals ${form}`
  return `${name}: ${got}, ${found}, ${Math.round(cases / seconds)} cases/s\n`
}
