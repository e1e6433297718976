// The registry at /v2/, put together: what is stored, asked through the same readers as by every
// other door, and what is kept of what was answered.
import { join } from 'node:path'
import type { Logger } from 'pino'
import type { OciDoorOptions } from '../../plugins/oci-door.ts'
import { createKept } from '../doors/oci/kept.ts'
import { createPuller } from '../doors/oci/pull.ts'
import { createStoredVersions } from '../doors/oci/stored-versions.ts'
import { atMostEvery } from '../lib/at-most-every.ts'
import type { FileReader } from '../upstream/file-reader.ts'
import { createListReader } from '../upstream/list-reader.ts'
import type { Upstreams } from '../upstream/upstreams.ts'

export interface RegistryParts {
  readonly stateDir: string
  readonly upstreams: Upstreams
  readonly files: FileReader
  readonly log: Logger
}

/** Milliseconds between two lines about the same disk. */
const PAUSE = 60_000

export function openRegistry ({ stateDir, upstreams, files, log }: RegistryParts): OciDoorOptions {
  let error: unknown
  const say = atMostEvery(PAUSE, () => {
    log.warn({ err: error, stateDir }, 'what the registry has answered cannot be kept: after a restart it asks anew')
  }, () => performance.now())
  const kept = createKept(join(stateDir, 'oci'), (why) => {
    error = why
    say()
  })
  const stored = createStoredVersions(createListReader(upstreams), files)
  return { puller: createPuller(stored, kept), stored }
}
