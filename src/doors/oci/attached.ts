// What is answered of what is attached? That whose chart is stored: the archive that it came for
// is the one that the API lists for its version, when it is asked for. It is had by digest, by
// cosign's tag, and in the list of what refers to a manifest.
import type { Asker } from '../../upstream/asker.ts'
import { hexOfDigest } from '../../words/digest.ts'
import { referrerOf, type ReferrerDescriptor } from './attached-manifest.ts'
import type { Attachment, Attachments } from './attachments.ts'
import type { ContentBytes } from './entry.ts'
import type { OciRepository } from './names.ts'
import type { OciReference } from './request.ts'
import type { StoredVersions } from './stored-versions.ts'

export interface AttachedBlob {
  /** Bytes. */
  readonly size: number
  /** Nothing comes when it is not there any more. */
  open (): AsyncGenerator<Uint8Array>
}

/** All of these throw a RefusalError when the upstream does not say whether the chart is there. */
export interface Attached {
  /** Those that are answered. */
  find (
    repository: OciRepository,
    isWanted: (attachment: Attachment) => boolean,
    asker: Asker
  ): Promise<readonly Attachment[]>
  /** Those that a reference names. */
  named (repository: OciRepository, reference: OciReference, asker: Asker): Promise<readonly Attachment[]>
  /** The manifest that a reference names. */
  manifest (repository: OciRepository, reference: OciReference, asker: Asker): Promise<ContentBytes | undefined>
  blob (repository: OciRepository, hex: string, asker: Asker): Promise<AttachedBlob | undefined>
  /** What refers to a manifest, in the order of digests. @param hex of that manifest */
  referrers (repository: OciRepository, hex: string, asker: Asker): Promise<readonly ReferrerDescriptor[]>
}

export function createAttached (attachments: Attachments, stored: Pick<StoredVersions, 'listed'>): Attached {
  async function find (
    repository: OciRepository,
    isWanted: (attachment: Attachment) => boolean,
    asker: Asker
  ): Promise<readonly Attachment[]> {
    const wanted = (await attachments.of(repository)).filter(isWanted)
    const archives = new Map<string, string | undefined>()
    for (const version of new Set(wanted.map(({ version }) => version))) {
      archives.set(version, (await stored.listed(repository, version, asker))?.archive)
    }
    return wanted.filter(({ version, archive }) => archives.get(version) === archive)
  }

  async function named (
    repository: OciRepository,
    reference: OciReference,
    asker: Asker
  ): Promise<readonly Attachment[]> {
    switch (reference.kind) {
      case 'tag': return []
      case 'attached': return await find(repository, ({ name }) => name === reference.tag, asker)
      case 'digest': {
        const hex = hexOfDigest(reference.digest)
        return await find(repository, ({ manifest }) => manifest.hex === hex, asker)
      }
    }
  }

  return {
    find,
    named,
    async manifest (repository, reference, asker) {
      const [found] = await named(repository, reference, asker)
      return found === undefined ? undefined : await attachments.manifest(repository, found.name)
    },
    async blob (repository, hex, asker) {
      const found = await find(repository, ({ blobs }) => blobs.some(blob => blob.hex === hex), asker)
      const [first] = found.flatMap(({ name, blobs }) => {
        return blobs.filter(blob => blob.hex === hex).map(({ size }) => ({ name, size }))
      })
      if (first === undefined) return undefined
      return { size: first.size, open: () => attachments.blob(repository, first.name, hex) }
    },
    async referrers (repository, hex, asker) {
      const found = await find(repository, ({ isReferrer, subject }) => isReferrer && subject === hex, asker)
      const manifests = new Map<string, ReferrerDescriptor>()
      for (const { name } of found) {
        const manifest = await attachments.manifest(repository, name)
        if (manifest !== undefined) manifests.set(manifest.hex, referrerOf(manifest.bytes, manifest.hex))
      }
      return [...manifests].sort(([one], [other]) => one < other ? -1 : 1).map(([, descriptor]) => descriptor)
    }
  }
}
