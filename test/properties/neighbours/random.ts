// Chance that comes again with its seed: who takes the same seed chooses the same.

export interface Random {
  /** A whole number from 0 up to and without `end`. */
  below (end: number): number
  /** A whole number, both ends included. */
  between (first: number, last: number): number
  pick<T> (list: readonly T[]): T
  /** True in so many of a hundred cases. */
  percent (chance: number): boolean
}

/** mulberry32 (Tommy Ettinger, public domain). */
export function createRandom (seed: number): Random {
  let state = seed | 0
  const below = (end: number): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return Math.floor(((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32 * end)
  }
  return {
    below,
    between: (first, last) => first + below(last - first + 1),
    pick: list => list[below(list.length)] as (typeof list)[number],
    percent: chance => below(100) < chance
  }
}

/** The same choice out of a table, in which every row says how often it is taken. */
export function pickByWeight<T extends { readonly weight: number }> (table: readonly T[], random: Random): T {
  let left = random.below(table.reduce((sum, { weight }) => sum + weight, 0))
  for (const row of table) {
    left -= row.weight
    if (left < 0) return row
  }
  throw new Error('the table is empty')
}
