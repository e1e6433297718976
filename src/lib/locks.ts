// Who is first? One holder at a time for each name, in the order of asking.

/**
 * What is known of a lock while it is held. `own`: nobody but this chartgate is asked who has it.
 * `proved`: no other replica has it, nor will have it in the next seconds. `doubted`: the same,
 * but there is a replica that may not ask. `lost`: it cannot be proved any more. `none`: there was
 * nobody to ask.
 */
export type Hold = 'own' | 'proved' | 'doubted' | 'lost' | 'none'

export interface Locks {
  /** Runs `work` once everybody before has finished with the name; passes its result or error on. */
  hold<T> (name: string, work: (hold: () => Hold) => Promise<T>): Promise<T>
}

const OWN = (): Hold => 'own'

export function createLocks (): Locks {
  const last = new Map<string, Promise<unknown>>()
  return {
    async hold (name, work) {
      const before = last.get(name) ?? Promise.resolve()
      const run = async (): Promise<Awaited<ReturnType<typeof work>>> => await work(OWN)
      const mine = before.then(run, run)
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
