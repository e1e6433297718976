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
  join (key: string, fly: (alone: boolean) => Promise<T>): Promise<T>
}

/** A request to the upstream, and the one that follows it. */
interface Flight<T> {
  readonly running: Promise<T>
  next?: { promise: Promise<T>, alone: boolean }
}

export function createFlights<T> (): Flights<T> {
  const flights = new Map<string, Flight<T>>()

  function start (key: string, fly: (alone: boolean) => Promise<T>, alone: boolean): Promise<T> {
    const flight: Flight<T> = {
      running: fly(alone).finally(() => {
        if (flight.next === undefined) flights.delete(key)
      })
    }
    flights.set(key, flight)
    return flight.running
  }

  return {
    join (key, fly) {
      const flight = flights.get(key)
      if (flight === undefined) return start(key, fly, true)
      if (flight.next !== undefined) {
        flight.next.alone = false
        return flight.next.promise
      }
      const begin = (): Promise<T> => start(key, fly, next.alone)
      const next = { alone: true, promise: flight.running.then(begin, begin) }
      flight.next = next
      return next.promise
    }
  }
}
