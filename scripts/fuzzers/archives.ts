// `npm run fuzz -- archives --cases N --seed S`: archives by chance, N of each production, and
// Helm's own loader beside chartgate's reader. Finds another name or version, and what one
// takes and the other does not, outside what is argued (test/properties/archives/verdicts.ts).
import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'
import { goTool } from '../../test/helpers/go-tool.ts'
import { startLoader, type AskGo } from '../../test/properties/archives/loader.ts'
import { PRODUCTIONS, type Production } from '../../test/properties/archives/productions.ts'
import { judgeArchive, type Outcome } from '../../test/properties/archives/verdicts.ts'
import { createRandom } from '../../test/properties/neighbours/random.ts'
import { Cleanup, orWrong, type Fuzzer } from './fuzzer.ts'

const OPTIONS = { cases: { type: 'string', default: '1000' }, seed: { type: 'string' }, only: { type: 'string' } } as const
/** Of one production, in all. */
const MOST_FINDINGS = 3
const AT_ONCE = 100

interface Task { readonly cases: number, readonly seed: number, readonly productions: readonly Production[] }

export const archives: Fuzzer = {
  name: 'archives',
  usage: 'archives [--cases N, of each production] [--seed S] [--only PRODUCTION]',
  read (args) {
    const values = orWrong(() => parseArgs({ args: [...args], options: OPTIONS }).values)
    const cases = Number(values?.cases)
    const seed = values?.seed === undefined ? randomInt(2 ** 31) : Number(values.seed)
    const productions = PRODUCTIONS.filter(({ name }) => values?.only === undefined || values.only === name)
    if (values === undefined || !Number.isSafeInteger(cases) || cases < 1 || !Number.isSafeInteger(seed) || productions.length === 0) return undefined
    return async () => await fuzzAll({ cases, seed, productions })
  }
}

async function fuzzAll ({ cases, seed, productions }: Task): Promise<boolean> {
  const tool = await goTool('loader')
  if (!tool.ok) {
    process.stdout.write(`Helm's loader cannot be asked: ${tool.reason}\n`)
    return false
  }
  const cleanup = new Cleanup()
  process.stdout.write(`seed ${seed}\n`)
  let isFine = true
  try {
    const ask = startLoader(cleanup, tool.path)
    for (const production of productions) isFine = await fuzz(production, cases, seed, ask) && isFine
  } finally {
    await cleanup.run()
  }
  if (!isFine) process.stdout.write(`to see it again: npm run fuzz -- archives --cases ${cases} --seed ${seed}\n`)
  return isFine
}

async function fuzz ({ name, make }: Production, cases: number, seed: number, ask: AskGo): Promise<boolean> {
  const random = createRandom(seed)
  const counts: Record<Outcome, number> = { 'both take': 0, 'both refuse': 0, 'chartgate refuses, argued': 0, 'chartgate takes, argued': 0 }
  const findings: string[] = []
  for (let done = 0; done < cases; done += AT_ONCE) {
    const made = Array.from({ length: Math.min(AT_ONCE, cases - done) }, () => make(random))
    const answers = await Promise.all(made.map(async bytes => await ask('chart', bytes)))
    for (const [i, bytes] of made.entries()) {
      const verdict = await judgeArchive(bytes, answers[i] as Awaited<ReturnType<AskGo>>)
      if (verdict.ok) counts[verdict.outcome]++
      else findings.push(`  ${verdict.text}\n    ${bytes.toString('base64')}\n`)
    }
  }
  const seen = Object.entries(counts).map(([outcome, count]) => `${outcome} ${count}`).join(', ')
  // One that is always taken, or never, shows nothing.
  const hasBoth = counts['both take'] > 0 && cases > counts['both take']
  process.stdout.write(`${name}: cases ${cases}, ${seen}, findings ${findings.length}${hasBoth ? '' : ', not both outcomes'}\n${findings.slice(0, MOST_FINDINGS).join('')}`)
  return findings.length === 0 && (hasBoth || cases < AT_ONCE)
}
