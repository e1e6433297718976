// The model of several replicas again and again, each time with new ones: before two ChartMuseums
// on one folder, or before one chartgate repository where there is no ChartMuseum.
import { oneOfOurs, runReplicas, twoMuseums, type Run } from './replicas-lab.ts'
import { chartMuseum } from '../helpers/chartmuseum.ts'
import { redisServer, NO_REDIS } from '../helpers/redis.ts'
import { Cleanup } from '../../scripts/fuzzers/fuzzer.ts'

/** Of each round, that are answered. */
export const OPERATIONS = 10_000

/** What a run shows that should not be. */
export function findingsOf ({ wrong, stored, hasSecond, readsElsewhere, phases }: Run): string[] {
  const found = [...wrong]
  if (stored <= 5) found.push(`only ${stored} versions were stored`)
  if (hasSecond && readsElsewhere === 0) found.push('no read went on at the second address while nobody was at the first')
  return found.map(each => `${each}; in this order: ${phases.join('; ')}`)
}

/** @param count of rounds; the first with a finding is the last */
export async function replicasRounds ({ count, say }: { readonly count: number, readonly say: (line: string) => void }): Promise<string[]> {
  if (redisServer === undefined) return [NO_REDIS]
  const open = chartMuseum === undefined ? oneOfOurs : twoMuseums
  say(`before ${chartMuseum === undefined ? 'one chartgate repository' : 'two ChartMuseums on one folder'}`)
  for (let round = 1; round <= count; round++) {
    const cleanup = new Cleanup()
    try {
      const run = await runReplicas(cleanup, open, OPERATIONS)
      const found = findingsOf(run)
      say(`round ${round}: ${run.answered} answered (${run.stored} versions stored, ${run.conflicts} refused), ${run.failed} not; ${run.readsElsewhere} reads at the second address; ${found.length} findings`)
      if (found.length > 0) return found
    } finally {
      await cleanup.run()
    }
  }
  return []
}
