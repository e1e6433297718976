// What is open in this process, what keeps clients from being served, and how does it end?
// Whoever opens something says here how it is closed.
import type { Pulse } from '../lib/pulse.ts'
import type { Front } from './front.ts'

export interface Lifecycle<Serving extends Front> {
  /** What is closed in the end, the last one first. */
  readonly opened: (() => Promise<unknown>)[]
  /** Who has the clients; undefined before that is open. */
  front: Serving | undefined
  /** What keeps clients from being served; undefined: nothing. */
  hindrance (): string | undefined
  /** Drains and closes everything; false when something did not end well. */
  stop (): Promise<boolean>
}

/** @param pulse closed at the very end */
export function createLifecycle<Serving extends Front> (pulse: Pulse): Lifecycle<Serving> {
  let closing = false
  return {
    opened: [async () => { pulse.close() }],
    front: undefined,
    hindrance () {
      if (closing) return 'shutting down'
      if (this.front === undefined) return 'starting'
      return pulse.stuck() ?? this.front.hindrance()
    },
    async stop () {
      closing = true
      const endedWell = await this.front?.close() ?? true
      for (const close of this.opened.splice(0).reverse()) await close()
      return endedWell
    }
  }
}
