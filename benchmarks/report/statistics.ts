// What do several rounds say together? The middle one, and how far apart they are.

export interface Summary {
  readonly median: number
  readonly low: number
  readonly high: number
}

/** @param samples at least one */
export function summarise (samples: readonly number[]): Summary {
  if (samples.length === 0) throw new Error('there is nothing to summarise')
  const sorted = [...samples].sort((a, b) => a - b)
  const at = (index: number): number => sorted[index] as number
  const middle = sorted.length >> 1
  const median = sorted.length % 2 === 1 ? at(middle) : (at(middle - 1) + at(middle)) / 2
  return { median, low: at(0), high: at(sorted.length - 1) }
}

/** Both samples of each round by this function: what disturbs a whole round falls on both, and goes. */
export function byRound (measured: readonly number[], against: readonly number[], compare: (measured: number, against: number) => number): number[] {
  if (measured.length !== against.length) throw new Error(`${measured.length} rounds cannot be compared with ${against.length}`)
  return measured.map((value, round) => compare(value, against[round] as number))
}

/**
 * Where the median of what the samples are taken from lies, with 95 % certainty: order
 * statistics, which ask nothing of how samples are spread (Hahn and Meeker, Statistical
 * Intervals, section 5.2: ranks (n ± 1.96 √n) / 2).
 * @param samples at least six
 */
export function medianInterval (samples: readonly number[]): { readonly low: number, readonly high: number } {
  const sorted = [...samples].sort((a, b) => a - b)
  const half = 0.98 * Math.sqrt(sorted.length)
  const low = Math.max(0, Math.floor(sorted.length / 2 - half))
  return { low: sorted[low] as number, high: sorted[sorted.length - 1 - low] as number }
}
