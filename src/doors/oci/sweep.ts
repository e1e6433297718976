// What goes that is of a version which was deleted or replaced elsewhere, by another gateway or in
// the chart repository itself? What is attached to it, and what was kept of it. It is answered no
// more at once (attached.ts, pull.ts). It is removed when its version has been missing for a day: a
// repository that shows nothing for an hour, with a disk that is not mounted, say, takes nothing away.
import { gatewayItself } from '../../upstream/asker.ts'
import type { Depth } from '../../words/tenant.ts'
import type { Whose } from './kept-file.ts'
import { readRepository, type OciRepository } from './names.ts'
import { repositoriesIn } from './repository-folders.ts'
import type { StoredVersions } from './stored-versions.ts'

export type ShelfPlace = Pick<OciRepository, 'name'>

/** Where something of versions lies. What cannot be read now is not taken for what is not there: then these reject. */
export interface Shelf {
  /** The versions, with their archives, of which there is something of a repository. */
  of (place: ShelfPlace): Promise<readonly Whose[]>
  /** Removes what is of those that are gone. */
  remove (place: ShelfPlace, isGone: (whose: Whose) => boolean): Promise<void>
  /** Removes what a process has begun, and ended before it was done. @param age milliseconds that it is old */
  tidy (place: ShelfPlace, age: number): Promise<void>
}

export interface SweepParts {
  /** With a folder for each repository, as those of the shelves. */
  readonly dir: string
  readonly shelves: readonly Shelf[]
  readonly stored: Pick<StoredVersions, 'archives'>
  readonly depth: Depth
  /** Milliseconds of a clock that only goes on. */
  readonly clock: () => number
}

/** Milliseconds that a version has to be missing, and that what was being written is left. */
const MISSING = 24 * 60 * 60_000
const ABANDONED = 60 * 60_000
/** Milliseconds until a repository is looked at again: of which nothing is missing, and of which something is. */
const WELL = 24 * 60 * 60_000
const DOUBTFUL = 60 * 60_000

/** A repository as it was looked at last. */
interface Look {
  /** When it is looked at again. */
  readonly due: number
  /** Since when versions are missing, by version and archive. */
  readonly missing: ReadonlyMap<string, number>
}

/**
 * @returns what looks at each repository that is due, one after the other; it never rejects, and leaves all that it
 * cannot be sure of: what the upstream does not say, and what the disk does not
 */
export function createSweep ({ dir, shelves, stored, depth, clock }: SweepParts): () => Promise<void> {
  const looks = new Map<string, Look>()
  let isUnderWay = false

  async function look (repository: OciRepository, { due, missing: before }: Look): Promise<void> {
    if (clock() < due) return
    for (const shelf of shelves) await shelf.tidy(repository, ABANDONED)
    const all = new Set((await Promise.all(shelves.map(async shelf => await shelf.of(repository)))).flat().map(keyOf))
    if (all.size > 0) {
      const listed = await stored.archives(repository, gatewayItself(repository.tenant))
      for (const whose of listed) all.delete(keyOf(whose))
    }
    const now = clock()
    const missing = new Map([...all].map(key => [key, before.get(key) ?? now]))
    const isOver = (key: string): boolean => now - (missing.get(key) ?? now) >= MISSING
    if ([...all].some(isOver)) {
      for (const shelf of shelves) await shelf.remove(repository, whose => isOver(keyOf(whose)))
    }
    for (const key of all) if (isOver(key)) missing.delete(key)
    looks.set(repository.name, { due: now + (missing.size > 0 ? DOUBTFUL : WELL), missing })
  }

  async function lookAtAll (): Promise<void> {
    for await (const name of repositoriesIn(dir)) {
      const repository = readRepository(name, depth)
      if ('code' in repository) continue // of another depth that the gateway had
      // What was missing before is not forgotten because nobody says now.
      await look(repository, looks.get(name) ?? NEVER).catch(() => {})
    }
  }

  return async () => {
    if (isUnderWay) return
    isUnderWay = true
    await lookAtAll().catch(() => {}) // the others in their time
    isUnderWay = false
  }
}

const NEVER: Look = { due: -Infinity, missing: new Map() }

function keyOf ({ version, archive }: Whose): string {
  return `${version} ${archive}`
}
