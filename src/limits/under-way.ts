// How many are under way, by key, and when does the next of them end? For who may not go
// before it is known what becomes of those.
export interface UnderWay {
  /** How many. */
  of (key: string): number
  /** @returns what ends it, once */
  begin (key: string): () => void
  /** Resolves when the next one ends; at once, when there is none. */
  nextEnd (key: string): Promise<void>
}

interface Those {
  times: number
  waiters: (() => void)[]
}

export function createUnderWay (): UnderWay {
  const all = new Map<string, Those>()

  function end (key: string, those: Those): void {
    if (--those.times === 0) all.delete(key)
    for (const go of those.waiters.splice(0)) go()
  }

  return {
    of: key => all.get(key)?.times ?? 0,
    begin (key) {
      const those = all.get(key) ?? { times: 0, waiters: [] }
      all.set(key, those)
      those.times++
      let isOver = false
      return () => {
        if (!isOver) end(key, those)
        isOver = true
      }
    },
    async nextEnd (key) {
      const those = all.get(key)
      if (those !== undefined) await new Promise<void>(resolve => { those.waiters.push(resolve) })
    }
  }
}
