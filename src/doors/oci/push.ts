// How does a push become a version? At its tag: what waits under the digests of the manifest
// has to be the version that the tag says, and what the client says of the chart in its config
// counts for nothing. Then one upload goes to the upstream, as from every door, and the
// manifest is kept beside what it names.
import { readFile } from 'node:fs/promises'
import type { ChartRequest } from '../../chartmuseum/chart-request.ts'
import { RefusalError, isRefusal, statusOf } from '../../http/errors.ts'
import type { Locks } from '../../lib/locks.ts'
import type { UploadFacts } from '../../observe/outcome.ts'
import type { Asker } from '../../upstream/asker.ts'
import type { Change } from '../../upstream/change.ts'
import type { TellChange } from '../../upstream/changes.ts'
import type { Upload, UploadTaker } from '../../uploads/inspect.ts'
import type { StoredFile, Uploader } from '../../uploads/store.ts'
import type { Attached } from './attached.ts'
import { contentOf } from './entry.ts'
import { createPushKeeper, type FoundManifest } from './keep-push.ts'
import type { Kept } from './kept.ts'
import type { Described } from './manifest.ts'
import { tagOfVersion, type OciRepository } from './names.ts'
import type { Puller } from './pull.ts'
import { createPushedBlobs } from './pushed-blobs.ts'
import { chartIn, checkConfig, type PushedManifest } from './pushed-manifest.ts'
import { createPushedVersions } from './pushed-version.ts'
import { manifestInvalid, type AnyManifest } from './read-manifest.ts'
import type { StoredVersions } from './stored-versions.ts'
import type { Waiting } from './waiting.ts'

/** A manifest as it comes. */
export interface IncomingManifest {
  readonly repository: OciRepository
  readonly bytes: Buffer
  /** What stands in these bytes. */
  readonly manifest: AnyManifest
  readonly asker: Asker
}

/** One that is under a tag, and who hears what is found to be pushed, before anything is stored. */
export interface TaggedManifest extends IncomingManifest {
  /** Of the tag; undefined: it is the tag of none. */
  readonly version: string | undefined
  /** @throws RefusalError when it may not be stored */
  found (facts: UploadFacts): Promise<void>
}

export interface Pusher {
  /**
   * Lets a manifest wait for its tag, under its own digest.
   * @throws RefusalError when it is none of a chart, or names what was not pushed
   */
  wait (manifest: IncomingManifest, hex: string): Promise<void>
  /**
   * Makes the version of it that its tag says, and gives its digest in hex.
   * @throws RefusalError as above; when other bytes are there; and when the upstream refuses or cannot be reached
   */
  commit (manifest: TaggedManifest): Promise<string>
}

export interface PusherParts {
  readonly waiting: Waiting
  readonly puller: Puller
  readonly stored: StoredVersions
  readonly kept: Kept
  readonly attached: Pick<Attached, 'blob'>
  readonly uploader: Pick<Uploader, 'alone'>
  readonly taker: UploadTaker
  readonly locks: Locks
  /** Lets every read from now on show it. */
  readonly changed: TellChange
}

/** A push, as it was found to be. */
interface FoundPush extends FoundManifest {
  /** The file of its archive. */
  readonly file: string
}

