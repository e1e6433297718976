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
