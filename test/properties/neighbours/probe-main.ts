// The neighbour, in a process of its own: does an errand every tenth of a second, whether
// the last one is done or not, and tells how each went.
import { ERRANDS, type ErrandTask } from './errands.ts'
import { createRandom, pickByWeight } from './random.ts'
import { serveCrew } from './crew.ts'

export interface ProbeTask extends ErrandTask { readonly seed: number }

/** One errand that is done. */
export interface Sample {
  readonly errand: string
  /** When it began, in milliseconds since the epoch. */
  readonly at: number
  readonly ms: number
  readonly status: number
  readonly fault?: string
  /** Milliseconds that this process itself was late meanwhile. */
  readonly lag: number
}

const EVERY = 100
const LAG_EVERY = 20

serveCrew<ProbeTask, Sample>(async (task, { tell, ending }) => {
  const lateness = watchLateness()
  const random = createRandom(task.seed)
  const running = new Set<Promise<void>>()
  let n = random.below(2 ** 30)
  const timer = setInterval(() => {
    const done = run(n++).finally(() => { running.delete(done) })
    running.add(done)
  }, EVERY)

  async function run (n: number): Promise<void> {
    const errand = pickByWeight(ERRANDS, random)
    const [at, late] = [Date.now(), lateness()]
    const answer = await errand.run(task, n)
    const { ms, status } = answer
    const fault = errand.fault(answer)
    tell({ errand: errand.name, at, ms, status, lag: lateness() - late, ...(fault === undefined ? {} : { fault }) })
  }

  await ending
  clearInterval(timer)
  await Promise.all(running)
})

/** How many milliseconds the event loop was late in all, so far. */
function watchLateness (): () => number {
  let [sum, last] = [0, performance.now()]
  setInterval(() => {
    const now = performance.now()
    sum += Math.max(0, now - last - LAG_EVERY)
    last = now
  }, LAG_EVERY).unref()
  return () => sum
}
