// What the command prints and writes of growth, and what docs/scaling.md quotes.
import { number, quantity, table } from '../report/text.ts'
import { growthOf, type Point } from './fit.ts'
import type { ScaleOutcome } from './question.ts'

/** One question, in Markdown. */
export function outcomeText (outcome: ScaleOutcome): string {
  const { question: { title, of, measures, words } } = outcome
  if ('failure' in outcome) return `## ${title}\n\nIt failed: ${outcome.failure}\n`
  const { rows } = outcome
  const names = measures.map(({ name }) => name)
  const cells = rows.map(({ size, values }) => [number(size), ...values.map((value, i) => value === undefined ? '–' : quantity(value, (measures[i] as typeof measures[number]).unit))])
  const growth = measures.map((measure, i) => `* ${measure.name} (${measure.of === 'whole' ? 'of all of it' : 'of each request'}): ${growthOf(measure, rows.flatMap(({ size, values }): Point[] => {
    const value = values[i]
    return value === undefined ? [] : [{ size, value }]
  }))}`)
  return `## ${title}\n\n${table([of, ...names], cells, [of, ...names])}\n${growth.join('\n')}\n\n${words}\n`
}
