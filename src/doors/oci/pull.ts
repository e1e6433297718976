// What does a registry answer to who pulls? The manifest of a version by its tag or a digest, and
// the blobs that it names: what the chart repository has now, and what is attached to that. A
// digest is answered while the archive that it is of is the stored one.
import { createHash } from 'node:crypto'
import { open, readFile } from 'node:fs/promises'
import { RefusalError, isRefusal, type Refusal } from '../../http/errors.ts'
import type { Locks } from '../../lib/locks.ts'
import type { Asker } from '../../upstream/asker.ts'
import type { ReadAnswer } from '../../upstream/read-through.ts'
import { hexOfDigest } from '../../words/digest.ts'
import type { Attached } from './attached.ts'
import type { ContentBytes, ListedVersion } from './entry.ts'
import { lockOfKept, type Contents, type Kept, type WhenAlone } from './kept.ts'
import type { KeptContent, KeptVersion } from './kept-file.ts'
import { canonicalManifest, isManifestOf } from './manifest.ts'
import type { OciRepository } from './names.ts'
import { EMPTY_JSON } from './read-manifest.ts'
import type { OciReference } from './request.ts'
import type { StoredVersion, StoredVersions } from './stored-versions.ts'
import type { Waiting } from './waiting.ts'

/** A manifest, and the version that it is of; one that is attached, or waits for its tag, is of none. */
export interface PulledManifest {
  readonly bytes: Buffer
  /** SHA-256, in hex. */
  readonly hex: string
  readonly version?: ListedVersion
}

/** Content that a digest names. */
export type PulledBlob =
  | { readonly kind: 'bytes', readonly hex: string, readonly bytes: Buffer }
  | {
    /** An archive, what is attached, or what waits for the tag of its push. */
    readonly kind: 'stream'
    readonly hex: string
    readonly size: number
    /**
     * Its bytes, of which the last come when all are known to be what the digest says.
     * @throws RefusalError when the upstream does not give it
     */
    open (): Promise<AsyncIterable<Uint8Array> | Buffer>
  }

export interface Puller {
  /** @throws RefusalError for what is not there, and when the upstream does not say */
  manifest (repository: OciRepository, reference: OciReference, asker: Asker): Promise<PulledManifest>
  /** @throws RefusalError as above */
  blob (repository: OciRepository, digest: string, asker: Asker): Promise<PulledBlob>
}

export interface PullerParts {
  readonly stored: StoredVersions
  readonly kept: Kept
  readonly attached: Attached
  readonly waiting: Pick<Waiting, 'find'>
  readonly locks: Locks
}

