// How often is the upstream asked for the same thing? Once at a time, however many ask: a
// request that comes while one runs waits for the next one, because what runs already may
// have been answered before it came. So nobody gets an answer that is older than their
// request, and the upstream gets one request where clients send many. Asked by the index
// store and the file reader, behind authorization.
import { endOfTurn } from '../http/turn.ts'

export interface Flights<T> {
  /**
   * Takes the first flight that begins from now on.
   * @param fly asks the upstream, when the key's turn has come; `alone`: for nobody else
   */
  join (key: string, fly: Fly<T>): Promise<T>
}

type Fly<T> = (alone: boolean) => Promise<T>

interface Passenger<T> {
  readonly fly: Fly<T>
  resolve (result: T): void
  reject (error: unknown): void
}

/**
 * So many get their answer in one turn of the event loop. Were it all, they would come
 * back all together, before anything else is looked at, and wait for their next flight
 * all together, with nothing left to do meanwhile; like this they become two groups, one
 * of which is answered while the upstream is asked for the other (docs/performance.md).
 */
const AT_ONCE = 8

export function createFlights<T> (): Flights<T> {
  /** Who waits for the next flight, for each key of which one is in the air. */
  const waiting = new Map<string, Passenger<T>[]>()

  function begin (key: string, passengers: readonly Passenger<T>[], fly: Fly<T>): void {
    waiting.set(key, [])
    const landed = async (settle: (passenger: Passenger<T>) => void): Promise<void> => {
      const next = waiting.get(key) as Passenger<T>[]
      // The upstream gets its next request first: it can work while these are answered.
      if (next[0] === undefined) waiting.delete(key)
      else begin(key, next, next[0].fly)
      await inTurns(passengers, settle)
    }
    fly(passengers.length === 1).then(
      async result => { await landed(({ resolve }) => { resolve(result) }) },
      async (error: unknown) => { await landed(({ reject }) => { reject(error) }) }
    )
  }

  return {
    join (key, fly) {
      return new Promise((resolve, reject) => {
        const passenger = { fly, resolve, reject }
        const others = waiting.get(key)
        if (others === undefined) begin(key, [passenger], fly)
        else others.push(passenger)
      })
    }
  }
}

/** Calls for a few at once, the others in the next turns of the event loop. */
async function inTurns<P> (all: readonly P[], call: (one: P) => void): Promise<void> {
  for (const [i, one] of all.entries()) {
    if (i > 0 && i % AT_ONCE === 0) await endOfTurn()
    call(one)
  }
}
