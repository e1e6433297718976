// How often is the upstream asked for the same thing? Once at a time, however many ask: a
// request that comes while one runs waits for the next one, because what runs already may
// have been answered before it came. So nobody gets an answer that is older than their
// request, and the upstream gets one request where clients send many. Whoever comes while
// one waits for a connection, and so has not been asked yet, is on it still.
import { endOfTurn } from '../lib/turn.ts'
import { Company } from '../lib/company.ts'
import type { Asker, Asking } from './asker.ts'

export interface Flights<T> {
  /**
   * Takes the first flight that begins from now on; rejects with NobodyThere for who has gone before that.
   * @param fly asks the upstream, when the key's turn has come, for all who are in the company when it does
   */
  join (key: string, asker: Asker, fly: Fly<T>): Promise<T>
}

type Fly<T> = (company: Company<Asking>) => Promise<T>

interface Passenger<T> extends Asking {
  readonly fly: Fly<T>
  resolve (result: T): void
  reject (error: unknown): void
}

/** Of one key: who is on the flight, and who waits for the next one. */
interface FlightRoute<T> {
  now: Company<Passenger<T>>
  next: Company<Passenger<T>> | undefined
}

/**
 * So many get their answer in one turn of the event loop, or a part of a company that is larger.
 * Were it all, they would come back all together, before anything else is looked at, and wait for
 * their next flight all together, with nothing left to do meanwhile; like this they become two
 * groups, one of which is answered while the upstream is asked for the other
 * (docs/performance.md). Were it a number, the last of thousands would wait for as many turns as
 * that goes into them, each longer than the one before: those who were called ask again.
 */
const LEAST_AT_ONCE = 8
const PART_AT_ONCE = 1 / 4

export function createFlights<T> (): Flights<T> {
  const routes = new Map<string, FlightRoute<T>>()

  function begin (key: string, company: Company<Passenger<T>>, { fly }: Passenger<T>): void {
    const route: FlightRoute<T> = { now: company, next: undefined }
    routes.set(key, route)
    const landed = async (settle: (passenger: Passenger<T>) => void): Promise<void> => {
      const { next } = route
      next?.forgetGone()
      // The upstream gets its next request first: it can work while these are answered.
      if (next?.present === undefined) routes.delete(key)
      else begin(key, next, next.present)
      await callInTurns(company.members, settle)
    }
    fly(company).then(
      async result => { await landed(({ resolve }) => { resolve(result) }) },
      async (error: unknown) => { await landed(({ reject }) => { reject(error) }) }
    )
  }

  return {
    join (key, asker, fly) {
      return new Promise((resolve, reject) => {
        const passenger = { asker, fly, resolve, reject }
        asker.waits.askedAt = performance.now()
        const route = routes.get(key)
        if (route === undefined) begin(key, new Company(passenger), passenger)
        else if (!route.now.join(passenger) && route.next?.join(passenger) !== true) route.next = new Company(passenger)
      })
    }
  }
}

/** Calls for some at once, the others in the next turns of the event loop. */
async function callInTurns<P> (all: readonly P[], call: (one: P) => void): Promise<void> {
  const atOnce = Math.max(LEAST_AT_ONCE, Math.ceil(all.length * PART_AT_ONCE))
  for (const [i, one] of all.entries()) {
    if (i > 0 && i % atOnce === 0) await endOfTurn()
    call(one)
  }
}
