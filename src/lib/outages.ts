// Can something be used, and since when can it not? One line for each change and none in
// between, however many ask: at the end how long it lasted.

export interface OutageLog {
  error (fields: object, message: string): void
}

export interface Outages {
  /** What is wrong now, with what to look at; undefined: nothing. */
  report (sentence: string | undefined): void
  /** Undefined before the first report. */
  isUp (): boolean | undefined
}

/** How it is said. */
export interface OutageWords {
  /** It cannot be used, for another reason than before. */
  lost (sentence: string): void
  /** It can be used again. */
  back (seconds: number): void
}

/** @param clock milliseconds that only go on */
export function watchOutages ({ lost, back }: OutageWords, clock: () => number): Outages {
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
      if (sentence !== undefined) lost(sentence)
      else back(Math.round((clock() - since) / 1000))
    }
  }
}
