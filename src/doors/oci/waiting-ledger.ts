// How much of pushes waits, and whose is it? Counted by a look into their folder, which all
// workers share, and between two looks by what this process does there. A tenant has a share
// of files and of bytes, so that one that fills its own leaves the others theirs; what is older
// than a push may take goes at the next look.
import type { Stats } from 'node:fs'
import { readdir, rm, rmdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { RefusalError } from '../../http/errors.ts'
import { ROOT_TENANT } from '../../words/tenant.ts'
import type { OciRepository } from './names.ts'

/** Whose something is. */
export type WaitingPlace = Pick<OciRepository, 'name' | 'tenant'>

export interface WaitingBounds {
  /** Milliseconds that a file may wait since it was last touched. */
  readonly patience: number
  /** Files of a repository, of a tenant, and of all. */
  readonly ofRepository: number
  readonly ofTenant: number
  readonly ofAll: number
  /** Bytes of a tenant, and of all, as they are now. */
  bytesOfTenant (): number
  bytesOfAll (): number
}

export interface WaitingLedger {
  /** Counts a file that is about to be made. @throws RefusalError when there are too many */
  admit (place: WaitingPlace): Promise<void>
  /** Counts bytes that are about to be written. @throws RefusalError when there is no room */
  take (place: WaitingPlace, bytes: number): void
  /** Counts what was removed. */
  give (place: WaitingPlace, removed: { readonly files: number, readonly bytes: number }): void
  /** Counts all anew, and removes what has waited for too long. */
  look (): Promise<void>
  standing (): { readonly files: number, readonly bytes: number }
}

/** Milliseconds from one look to the next at least; a long one is followed by a longer pause. */
const PAUSE = 2_000
const PAUSE_PER_LOOK = 20

interface Count { files: number, bytes: number }

/** @param clock milliseconds that only go on @param wall milliseconds since the epoch, as the disk has them */
export function createWaitingLedger (
  dir: string,
  bounds: WaitingBounds,
  { clock, wall }: { readonly clock: () => number, readonly wall: () => number }
): WaitingLedger {
  let counts = new Map<string, Count>()
  let next = -Infinity
  let looking: Promise<void> | undefined
  /** What came during a look, which may have gone by its place before: counted twice at worst, until the next one. */
  let came = new Map<string, Count>()

  async function lookNow (): Promise<void> {
    const begun = clock()
    const found = new Map<string, Count>()
    came = new Map()
    for await (const { owner, path, stats } of filesBelow(dir, [])) {
      if (wall() - stats.ctimeMs > bounds.patience) await rm(path, { force: true })
      else for (const each of owners(owner)) add(found, each, 1, stats.size)
    }
    for (const [key, { files, bytes }] of came) add(found, key, files, bytes)
    counts = found
    const now = clock()
    next = now + Math.max(PAUSE, PAUSE_PER_LOOK * (now - begun))
  }

  async function look (): Promise<void> {
    looking ??= lookNow().finally(() => { looking = undefined })
    await looking
  }

  const of = (name: string): Count => counts.get(name) ?? NOTHING
  const put = ({ name, tenant }: WaitingPlace, files: number, bytes: number): void => {
    for (const key of [name, tenantKey(tenant), ALL]) {
      add(counts, key, files, bytes)
      if (looking !== undefined) add(came, key, files, bytes)
    }
  }

  return {
    look,
    async admit (place) {
      const { name, tenant } = place
      if (clock() >= next) await look()
      const where = { [name]: bounds.ofRepository, [tenantKey(tenant)]: bounds.ofTenant, [ALL]: bounds.ofAll }
      for (const [key, most] of Object.entries(where)) {
        if (of(key).files >= most) throw new RefusalError({ code: 'oci_too_many_uploads' })
      }
      put(place, 1, 0)
    },
    take (place, bytes) {
      if (of(ALL).bytes + bytes > bounds.bytesOfAll()) throw new RefusalError({ code: 'spool_full' })
      if (of(tenantKey(place.tenant)).bytes + bytes > bounds.bytesOfTenant()) {
        throw new RefusalError({ code: 'oci_too_many_uploads', detail: TENANT_FULL })
      }
      put(place, 0, bytes)
    },
    give ({ name, tenant }, { files, bytes }) {
      for (const key of [name, tenantKey(tenant), ALL]) add(counts, key, -files, -bytes)
    },
    standing: () => ({ ...of(ALL) })
  }
}

const NOTHING: Readonly<Count> = { files: 0, bytes: 0 }
const TENANT_FULL =
  'too much that was pushed for this tenant waits for its tag: finish those pushes, or try again later'
/** No repository has such a name. */
const ALL = '*'

function tenantKey (tenant: string): string {
  return `${tenant}/*`
}

/** What was removed after a look, and counted before it, is no debt. */
function add (counts: Map<string, Count>, key: string, files: number, bytes: number): void {
  const before = counts.get(key) ?? NOTHING
  counts.set(key, { files: Math.max(0, before.files + files), bytes: Math.max(0, before.bytes + bytes) })
}

interface FoundFile {
  /** The names of the folders above it: a repository's, and the kind of what is in it. */
  readonly owner: readonly string[]
  readonly path: string
  readonly stats: Stats
}

/** Whose a file counts as: of its repository, its tenant and of all. */
function owners (folders: readonly string[]): string[] {
  const repository = folders.slice(0, -1)
  return [repository.join('/'), tenantKey(repository.slice(0, -1).join('/') || ROOT_TENANT), ALL]
}

/** All files in folders below; what goes meanwhile is not there, and a folder that is empty goes. */
async function * filesBelow (dir: string, above: readonly string[]): AsyncGenerator<FoundFile> {
  const entries = await readdir(dir, { withFileTypes: true }).catch(() => [])
  if (entries.length === 0 && above.length > 0) await Promise.allSettled([rmdir(dir)])
  for (const entry of entries) {
    const path = join(dir, entry.name)
    if (entry.isDirectory()) {
      yield * filesBelow(path, [...above, entry.name])
      continue
    }
    const stats = above.length === 0 ? undefined : await stat(path).catch(() => undefined)
    if (stats !== undefined) yield { owner: above, path, stats }
  }
}
