// What is answered of what is attached? That whose chart is stored: the archive that it came for
// is the one that the API lists for its version, when it is asked for. It is had by digest, by
// cosign's tag, and in the list of what refers to a manifest.
import type { Asker } from '../../upstream/asker.ts'
import { hexOfDigest } from '../../words/digest.ts'
import { referrerOf, type ReferrerDescriptor } from './attached-manifest.ts'
import type { Attachment, Attachments } from './attachments.ts'
import type { ContentBytes } from './entry.ts'
import type { Described } from './manifest.ts'
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
  /** Those that a reference names. */
  named (repository: OciRepository, reference: OciReference, asker: Asker): Promise<readonly Attachment[]>
  /** The manifest that a reference names. */
  manifest (repository: OciRepository, reference: OciReference, asker: Asker): Promise<ContentBytes | undefined>
  blob (repository: OciRepository, hex: string, asker: Asker): Promise<AttachedBlob | undefined>
  /** What refers to a manifest, in the order of digests. @param hex of that manifest */
  referrers (repository: OciRepository, hex: string, asker: Asker): Promise<readonly ReferrerDescriptor[]>
}

export function createAttached (attachments: Attachments, stored: Pick<StoredVersions, 'listed'>): Attached {
  /** Those that are answered; of each version it is asked once, and only when its turn comes. */
  async function * find (
    repository: OciRepository,
    isWanted: (attachment: Attachment) => boolean,
    asker: Asker
  ): AsyncGenerator<Attachment, undefined> {
    const archives = new Map<string, string | undefined>()
    for (const each of (await attachments.of(repository)).filter(isWanted)) {
      const { version, archive } = each
      if (!archives.has(version)) archives.set(version, (await stored.listed(repository, version, asker))?.archive)
      if (archives.get(version) === archive) yield each
    }
    return undefined
  }

  function namedBy (
    repository: OciRepository,
    reference: OciReference,
    asker: Asker
  ): AsyncGenerator<Attachment, undefined> {
    const hex = reference.kind === 'digest' ? hexOfDigest(reference.digest) : undefined
    const tag = reference.kind === 'attached' ? reference.tag : undefined
    return find(repository, ({ name, manifest }) => name === tag || manifest.hex === hex, asker)
  }

  return {
    async named (repository, reference, asker) {
      const all: Attachment[] = []
      for await (const each of namedBy(repository, reference, asker)) all.push(each)
      return all
    },
    async manifest (repository, reference, asker) {
      const { value: found } = await namedBy(repository, reference, asker).next()
      return found === undefined ? undefined : await attachments.manifest(repository, found.name)
    },
    async blob (repository, hex, asker) {
      const isIt = (blob: Described): boolean => blob.hex === hex
      const { value: found } = await find(repository, ({ blobs }) => blobs.some(isIt), asker).next()
      if (found === undefined) return undefined
      const { size } = found.blobs.find(isIt) as Described // it was looked for by that
      return { size, open: () => attachments.blob(repository, found.name, hex) }
    },
    async referrers (repository, hex, asker) {
      const isWanted = ({ isReferrer, subject }: Attachment): boolean => isReferrer && subject === hex
      const manifests = new Map<string, ReferrerDescriptor>()
      for await (const { name } of find(repository, isWanted, asker)) {
        const manifest = await attachments.manifest(repository, name)
        if (manifest !== undefined) manifests.set(manifest.hex, referrerOf(manifest.bytes, manifest.hex))
      }
      return [...manifests].sort(([one], [other]) => one < other ? -1 : 1).map(([, descriptor]) => descriptor)
    }
  }
}
