// What may the user of Redis not do? It is wrong until that was done, whatever else is answered
// meanwhile: or it would be said again and again that Redis refuses, and that it can be used.

export interface Forbidden {
  /** @param what a script, a channel */
  refused (what: string): void
  passed (what: string): void
  /** Is there something? */
  any (): boolean
}

export function createForbidden (): Forbidden {
  const all = new Set<string>()
  return {
    refused (what) { all.add(what) },
    passed (what) { all.delete(what) },
    any: () => all.size > 0
  }
}