export function createPusher (parts: PusherParts): Pusher {
  const { waiting, puller, stored, kept, attached, uploader, taker, locks, changed } = parts
  const blobs = createPushedBlobs(waiting, puller)
  const versions = createPushedVersions(waiting, stored, taker)
  const keeper = createPushKeeper(kept, locks)

  async function make (incoming: TaggedManifest, manifest: PushedManifest): Promise<string> {
    const { repository, asker, bytes } = incoming
    const { version, file, upload } = await versions.understand(repository, manifest, asker)
    try {
      const { chart } = repository
      checkTag(incoming, version)
      const configBytes = await blobs.config(repository, manifest.config, asker)
      checkConfig(configBytes, { name: chart, version })
      const provenanceBytes = upload?.prov === undefined ? undefined : await readFile(upload.prov.path)
      const found = { ...manifest, hex: contentOf(bytes).hex, bytes, version, file, configBytes, provenanceBytes }
      await keeper.checkRoom(repository, found)
      await incoming.found(factsOf(incoming, found, upload))
      await store(incoming, found, upload)
      return found.hex
    } finally {
      await upload?.remove()
    }
  }

  /**
   * Stores what is not there, keeps the push, and tells of both. Once more what is there is a push that is done, and
   * told as well: whoever stored it may not have come to that.
   * @throws RefusalError for other bytes
   */
  async function store (incoming: TaggedManifest, found: FoundPush, upload: Upload | undefined): Promise<void> {
    const { repository, asker } = incoming
    let isSent = false
    let became: string | undefined
    let isNew = false
    const sending = (): void => { isSent = true }
    try {
      // What is there when it is kept is what was pushed, and stays so meanwhile.
      await uploader.alone(uploadRequest(repository), found.file, asker, sending, async place => {
        if (upload?.chart === undefined) await checkArchive(place, incoming, found)
        isNew = upload !== undefined && await send(place, upload)
        became = found.archive.hex
        await keeper.keep(repository, found)
      })
    } finally {
      // also after a failure: nobody knows then what the upstream did
      if (isSent || became !== undefined) {
        await changed({ ...changeOf(incoming, found.version, became), isNew }, asker, true)
      }
    }
  }

  /** @throws RefusalError when what was found to be stored is not any more */
  async function checkArchive (
    place: StoredFile,
    { repository: { chart } }: TaggedManifest,
    { version, archive: { hex: digest, size } }: FoundPush
  ): Promise<void> {
    const there = await place.compare({ digest, size })
    if (there === 'other') throw otherBytes({ name: chart, version })
    if (there === 'missing') throw new RefusalError({ code: 'oci_manifest_blob_unknown' })
  }

  /** @returns true for a version that was not there, for certain @throws RefusalError for other bytes */
  async function send (place: StoredFile, upload: Upload): Promise<boolean> {
    try {
      return await place.store(upload)
    } catch (error) {
      if (isRefusal(error, 'file_exists')) throw otherBytes(upload, error.refusal.detail)
      if (!isRefusal(error, 'already_stored')) throw error
      return false
    }
  }

  /**
   * What the repository has, and its client did not send again, becomes the chart's: what is attached alone, and a
   * provenance, which may be known, and not be stored any more.
   */
  async function bring ({ repository, asker }: IncomingManifest, manifest: PushedManifest): Promise<void> {
    for (const { hex } of blobsOf(manifest)) {
      if (await waiting.find(repository, 'blob', hex) !== undefined) continue
      const isToBe = hex === manifest.provenance?.hex || await attached.blob(repository, hex, asker) !== undefined
      if (isToBe) await blobs.bring(repository, hex, asker)
    }
  }

  /** @throws RefusalError when a blob is not there */
  async function check (
    { repository, version, asker }: TaggedManifest,
    manifest: PushedManifest
  ): Promise<void> {
    const named = blobsOf(manifest)
    try {
      await blobs.check(repository, named, asker)
    } catch (error) {
      if (version === undefined || !isRefusal(error, 'oci_manifest_blob_unknown')) throw error
      // Helm's config of a version that is stored is known when its tag was asked for.
      const there = await stored.listed(repository, version, asker)
      if (there?.archive !== manifest.archive.hex) throw error
      const tag = { kind: 'tag', tag: tagOfVersion(version) as string, version } as const // it came as one
      await puller.manifest(repository, tag, asker).catch((unknown: unknown) => {
        throw isRefusal(unknown, 'oci_manifest_unknown') ? error : unknown // deleted meanwhile
      })
      await blobs.check(repository, named, asker)
    }
  }

  async function forget ({ repository, bytes }: IncomingManifest, manifest: PushedManifest): Promise<void> {
    for (const { hex } of blobsOf(manifest)) await waiting.remove(repository, 'blob', hex)
    await waiting.remove(repository, 'manifest', contentOf(bytes).hex)
  }

  /** A blob may be missing since another client was denied with it: whoever comes with the same is denied, too. */
  async function whyMissing (
    { repository, version, asker }: TaggedManifest,
    { archive, provenance }: PushedManifest,
    missing: RefusalError
  ): Promise<RefusalError> {
    if (version === undefined) return missing
    const there = await stored.read(repository, version, asker).catch(() => undefined) // which says nothing of it
    if (there === undefined) return missing
    const isSigned = provenance !== undefined && there.provenance !== undefined
    const isOther = archive.hex !== there.archive || (isSigned && provenance.hex !== there.provenance.hex)
    return isOther ? otherBytes(there) : missing
  }

  async function commitAlone (incoming: TaggedManifest): Promise<string> {
    const manifest = chartIn(incoming.manifest)
    try {
      await check(incoming, manifest)
      await bring(incoming, manifest)
      const hex = await make(incoming, manifest)
      await forget(incoming, manifest)
      return hex
    } catch (error) {
      // What may do better in a moment is tried again with the blobs that wait.
      if (error instanceof RefusalError && statusOf(error.refusal) < 500) await forget(incoming, manifest)
      throw isRefusal(error, 'oci_manifest_blob_unknown') ? await whyMissing(incoming, manifest, error) : error
    }
  }

  return {
    async wait (incoming, hex) {
      const { repository, bytes, asker } = incoming
      if (contentOf(bytes).hex !== hex) throw new RefusalError({ code: 'oci_digest_mismatch' })
      await blobs.check(repository, blobsOf(chartIn(incoming.manifest)), asker)
      await waiting.put(repository, 'manifest', hex, bodyOf(bytes))
    },
    async commit (incoming) {
      const { repository, version = '' } = incoming
      // One of a version at a time: what one has ended with, and removes, may be what another one needs.
      return await locks.hold(`${repository.name}/:push:${version}`, async () => await commitAlone(incoming))
    }
  }
}

