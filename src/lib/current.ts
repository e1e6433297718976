// What is in force now, and who acts when something else is? A value that is replaced whole;
// most ask for it when they need it, and who made something of it follows.

export interface Current<T> {
  readonly value: T
  replace (next: T): void
  /** @returns what ends it */
  follow (run: (value: T) => void): () => void
}

export function createCurrent<T> (first: T): Current<T> {
  let value = first
  const followers = new Set<(value: T) => void>()
  return {
    get value () { return value },
    replace (next) {
      value = next
      for (const run of followers) run(next)
    },
    follow (run) {
      followers.add(run)
      return () => { followers.delete(run) }
    }
  }
}
