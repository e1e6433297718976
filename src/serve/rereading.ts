// What becomes of a wish to read everything again, by a signal or by `chartgate reload`? This
// process reads and its workers are told, and who asked hears what changed, what is wrong, and
// which workers have not said that they have it.
import type { ReloadStanding, Rereading } from '../live/part.ts'
import type { InForceOffice } from './workers/in-force.ts'

/** What is in force, and who has not said that it goes by it, by its process id. */
export interface Reread extends Rereading { readonly silent: readonly number[] }

export interface RereadingOptions {
  readonly lookNow: () => Promise<Rereading>
  readonly standing: () => ReloadStanding
  /** Its workers; left out: there are none. */
  readonly workers?: Pick<InForceOffice, 'behind'>
  readonly log: { info (fields: object, message: string): void, warn (fields: object, message: string): void }
}

/** @param who asks, for the log */
export async function rereadAll ({ lookNow, workers, log }: RereadingOptions, who: string): Promise<Reread> {
  log.info({}, `${who}: every file is read again`)
  const read = await lookNow()
  const silent = await workers?.behind() ?? []
  if (silent.length > 0) {
    log.warn(
      { workers: silent },
      'these workers have not said that they go by what was read: one that hangs is ended, ' +
      'and another takes its place'
    )
  }
  return { ...read, silent }
}
