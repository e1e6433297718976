// What goes when a chart has changed, by whichever door? What was kept of an archive that is not
// there any more, and what was attached to it. A change may be heard of late, when somebody has
// pushed the version again, so the upstream is asked whether what is known of is stored, under the
// locks under which a version is stored, and a push is kept.
import type { Locks } from '../../lib/locks.ts'
import { gatewayItself } from '../../upstream/asker.ts'
import { GONE, type Change } from '../../upstream/change.ts'
import { compareFile, fileOfVersion, lockOfFile } from '../../upstream/stored.ts'
import type { Upstreams } from '../../upstream/upstreams.ts'
import type { Depth } from '../../words/tenant.ts'
import type { Attachments } from './attachments.ts'
import { lockOfKept, type Kept } from './kept.ts'
import type { KeptVersion } from './kept-file.ts'
import { readRepository, tagOfVersion, type OciRepository } from './names.ts'

export interface ForgetterParts {
  readonly kept: Pick<Kept, 'version' | 'forget'>
  readonly attachments: Pick<Attachments, 'remove'>
  readonly locks: Locks
  readonly upstreams: Pick<Upstreams, 'of'>
  readonly depth: Depth
}

/** Hears of a change; rejects when the disk does not say what is kept. */
export type Forget = (change: Change) => Promise<void>

export function createForgetter ({ kept, attachments, locks, upstreams, depth }: ForgetterParts): Forget {
  /** Where the upstream does not say, what is known of is left to the sweep (sweep.ts). */
  async function isStored (change: Change, { archive: digest, size }: KeptVersion): Promise<boolean> {
    const { tenant, tenantPath, chart, version } = change
    const place = { upstream: upstreams.of(tenant), tenant, tenantPath, caller: gatewayItself(tenant) }
    const found = await compareFile(place, fileOfVersion(chart, version), { size, digest }).catch(() => 'unsaid')
    return found === 'same' || found === 'unsaid'
  }

  async function forget (repository: OciRepository, change: Change, became: string): Promise<void> {
    const { version } = change
    const known = await kept.version(repository, version)
    const isOther = known !== undefined && known.archive !== became
    const stored = isOther && await isStored(change, known) ? known.archive : archiveOf(became)
    if (isOther && stored !== known.archive) await kept.forget(repository, version, stored)
    await attachments.remove(repository, each => each.version === version && each.archive !== stored)
  }

  return async change => {
    const { tenant, tenantPath, chart, version, became, isNew } = change
    if (became === undefined || (isNew && became !== GONE)) return
    const repository = readRepository(tenantPath === '' ? chart : `${tenantPath}/${chart}`, depth)
    // It was never in the registry: a name may say more than its names, and a version more than a tag.
    if ('code' in repository || tagOfVersion(version) === undefined) return
    // What is stored stays so between the look at it and the end of this, and nothing is kept meanwhile.
    await locks.hold(lockOfFile(tenant, fileOfVersion(chart, version)), async () => {
      await locks.hold(lockOfKept(repository, version), async () => { await forget(repository, change, became) })
    })
  }
}

function archiveOf (became: string): string | undefined {
  return became === GONE ? undefined : became
}
