// Does the chart repository answer? Watched where it is another program; the embedded one is
// this process's own, and has no outage. Each of several addresses is watched alone.
import { CLOCK } from '../lib/clock.ts'
import { later } from '../lib/timers.ts'
import type { OutageLog } from '../lib/outages.ts'
import { createOutages, type AddressPlace } from '../observe/outages.ts'
import { watchContact, type ContactWatch } from '../upstream/contact.ts'
import { firstContact, whatIsWrong, type Contact } from '../upstream/first-contact.ts'
import type { Config } from '../config/schema.ts'
import type { Upstream } from '../upstream/client.ts'

export interface UpstreamContact {
  /** Whether it answers as it should; undefined: nobody knows yet, or looks. */
  isUp (): boolean | undefined
  /** Of each further address. */
  areUp (): readonly (boolean | undefined)[]
  /** A request was not answered as it should be. */
  hint (): void
  /** Begins to look. */
  begin (upstream: Upstream, further: readonly Upstream[]): void
  /** Begins no look any more. */
  end (): void
  /** Resolves when nothing is asked any more. */
  ended (): Promise<void>
}

export function openContact (
  { upstream: { url, further }, charts: { depth } }: Pick<Config, 'upstream' | 'charts'>,
  log: OutageLog
): UpstreamContact {
  const outagesAt = (origin: string, place: AddressPlace): ReturnType<typeof createOutages> =>
    createOutages(log, origin, () => performance.now(), place)
  const outages = outagesAt(url ?? '', further.length === 0 ? 'only' : 'first')
  const ofFurther = further.map(origin => outagesAt(origin, 'further'))
  let watches: readonly ContactWatch[] = []
  const look = async (upstream: Upstream): Promise<Contact> => await firstContact(upstream, depth, CLOCK.wall)
  return {
    isUp: outages.isUp,
    areUp: () => ofFurther.map(each => each.isUp()),
    hint () { watches[0]?.hint() },
    begin (upstream, others) {
      if (url === undefined) return
      watches = [
        watchContact({ contact: async () => await look(upstream), outages, later }),
        ...others.map((other, i) => watchContact({
          contact: async () => inOneSentence(await look(other)),
          outages: ofFurther[i] as typeof outages,
          later,
          always: true
        }))
      ]
    },
    end () { for (const watch of watches) void watch.close() },
    async ended () { await Promise.all(watches.map(async watch => { await watch.close() })) }
  }
}

/** Of an address that nobody is answered by while the first is there. */
function inOneSentence (found: Contact): Contact {
  if (found.ok) return found
  const sentence = `a further address: ${whatIsWrong(found)}; no client notices while the first answers: ` +
    'chartgate check --upstream'
  return { ...found, sentence }
}
