// How is something counted for each request at the price of an addition? A number in an array
// for each series, in the place that the table gives it; nothing is made per request. What
// is not 0 leaves as rows of numbers, small enough for a message between processes.
import type { Axis } from './axes.ts'
import { METRICS, seriesOf, type MetricName } from './table.ts'

/** A series: its place, and its value, or of a histogram its buckets, each alone, and the sum of all. */
export type Row = readonly [place: number, ...values: number[]]

/** The places of an axis of one label or of two. */
export interface Places {
  /** -1: it is none of the axis. */
  at (first: string, second?: string): number
}

export function placesOf ({ values }: Axis): Places {
  const places = new Map<string, Map<string | undefined, number>>()
  for (const [i, [first, second]] of values.entries()) {
    const own = places.get(first as string) ?? new Map<string | undefined, number>()
    places.set(first as string, own.set(second, i))
  }
  return { at: (first, second) => places.get(first)?.get(second) ?? -1 }
}

export interface Counts {
  add (place: number, by?: number): void
  rows (): Row[]
}

export function createCounts (name: MetricName): Counts {
  const cells = new Float64Array(seriesOf(METRICS[name]))
  return {
    add (place, by = 1) { (cells[place] as number) += by },
    rows () {
      const rows: Row[] = []
      cells.forEach((value, place) => { if (value !== 0) rows.push([place, value]) })
      return rows
    }
  }
}

export interface Times {
  /** @param seconds of the clock that only goes on, and so not below 0 */
  observe (place: number, seconds: number): void
  rows (): Row[]
}

export function createTimes (name: MetricName): Times {
  const bounds = METRICS[name].buckets as readonly number[]
  // The buckets, one for what is above all of them, and the sum.
  const width = bounds.length + 2
  const cells = new Float64Array(seriesOf(METRICS[name]) * width)
  return {
    observe (place, seconds) {
      const start = place * width
      let bucket = 0
      while (bucket < bounds.length && seconds > (bounds[bucket] as number)) bucket++
      ;(cells[start + bucket] as number)++
      ;(cells[start + width - 1] as number) += seconds
    },
    rows () {
      const rows: Row[] = []
      let seen = -1
      cells.forEach((value, i) => {
        const place = Math.floor(i / width)
        if (value === 0 || place === seen) return
        seen = place
        rows.push([place, ...cells.subarray(place * width, (place + 1) * width)])
      })
      return rows
    }
  }
}
