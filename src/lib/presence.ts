// Is whoever asked still there? One answer for everything that is done for a connection:
// what waits, hashes, spools or asks the upstream for somebody who has gone ends with them.

export interface Presence {
  readonly gone: boolean
  /**
   * Calls once when they go, at once if they have gone.
   * @returns takes it back, when what was done for them has ended before
   */
  onGone (run: () => void): () => void
}

/** A presence, and the one who ends it. */
export interface OwnPresence extends Presence {
  leave (): void
}

/** Of those who do not go: the gateway itself, and what is done to its end also without its client. */
export const ALWAYS_HERE: Presence = { gone: false, onGone: () => () => {} }

/** Why something was not done to its end: there is nobody left to be told. */
export class NobodyThere extends Error {
  constructor () {
    super('whoever asked has gone')
    this.name = 'NobodyThere'
  }
}

/** Each connection has one, and few are ever waited for. */
class ConnectionPresence implements OwnPresence {
  gone = false
  private listeners: Set<() => void> | undefined

  onGone (run: () => void): () => void {
    if (this.gone) {
      run()
      return () => {}
    }
    const listener = (): void => { run() } // one of its own, so that the same function can wait twice
    const listeners = this.listeners ??= new Set()
    listeners.add(listener)
    return () => { listeners.delete(listener) }
  }

  leave (): void {
    this.gone = true
    const leaving = [...this.listeners ?? []]
    this.listeners?.clear()
    for (const run of leaving) run()
  }
}

export function createPresence (): OwnPresence {
  return new ConnectionPresence()
}
