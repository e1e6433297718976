// A registry of charts as far as something is attached to them, without sockets: which versions
// are stored a test says, and any number of workers share its folders.
import { hash } from 'node:crypto'
import { join } from 'node:path'
import { createAttacher, type AttachedFacts, type AttachmentBounds, type IncomingAttachment } from '../../src/doors/oci/attach.ts'
import { createAttached, type Attached } from '../../src/doors/oci/attached.ts'
import { createAttachments, type Attachments } from '../../src/doors/oci/attachments.ts'
import { contentOf, type ListedVersion } from '../../src/doors/oci/entry.ts'
import { createKept, type Kept } from '../../src/doors/oci/kept.ts'
import { readRepository, subjectOfTag, type OciRepository } from '../../src/doors/oci/names.ts'
import { createPuller, type Puller } from '../../src/doors/oci/pull.ts'
import { readManifest } from '../../src/doors/oci/read-manifest.ts'
import type { StoredVersions } from '../../src/doors/oci/stored-versions.ts'
import { createWaiting, type Waiting } from '../../src/doors/oci/waiting.ts'
import { createWaitingLedger } from '../../src/doors/oci/waiting-ledger.ts'
import { createLocks, type Locks } from '../../src/lib/locks.ts'
import type { UploadFacts } from '../../src/observe/outcome.ts'
import { someAsker } from './askers.ts'
import { MANIFEST_TYPE, type OciPush } from './oci.ts'

export const hexOf = (bytes: Buffer | string): string => hash('sha256', bytes, 'hex')

export function repositoryOf (name: string): OciRepository {
  return readRepository(name, 2) as OciRepository
}

export interface Attaching {
  readonly attachments: Attachments
  readonly attached: Attached
  readonly puller: Puller
  readonly kept: Kept
  readonly waiting: Waiting
  /** Attaches what was pushed, under a tag or its digest; its blobs wait already, or are made to. */
  attach (repository: OciRepository, pushed: OciPush, more?: { readonly tag?: string, readonly found?: (facts: UploadFacts) => Promise<void>, readonly withoutBlobs?: boolean }): Promise<AttachedFacts>
}

export interface AttachingParts {
  /** Archives that are stored now, by `NAME VERSION`. */
  readonly stored: Map<string, string>
  readonly bounds?: () => AttachmentBounds | undefined
  readonly locks?: Locks
  /** Runs before each look whether a version is stored. */
  readonly beforeLook?: () => Promise<void>
}

/** One worker on a folder. */
export function attachingIn (dir: string, { stored, bounds = () => ({ perChart: 1_000, maxBytes: 1e9 }), locks = createLocks(), beforeLook = async () => {} }: AttachingParts): Attaching {
  const spool = join(dir, 'spool')
  const most = { patience: Infinity, ofRepository: 1_000, ofTenant: 1_000, ofAll: 1_000, bytesOfTenant: () => Infinity, bytesOfAll: () => Infinity }
  const waiting = createWaiting(spool, createWaitingLedger(spool, most, { clock: () => 0, wall: () => 0 }), { left: () => Infinity }, () => Infinity)
  const listed: Pick<StoredVersions, 'listed' | 'withArchive'> = {
    async listed ({ name, chart }, version) {
      await beforeLook()
      const archive = stored.get(`${name} ${version}`)
      if (archive === undefined) return undefined
      return { name: chart, version, file: `${chart}-${version}.tgz`, archive, config: contentOf(Buffer.from('{}')), metadata: {} } satisfies ListedVersion
    },
    withArchive: async () => undefined
  }
  const kept = createKept(join(dir, 'oci'), error => { throw error })
  const attachments = createAttachments(join(dir, 'oci'))
  const attached = createAttached(attachments, listed)
  const puller = createPuller({ stored: listed as StoredVersions, kept, attached, waiting, locks })
  const attacher = createAttacher({ waiting, puller, attached, attachments, locks, bounds })
  return {
    attachments,
    attached,
    puller,
    kept,
    waiting,
    async attach (repository, { manifest, blobs, digest }, { tag, found = async () => {}, withoutBlobs = false } = {}) {
      for (const blob of withoutBlobs ? [] : blobs) await waiting.put(repository, 'blob', hexOf(blob), bodyOf(blob))
      const reference: IncomingAttachment['reference'] = tag === undefined ? { kind: 'digest', digest } : { kind: 'attached', tag, subject: subjectOfTag(tag) as string }
      return await attacher.attach({ repository, bytes: manifest, manifest: readManifest(manifest, MANIFEST_TYPE), asker: someAsker(), reference, found })
    }
  }
}

/** Stores a version, whose manifest is answered from then on. */
export async function storeVersion ({ kept }: Pick<Attaching, 'kept'>, { stored }: AttachingParts, repository: OciRepository, version: string, archive = 'a'): Promise<Pick<OciPush, 'digest' | 'manifest'>> {
  const hex = hexOf(`${repository.name} ${version} ${archive}`)
  const manifest = Buffer.from(JSON.stringify({ of: `${repository.chart} ${version} ${archive}` }))
  stored.set(`${repository.name} ${version}`, hex)
  await kept.keep(repository, [[hexOf(manifest), { kind: 'manifest', version, archive: hex, bytes: manifest }]])
  return { manifest, digest: `sha256:${hexOf(manifest)}` }
}

async function * bodyOf (bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes
}
