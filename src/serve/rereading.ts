// What becomes of a wish to read everything again, by a signal or by `chartgate reload`? This
// process and its workers read, and who asked hears what changed, what is wrong, and who did
// not answer.
import type { ReloadStanding, Rereading } from '../live/part.ts'
import type { RereadOffice, WorkerRereads } from './workers/rereads.ts'

/** What is in force, and who has not said that it is. */
export interface Reread extends Rereading, Pick<WorkerRereads, 'silent'> {}

export interface RereadingOptions {
  /** This process's own files. */
  readonly lookNow: () => Promise<Rereading>
  readonly standing: () => ReloadStanding
  /** Its workers; left out: there are none. */
  readonly workers?: Pick<RereadOffice, 'ask'>
  readonly log: { info (fields: object, message: string): void, warn (fields: object, message: string): void }
}

const ALONE: WorkerRereads = { mistakes: [], silent: [] }

/** @param who asks, for the log */
export async function rereadAll ({ lookNow, workers, log }: RereadingOptions, who: string): Promise<Reread> {
  log.info({}, `${who}: every file is read again`)
  const [own, theirs] = await Promise.all([lookNow(), workers?.ask() ?? ALONE])
  if (theirs.silent.length > 0) {
    log.warn(
      { workers: theirs.silent },
      'these workers have not said that they read everything again: one that hangs is ended, ' +
      'and another takes its place'
    )
  }
  const mistakes = [...new Set([...own.mistakes, ...theirs.mistakes])]
  return { ...own, mistakes, silent: theirs.silent }
}
