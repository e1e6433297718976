// Where several processes count, as Redis does it: each key has half of a window of a minute left.
import type { CountReads, CountStore } from '../../src/limits/counter.ts'

export interface SharedCountsLab {
  readonly store: CountStore
  readonly there: Map<string, number>
  /** What came with each addition. */
  readonly given: string[][]
  isAway: boolean
}

export function createSharedCounts (): SharedCountsLab {
  const lab: SharedCountsLab = { store: { eval: add, multi: read }, there: new Map(), given: [], isAway: false }

  function refuse (): void {
    if (lab.isAway) throw new Error('away')
  }

  /** Both scripts: what has no points to add takes one back, where there is one. */
  async function add (_lua: string, { keys: [key = ''], arguments: words }: Parameters<CountStore['eval']>[1]): Promise<unknown> {
    refuse()
    const times = lab.there.get(key) ?? 0
    if (words.length === 0) {
      if (times > 0) lab.there.set(key, times - 1)
      return null
    }
    lab.given.push(words)
    lab.there.set(key, times + Number(words[0]))
    return [lab.there.get(key), 30_000]
  }

  function read (): CountReads {
    let asked = ''
    const reads: CountReads = {
      get (key) { asked = key; return reads },
      pTTL: () => reads,
      async exec () {
        refuse()
        return lab.there.has(asked) ? [String(lab.there.get(asked)), 30_000] : [null, -2]
      }
    }
    return reads
  }

  return lab
}
