// The registry at /v2/, put together: what is stored, asked through the same readers as by every
// other door; what is kept of what was answered; and what waits for the tag of its push.
import { join } from 'node:path'
import type { Logger } from 'pino'
import type { OciDoorOptions } from '../../plugins/oci-door.ts'
import type { Settings } from '../live/settings.ts'
import type { LiveAuthority } from '../live/reload.ts'
import { createAttacher } from '../doors/oci/attach.ts'
import { createAttached } from '../doors/oci/attached.ts'
import { createAttachments } from '../doors/oci/attachments.ts'
import { createDeleter } from '../doors/oci/delete.ts'
import { createForgetter } from '../doors/oci/forget.ts'
import { createKept, type Kept } from '../doors/oci/kept.ts'
import { createKeptByAll } from '../doors/oci/kept-by-all.ts'
import { createKeptShelf } from '../doors/oci/kept-shelf.ts'
import { createPuller } from '../doors/oci/pull.ts'
import { createPusher } from '../doors/oci/push.ts'
import { createStoredVersions } from '../doors/oci/stored-versions.ts'
import { createSweep } from '../doors/oci/sweep.ts'
import { createUploadStates } from '../doors/oci/upload-state.ts'
import { createWaiting } from '../doors/oci/waiting.ts'
import { createWaitingLedger } from '../doors/oci/waiting-ledger.ts'
import { atMostEvery } from '../lib/at-most-every.ts'
import type { Locks } from '../lib/locks.ts'
import { every } from '../lib/timers.ts'
import type { Answered } from '../replicas/answered.ts'
import type { Change } from '../upstream/change.ts'
import type { TellChange } from '../upstream/changes.ts'
import type { FileReader } from '../upstream/file-reader.ts'
import { createListReader } from '../upstream/list-reader.ts'
import { createRemover } from '../upstream/remove.ts'
import type { Upstreams } from '../upstream/upstreams.ts'
import type { UploadTaker } from '../uploads/inspect.ts'
import type { Spool, SpoolStanding } from '../uploads/spool.ts'
import type { Uploader } from '../uploads/store.ts'

export interface RegistryParts {
  readonly settings: Settings
  readonly upstreams: Upstreams
  readonly files: FileReader
  readonly uploader: Uploader
  readonly locks: Locks
  readonly spool: Spool
  readonly taker: UploadTaker
  readonly live: LiveAuthority
  /** What all replicas have answered with; undefined: there are no others. */
  readonly answered: Answered | undefined
  /** This process removes what is of versions that were deleted elsewhere. */
  readonly sweeps: boolean
  readonly log: Logger
  /** Lets every read from now on show it. */
  readonly changed: TellChange
}

export interface Registry {
  readonly door: OciDoorOptions
  /** Hears of every change of a chart, whichever door it came by. */
  changed (change: Change): Promise<void>
  /** How much waits, of all workers, and what came to wait in this process, ever. */
  standing (): Omit<SpoolStanding, 'max'>
  close (): void
}

/** Milliseconds between two lines about the same disk, and between two looks at what waits. */
const PAUSE = 60_000
/** Milliseconds between two looks which repositories are due to be looked at for what was deleted elsewhere. */
const SWEEP = 15 * 60_000
/** Milliseconds that what was pushed waits for its tag since it was last touched. */
const PATIENCE = 10 * 60_000
/** Files that may wait. */
const MOST_FILES = { ofRepository: 256, ofTenant: 1_024, ofAll: 4_096 }
/** Of the room for uploads what waits has so much at most, and of that again one tenant. */
const SHARE = 1 / 2

export function openRegistry (parts: RegistryParts): Registry {
  const { settings, upstreams, files, uploader, locks, spool, taker, live, sweeps, changed } = parts
  const { stateDir, basePath, workers } = settings.current
  const maxUploadSize = (): number => settings.current.charts.maxUploadSize
  const [dir, ociDir] = [join(stateDir, 'spool', 'oci'), join(stateDir, 'oci')]
  const clock = (): number => performance.now()
  // One push, whose provenance and config are small, has room always.
  const atLeast = (bytes: number): number => Math.max(bytes, maxUploadSize() * 2)
  const bytesOfAll = (): number => atLeast(settings.current.charts.spool.maxBytes * SHARE)
  const ledger = createWaitingLedger(dir, {
    patience: PATIENCE,
    ...MOST_FILES,
    bytesOfTenant: () => atLeast(bytesOfAll() * SHARE),
    bytesOfAll
  }, { clock, wall: () => Date.now() })
  const kept = keptOf(parts)
  const waiting = createWaiting(dir, ledger, spool, maxUploadSize)
  const stored = createStoredVersions(createListReader(upstreams), files)
  const attachments = createAttachments(ociDir)
  const attached = createAttached(attachments, stored)
  const puller = createPuller({ stored, kept, attached, waiting, locks })
  // What waits is everybody's: each worker has its part of it in its part of the spool's bound.
  spool.besides(() => ledger.standing().bytes / workers)
  // What of it all replicas have is left to them: one that sees less of the repository takes nothing from others.
  const shelves = [attachments, createKeptShelf(ociDir, () => Date.now())]
  const sweep = createSweep({ dir: ociDir, shelves, stored, depth: taker.depth, clock })
  const timers = [every(PAUSE, () => { void ledger.look() })]
  if (sweeps) timers.push(every(SWEEP, () => { void sweep() }))
  return {
    door: {
      puller,
      stored,
      attached,
      waiting,
      live,
      maxUploadSize,
      states: createUploadStates(dir),
      pusher: createPusher({
        waiting, puller, stored, kept, attached, taker, changed, uploader, locks
      }),
      attacher: createAttacher({
        waiting,
        puller,
        attached,
        attachments,
        locks,
        bounds: () => settings.current.redis === undefined ? settings.current.oci.attachments : undefined
      }),
      deleter: createDeleter({
        waiting, stored, kept, attached, attachments, changed, remover: createRemover(upstreams, locks, basePath)
      })
    },
    changed: createForgetter({ kept, attachments, locks, upstreams, depth: taker.depth }),
    standing () {
      const { bytes, files } = ledger.standing()
      return { used: bytes, files, written: waiting.written() }
    },
    close () { for (const stop of timers) stop() }
  }
}

function keptOf ({ settings, log, answered }: RegistryParts): Kept {
  const { stateDir } = settings.current
  let error: unknown
  const say = atMostEvery(PAUSE, () => {
    log.warn({ err: error, stateDir }, 'what the registry has answered cannot be kept: after a restart it asks anew')
  }, () => performance.now())
  const own = createKept(join(stateDir, 'oci'), (why) => {
    error = why
    say()
  })
  return answered === undefined ? own : createKeptByAll(own, answered)
}
