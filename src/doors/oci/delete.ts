// What goes when a manifest is deleted? The version that it is of, as every delete takes one
// away; of what is attached, that and what is attached to it in turn. One that waits for its tag
// is of none, and is forgotten. A blob is nothing of its own, and is not deleted.
import type { ChartRequest } from '../../chartmuseum/chart-request.ts'
import { RefusalError } from '../../http/errors.ts'
import type { UploadFacts } from '../../observe/outcome.ts'
import type { Asker } from '../../upstream/asker.ts'
import { GONE, type Change } from '../../upstream/change.ts'
import type { Remover } from '../../upstream/remove.ts'
import { hexOfDigest } from '../../words/digest.ts'
import type { Attached } from './attached.ts'
import type { Attachment, Attachments } from './attachments.ts'
import type { Kept } from './kept.ts'
import type { OciRepository } from './names.ts'
import type { OciReference } from './request.ts'
import type { StoredVersions } from './stored-versions.ts'
import type { Waiting } from './waiting.ts'

export interface Deletion {
  readonly repository: OciRepository
  readonly reference: OciReference
  readonly asker: Asker
  /** Hears which version is about to go. @throws RefusalError when it may not */
  found (facts: UploadFacts): Promise<void>
}

export interface Deleter {
  /** @throws RefusalError when there is no such thing, and when the upstream refuses or cannot be reached */
  remove (deletion: Deletion): Promise<void>
}

export interface DeleterParts {
  readonly remover: Remover
  readonly stored: StoredVersions
  readonly kept: Kept
  readonly attached: Attached
  readonly attachments: Attachments
  readonly waiting: Waiting
  /** Lets every read from now on show it. */
  readonly changed: (change: Change) => Promise<void>
}

export function createDeleter (parts: DeleterParts): Deleter {
  const { remover, stored, kept, attached, attachments, waiting, changed } = parts

  /** What a reference names; undefined for what only waited, and is gone. */
  async function namedBy ({ repository, reference, asker }: Deletion): Promise<NamedVersion | undefined> {
    if (reference.kind === 'tag' && reference.version !== undefined) {
      return { version: reference.version, archive: undefined }
    }
    if (reference.kind !== 'digest') throw unknown()
    const hex = hexOfDigest(reference.digest)
    if (hex === undefined) throw unknown()
    const found = await kept.find(repository, hex)
    if (found?.kind === 'manifest') {
      const listed = await stored.listed(repository, found.version, asker)
      if (listed?.archive === found.archive) return found
    }
    if (await waiting.find(repository, 'manifest', hex) === undefined) throw unknown()
    await waiting.remove(repository, 'manifest', hex)
    return undefined
  }

  async function removeAttached (
    { repository, found }: Deletion,
    [first, ...others]: readonly [Attachment, ...Attachment[]]
  ): Promise<void> {
    const { version, manifest: { hex: digest }, subject: attachedTo } = first
    await found({ chart: repository.chart, version, digest, bytes: undefined, provenance: undefined, attachedTo })
    const names = new Set([first, ...others].map(({ name }) => name))
    await attachments.remove(repository, ({ name, manifest }) => names.has(name) && manifest.hex === digest)
  }

  return {
    async remove (deletion) {
      const [beside, ...others] = await attached.named(deletion.repository, deletion.reference, deletion.asker)
      if (beside !== undefined) return await removeAttached(deletion, [beside, ...others])
      const named = await namedBy(deletion)
      if (named === undefined) return
      const { version, archive: digest } = named
      const { repository: { tenant, tenantPath, chart }, asker } = deletion
      await deletion.found({ chart, version, digest, bytes: undefined, provenance: undefined })
      let isGone = false
      try {
        await remover.remove(deleteRequest(deletion.repository, version), asker)
        isGone = true
      } finally {
        // also after a failure: nobody knows then what the upstream did
        await changed({ tenant, tenantPath, chart, version, became: isGone ? GONE : undefined, isNew: isGone })
      }
    }
  }
}

interface NamedVersion {
  readonly version: string
  /** SHA-256 of its archive, where that is known. */
  readonly archive: string | undefined
}

function unknown (): RefusalError {
  return new RefusalError({ code: 'oci_manifest_unknown' })
}

function deleteRequest ({ tenant, tenantPath, chart }: OciRepository, version: string): ChartRequest {
  const access = { type: 'artifact-repository', name: tenant, action: 'delete' } as const
  return { route: 'delete-version', method: 'DELETE', tenant, tenantPath, chart, version, query: {}, access }
}
