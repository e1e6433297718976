// Is the upstream worth a question now? When several in a row had no answer at all, it is
// asked for its health page; when that has none either, clients are refused at once, and
// the page is asked for again each second until there is an answer. So it is never a
// tenant's slow index or broken chart that keeps everybody out: whatever the page, or any
// client, is answered, it is there.
import type { Later } from '../lib/timers.ts'

export const BREAKER_STATES = ['closed', 'doubted', 'open', 'half_open'] as const
export type BreakerState = typeof BREAKER_STATES[number]

/**
 * `doubt`: as many questions in a row had no answer as it takes; `answer`: somebody was
 * answered, whatever that was; `silence`: the page was not; `unknown`: it could not be asked
 * for; `due`: it is time to ask for it again.
 */
type Event = 'doubt' | 'answer' | 'silence' | 'unknown' | 'due'

/** What is not here changes nothing. */
const NEXT: Readonly<Record<BreakerState, Readonly<Partial<Record<Event, BreakerState>>>>> = {
  closed: { doubt: 'doubted' },
  doubted: { answer: 'closed', silence: 'open', unknown: 'closed' },
  open: { answer: 'closed', due: 'half_open' },
  half_open: { answer: 'closed', silence: 'open', unknown: 'open' }
}

/** Questions in a row without an answer. */
export const MOST_UNANSWERED = 5
/** Milliseconds between the end of one look at the page and the next. */
export const PROBE_PAUSE = 1_000

/** Whom it keeps out are clients; what was begun for one is done to its end. */
export interface Breaker {
  state (): BreakerState
  /** Nobody is to wait for an answer now. */
  isOpen (): boolean
  /** An answer has begun, of whatever status. */
  answered (): void
  /** There was no connection, it broke before an answer began, or none began in time. */
  failed (): void
  /** Nothing is asked for any more. */
  close (): void
}

export interface BreakerOptions {
  /** Asks for the page: was there an answer, of whatever status? */
  readonly probe: () => Promise<'answer' | 'silence' | 'unknown'>
  readonly later: Later
  /** Milliseconds of a clock that only goes on. */
  readonly clock: () => number
  /** Hears that clients are refused from now on, and after how many milliseconds no more. */
  readonly onChange: (change: { readonly isOpen: true } | { readonly isOpen: false, readonly ms: number }) => void
}

export function createBreaker ({ probe, later, clock, onChange }: BreakerOptions): Breaker {
  let state: BreakerState = 'closed'
  let unanswered = 0
  let openedAt = 0
  /** Which look counts: one that began before an answer says nothing of the time after it. */
  let looks = 0
  let closed = false
  let endPause = (): void => {}
  const isOpen = (): boolean => state === 'open' || state === 'half_open'

  function hear (event: Event): void {
    const next = closed ? undefined : NEXT[state][event]
    if (next === undefined) return
    const wasOpen = isOpen()
    state = next
    endPause()
    looks++
    if (next === 'closed') unanswered = 0
    if (next === 'doubted' || next === 'half_open') void look(looks)
    if (next === 'open') endPause = later(PROBE_PAUSE, () => { hear('due') })
    if (isOpen() === wasOpen) return
    if (!wasOpen) openedAt = clock()
    onChange(wasOpen ? { isOpen: false, ms: clock() - openedAt } : { isOpen: true })
  }

  async function look (number: number): Promise<void> {
    const found = await probe()
    if (number === looks) hear(found)
  }

  return {
    state: () => state,
    isOpen,
    answered () {
      unanswered = 0
      if (state !== 'closed') hear('answer')
    },
    failed () {
      unanswered++
      if (unanswered >= MOST_UNANSWERED) hear('doubt')
    },
    close () {
      closed = true
      endPause()
    }
  }
}
