// What is in force now, and who acts when something else is? A value that is replaced whole;
// most ask for it when they need it, and who made something of it follows.

export interface Live<T> {
  /** Read anew for each request; whoever follows hears of another one. */
  current: T
  /** @returns what ends it */
  follow (run: (current: T) => void): () => void
}

export function createLive<T> (first: T): Live<T> {
  let value = first
  const followers = new Set<(current: T) => void>()
  return {
    get current () { return value },
    set current (next) {
      value = next
      for (const run of followers) run(next)
    },
    follow (run) {
      followers.add(run)
      return () => { followers.delete(run) }
    }
  }
}