export function createPuller ({ stored, kept, attached, waiting, locks }: PullerParts): Puller {
  async function byTag (repository: OciRepository, version: string, asker: Asker): Promise<PulledManifest> {
    const knownOf = kept.beginVersion(repository, version)
    const found = await stored.read(repository, version, asker)
    if (found === undefined) throw unknown('oci_manifest_unknown')
    const before = await knownOf(found.archive)
    const known = before?.archive === found.archive ? before : await learn(repository, found, before, asker)
    const tagged = known.tagged === undefined ? undefined : await kept.find(repository, known.tagged)
    if (tagged !== undefined && known.tagged !== undefined && isManifestOf(tagged.bytes, found)) {
      return { bytes: tagged.bytes, hex: known.tagged, version: found }
    }
    return { ...await canonical(repository, found, known.size, asker), version: found }
  }

  /** @throws RefusalError with this code when it was deleted meanwhile */
  async function measure (
    repository: OciRepository,
    listed: ListedVersion,
    code: UnknownCode,
    asker: Asker
  ): Promise<number> {
    try {
      return await stored.measure(repository, listed, asker)
    } catch (error) {
      throw isRefusal(error, 'not_in_upstream') ? unknown(code) : error
    }
  }

  /**
   * Keeps what was found of an archive, while that is stored: whoever has stored another one since keeps what is of
   * that, and forgets this, under the same lock.
   */
  function whileStored (repository: OciRepository, { version, archive }: ListedVersion, asker: Asker): WhenAlone {
    return async (keep, isNeeded) => {
      await locks.hold(lockOfKept(repository, version), async () => {
        if (!await isNeeded()) return
        if ((await stored.listed(repository, version, asker))?.archive === archive) await keep()
      })
    }
  }

  /** What is to be known of an archive that nobody has asked for, or that is another one by now. */
  async function learn (
    repository: OciRepository,
    found: StoredVersion,
    before: KeptVersion | undefined,
    asker: Asker
  ): Promise<KeptVersion> {
    const { archive, version } = found
    const known = { archive, size: await measure(repository, found, 'oci_manifest_unknown', asker) }
    const isNews = async (): Promise<boolean> => (await kept.version(repository, version))?.archive !== archive
    await whileStored(repository, found, asker)(async () => {
      await kept.keep(repository, [[archive, { kind: 'archive', version, archive, bytes: EMPTY }]])
      const isLearned = await kept.learnVersion(repository, version, known, before?.archive)
      if (isLearned && before !== undefined) await kept.forget(repository, version, archive)
    }, isNews)
    return known
  }

  /** The canonical manifest; it and what it names are kept before anybody hears of them. */
  async function canonical (
    repository: OciRepository,
    found: StoredVersion,
    size: number,
    asker: Asker
  ): Promise<{ bytes: Buffer, hex: string }> {
    const { archive, version, config, metadata, provenance } = found
    const beside = provenance === undefined ? undefined : { hex: provenance.hex, size: provenance.bytes.length }
    const manifest = canonicalManifest({ config, metadata }, { hex: archive, size }, beside)
    const named = (kind: KeptContent['kind'], { hex, bytes }: ContentBytes): Contents[number] =>
      [hex, { kind, version, archive, bytes }]
    await kept.keep(repository, [
      named('config', config),
      named('manifest', manifest),
      ...(provenance === undefined ? [] : [named('provenance', provenance)])
    ], whileStored(repository, found, asker))
    return manifest
  }

  async function byDigest (
    repository: OciRepository,
    reference: Extract<OciReference, { readonly kind: 'digest' }>,
    asker: Asker
  ): Promise<PulledManifest> {
    const hex = hexOfDigest(reference.digest)
    if (hex === undefined) throw unknown('oci_manifest_unknown')
    const found = await kept.find(repository, hex)
    if (found?.kind === 'manifest') {
      const version = await stored.listed(repository, found.version, asker)
      if (version?.archive === found.archive) return { bytes: found.bytes, hex, version }
    }
    const beside = await attached.manifest(repository, reference, asker)
    if (beside !== undefined) return beside
    const waits = await waiting.find(repository, 'manifest', hex)
    const bytes = waits === undefined ? undefined : await readFile(waits.path).catch(() => undefined)
    if (bytes !== undefined) return { bytes, hex }
    if (found === undefined && await isKeptByNow(repository, hex)) return await byDigest(repository, reference, asker)
    throw unknown('oci_manifest_unknown')
  }

  /** Has what was waited for become a version, between the look at what is kept and the one at what waits? */
  async function isKeptByNow (repository: OciRepository, hex: string): Promise<boolean> {
    return await kept.find(repository, hex) !== undefined
  }

  /** Where a blob is that is stored. @param content what is known of it */
  async function place (
    repository: OciRepository,
    hex: string,
    content: KeptContent | undefined,
    asker: Asker
  ): Promise<{ content: KeptContent, version: ListedVersion } | undefined> {
    if (content === undefined || content.kind === 'manifest') return undefined
    const version = await stored.listed(repository, content.version, asker)
    // Several archives of a version may have one config, and what is kept of it says one of them.
    if (version?.config.hex === hex) return { content: { ...content, ...version.config }, version }
    const now = version === undefined ? undefined : await kept.find(repository, hex, version.archive)
    return version !== undefined && now?.archive === version.archive ? { content: now, version } : undefined
  }

  /** One that was never answered may be an archive all the same. */
  async function archivePlace (
    repository: OciRepository,
    hex: string,
    asker: Asker
  ): Promise<{ content: KeptContent, version: ListedVersion } | undefined> {
    const version = await stored.withArchive(repository, hex, asker)
    return version === undefined
      ? undefined
      : { content: { kind: 'archive', version: version.version, archive: hex, bytes: EMPTY }, version }
  }

  async function waitingBlob (repository: OciRepository, hex: string): Promise<PulledBlob | undefined> {
    const waits = await waiting.find(repository, 'blob', hex)
    if (waits === undefined) return undefined
    return { kind: 'stream', hex, size: waits.size, open: async () => readWaiting(waits.path, hex) }
  }

  async function attachedBlob (
    repository: OciRepository,
    hex: string,
    asker: Asker
  ): Promise<PulledBlob | undefined> {
    const blob = await attached.blob(repository, hex, asker)
    return blob === undefined
      ? undefined
      : { kind: 'stream', hex, size: blob.size, open: async () => verified(blob.open(), hex) }
  }

  async function sizeOf (repository: OciRepository, listed: ListedVersion, asker: Asker): Promise<number> {
    const known = await kept.version(repository, listed.version, listed.archive)
    if (known?.archive === listed.archive) return known.size
    return await measure(repository, listed, 'oci_blob_unknown', asker)
  }

  return {
    async manifest (repository, reference, asker) {
      if (reference.kind === 'digest') return await byDigest(repository, reference, asker)
      if (reference.kind === 'tag' && reference.version !== undefined) {
        return await byTag(repository, reference.version, asker)
      }
      const beside = await attached.manifest(repository, reference, asker)
      if (beside === undefined) throw unknown('oci_manifest_unknown')
      return beside
    },
    async blob (repository, digest, asker) {
      const hex = hexOfDigest(digest)
      if (hex === undefined) throw unknown('oci_blob_unknown')
      if (hex === EMPTY_JSON.hex) return { kind: 'bytes', ...EMPTY_JSON }
      const content = await kept.find(repository, hex)
      const known = await place(repository, hex, content, asker)
      const besides = known === undefined
        ? await attachedBlob(repository, hex, asker) ?? await waitingBlob(repository, hex)
        : undefined
      if (besides !== undefined) return besides
      const found = known ?? (content === undefined ? await archivePlace(repository, hex, asker) : undefined)
      if (found === undefined) throw unknown('oci_blob_unknown')
      const { version } = found
      if (found.content.kind !== 'archive') return { kind: 'bytes', hex, bytes: found.content.bytes }
      const size = await sizeOf(repository, version, asker)
      return {
        kind: 'stream',
        hex,
        size,
        open: async () => archiveOf(await stored.open(repository, version, asker), hex)
      }
    }
  }
}

