// Can Redis be used, and since when can it not? In words for the log.
import { watchOutages, type OutageLog, type Outages } from '../lib/outages.ts'

/** @param place host and port, for the log @param clock milliseconds that only go on */
export function createRedisOutages (log: OutageLog, place: string, clock: () => number): Outages {
  return watchOutages({
    lost (sentence) {
      log.error({ redis: place }, `${sentence}; till then each replica is alone (docs/scaling.md)`)
    },
    back (seconds) {
      log.error({ redis: place, seconds }, `Redis can be used again, after ${seconds} s`)
    }
  }, clock)
}