function blobsOf ({ config, archive, provenance }: PushedManifest): Described[] {
  return [config, archive, ...(provenance === undefined ? [] : [provenance])]
}

async function * bodyOf (bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes
}

function uploadRequest ({ tenant, tenantPath }: OciRepository): ChartRequest {
  const access = { type: 'artifact-repository', name: tenant, action: 'push' } as const
  return { route: 'upload-chart', method: 'POST', tenant, tenantPath, query: {}, access }
}

function changeOf ({ repository }: IncomingManifest, version: string, became: string | undefined): Change {
  const { tenant, tenantPath, chart } = repository
  return { tenant, tenantPath, chart, version, became, isNew: false }
}

function factsOf (
  { repository: { chart } }: IncomingManifest,
  { version, archive }: FoundManifest,
  upload: Upload | undefined
): UploadFacts {
  return { chart, version, digest: archive.hex, bytes: archive.size, provenance: upload?.prov?.digest }
}

/** @throws RefusalError when the tag is not the version's */
function checkTag ({ repository: { chart }, version: asked }: TaggedManifest, version: string): void {
  if (asked === version) return
  throw manifestInvalid(`the archive is ${chart} ${version}, and its tag is that version, with _ in the place of +`)
}

/** Other bytes, or another version, are in the way: what its pusher can do. @param detail what is known of them */
function otherBytes (
  { name, version }: Pick<Upload, 'name' | 'version'>,
  detail = `${name} ${version} is there with other bytes: push another version, or delete its tag first, ` +
    'or overwrite it at the API with ?force'
): RefusalError {
  return new RefusalError({ code: 'chart_exists', detail })
}
