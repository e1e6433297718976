// Can Redis be used, and since when can it not? One line when that changes, and none in between.

export interface OutageLog {
  error (fields: object, message: string): void
}

export interface RedisOutages {
  /** What came of a question: what is wrong; undefined: nothing. */
  report (sentence: string | undefined): void
  /** Undefined before the first report. */
  isUp (): boolean | undefined
}

/** @param place host and port, for the log @param clock milliseconds that only go on */
export function createRedisOutages (log: OutageLog, place: string, clock: () => number): RedisOutages {
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
        log.error({ redis: place }, `${sentence}; till then each replica is alone (docs/scaling.md)`)
        return
      }
      const seconds = Math.round((clock() - since) / 1000)
      log.error({ redis: place, seconds }, `Redis can be used again, after ${seconds} s`)
    }
  }
}
