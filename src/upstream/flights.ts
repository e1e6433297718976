// How often is the upstream asked for the same thing? Once at a time, however many ask: a
// request that comes while one runs waits for the next one, because what runs already may
// have been answered before it came. So nobody gets an answer that is older than their
// request, and the upstream gets one request where clients send many. Asked by the index
// store and the file reader, behind authorization.

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

  function begin (key: string, passengers: readonly [Passenger<T>, ...Passenger<T>[]]): void {
    waiting.set(key, [])
    const landed = (settle: (passenger: Passenger<T>) => void): void => {
      const [first, ...others] = waiting.get(key) as Passenger<T>[]
      // The upstream gets its next request first: it can work while these are answered.
      if (first === undefined) waiting.delete(key)
      else begin(key, [first, ...others])
      inTurns(passengers, settle)
    }
    passengers[0].fly(passengers.length === 1).then(
      result => { landed(({ resolve }) => { resolve(result) }) },
      (error: unknown) => { landed(({ reject }) => { reject(error) }) }
    )
  }

  return {
    join (key, fly) {
      return new Promise((resolve, reject) => {
        const passenger = { fly, resolve, reject }
        const others = waiting.get(key)
        if (others === undefined) begin(key, [passenger])
        else others.push(passenger)
      })
    }
  }
}

/** Calls for a few at once, the others in the next turns of the event loop. */
function inTurns<P> (all: readonly P[], call: (one: P) => void, from = 0): void {
  const to = from + AT_ONCE
  for (const one of all.slice(from, to)) call(one)
  if (to < all.length) setImmediate(() => { inTurns(all, call, to) })
}
