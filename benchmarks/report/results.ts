// What is told of a run? The goals first, then every figure, then what it was measured
// with: the same text for the terminal and for RESULTS.md.
import { judge, timesTheGoal } from './judge.ts'
import type { Outcome } from './outcome.ts'
import { plot, type Bar } from './plot.ts'
import { summarise } from './statistics.ts'
import { goalText, quantity, spread, table, verdict } from './text.ts'

/** Of the machine and of every program: what it is, and its version or why it is missing. */
export type Facts = ReadonlyArray<readonly [name: string, fact: string]>

/** One scenario's figures. */
export function figuresText ({ scenario, figures, missing, failure, notes }: Outcome): string {
  const head = `### ${scenario.name}: ${scenario.title}\n\n`
  if (failure !== undefined) return `${head}**Failed**, and so there are no figures: ${failure}\n`
  const rows = [...figures].map(([name, { unit, values }]) => {
    const found = summarise(values)
    return [name, quantity(found.median, unit), spread(found, unit)]
  })
  for (const { name, why } of missing) rows.push([name, 'missing', why])
  const below = notes.length === 0 ? '' : '\n' + notes.map(note => `* ${note}\n`).join('')
  return head + table(['who', 'median', 'lowest – highest'], rows, ['median']) + below
}

/** Every goal: what was asked, what was found. */
export function goalsText (outcomes: readonly Outcome[]): string {
  const rows = outcomes.flatMap(outcome => outcome.scenario.goals.map(goal => {
    const judgement = judge(goal, outcome)
    const [measured, ends] = judgement.kind === 'unknown' ? ['–', ''] : [quantity(judgement.found.median, goal.unit), spread(judgement.found, goal.unit)]
    return [outcome.scenario.title, goal.measured, goal.against ?? '–', goalText(goal), measured, ends, verdict(judgement)]
  }))
  return table(['scenario', 'who', 'beside', 'goal', 'measured', 'lowest – highest', ''], rows, ['goal', 'measured'])
}

/** What is not reached, and why; nothing when all is. */
export function shortfallsText (outcomes: readonly Outcome[]): string {
  const lines = outcomes.flatMap(outcome => outcome.scenario.goals.flatMap(goal => {
    const judgement = judge(goal, outcome)
    if (judgement.kind !== 'missed') return []
    return [`* ${outcome.scenario.title}, ${goal.measured}: ${quantity(judgement.found.median, goal.unit)} instead of ${goalText(goal)}.${goal.inTheWay === undefined ? '' : ' ' + goal.inTheWay}\n`]
  }))
  return lines.length === 0 ? '' : '## What is not reached\n\n' + lines.join('') + '\n'
}

/** RESULTS.md */
export function resultsMarkdown (outcomes: readonly Outcome[], facts: Facts, how: string): string {
  return [
    '# Results\n', '\n',
    'Written by `npm run bench`; [README.md](README.md) says how to run it and how to read this.\n', '\n',
    `${how}\n`, '\n',
    '## The goals\n', '\n', goalsText(outcomes), '\n',
    '![Every figure beside its goal](results.svg)\n', '\n',
    shortfallsText(outcomes),
    '## All figures\n', '\n', outcomes.map(figuresText).join('\n'), '\n',
    '## Measured with\n', '\n', table(['what', 'version'], facts)
  ].join('')
}

/** results.svg */
export function resultsPlot (outcomes: readonly Outcome[]): string {
  const bars = outcomes.flatMap(outcome => outcome.scenario.goals.flatMap((goal): Bar[] => {
    if (goal.bound === 0) return []
    const judgement = judge(goal, outcome)
    const label = `${outcome.scenario.name}: ${goal.measured}`
    if (judgement.kind === 'unknown') return [{ label, times: undefined, text: 'not measured' }]
    return [{ label, times: timesTheGoal(goal, judgement.found.median), text: `${quantity(judgement.found.median, goal.unit)}, goal ${goalText(goal)}${goal.against === undefined ? '' : ` beside ${goal.against}`}` }]
  }))
  return plot('Every figure beside its goal', bars)
}
