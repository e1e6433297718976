// Which version is it that a manifest names? What waits is inspected as every upload is; an
// archive that is stored already is the version that is listed with it.
import { RefusalError } from '../../http/errors.ts'
import type { Asker } from '../../upstream/asker.ts'
import { inspectParts, type Upload, type UploadTaker } from '../../uploads/inspect.ts'
import type { ListedVersion } from './entry.ts'
import type { OciRepository } from './names.ts'
import type { PushedManifest } from './pushed-manifest.ts'
import { manifestInvalid } from './read-manifest.ts'
import type { StoredVersions } from './stored-versions.ts'
import type { Waiting } from './waiting.ts'

export interface PushedVersion {
  readonly version: string
  /** The file of its archive. */
  readonly file: string
  /** What of it is not known to be stored; it is held until it is removed. */
  readonly upload: Upload | undefined
}

export interface PushedVersions {
  /** @throws RefusalError when it is no version of this chart; nothing is held then */
  understand (repository: OciRepository, manifest: PushedManifest, asker: Asker): Promise<PushedVersion>
}

export function createPushedVersions (
  waiting: Waiting,
  stored: StoredVersions,
  taker: UploadTaker
): PushedVersions {
  /** @throws RefusalError when a provenance is named that does not wait; nothing is held then */
  async function hold (
    repository: OciRepository,
    { archive, provenance }: PushedManifest
  ): Promise<Upload | undefined> {
    const chart = await waiting.hold(repository, archive.hex)
    const prov = provenance === undefined ? undefined : await waiting.hold(repository, provenance.hex)
    if (provenance !== undefined && prov === undefined) {
      await chart?.remove()
      throw new RefusalError({ code: 'oci_manifest_blob_unknown' }) // another push has ended with it meanwhile
    }
    if (chart === undefined && prov === undefined) return undefined
    return await inspectParts({ ...(chart === undefined ? {} : { chart }), ...(prov === undefined ? {} : { prov }) }, {
      ...taker,
      form: 'raw',
      contentType: 'application/octet-stream'
    })
  }

  /** The version of an archive that does not wait. */
  async function listedWith (
    repository: OciRepository,
    { archive }: PushedManifest,
    asker: Asker
  ): Promise<ListedVersion> {
    const listed = await stored.withArchive(repository, archive.hex, asker)
    if (listed === undefined) throw new RefusalError({ code: 'oci_manifest_blob_unknown' })
    return listed
  }

  return {
    async understand (repository, manifest, asker) {
      const upload = await hold(repository, manifest)
      try {
        if (upload !== undefined && upload.name !== repository.chart) {
          throw manifestInvalid(`the chart in it is called ${upload.name}, and its repository ${repository.chart}`)
        }
        if (upload?.chart !== undefined) return { version: upload.version, file: upload.file, upload }
        const { version, file } = await listedWith(repository, manifest, asker)
        if (upload === undefined || upload.version === version) return { version, file, upload }
        throw manifestInvalid(`the provenance file is of ${upload.version}, and the archive of ${version}`)
      } catch (error) {
        await upload?.remove()
        throw error
      }
    }
  }
}
