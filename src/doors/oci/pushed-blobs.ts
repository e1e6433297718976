// Where are the blobs that a pushed manifest names? In the spool, or stored already, of this
// repository in both cases: what another one has is not there.
import { readFile } from 'node:fs/promises'
import { RefusalError } from '../../http/errors.ts'
import type { Asker } from '../../upstream/asker.ts'
import { digestOfHex } from '../../words/digest.ts'
import type { Described } from './manifest.ts'
import type { OciRepository } from './names.ts'
import type { Puller } from './pull.ts'
import { EMPTY_JSON, type PushedManifest } from './pushed-manifest.ts'
import type { Waiting } from './waiting.ts'

export interface PushedBlobs {
  /** @throws RefusalError when one is not there, or not as long as the manifest says */
  check (repository: OciRepository, manifest: PushedManifest, asker: Asker): Promise<void>
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

  async function sizeOfStored (repository: OciRepository, hex: string, asker: Asker): Promise<number> {
    try {
      const blob = await puller.blob(repository, digestOfHex(hex), asker)
      return blob.kind === 'bytes' ? blob.bytes.length : blob.size
    } catch (error) {
      const isMissing = error instanceof RefusalError && error.refusal.code === 'oci_blob_unknown'
      throw isMissing ? new RefusalError({ code: 'oci_manifest_blob_unknown' }) : error
    }
  }

  return {
    async check (repository, { config, archive, provenance }, asker) {
      for (const each of [config, archive, provenance]) {
        if (each !== undefined) await checkOne(repository, each, asker)
      }
    },
    async config (repository, { hex, size }, asker) {
      if (hex === EMPTY_JSON.hex) return EMPTY_JSON.bytes
      if (size > LONGEST_CONFIG) {
        throw new RefusalError({ code: 'oci_manifest_invalid', detail: 'the config is larger than 1 MiB' })
      }
      const waits = await waiting.find(repository, 'blob', hex)
      if (waits !== undefined) return await readFile(waits.path)
      const blob = await puller.blob(repository, digestOfHex(hex), asker)
      if (blob.kind === 'bytes') return blob.bytes
      throw new RefusalError({ code: 'oci_manifest_invalid', detail: 'the config is the archive' })
    }
  }
}
