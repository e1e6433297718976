// Is the chart repository there, and as the configuration says? Asked at the start, and
// whenever a request was not answered as it should be; while something is wrong again and
// again, each time after a longer pause. An address that no request goes to while it is well
// is asked each half minute.
import type { Outages } from '../lib/outages.ts'
import type { Later } from '../lib/timers.ts'
import type { Contact } from './first-contact.ts'

export interface ContactWatch {
  /** A request was not answered as it should be: looks at once, unless somebody does or just did. */
  hint (): void
  /** Resolves when nothing is asked any more. */
  close (): Promise<void>
}

export interface ContactOptions {
  readonly contact: () => Promise<Contact>
  readonly outages: Pick<Outages, 'report'>
  readonly later: Later
  /** No request would tell that something is wrong: it is asked also while nothing is. */
  readonly always?: boolean
}

/** Milliseconds between two looks. */
export const SHORTEST_PAUSE = 1_000
export const LONGEST_PAUSE = 30_000

/** Begins with the first look. */
export function watchContact ({ contact, outages, later, always = false }: ContactOptions): ContactWatch {
  let state: 'looking' | 'resting' | 'idle' = 'looking'
  let hinted = false
  let failures = 0
  let closed = false
  let endRest = (): void => {}
  let running = look()

  async function look (): Promise<void> {
    state = 'looking'
    hinted = false
    const found = await contact()
    if (closed) return
    outages.report(found.ok ? undefined : found.sentence)
    failures = found.ok ? 0 : failures + 1
    state = 'resting'
    const pause = Math.min(SHORTEST_PAUSE * 2 ** Math.max(failures - 1, 0), LONGEST_PAUSE)
    endRest = later(always && found.ok ? LONGEST_PAUSE : pause, () => {
      state = 'idle'
      if (failures > 0 || hinted || always) running = look()
    })
  }

  return {
    hint () {
      // What fails while a look runs may be its own question.
      if (state === 'resting') hinted = true
      if (state === 'idle') running = look()
    },
    async close () {
      closed = true
      endRest()
      await running
    }
  }
}
