// Who reads the files of a gateway with workers? The primary alone: it says what it finds there,
// and tells the workers what is in force by then.
import type pino from 'pino'
import { changesOf, inForce } from '../../live/hand-over.ts'
import { follow, type Followed } from '../../live/in-force.ts'
import type { ConfigWatch } from '../../live/reload.ts'
import type { Live } from '../../lib/live.ts'
import { later } from '../../lib/timers.ts'
import type { AuditAim } from '../audit.ts'
import type { Front } from '../front.ts'
import type { Lifecycle } from '../lifecycle.ts'
import { aimOfWorker } from './audit.ts'
import { createInForceOffice, type InForceOffice } from './in-force.ts'
import type { WorkerSetup } from './messages.ts'

export interface FollowedForWorkers extends Pick<ConfigWatch, 'lookNow' | 'standing'> {
  /** What a worker begins with now, beside what is in force. */
  setup (): Omit<WorkerSetup, 'number'>
  /** Where workers hear of what is in force. */
  readonly workers: InForceOffice
}

export interface FollowForWorkersOptions {
  readonly followed: Followed
  readonly socketPath: string | undefined
  readonly loginKey: string
  /** Where the audit log goes. */
  readonly audit: Pick<Live<AuditAim>, 'current'>
  readonly log: pino.Logger
  readonly lifecycle: Pick<Lifecycle<Front>, 'opened'>
}

export function followForWorkers (
  { followed, socketPath, loginKey, audit, log, lifecycle: { opened } }: FollowForWorkersOptions
): FollowedForWorkers {
  const workers = createInForceOffice({ whole: () => inForce(followed), changes: changesOf(followed), later })
  const { lookNow, standing, close } = follow({
    ...followed,
    report (facts) {
      workers.tell()
      followed.report(facts)
    }
  }, log, () => {}) // keys from URLs the workers fetch
  opened.push(async () => { close() })
  return {
    workers,
    setup: () => ({
      loginKey,
      audit: aimOfWorker(audit.current),
      ...(socketPath === undefined ? {} : { socketPath })
    }),
    lookNow,
    standing
  }
}
