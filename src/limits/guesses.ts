// Which passwords are being hashed, and for whom? One password for one account from one
// address is one guess, though several workers hash it at once. Whoever hashes it has a
// ticket, and says with that what became of it; the first who knows it closes the guess, and
// so does the last of those who do not.
import type { Login, Outcome, Refused } from './login.ts'

/** A ticket, for who may begin. */
export type Beginning = { readonly ok: true, readonly ticket: number } | Refused

/** A guess that may be hashed; it is closed once. */
export type Opened = { readonly ok: true, close (outcome: Outcome): Promise<void> } | Refused

export interface Guesses {
  /** @throws what opening it throws */
  begin (login: Login): Promise<Beginning>
  /** What became of the hash; of a ticket that was settled already, or never given, nothing. */
  settle (ticket: number, outcome: Outcome): Promise<void>
}

interface Guess {
  readonly name: string
  readonly opened: Promise<Opened>
  /** So many hash it, or are about to. */
  times: number
  isClosed: boolean
}

/** @param open is asked once for each guess */
export function createGuesses (open: (login: Login) => Promise<Opened>): Guesses {
  /** Those that others may join, by name. */
  const current = new Map<string, Guess>()
  const tickets = new Map<number, { readonly guess: Guess, readonly close: (outcome: Outcome) => Promise<void> }>()
  let last = 0

  function leave (guess: Guess): void {
    if (current.get(guess.name) === guess) current.delete(guess.name)
  }

  function create (login: Login, name: string): Guess {
    const guess: Guess = { name, opened: open(login), times: 0, isClosed: false }
    current.set(name, guess)
    guess.opened.then(({ ok }) => { if (!ok) leave(guess) }, () => { leave(guess) })
    return guess
  }

  return {
    async begin (login) {
      const name = `${login.origin} ${login.account} ${login.proof}`
      const guess = current.get(name) ?? create(login, name)
      guess.times++
      const opened = await guess.opened
      if (!opened.ok) return opened
      const ticket = ++last
      tickets.set(ticket, { guess, close: opened.close })
      return { ok: true, ticket }
    },
    async settle (ticket, outcome) {
      const found = tickets.get(ticket)
      if (found === undefined) return
      const { guess, close } = found
      tickets.delete(ticket)
      guess.times--
      if (guess.isClosed || (outcome === 'failed' && guess.times > 0)) return
      guess.isClosed = true
      leave(guess)
      await close(outcome)
    }
  }
}
