// What has become of versions, as far as that was heard of? The last change of each, so many at most.
// Changes of one version that overlap may be heard of in another order than that in which they were
// made: one that the chart repository was not seen to show may be older than one that it was.
import { keyOfChange, type ToldChange } from './change.ts'

/** A change, and as the how-manieth it was heard of. */
export interface Heard {
  readonly change: ToldChange
  readonly at: number
  /**
   * It may be older than one that was heard of before it, or than one that came while it was looked for: what the
   * version is now the first address alone says.
   */
  readonly isDisputed?: boolean
}

export interface LatestChanges {
  readonly size: number
  /** In the order in which versions came. */
  all (): readonly Heard[]
  has (heard: Heard): boolean
  /** Adds it, or one that is disputed in its place. @returns false when there is no room, and it is not added */
  add (heard: Heard): boolean
  /** Removes one, unless there is a later one in its place. */
  delete (heard: Heard): void
  clear (): void
}

export function createLatestChanges (most: number): LatestChanges {
  const latest = new Map<string, Heard>()
  return {
    get size () { return latest.size },
    all: () => [...latest.values()],
    has: heard => latest.get(keyOf(heard)) === heard,
    add (heard) {
      const key = keyOf(heard)
      const before = latest.get(key)
      if (before === undefined && latest.size >= most) return false
      if (before === undefined) latest.set(key, heard)
      else if (heard.at > before.at) latest.set(key, isDisputed(heard, before) ? { ...heard, isDisputed: true } : heard)
      return true
    },
    delete (heard) {
      if (this.has(heard)) latest.delete(keyOf(heard))
    },
    clear () { latest.clear() }
  }
}

/** What nobody was told of takes the place of nothing that somebody was. */
function keyOf ({ change }: Heard): string {
  return `${keyOfChange(change)} ${change.became !== undefined}`
}

function isDisputed ({ change }: Heard, before: Heard): boolean {
  return !change.isShown && (before.change.isShown || before.isDisputed === true)
}
