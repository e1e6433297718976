// Does the upstream answer, and since when does it not? One line for each change and none
// in between, however many requests see it: `error`, because nobody is served, and at the
// end how long that lasted.

export interface OutageLog {
  error (fields: object, message: string): void
}

export interface Outages {
  /** What is wrong now, with what to look at; undefined: nothing. */
  report (sentence: string | undefined): void
  /** Whether it answers as it should; undefined before the first report. */
  isUp (): boolean | undefined
}

/** @param clock milliseconds that only go on */
export function createOutages (log: OutageLog, upstream: string, clock: () => number): Outages {
  let now: string | undefined
  let since = 0
  let reported = false
  return {
    isUp: () => reported ? now === undefined : undefined,
    report (sentence) {
      reported = true
      if (sentence === now) return
      if (now === undefined) since = clock()
      now = sentence
      if (sentence !== undefined) {
        log.error({ upstream }, sentence)
        return
      }
      const seconds = Math.round((clock() - since) / 1000)
      log.error({ upstream, seconds }, `the chart repository answers again, after ${seconds} s`)
    }
  }
}

/** Says when clients are not let through to it any more, and when they are again. */
export function sayBreaker (
  log: OutageLog,
  upstream: string
): (change: { readonly isOpen: true } | { readonly isOpen: false, readonly ms: number }) => void {
  return change => {
    if (change.isOpen) {
      log.error({ upstream }, 'the chart repository answers nothing: clients get 503 at once, until it does')
    } else {
      const seconds = Math.round(change.ms / 1000)
      log.error({ upstream, seconds }, `the chart repository is asked for clients again, after ${seconds} s`)
    }
  }
}
