// Whose fault is it that an answer was late: the gateway's, or that of a machine on which
// others run too? A main thread of the gateway that wants a core and has none waits; as far
// as others that count as much had the cores meanwhile, that is their fault. The fuzzer
// itself is no excuse, and neither is what the gateway does in its other threads.
import { availableParallelism } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Lab } from './lab.ts'
import { readProcess, readProcesses, readStandby, readStolen, readWait, type Process } from './proc.ts'
import { processesOf } from './standing.ts'

export interface Blame {
  /** Milliseconds between two times (since the epoch) in which the gateway would have gone on without others. */
  ofOthers (start: number, end: number): number
  close (): void
}

/** All in milliseconds; sums since some beginning. */
interface Look {
  readonly at: number
  /** For each process, how long its main thread waited for a core. */
  readonly waited: readonly number[]
  /** The time of cores that others had. */
  readonly others: number
}

const EVERY = 250

/**
 * Looks again and again, until it is closed.
 * @param crew the fuzzer's own processes, as far as they are there
 */
export async function watchBlame (lab: Lab, crew: readonly number[] = []): Promise<Blame> {
  const own = await processesOf(lab)
  const othersSoFar = await countOthers(own.map(({ pid }) => pid), crew)
  const looks: Look[] = []
  const look = async (): Promise<void> => {
    const at = Date.now()
    const waited = await Promise.all(own.map(async ({ pid }) => await readWait(pid).catch(() => 0)))
    looks.push({ at, waited, others: await othersSoFar() })
  }
  await look()
  const timer = setInterval(() => { void look() }, EVERY)
  return {
    ofOthers (start, end) {
      const first = looks.findLast(({ at }) => at <= start) ?? looks[0]
      const last = looks.find(({ at }) => at >= end) ?? looks.at(-1)
      if (first === undefined || last === undefined || last.at <= first.at) return 0
      const waited = Math.max(...own.map((_, i) => (last.waited[i] as number) - (first.waited[i] as number)))
      const lost = Math.min(waited, (last.others - first.others) / availableParallelism())
      return Math.max(0, lost * (end - start) / (last.at - first.at))
    },
    close () { clearInterval(timer) }
  }
}

/** Adds up what processes take that are none of these, and count as much as this one. */
async function countOthers (own: readonly number[], crew: readonly number[]): Promise<() => Promise<number>> {
  const self = await readStandby(await readProcess(process.pid))
  const isRival = async (each: Process): Promise<boolean> => {
    const { group, groupNice, nice } = await readStandby(each)
    return group === self.group ? nice <= self.nice : groupNice <= self.groupNice
  }
  let before = new Map<number, number>()
  let [sum, stolenBefore] = [0, await readStolen()]
  return async () => {
    const [processes, stolen] = [await readProcesses(), await readStolen()]
    const ours = new Set([...own, process.pid, ...crew])
    for (const each of processes) {
      const taken = each.cpu - (before.get(each.pid) ?? each.cpu)
      if (taken > 0 && !ours.has(each.pid) && await isRival(each)) sum += taken
    }
    before = new Map(processes.map(({ pid, cpu }) => [pid, cpu]))
    sum += stolen - stolenBefore
    stolenBefore = stolen
    return sum
  }
}

/** Milliseconds after which it is enough, however busy the machine is. */
const LONGEST_PAUSE = 10_000
const STEP = 100

/** Waits until so many milliseconds have passed that others are not to blame for. */
export async function pauseFor (lab: Lab, ms: number): Promise<void> {
  const blame = await watchBlame(lab)
  const start = Date.now()
  for (let now = start; now - start < LONGEST_PAUSE; now = Date.now()) {
    if (now - start - blame.ofOthers(start, now) >= ms) break
    await sleep(STEP)
  }
  blame.close()
}
