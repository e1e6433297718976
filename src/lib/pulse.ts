// Does what waits in this process move? Whoever keeps others waiting says how many wait
// and how often something was begun or ended; a queue where somebody waits and nothing
// is begun or ended for its bound stands still, and only a new process helps.
import { createThreads, type Threads } from './threads.ts'
import type { Every } from './timers.ts'
import type { Watched } from './watched.ts'

export interface Pulse {
  /** Those of the process, which are looked at always. */
  readonly threads: Threads
  /** From now on this queue is looked at. */
  watch (queue: Watched): void
  /** What stands still, in a sentence; undefined when everything moves. */
  stuck (): string | undefined
  close (): void
}

const LOOK_EVERY = 1000

/**
 * Looks are counted and not seconds: a process that was stopped and goes on has looked at nothing meanwhile.
 * @param every which may be late, and never makes up for what it missed
 */
export function createPulse (every: Every, threads = createThreads(every)): Pulse {
  const queues: { readonly queue: Watched, moves: number, /** looks without a move */ still: number }[] = []
  const end = every(LOOK_EVERY, () => {
    for (const each of queues) {
      const moves = each.queue.moves()
      each.still = each.queue.waiting() > 0 && moves === each.moves ? each.still + 1 : 0
      each.moves = moves
    }
  })
  const watch = (queue: Watched): void => { queues.push({ queue, moves: queue.moves(), still: 0 }) }
  watch(threads)
  return {
    threads,
    watch,
    stuck () {
      const found = queues.find(({ queue, still }) => still >= queue.bound)
      return found === undefined ? undefined : `${found.queue.name} have not moved for ${found.still} s`
    },
    close () {
      end()
      threads.close()
    }
  }
}
