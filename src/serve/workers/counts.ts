// What do all workers count together? Each says it once a second, and when somebody looks. One
// that hangs counts with what it said last, and one that has ended leaves its counters here:
// what they lack is what it counted in its last second, and no sum ever falls.
import type { Later } from '../../lib/timers.ts'
import type { Meter, Snapshot } from '../../metrics/meter.ts'
import { addLasting, askLibrary, type OfLibrary } from '../../metrics/prom.ts'
import type { Collected } from '../../metrics/scrape.ts'
import { createTotal } from '../../metrics/total.ts'
import type { Member, Office } from './member.ts'
import type { Channel, ToPrimary, ToWorker } from './messages.ts'

/** In a worker: says what it counted. What the library knows costs more, and is said to who looks. */
export function sayCounts (channel: Channel<ToWorker, ToPrimary>, meter: Pick<Meter, 'snapshot'>): void {
  channel.receive(message => {
    if (message.kind === 'ping') channel.send({ kind: 'counted', snapshot: meter.snapshot() })
    if (message.kind !== 'count') return
    const { round } = message
    void askLibrary().then(library => {
      channel.send({ kind: 'counted', round, snapshot: meter.snapshot(), library })
    })
  })
}

export interface CountsOffice extends Office {
  /** What all of them count, with `own` of this process, which is asked last. */
  collect (own: () => Snapshot): Promise<Collected>
  /** How many did not answer the last time. */
  unheard (): number
}

/** Milliseconds that somebody who looks waits for a worker. */
export const COUNTS_PATIENCE = 1_000

/** What a worker said last. */
interface Said {
  snapshot: Snapshot
  library: OfLibrary
  /** The last question that it answered. */
  round: number
}

const NOTHING: Snapshot = { rows: {}, tenants: [] }

/** Collects, in the primary. */
export function createCountsOffice (later: Later): CountsOffice {
  const admitted = new Set<string>()
  const members = new Map<Member, Said>()
  const ended = createTotal(admitted)
  let endedLibrary: Promise<OfLibrary> = Promise.resolve([])
  let round = 0
  let unheard = 0
  let answered = (): void => {}

  const silent = (): Said[] => [...members.values()].filter(said => said.round < round)

  async function askAll (): Promise<void> {
    round++
    for (const member of members.keys()) member.send({ kind: 'count', round })
    await new Promise<void>(resolve => {
      const cancel = later(COUNTS_PATIENCE, resolve)
      answered = () => {
        if (silent().length > 0) return
        cancel()
        resolve()
      }
      answered()
    })
    unheard = silent().length
  }

  return {
    join (member) {
      const said: Said = { snapshot: NOTHING, library: [], round: 0 }
      members.set(member, said)
      member.receive(message => {
        // What arrives after its end is in the sum of the ended already, as far as it was known.
        if (message.kind !== 'counted' || !members.has(member)) return
        said.snapshot = message.snapshot
        if (message.library !== undefined) said.library = message.library
        if (message.round !== undefined) said.round = message.round
        answered()
      })
    },
    leave (member) {
      const said = members.get(member)
      if (said === undefined) return
      members.delete(member)
      ended.addLasting(said.snapshot)
      const before = endedLibrary
      endedLibrary = before.then(async library => await addLasting(library, said.library))
      answered()
    },
    async collect (own) {
      await askAll()
      const ownLibrary = await askLibrary()
      let [last, ofEnded] = [endedLibrary, await endedLibrary]
      // Nobody may end between this and what follows: they would be in neither.
      while (last !== endedLibrary) [last, ofEnded] = [endedLibrary, await endedLibrary]
      const total = createTotal(admitted)
      total.add(own())
      total.add(ended.snapshot())
      for (const { snapshot } of members.values()) total.add(snapshot)
      const libraries = [ownLibrary, ofEnded, ...[...members.values()].map(({ library }) => library)]
      return { snapshot: total.snapshot(), libraries }
    },
    unheard: () => unheard
  }
}
