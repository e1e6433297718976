// How does a cost grow? A power of the size is fitted to what was measured, over the largest
// sizes: what every process has anyway hides how small ones grow.
import type { Measure } from './question.ts'

export interface Point { readonly size: number, readonly value: number }

/** So many points, the largest. */
const FITTED = 3
/** What an exponent may be off by. */
const TOLERANCE = 0.15

/**
 * The exponent of the power that fits best: least squares over the logarithms of the largest
 * three. 1 is linear, 0 does not depend on the size; undefined: it cannot be said.
 */
export function exponentOf (points: readonly Point[]): number | undefined {
  const logs = points.filter(({ value }) => value > 0).slice(-FITTED).map(({ size, value }) => [Math.log(size), Math.log(value)] as const)
  if (logs.length < 2) return undefined
  const mean = (of: 0 | 1): number => logs.reduce((sum, log) => sum + log[of], 0) / logs.length
  const [x, y] = [mean(0), mean(1)]
  const over = logs.reduce((sum, log) => sum + (log[0] - x) * (log[1] - y), 0)
  const under = logs.reduce((sum, log) => sum + (log[0] - x) ** 2, 0)
  return under === 0 ? undefined : over / under
}

/** In words, with the exponent and what ten times the size costs; of what is bad in bold letters. */
export function growthOf ({ of, unit }: Pick<Measure, 'of' | 'unit'>, points: readonly Point[]): string {
  const exponent = exponentOf(points)
  if (exponent === undefined) return 'not said'
  const expected = of === 'whole' ? 1 : 0
  const [more, less] = unit === '/s' ? ['more', '**less**'] : ['**more**', 'less']
  const words = exponent > expected + TOLERANCE ? more : exponent < expected - TOLERANCE ? less : 'as it should'
  return `${words}: exponent ${exponent.toFixed(2)}, ×${(10 ** exponent).toFixed(1)} for ten times as many`
}
