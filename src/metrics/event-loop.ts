// How long did everybody wait for the event loop? The longest delay of each second, so that
// no look is needed to see it and a look forgets nothing.
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Every } from '../lib/timers.ts'
import type { Meter } from './meter.ts'

const LOOK_EVERY = 1_000
/** Milliseconds between two samples; Node counts these to each delay. */
const RESOLUTION = 20

/** @returns what ends it */
export function watchEventLoop (meter: Pick<Meter, 'eventLoopDelay'>, every: Every): () => void {
  const delays = monitorEventLoopDelay({ resolution: RESOLUTION })
  delays.enable()
  const end = every(LOOK_EVERY, () => {
    meter.eventLoopDelay(Math.max(0, delays.max / 1e9 - RESOLUTION / 1000))
    delays.reset()
  })
  return () => {
    end()
    delays.disable()
  }
}
