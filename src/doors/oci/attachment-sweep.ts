// What goes that is attached to a version which was deleted or replaced elsewhere, by another
// gateway or in the chart repository itself? It is answered no more at once (attached.ts). It is
// removed when its version has been missing for a day: a repository that shows nothing for an hour,
// with a disk that is not mounted, say, takes no signature away.
import { gatewayItself } from '../../upstream/asker.ts'
import type { Depth } from '../../words/tenant.ts'
import type { Attachments } from './attachments.ts'
import { readRepository } from './names.ts'
import type { StoredVersions } from './stored-versions.ts'

/** Milliseconds that a version has to be missing, and that what was being written is left. */
const MISSING = 24 * 60 * 60_000
const ABANDONED = 60 * 60_000

export interface SweepParts {
  readonly attachments: Attachments
  readonly stored: Pick<StoredVersions, 'listed'>
  readonly depth: Depth
  /** Milliseconds of a clock that only goes on. */
  readonly clock: () => number
}

/** @returns what looks at all that is attached, once; it never rejects where the upstream does not say */
export function createAttachmentSweep ({ attachments, stored, depth, clock }: SweepParts): () => Promise<void> {
  /** Since when versions are missing, by name, version and archive. */
  let missing = new Map<string, number>()

  async function sweepOne (name: string, still: Map<string, number>): Promise<void> {
    const repository = readRepository(name, depth)
    if ('code' in repository) return // of another depth that the gateway had
    await attachments.tidy(repository, ABANDONED)
    const now = new Map<string, string | undefined>()
    for (const { version, archive } of await attachments.of(repository)) {
      if (!now.has(version)) {
        now.set(version, (await stored.listed(repository, version, gatewayItself(repository.tenant)))?.archive)
      }
      const key = `${name} ${version} ${archive}`
      if (now.get(version) !== archive) still.set(key, missing.get(key) ?? clock())
    }
    const isOver = (since: number | undefined): boolean => since !== undefined && clock() - since >= MISSING
    await attachments.remove(repository, ({ version, archive }) => isOver(still.get(`${name} ${version} ${archive}`)))
  }

  return async () => {
    const still = new Map<string, number>()
    for await (const name of attachments.repositories()) {
      // What was missing before is not forgotten because the upstream does not say now.
      await sweepOne(name, still).catch(() => {
        for (const [key, since] of missing) if (key.startsWith(`${name} `)) still.set(key, since)
      })
    }
    missing = still
  }
}
