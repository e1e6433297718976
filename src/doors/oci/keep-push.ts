// What is kept of a push that was made? Its manifest and what it names, so that each digest is
// answered; and that this manifest has the tag of its version.
import { RefusalError } from '../../http/errors.ts'
import type { Locks } from '../../lib/locks.ts'
import { lockOfKept, type Kept } from './kept.ts'
import type { KeptVersion } from './kept-file.ts'
import type { OciRepository } from './names.ts'
import type { PushedManifest } from './pushed-manifest.ts'
import { LONGEST_MANIFEST } from './read-manifest.ts'

/** A manifest, and the version that it was found to be of. */
export interface FoundManifest extends PushedManifest {
  /** SHA-256 of it, in hex. */
  readonly hex: string
  readonly bytes: Buffer
  readonly version: string
  readonly configBytes: Buffer
  /** Of a manifest that names one. */
  readonly provenanceBytes: Buffer | undefined
}

export interface PushKeeper {
  /** @throws RefusalError where no more manifests of this version are kept */
  checkRoom (repository: OciRepository, manifest: FoundManifest): Promise<void>
  /** Keeps it, and lets it have the tag. @throws RefusalError as above: others may have been pushed at the same time */
  keep (repository: OciRepository, manifest: FoundManifest): Promise<void>
}

export function createPushKeeper (kept: Kept, locks: Locks): PushKeeper {
  async function isKept (repository: OciRepository, { hex, archive }: FoundManifest): Promise<boolean> {
    return (await kept.find(repository, hex, archive.hex))?.archive === archive.hex
  }

  /** What is known of the version, as far as it is of this archive. */
  async function versionNow (
    repository: OciRepository,
    { version, archive }: FoundManifest
  ): Promise<{ known: KeptVersion | undefined, isOther: boolean }> {
    const before = await kept.version(repository, version, archive.hex)
    const isOther = before !== undefined && before.archive !== archive.hex
    return { known: isOther ? undefined : before, isOther }
  }

  async function checkRoom (repository: OciRepository, manifest: FoundManifest): Promise<void> {
    const { known } = await versionNow(repository, manifest)
    if ((known?.pushed ?? 0) + manifest.bytes.length <= LONGEST_MANIFEST) return
    if (await isKept(repository, manifest)) return
    const detail = `${repository.chart} ${manifest.version} was pushed under too many other digests: ` +
      'delete its tag first'
    throw new RefusalError({ code: 'chart_exists', detail })
  }

  async function keepNow (repository: OciRepository, manifest: FoundManifest): Promise<void> {
    const { hex, bytes, version, config, configBytes, archive, provenance, provenanceBytes } = manifest
    const of = { version, archive: archive.hex }
    await kept.keep(repository, [
      [config.hex, { ...of, kind: 'config', bytes: configBytes }],
      [archive.hex, { ...of, kind: 'archive', bytes: Buffer.alloc(0) }]
    ])
    if (provenance !== undefined && provenanceBytes !== undefined) {
      await kept.keep(repository, [[provenance.hex, { ...of, kind: 'provenance', bytes: provenanceBytes }]])
    }
    const more = await isKept(repository, manifest) ? 0 : bytes.length
    await kept.keep(repository, [[hex, { ...of, kind: 'manifest', bytes }]])
    const { known, isOther } = await versionNow(repository, manifest)
    const pushed = (known?.pushed ?? 0) + more
    await kept.keepVersion(repository, version, { archive: archive.hex, size: archive.size, tagged: hex, pushed })
    if (isOther) await kept.forget(repository, version, archive.hex)
  }

  return {
    checkRoom,
    async keep (repository, manifest) {
      // One at a time: what they have together is bounded then, and none is forgotten with what was there before.
      await locks.hold(lockOfKept(repository, manifest.version), async () => {
        await checkRoom(repository, manifest)
        await keepNow(repository, manifest)
      })
    }
  }
}