/** What waits, if it does still. It is opened when somebody reads: who never does leaves nothing open. */
async function * readWaiting (path: string, hex: string): AsyncGenerator<Uint8Array> {
  const file = await open(path).catch(() => { throw unknown('oci_blob_unknown') })
  yield * verified(file.createReadStream(), hex)
}

const EMPTY = Buffer.alloc(0)

type UnknownCode = 'oci_manifest_unknown' | 'oci_blob_unknown'

function unknown (code: UnknownCode): RefusalError {
  return new RefusalError({ code } satisfies Refusal)
}

/** The bytes of an archive, if they are those of the digest. */
function archiveOf (answer: ReadAnswer, hex: string): AsyncIterable<Uint8Array> | Buffer {
  switch (answer.kind) {
    case 'failed':
      if (answer.refusal.code === 'not_in_upstream') throw unknown('oci_blob_unknown') // deleted meanwhile
      throw new RefusalError(answer.refusal, { cause: answer.cause })
    case 'streamed': return verified(answer.body, hex)
    case 'whole':
      if (createHash('sha256').update(answer.body).digest('hex') !== hex) throw unknown('oci_blob_unknown')
      return answer.body
  }
}

/** Passes on what comes, the last of it when all is what it should be: else it breaks off. */
async function * verified (body: AsyncIterable<Uint8Array>, hex: string): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256')
  let last: Uint8Array = EMPTY
  for await (const chunk of body) {
    hash.update(chunk)
    if (last.length > 0) yield last
    last = chunk
  }
  if (hash.digest('hex') !== hex) {
    throw last === EMPTY ? unknown('oci_blob_unknown') : new Error('the blob changed while it was read')
  }
  yield last
}

/** The bytes of a blob, opened when somebody reads them. */
export async function * bytesOf (blob: PulledBlob): AsyncGenerator<Uint8Array> {
  const body = blob.kind === 'bytes' ? blob.bytes : await blob.open()
  if (Buffer.isBuffer(body)) yield body
  else yield * body
}
