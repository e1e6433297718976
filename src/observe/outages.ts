// Does the upstream answer, and since when does it not? One line for each change and none
// in between, however many requests see it: `error`, because nobody is served, and at the
// end how long that lasted.
import { watchOutages, type OutageLog, type Outages } from '../lib/outages.ts'

/** Which of several addresses it is; `only`: there is one. */
export type AddressPlace = 'only' | 'first' | 'further'

const NAMES: Readonly<Record<AddressPlace, string>> = {
  only: 'the chart repository',
  first: 'the first address of the chart repository',
  further: 'this further address of the chart repository'
}

/** @param clock milliseconds that only go on */
export function createOutages (
  log: OutageLog,
  upstream: string,
  clock: () => number,
  place: AddressPlace = 'only'
): Outages {
  return watchOutages({
    lost (sentence) { log.error({ upstream }, sentence) },
    back (seconds) { log.error({ upstream, seconds }, `${NAMES[place]} answers again, after ${seconds} s`) }
  }, clock)
}

const ANSWERS_NOTHING: Readonly<Record<AddressPlace, string>> = {
  only: `${NAMES.only} answers nothing: clients get 503 at once, until it does`,
  first: `${NAMES.first} answers nothing: until it does, changes get 503 at once, and so ` +
    'do reads where no other address follows it',
  further: `${NAMES.further} answers nothing, and is asked nothing until it does`
}

/** Says when clients are not let through to it any more, and when they are again. */
export function sayBreaker (
  log: OutageLog,
  upstream: string,
  place: AddressPlace = 'only'
): (change: { readonly isOpen: true } | { readonly isOpen: false, readonly ms: number }) => void {
  return change => {
    if (change.isOpen) {
      log.error({ upstream }, ANSWERS_NOTHING[place])
    } else {
      const seconds = Math.round(change.ms / 1000)
      log.error({ upstream, seconds }, `${NAMES[place]} is asked again, after ${seconds} s`)
    }
  }
}

export interface FollowerLog {
  info (fields: object, message: string): void
  warn (fields: object, message: string): void
}

/** Says whether a further address is read from while the first is away. */
export function sayFollower (
  log: FollowerLog,
  upstream: string
): (state: 'unproven' | 'follows' | 'behind') => void {
  return state => {
    if (state === 'follows') {
      log.info({ upstream }, 'this address has shown the last changes at once: it is read from while the first is away')
    } else if (state === 'behind') {
      log.warn({ upstream }, 'this address does not show a change that the first shows, and is not read from: do ' +
        'both have one storage, and is it run with --always-regenerate-chart-index?')
    } else {
      log.warn({ upstream }, 'this address did not say whether it shows a change: it is not read from until it has ' +
        'shown it, or the next ones')
    }
  }
}
