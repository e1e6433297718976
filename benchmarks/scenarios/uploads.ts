// Turns of pushes, for the scenarios that push: by the API, or to the registry.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { runDriver } from '../lab/drivers.ts'
import type { Lab } from '../lab/lab.ts'
import { TENANT, type MaybeServer } from '../lab/server.ts'
import type { Contestant, Figure } from '../scenario.ts'

export interface Chart { readonly file: string, readonly name: string, readonly version: string }

/** What is pushed, all of it at once, and where. */
export interface Uploads { readonly door: 'classic' | 'oci', readonly charts: readonly Chart[] }

/** @param read what a turn says, of pushes a second */
export function uploading (lab: Lab, name: string, server: MaybeServer, uploads: Uploads, read: (rate: number) => Omit<Figure, 'name'>): Contestant {
  if ('missing' in server) return { name, missing: server.missing }
  return {
    name,
    async turn (seconds) {
      const authorizationFile = join(await lab.folder(), 'authorization')
      await writeFile(authorizationFile, await server.authorization() ?? '', { mode: 0o600 })
      const { rate } = await runDriver<{ rate: number }>(lab, 'beside', 'upload', { origin: server.origin, tenant: TENANT, authorizationFile, ...uploads, seconds })
      return [{ name, ...read(rate) }]
    }
  }
}
