// What came of a scenario? Its samples by figure, who was missing, and, if anything
// failed, only that: a scenario with an error has no figures.
import type { Figure, Scenario, Unit } from '../scenario.ts'

export interface Samples { readonly unit: Unit, readonly values: readonly number[] }

export interface Missing { readonly name: string, readonly why: string }

export interface Outcome {
  readonly scenario: Scenario
  /** In the order of their first turns. */
  readonly figures: ReadonlyMap<string, Samples>
  readonly missing: readonly Missing[]
  /** What went wrong. */
  readonly failure?: string
  /** Sentences of those who took turns. */
  readonly notes: readonly string[]
}

/** All figures of all turns by their names, in order. */
export function gather (turns: ReadonlyArray<readonly Figure[]>): ReadonlyMap<string, Samples> {
  const found = new Map<string, { unit: Unit, values: number[] }>()
  for (const { name, unit, value } of turns.flat()) {
    const before = found.get(name)
    if (before === undefined) found.set(name, { unit, values: [value] })
    else before.values.push(value)
  }
  return found
}
