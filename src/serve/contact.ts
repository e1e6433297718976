// Does the chart repository answer? Watched where it is another program; the embedded one is
// this process's own, and has no outage.
import { CLOCK } from '../lib/clock.ts'
import { later } from '../lib/timers.ts'
import { createOutages, type OutageLog } from '../observe/outages.ts'
import { watchContact, type ContactWatch } from '../upstream/contact.ts'
import { firstContact } from '../upstream/first-contact.ts'
import type { Config } from '../config/schema.ts'
import type { Upstream } from '../upstream/client.ts'

export interface UpstreamContact {
  /** Whether it answers as it should; undefined: nobody knows yet, or looks. */
  isUp (): boolean | undefined
  /** A request was not answered as it should be. */
  hint (): void
  /** Begins to look. */
  begin (upstream: Upstream): void
  /** Begins no look any more. */
  end (): void
  /** Resolves when nothing is asked any more. */
  ended (): Promise<void>
}

export function openContact ({ upstream: { url }, charts: { depth } }: Config, log: OutageLog): UpstreamContact {
  const outages = createOutages(log, url ?? '', () => performance.now())
  let watch: ContactWatch | undefined
  return {
    isUp: outages.isUp,
    hint () { watch?.hint() },
    begin (upstream) {
      if (url === undefined) return
      watch = watchContact({
        contact: async () => await firstContact(upstream, depth, CLOCK.wall),
        outages,
        later
      })
    },
    end () { void watch?.close() },
    async ended () { await watch?.close() }
  }
}
