// Where does a program run? Who is tested has one core for itself; upstreams and the
// load generator share another one.
import { readFile } from 'node:fs/promises'
import { findProgram } from '../../test/helpers/processes.ts'
import { coresOf } from './allowed-cores.ts'

/** tested: the contestant's core; beside: everything else's; both: for what is meant to use two. */
export type Place = 'tested' | 'beside' | 'both'

export interface Cores {
  /** What stands before a command, so that it runs there. */
  readonly pin: (place: Place) => readonly string[]
  /** For the results. */
  readonly fact: string
}

/** Two of the cores that this process may use, if it has two and taskset(1). */
export async function findCores (): Promise<Cores> {
  const allowed = coresOf(await readFile('/proc/self/status', 'utf8').catch(() => ''))
  const [tested, beside] = allowed
  if (tested === undefined || beside === undefined || await findProgram('taskset') === undefined) {
    return { pin: () => [], fact: 'nothing is pinned: that needs taskset and two cores' }
  }
  const lists = { tested: String(tested), beside: String(beside), both: `${tested},${beside}` }
  return { pin: place => ['taskset', '-c', lists[place]], fact: `who is tested has core ${tested}, upstreams and load generator core ${beside}` }
}
