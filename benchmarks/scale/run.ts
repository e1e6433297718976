// How does cost grow? `npm run bench -- scale [QUESTION...]`. A run of all questions writes
// SCALE.md, which docs/scaling.md explains; a run of some only prints.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ROOT } from '../../test/helpers/processes.ts'
import { findCores } from '../lab/cores.ts'
import { openLab, type Lab } from '../lab/lab.ts'
import { findLoadGenerator } from '../load/load.ts'
import { factsOf } from '../report/machine.ts'
import { table } from '../report/text.ts'
import { pollsText } from './polls.ts'
import type { ScaleOutcome, ScaleQuestion, ScaleRow } from './question.ts'
import { connections } from './questions/connections.ts'
import { museum } from './questions/museum.ts'
import { rules } from './questions/rules.ts'
import { tenants } from './questions/tenants.ts'
import { uploads } from './questions/uploads.ts'
import { versions } from './questions/versions.ts'
import { outcomeText } from './results.ts'

const QUESTIONS: readonly ScaleQuestion[] = [versions, tenants, rules, connections, uploads, museum]
const POLLS = 'polls'
const NAMES = [...QUESTIONS.map(({ name }) => name), POLLS]

export const SCALE_USAGE = `npm run bench -- scale [QUESTION...]\nquestions: ${NAMES.join(', ')}\n`

type Open = () => Promise<Lab>

/** @returns the exit code: 0, 1 when something failed, 2 for a question that there is not */
export async function runScale (names: readonly string[]): Promise<number> {
  if (!names.every(name => NAMES.includes(name))) {
    process.stderr.write(SCALE_USAGE)
    return 2
  }
  const wanted = (name: string): boolean => names.length === 0 || names.includes(name)
  const cores = await findCores()
  const load = await findLoadGenerator(cores)
  const facts = table(['what', 'version'], await factsOf(cores, load))
  console.log(facts)
  let lab: Lab | undefined
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => { void Promise.resolve(lab?.close()).finally(() => process.exit(130)) })
  const open: Open = async () => (lab = await openLab(cores, load))
  const texts: string[] = []
  let failed = false
  const add = (text: string): void => {
    console.log(text)
    texts.push(text)
  }
  for (const question of QUESTIONS.filter(({ name }) => wanted(name))) {
    const outcome = await ask(question, open)
    failed ||= 'failure' in outcome
    add(outcomeText(outcome))
  }
  if (wanted(POLLS)) {
    const lab = await open()
    try {
      add(await pollsText(lab, text => { console.error(`  ${text}`) }))
    } catch (error) {
      failed = true
      console.error(error)
    } finally {
      await lab.close()
    }
  }
  if (names.length === 0 && !failed) {
    const how = `Measured on ${new Date().toISOString().slice(0, 10)} by \`npm run bench -- scale\`, each size once, in a gateway of its own. "As it should" is what costs ten times as much for ten times as many, and for each request the same, whatever there is besides: the exponent of a power that is fitted to the three largest sizes (least squares over logarithms) is within 0.15 of that.`
    await writeFile(join(ROOT, 'benchmarks/SCALE.md'), `# How cost grows\n\n${how}\n\n${facts}\n${texts.join('\n')}`)
    console.log('written: benchmarks/SCALE.md')
  }
  return failed ? 1 : 0
}

/** Each size in a lab of its own; whatever goes wrong is the outcome. */
async function ask (question: ScaleQuestion, open: Open): Promise<ScaleOutcome> {
  const rows: ScaleRow[] = []
  try {
    for (const size of question.sizes) {
      console.error(`  ${question.name}: ${size}`)
      const lab = await open()
      try {
        rows.push({ size, values: await question.measure(lab, size) })
      } finally {
        await lab.close()
      }
    }
    return { question, rows }
  } catch (error) {
    return { question, failure: error instanceof Error ? error.message : String(error) }
  }
}
