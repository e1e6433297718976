// How much, how long, and how many? Sizes, durations and numbers of workers as people
// write them.
import { availableParallelism } from 'node:os'

const SIZES: Readonly<Record<string, number>> = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 }
const DURATIONS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 }

export const SIZE_FORM = '^[1-9][0-9]{0,8}(B|KiB|MiB|GiB)$'
export const DURATION_FORM = '^[1-9][0-9]{0,5}(s|m|h)$'

/** Bytes of a text such as 20MiB that has SIZE_FORM. */
export function readSize (text: string): number {
  return measure(text, SIZES)
}

/** Seconds of a text such as 5m that has DURATION_FORM. */
export function readDuration (text: string): number {
  return measure(text, DURATIONS)
}

/** Processes: a number, or auto, which is one for each core that this process may use. */
export function readWorkers (workers: number | 'auto'): number {
  return workers === 'auto' ? availableParallelism() : workers
}

function measure (text: string, units: Readonly<Record<string, number>>): number {
  const [, count, unit] = /^(\d+)([A-Za-z]+)$/.exec(text) as unknown as [string, string, string]
  return Number(count) * (units[unit] as number)
}
