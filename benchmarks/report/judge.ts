// Is a goal reached? A figure of an outcome, alone or beside another one, against the
// goal's bound.
import type { Goal } from '../scenario.ts'
import type { Outcome } from './outcome.ts'
import { byRound, summarise, type Summary } from './statistics.ts'

export type Judgement =
  | { readonly kind: 'reached', readonly found: Summary }
  | { readonly kind: 'missed', readonly found: Summary, /** Of the bound; Infinity where that is 0. */ readonly by: number }
  | { readonly kind: 'unknown', readonly why: string }

/** A goal of this outcome's scenario. */
export function judge (goal: Goal, outcome: Outcome): Judgement {
  if (outcome.failure !== undefined) return { kind: 'unknown', why: 'the scenario failed' }
  const measured = outcome.figures.get(goal.measured)
  const against = goal.against === undefined ? undefined : outcome.figures.get(goal.against)
  if (measured === undefined) return unknown(goal.measured, outcome)
  if (goal.against !== undefined && against === undefined) return unknown(goal.against, outcome)
  const found = summarise(against === undefined ? measured.values : byRound(measured.values, against.values, goal.unit === '×' ? ratio : difference))
  const reached = goal.at === 'least' ? found.median >= goal.bound : found.median <= goal.bound
  return reached ? { kind: 'reached', found } : { kind: 'missed', found, by: Math.abs(found.median - goal.bound) / goal.bound }
}

const ratio = (measured: number, against: number): number => measured / against
const difference = (measured: number, against: number): number => measured - against

/** Who has no figure: a contestant that is missing, whose figures may have longer names. */
function unknown (name: string, { missing }: Outcome): Judgement {
  const who = missing.find(each => name.startsWith(each.name))
  return { kind: 'unknown', why: who === undefined ? `nobody measured "${name}"` : `${who.name} is missing` }
}

/** How many times the goal a found value is: 1 is the goal, more is better; undefined where a bound of 0 has no multiple. */
export function timesTheGoal (goal: Goal, found: number): number | undefined {
  if (goal.bound === 0) return undefined
  if (goal.at === 'least') return found / goal.bound
  return found <= 0 ? Infinity : goal.bound / found
}
