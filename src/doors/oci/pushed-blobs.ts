// Where are the blobs that a pushed manifest names? In the spool, or stored already, of this
// repository in both cases: what another one has is not there.
import { readFile } from 'node:fs/promises'
import { RefusalError, isRefusal } from '../../http/errors.ts'
import { unlessNoFile } from '../../files/whole.ts'
import type { Asker } from '../../upstream/asker.ts'
import { digestOfHex } from '../../words/digest.ts'
import type { SpoolFile } from '../../uploads/spool.ts'
import type { Described } from './manifest.ts'
import type { OciRepository } from './names.ts'
import { bytesOf, type PulledBlob, type Puller } from './pull.ts'
import { EMPTY_JSON } from './read-manifest.ts'
import type { Waiting } from './waiting.ts'

export interface PushedBlobs {
  /** @throws RefusalError when one is not there, or not as long as the manifest says */
  check (repository: OciRepository, blobs: readonly Described[], asker: Asker): Promise<void>
  /** Lets a blob that is there wait, as if it came now. @throws RefusalError when it is not, or no room is */
  bring (repository: OciRepository, hex: string, asker: Asker): Promise<void>
  /** Holds blobs that were checked, from wherever they are. @throws RefusalError as above; nothing is held then */
  hold (repository: OciRepository, blobs: readonly Described[], asker: Asker): Promise<readonly SpoolFile[]>
  /** The bytes of a config that was checked. @throws RefusalError when it is too long for one */
  config (repository: OciRepository, config: Described, asker: Asker): Promise<Buffer>
}

export const LONGEST_CONFIG = 1024 * 1024

export function createPushedBlobs (waiting: Waiting, puller: Puller): PushedBlobs {
  async function checkOne (repository: OciRepository, { hex, size }: Described, asker: Asker): Promise<void> {
    if (hex === EMPTY_JSON.hex) return
    const there = (await waiting.find(repository, 'blob', hex))?.size ?? await sizeOfStored(repository, hex, asker)
    if (there === size) return
    const detail = `the manifest says that ${digestOfHex(hex)} has ${size} bytes, and it has ${there}`
    throw new RefusalError({ code: 'oci_size_invalid', detail })
  }

  async function stored (repository: OciRepository, hex: string, asker: Asker): Promise<PulledBlob> {
    return await ofManifest(async () => await puller.blob(repository, digestOfHex(hex), asker))
  }

  async function sizeOfStored (repository: OciRepository, hex: string, asker: Asker): Promise<number> {
    const blob = await stored(repository, hex, asker)
    return blob.kind === 'bytes' ? blob.bytes.length : blob.size
  }

  async function bring (repository: OciRepository, hex: string, asker: Asker): Promise<void> {
    const blob = await stored(repository, hex, asker)
    await ofManifest(async () => { await waiting.put(repository, 'blob', hex, bytesOf(blob)) })
  }

  async function holdOne (repository: OciRepository, hex: string, asker: Asker): Promise<SpoolFile> {
    const waits = await waiting.hold(repository, hex)
    if (waits !== undefined) return waits
    await bring(repository, hex, asker)
    const brought = await waiting.hold(repository, hex)
    if (brought !== undefined) return brought
    throw new RefusalError({ code: 'oci_manifest_blob_unknown' }) // another push has ended with it meanwhile
  }

  return {
    async check (repository, blobs, asker) {
      for (const each of blobs) await checkOne(repository, each, asker)
    },
    bring,
    async hold (repository, blobs, asker) {
      const held: SpoolFile[] = []
      try {
        for (const { hex } of blobs) held.push(await holdOne(repository, hex, asker))
        return held
      } catch (error) {
        for (const file of held) await file.remove()
        throw error
      }
    },
    async config (repository, { hex, size }, asker) {
      if (hex === EMPTY_JSON.hex) return EMPTY_JSON.bytes
      if (size > LONGEST_CONFIG) {
        throw new RefusalError({ code: 'oci_manifest_invalid', detail: 'the config is larger than 1 MiB' })
      }
      const waits = await waiting.find(repository, 'blob', hex)
      const bytes = waits === undefined ? undefined : await unlessNoFile(readFile(waits.path))
      if (bytes !== undefined) return bytes
      const blob = await stored(repository, hex, asker)
      if (blob.kind === 'bytes') return blob.bytes
      throw new RefusalError({ code: 'oci_manifest_invalid', detail: 'the config is the archive' })
    }
  }
}

/** What is no blob is one that the manifest names, and was not pushed. */
async function ofManifest<T> (look: () => Promise<T>): Promise<T> {
  try {
    return await look()
  } catch (error) {
    throw isRefusal(error, 'oci_blob_unknown') ? new RefusalError({ code: 'oci_manifest_blob_unknown' }) : error
  }
}
