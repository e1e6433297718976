// Who remembers which tokens of jobs were exchanged (exchangeOnce)? All replicas in Redis, if the
// configuration names one; else this chartgate in a file of its stateDir.
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Config } from '../config/schema.ts'
import { CLOCK } from '../lib/clock.ts'
import { watchOutages, type OutageLog } from '../lib/outages.ts'
import type { Spent } from '../tokens/spent.ts'
import { openSpentFile, type OpenedSpent } from '../tokens/spent-file.ts'

/**
 * For the process that remembers it for a whole chartgate, which has stateDir.
 * @param shared what all replicas remember; undefined: there is no Redis
 */
export async function openSpent (
  { stateDir }: Pick<Config, 'stateDir'>,
  shared: Spent | undefined,
  log: OutageLog
): Promise<OpenedSpent> {
  const file = join(stateDir, 'exchanged')
  if (shared !== undefined) {
    await rm(file, { force: true }) // it would say of what is exchanged from now on that nobody did
    return { ok: true, spent: shared }
  }
  const outages = watchOutages({
    lost (sentence) {
      log.error({ file }, `${sentence}; till then no token of a provider with exchangeOnce is exchanged`)
    },
    back (seconds) { log.error({ file, seconds }, `${file} can be written again, after ${seconds} s`) }
  }, () => performance.now())
  return await openSpentFile(file, { clock: CLOCK, outages })
}
