// What does a worker begin with? For that the primary follows the files too, and leaves it to
// the workers to say what it finds: what it is asked, and what a restart alone applies, it
// says itself.
import type pino from 'pino'
import { follow, inForce, type Followed } from '../../live/in-force.ts'
import type { ConfigWatch } from '../../live/reload.ts'
import type { Live } from '../../lib/live.ts'
import { later } from '../../lib/timers.ts'
import type { AuditAim } from '../audit.ts'
import type { Front } from '../front.ts'
import type { Lifecycle } from '../lifecycle.ts'
import { aimOfWorker } from './audit.ts'
import { createCertificateOffice, type CertificateOffice } from './certificates.ts'
import type { WorkerSetup } from './messages.ts'

export interface FollowedForWorkers extends Pick<ConfigWatch, 'lookNow' | 'standing'> {
  /** What a worker begins with now. */
  setup (): Omit<WorkerSetup, 'number'>
  readonly certificates: CertificateOffice
}

export interface SetupOptions {
  readonly followed: Followed
  readonly socketPath: string | undefined
  readonly loginKey: string
  /** Where the audit log goes. */
  readonly audit: Pick<Live<AuditAim>, 'current'>
  readonly log: pino.Logger
  readonly lifecycle: Pick<Lifecycle<Front>, 'opened'>
}

export function followForWorkers (
  { followed, socketPath, loginKey, audit, log, lifecycle: { opened } }: SetupOptions
): FollowedForWorkers {
  const watch = follow(followed, log.child({}, { level: 'silent' }), () => {})
  const certificates = createCertificateOffice({ tls: followed.tls, log, later })
  opened.push(async () => {
    watch.close()
    certificates.close()
  })
  return {
    certificates,
    setup: () => ({
      inForce: inForce(followed, watch),
      loginKey,
      audit: aimOfWorker(audit.current),
      ...(socketPath === undefined ? {} : { socketPath })
    }),
    lookNow: watch.lookNow,
    standing: watch.standing
  }
}
