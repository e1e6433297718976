// Does a gateway hold on to more and more? What each of its processes has in use after a
// collection is compared with what the same had when it was warm. What is resident says less:
// it moves by half with the garbage that waits.
import type { Gateway } from '../helpers/gateway.ts'
import { inspect, inspectorsOf, type Inspected } from '../helpers/live-memory.ts'
import type { TestLike } from '../helpers/processes.ts'
import { untilTrue } from '../helpers/until.ts'
import { readDescriptors } from '../properties/neighbours/proc.ts'

export interface GrowthOptions {
  /** How much of what a process had in use when it was warm it may have in the end. */
  readonly most: number
  readonly say: (line: string) => void
}

export interface Growth {
  /** Measures, once, each process that is warm: that has run since so many milliseconds. */
  measure (warm: number): Promise<void>
  /** @returns what is more than it may be, in words, nothing if all is well */
  found (): Promise<string[]>
}

/** What a process may open once in its life. */
const MORE_DESCRIPTORS = 8

interface Watched {
  readonly process: Inspected
  readonly since: number
  /** Bytes. */
  warm?: number
}

/** @param gateway the one that runs now, started with INSPECTABLE */
export async function watchGrowth (t: TestLike, gateway: () => Gateway, { most, say }: GrowthOptions): Promise<Growth> {
  const watched = new Map<string, Watched | undefined>()
  const running = async (): Promise<Watched[]> => {
    for (const address of inspectorsOf(gateway())) {
      if (watched.has(address)) continue
      const process = await inspect(t, address)
      watched.set(address, process === undefined ? undefined : { process, since: Date.now() })
    }
    return [...watched.values()].filter(each => each !== undefined).filter(each => !each.process.hasEnded())
  }
  const idle = Math.max(...await Promise.all((await running()).map(async each => await descriptorsOf(each.process.pid))))
  return {
    async measure (warm) {
      for (const each of await running()) {
        if (each.warm === undefined && Date.now() - each.since >= warm) each.warm = await each.process.inUse()
      }
    },
    async found () {
      const found: string[] = []
      for (const { process: { pid, inUse }, warm } of await running()) {
        if (warm !== undefined) {
          const now = await inUse()
          const inWords = `process ${pid} had ${toMiB(warm)} MiB in use when it was warm, and has ${toMiB(now)} MiB`
          say(inWords)
          if (now > warm * most) found.push(inWords)
        }
        // Connections that are kept are closed after 20 s.
        await untilTrue(async () => await descriptorsOf(pid) <= idle + MORE_DESCRIPTORS, 40_000).catch(async () => {
          found.push(`process ${pid} has ${await descriptorsOf(pid)} descriptors, and each had at most ${idle}`)
        })
      }
      return found
    }
  }
}

async function descriptorsOf (pid: number): Promise<number> {
  return (await readDescriptors(pid)).length
}

function toMiB (bytes: number): string {
  return (bytes / 1024 ** 2).toFixed(1)
}
