// What is counted in the process that answers for all, and who is told what? Its own meter,
// those of the workers, and what it alone knows of files, keys, robots and the upstream.
import { statSync } from 'node:fs'
import type { AppDependencies } from '../app.ts'
import type { LiveKeys } from '../live/live-keys.ts'
import { liveOf, type OpenedTls } from '../live/live-tls.ts'
import type { ReloadReport } from '../live/part.ts'
import type { LiveAuthority } from '../live/reload.ts'
import type { Every, Later } from '../lib/timers.ts'
import { watchEventLoop } from '../metrics/event-loop.ts'
import { createMeter, type Meter } from '../metrics/meter.ts'
import type { Form } from '../metrics/prom.ts'
import { readWhole, type WholeRooms } from '../metrics/readings.ts'
import { createScrape } from '../metrics/scrape.ts'
import { firstEnd } from '../tls/material.ts'
import type { StatedKey } from '../tokens/ring.ts'
import type { UpstreamOptions } from '../upstream/client.ts'
import { createCountsOffice, type CountsOffice } from './workers/counts.ts'

type LogStream = Pick<AppDependencies['logStream'], 'lost'>

/** A process's own meter, with what every process measures. */
export interface OwnMeter {
  readonly meter: Meter
  readonly onAnswer: Required<UpstreamOptions>['onAnswer']
  close (): void
}

/** @param auditLost how many lines of the audit log were lost, in the process that writes it */
export function openMeter (logStream: LogStream, every: Every, auditLost?: () => number): OwnMeter {
  const meter = createMeter()
  const close = watchEventLoop(meter, every)
  meter.read('chartgate_lines_lost_total', () => [logStream.lost?.(), auditLost?.()])
  return { meter, close, onAnswer: (method, result, ms) => { meter.upstreamAnswered(method, result, ms / 1000) } }
}

export interface Measuring extends OwnMeter {
  /** Where workers say what they count. */
  readonly counts: CountsOffice
  readonly scrape: (form: Form) => Promise<string>
  readonly countReload: ReloadReport
  readonly onReplaced: () => void
}

export interface MeasuringOptions extends Pick<WholeRooms, 'now' | 'upstreamUp' | 'furtherUp'> {
  readonly logStream: LogStream
  readonly auditLost: () => number
  readonly live: LiveAuthority
  readonly keys: LiveKeys
  readonly tls: Pick<OpenedTls, 'parts'>
  /** How many workers listen of how many; undefined: there are none. */
  readonly workers: () => { readonly wanted: number, readonly listening: number } | undefined
  readonly every: Every
  readonly later: Later
}

/** In the order of CERTIFICATE (metrics/table.ts). */
const PLACES = ['listen.tls', 'listen.tls.clientCa', 'admin.tls', 'upstream.tls'] as const

/** For the process that answers for all. */
export function openMeasuring (
  { logStream, auditLost, live, keys, tls, workers, every, later, now, upstreamUp, furtherUp }: MeasuringOptions
): Measuring {
  const own = openMeter(logStream, every, auditLost)
  const { meter } = own
  const counts = createCountsOffice(later)
  let isSound = true
  readWhole(meter, {
    signingSince: () => signingSince(keys, now()),
    robots: () => live.current.accounts.robots.values(),
    certificates: () => PLACES.map(key => {
      const place = liveOf(tls, key)
      return place === undefined ? undefined : firstEnd(place.current)
    }),
    upstreamUp,
    furtherUp,
    workers () {
      const known = workers()
      return known === undefined ? undefined : { ...known, unheard: counts.unheard() }
    },
    now
  })
  meter.read('chartgate_last_reload_successful', () => [Number(isSound)])
  return {
    ...own,
    counts,
    scrape: createScrape(async () => await counts.collect(meter.snapshot)),
    countReload (facts) {
      isSound = facts.isSound
      meter.count('chartgate_reloads_total', isSound ? 0 : 1)
    },
    onReplaced () { meter.count('chartgate_workers_restarted_total') }
  }
}

/** Since when the key signs, in seconds since the epoch: as its name says, and else as old as its file is. */
function signingSince ({ current: { ring } }: LiveKeys, now: number): number | undefined {
  const [{ since = 0 }] = ring.states(now) as readonly [StatedKey] // the one that signs is the first
  if (since > 0) return since
  const stat = statSync(ring.signing(now).file, { throwIfNoEntry: false })
  return stat === undefined ? undefined : stat.mtimeMs / 1000
}
