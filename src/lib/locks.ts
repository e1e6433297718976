// Who is first? One holder at a time for each name, in the order of asking.

export interface Locks {
  /** Runs `work` once everybody before has finished with the name; passes its result or error on. */
  hold<T> (name: string, work: () => Promise<T>): Promise<T>
}

export function createLocks (): Locks {
  const last = new Map<string, Promise<unknown>>()
  return {
    async hold (name, work) {
      const before = last.get(name) ?? Promise.resolve()
      const mine = before.then(work, work)
      const settled = mine.catch(() => {})
      last.set(name, settled)
      try {
        return await mine
      } finally {
        if (last.get(name) === settled) last.delete(name)
      }
    }
  }
}
