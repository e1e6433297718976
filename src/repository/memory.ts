// What does the repository remember from one start to the next? Two files for each
// tenant: what was read of every chart (our own, for a quick start), and ChartMuseum's
// index-cache.yaml in the tenant's folder, for a ChartMuseum that is started on it.
// Both only save time: the charts' files are the truth, and losing these loses nothing.
import { mkdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { entryOf, type KnownFile } from './entries.ts'
import { PRIVATE_FOLDER, type Store } from './store.ts'

export interface Memory {
  recall (tenant: string): Promise<Map<string, KnownFile>>
  /** When charts came, by digest, as a ChartMuseum that ran here remembers it. */
  createdTimes (tenant: string): Promise<ReadonlyMap<string, string>>
  /** The index has changed: ChartMuseum believes its file, so an old one must not lie around. */
  invalidate (tenant: string): void
  save (tenant: string, files: ReadonlyMap<string, KnownFile>, index: Buffer): Promise<void>
}

/** What ChartMuseum calls its own file (v0.16.5, pkg/repo/index.go). */
const STATE_FILE = 'index-cache.yaml'
/** The first line of our own; a row of JSON for each file follows. */
const FORMAT = '"chartgate index 3"'
const ROWS_AT_ONCE = 200

type MemoryRow =
  | readonly [file: string, stamp: string]
  | readonly [
    file: string,
    stamp: string,
    name: string,
    version: string,
    digest: string,
    created: string,
    json: string,
    yaml: string
  ]

export function createMemory (store: Store, log: (event: object) => void): Memory {
  const folder = join(store.root, PRIVATE_FOLDER, 'index')
  const ownFile = (tenant: string): string => join(folder, `${tenant === '' ? '@' : tenant.replaceAll('/', '@')}.json`)
  const stateFile = (tenant: string): string => join(store.folderOf(tenant), STATE_FILE)

  const removing = new Map<string, Promise<void>>()

  return {
    async recall (tenant) {
      try {
        const [head, ...rows] = (await readFile(ownFile(tenant), 'utf8')).trimEnd().split('\n')
        return head === FORMAT
          ? new Map(rows.map(text => JSON.parse(text) as MemoryRow).map(row => [row[0], knownOf(row)]))
          : new Map()
      } catch {
        return new Map() // none yet, or a damaged one: everything is read again
      }
    },
    async createdTimes (tenant) {
      try {
        return readCreatedTimes(await readFile(stateFile(tenant), 'utf8'))
      } catch {
        return new Map()
      }
    },
    invalidate (tenant) {
      removing.set(tenant, rm(stateFile(tenant), { force: true }).catch((error: NodeJS.ErrnoException) => {
        log({ event: 'index_not_removed', tenant, code: error.code })
      }))
    },
    async save (tenant, files, index) {
      await removing.get(tenant)
      removing.delete(tenant)
      try {
        if (files.size === 0) {
          await rm(ownFile(tenant), { force: true })
          return
        }
        await mkdir(folder, { recursive: true, mode: 0o700 })
        await store.replace(ownFile(tenant), texts(files))
        await store.replace(stateFile(tenant), [index])
      } catch (error) {
        log({ event: 'index_not_saved', tenant, code: (error as NodeJS.ErrnoException).code })
      }
    }
  }
}

/** The file in pieces: as one text it would double what the repository needs. */
function * texts (files: ReadonlyMap<string, KnownFile>): Generator<string> {
  let text = FORMAT
  let rows = 0
  for (const [file, known] of files) {
    text += `\n${JSON.stringify(rowOf(file, known))}`
    if (++rows % ROWS_AT_ONCE > 0) continue
    yield text
    text = ''
  }
  yield `${text}\n`
}

function rowOf (file: string, { stamp, entry }: KnownFile): MemoryRow {
  if (entry === undefined) return [file, stamp]
  const { name, version, digest, created, json, yaml } = entry
  // The index was written with it.
  return [file, stamp, name, version, digest, created, json, yaml as string]
}

function knownOf ([file, stamp, name, version, digest, created, json, yaml]: MemoryRow): KnownFile {
  if (
    name === undefined || version === undefined || digest === undefined ||
    created === undefined || json === undefined
  ) {
    return { stamp }
  }
  return { stamp, entry: entryOf({ file, name, version, digest, created, json, yaml }) }
}

/** `created` and `digest` of every entry; in ChartMuseum's own form they stand on lines of their own. */
function readCreatedTimes (text: string): Map<string, string> {
  const times = new Map<string, string>()
  for (const entry of text.split(/\n {2}- /).slice(1)) {
    const created = /(?:^|\n {4})created: "([^"\n]+)"/.exec(entry)?.[1]
    const digest = /\n {4}digest: "?([0-9a-f]{64})"?/.exec(entry)?.[1]
    if (created !== undefined && digest !== undefined && !Number.isNaN(Date.parse(created))) times.set(digest, created)
  }
  return times
}
