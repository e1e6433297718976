// Folders of tenants as they are found in the world: one kind of odd file beside
// `good-0.1.0.tgz`, and what ChartMuseum 0.16.5 lists of them (test/data/world).
import { readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { extract } from 'tar-stream'
import { dataUrl } from './data.ts'
import type { TestLike } from './folder.ts'
import { temporaryFolder } from './processes.ts'

export interface Store {
  readonly case: string
  /** The odd ones. */
  readonly files: readonly string[]
  readonly chartmuseum: readonly { readonly name: string, readonly version: string, readonly url: string, readonly served: boolean }[]
}

const DATA = dataUrl('world/')

export const STORES: readonly Store[] = readFileSync(new URL('stores.jsonl', DATA), 'utf8').trimEnd().split('\n').map(line => JSON.parse(line) as Store)

/** What no path can say: a backslash, and `%` before two hexadecimal digits. */
export const UNSAYABLE = /\\|%[0-9A-Fa-f]{2}/

/** Puts the files of a store into a tenant's folder, which is made. */
export async function unpackStore ({ case: name }: Store, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  const archive = extract()
  archive.end(gunzipSync(readFileSync(new URL(`stores/${name}.tar.gz`, DATA))))
  for await (const entry of archive) {
    const chunks: Buffer[] = []
    for await (const chunk of entry) chunks.push(chunk as Buffer)
    if (entry.header.type === 'file') await writeFile(join(folder, entry.header.name), Buffer.concat(chunks))
  }
}

/** Each of them as the tenant org/CASE of a folder. */
export async function unpackAll (t: TestLike): Promise<string> {
  const folder = await temporaryFolder(t)
  for (const store of STORES) await unpackStore(store, join(folder, 'org', store.case))
  return folder
}
