// What goes when a manifest is deleted? The version that it is of, as every delete takes one
// away; of what is attached, that and what is attached to it in turn. One that waits for its tag
// is of none, and is forgotten. A blob is nothing of its own, and is not deleted.
import type { ChartRequest } from '../../chartmuseum/chart-request.ts'
import { RefusalError } from '../../http/errors.ts'
import type { UploadFacts } from '../../observe/outcome.ts'
import type { Asker } from '../../upstream/asker.ts'
import { GONE } from '../../upstream/change.ts'
import type { TellChange } from '../../upstream/changes.ts'
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
  readonly changed: TellChange
}

export function createDeleter (parts: DeleterParts): Deleter {
  const { remover, stored, kept, attached, attachments, waiting, changed } = parts

  /** The version that a reference names; undefined: it names none. */
  async function versionOf ({ repository, reference, asker }: Deletion): Promise<NamedVersion | undefined> {
    if (reference.kind === 'attached') return undefined
    if (reference.kind === 'tag') {
      return reference.version === undefined ? undefined : { version: reference.version, archive: undefined }
    }
    const hex = hexOfDigest(reference.digest)
    const found = hex === undefined ? undefined : await kept.find(repository, hex)
    if (found?.kind !== 'manifest') return undefined
    const listed = await stored.listed(repository, found.version, asker)
    return listed?.archive === found.archive ? found : undefined
  }

  /** @throws RefusalError when it does not */
  async function removeWaiting ({ repository, reference }: Deletion): Promise<void> {
    const hex = reference.kind === 'digest' ? hexOfDigest(reference.digest) : undefined
    if (hex === undefined || await waiting.find(repository, 'manifest', hex) === undefined) throw unknown()
    await waiting.remove(repository, 'manifest', hex)
  }

  async function removeVersion (deletion: Deletion, { version, archive: digest }: NamedVersion): Promise<void> {
    const { repository: { tenant, tenantPath, chart }, asker } = deletion
    await deletion.found({ chart, version, digest, bytes: undefined, provenance: undefined })
    let isSent = false
    let isGone = false
    try {
      await remover.remove(deleteRequest(deletion.repository, version), asker, () => { isSent = true }, digest)
      isGone = true
    } finally {
      // also after a failure: nobody knows then what the upstream did
      const became = isGone ? GONE : undefined
      if (isSent) await changed({ tenant, tenantPath, chart, version, became, isNew: isGone }, asker)
    }
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
      const named = await versionOf(deletion)
      if (named !== undefined) return await removeVersion(deletion, named)
      const [beside, ...others] = await attached.named(deletion.repository, deletion.reference, deletion.asker)
      if (beside !== undefined) return await removeAttached(deletion, [beside, ...others])
      await removeWaiting(deletion)
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
