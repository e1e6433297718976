// Of which versions is something kept, and how does that go which nobody has wanted for long? By the
// files alone: what a process remembers of one counts while it is there (kept.ts). Any worker may
// keep something at the moment when another one removes it. Then it stays: who keeps what is there
// already says so on the file, and who removes a file takes it out of everybody's sight before the
// last look at it.
import { readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { asideOf, isAside, tidyFolder, unlessNoFile } from '../../files/whole.ts'
import { someAtOnce } from '../../lib/some-at-once.ts'
import { foldersOf, RENEWED, whoseContent, whoseVersion, type Whose } from './kept-file.ts'
import type { Shelf, ShelfPlace } from './sweep.ts'

/** Milliseconds that nobody has to have kept what is removed. */
const UNWANTED = 2 * RENEWED
/** Files that are read at once. */
const AT_ONCE = 16

/**
 * @param dir as of createKept
 * @param wall milliseconds since the epoch
 */
export function createKeptShelf (dir: string, wall: () => number): Shelf {
  async function each (place: ShelfPlace, work: (path: string, whose: Whose) => Promise<void>): Promise<void> {
    const { content, versions } = foldersOf(dir, place)
    for (const [folder, whoseOf] of [[content, whoseContent], [versions, whoseVersion]] as const) {
      const names = (await unlessNoFile(readdir(folder)) ?? []).filter(name => !isAside(name))
      await someAtOnce(names, AT_ONCE, async name => {
        const path = join(folder, name)
        const whose = await whoseOf(path)
        if (whose !== undefined) await work(path, whose)
      })
    }
  }

  async function isUnwanted (path: string): Promise<boolean> {
    const found = await unlessNoFile(stat(path))
    return found !== undefined && wall() - found.mtimeMs > UNWANTED
  }

  async function removeUnwanted (path: string): Promise<void> {
    if (!await isUnwanted(path)) return
    const aside = asideOf(path)
    const isAway = await unlessNoFile(rename(path, aside).then(() => true))
    if (isAway === undefined) return // another one has removed it
    if (await isUnwanted(aside)) await rm(aside, { force: true })
    else await rename(aside, path) // it was kept since it was looked at
  }

  return {
    async of (place) {
      const all = new Map<string, Whose>()
      await each(place, async (_path, { version, archive }) => {
        all.set(`${version} ${archive}`, { version, archive })
      })
      return [...all.values()]
    },
    async remove (place, isGone) {
      await each(place, async (path, whose) => { if (isGone(whose)) await removeUnwanted(path) })
    },
    async tidy (place, age) {
      for (const folder of Object.values(foldersOf(dir, place))) await tidyFolder(folder, age)
    }
  }
}
