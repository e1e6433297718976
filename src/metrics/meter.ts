// What has this process counted? Requests when they end, answers of the upstream, and the
// numbers that rooms keep anyway and are asked for when somebody looks. A snapshot is all of
// it as plain numbers, for whoever adds up several processes.
import type { Action } from '../words/access.ts'
import type { ReasonCode } from '../http/reasons.ts'
import type { IndexMade } from '../observe/outcome.ts'
import {
  ACTION, ASKED, ENDED, HTTP_ROUTE, HTTP_STATUS, NONE, OTHER, OTHER_METHOD, ROUTE, UPSTREAM_ANSWER, UPSTREAM_METHOD,
  endingOf
} from './axes.ts'
import { createCounts, createTimes, placesOf, type Row } from './cells.ts'
import { derived } from './derived.ts'
import { MADE, METRICS, TENANT_ENDING, seriesOf, type MetricName } from './table.ts'
import { createTenantCounts, type TenantRow } from './tenants.ts'

export interface Snapshot {
  /** What is not 0, and every gauge that has a value. */
  readonly rows: Readonly<Partial<Record<MetricName, readonly Row[]>>>
  readonly tenants: readonly TenantRow[]
}

/** What was asked. */
export interface AskedFor {
  readonly route: string
  /** Undefined: no right of a repository was asked for. */
  readonly action: Action | undefined
  readonly method: string
}

/** Where requests for the same are counted, as `placesOf` says. */
export interface RequestPlaces {
  /** The first of what they ask for, by outcome and reason. */
  readonly asked: number
  /** The first of their HTTP route and method, by status. */
  readonly http: number
  readonly route: number
}

/** How a request has ended. */
export interface EndedRequest {
  /** Undefined: its answer did not come to its end. */
  readonly status: number | undefined
  readonly reason: ReasonCode | undefined
  /** Seconds, of all and of the gateway's own. */
  readonly seconds: number
  readonly ownSeconds: number
  /** Bytes that came, and that went. */
  readonly received: number
  readonly sent: number
  readonly made: IndexMade | 'not_modified' | undefined
}

/** Numbers that somebody keeps, each for a place of the metric; undefined: there is none now. */
export type Reading = () => readonly (number | undefined)[]

export interface Meter {
  /** Found once for many requests that ask for the same: five look-ups cost a hundredth of an answer. */
  placesOf (asked: AskedFor): RequestPlaces
  ended (places: RequestPlaces, request: EndedRequest): void
  /** One that is not answered, nor ever will be. */
  dropped (route: string, action: Action | undefined): void
  /** Bytes that were no request, refused as soon as they came. */
  refusedEarly (reason: ReasonCode): void
  /** @param known it is one that may have a series @param reason undefined: it was answered */
  ofTenant (tenant: string, known: boolean, action: Action, reason: ReasonCode | undefined): void
  /** @param result its status, or why there was none */
  upstreamAnswered (method: 'GET' | 'POST' | 'DELETE', result: number | ReasonCode, seconds: number): void
  /** The longest delay of a second. */
  eventLoopDelay (seconds: number): void
  count (name: 'chartgate_reloads_total' | 'chartgate_workers_restarted_total', place?: number): void
  /** From now on this is asked for each snapshot. */
  read (name: MetricName, reading: Reading): void
  snapshot (): Snapshot
}

const [ASKED_AT, ENDED_AT, ROUTE_AT, HTTP_ROUTE_AT, STATUS_AT] =
  [placesOf(ASKED), placesOf(ENDED), placesOf(ROUTE), placesOf(HTTP_ROUTE), placesOf(HTTP_STATUS)]
const [MADE_AT, METHOD_AT] = [placesOf(MADE), placesOf(UPSTREAM_METHOD)]
const [ACTION_AT, TENANT_ENDING_AT] = [placesOf(ACTION), placesOf(TENANT_ENDING)]
const SUCCESS = ENDED_AT.at('success', NONE)
const ABORTED = ENDED_AT.at('aborted', NONE)
const DROPPED = ENDED_AT.at('dropped', NONE)
const [ENDINGS, STATUSES, ROUTES] = [ENDED.values.length, HTTP_STATUS.values.length, ROUTE.values.length]
const [ANSWERS, TENANT_ENDINGS] = [UPSTREAM_ANSWER.values.length, TENANT_ENDING.values.length]
const [OTHER_STATUS, NO_STATUS] = [STATUS_AT.at(OTHER), STATUS_AT.at(NONE)]
/** In place of texts, which would be made for each request. */
const STATUS_PLACES = new Map(HTTP_STATUS.values.map(([status], place) => [Number(status), place]))
const ENDING_PLACES: ReadonlyMap<string | undefined, number> =
  new Map(ENDED.values.map(([, reason], place) => [reason, place]))
/** By status, or by why there was none. */
const ANSWER_PLACES: ReadonlyMap<number | string, number> =
  new Map(UPSTREAM_ANSWER.values.map(
    ([status, reason], place) => [status === NONE ? reason as string : Number(status), place]
  ))
const OTHER_ANSWER = placesOf(UPSTREAM_ANSWER).at(OTHER, NONE)
const TENANT_WIDTH = seriesOf(METRICS.chartgate_tenant_requests_total)

function askedAt (route: string, action: Action | undefined): number {
  return ASKED_AT.at(route, action ?? NONE) * ENDINGS
}

export function createMeter (): Meter {
  const requests = createCounts('chartgate_requests_total')
  const durations = createTimes('http_server_request_duration_seconds')
  const own = createTimes('chartgate_own_duration_seconds')
  const upstream = createTimes('http_client_request_duration_seconds')
  const bytes = createCounts('chartgate_network_bytes_total')
  const indexes = createCounts('chartgate_index_answers_total')
  const delays = createTimes('chartgate_event_loop_delay_seconds')
  const reloads = createCounts('chartgate_reloads_total')
  const restarts = createCounts('chartgate_workers_restarted_total')
  const tenants = createTenantCounts(TENANT_WIDTH)
  const readings: (readonly [MetricName, Reading])[] = []

  function countRequest (route: string, action: Action | undefined, ending: number): void {
    requests.add(askedAt(route, action) + ending)
  }

  return {
    placesOf ({ route, action, method }) {
      const known = HTTP_ROUTE_AT.at(route, method)
      const http = known < 0 ? HTTP_ROUTE_AT.at(NONE, OTHER_METHOD) : known
      return { asked: askedAt(route, action), http: http * STATUSES, route: ROUTE_AT.at(route) }
    },
    ended ({ asked, http, route }, { status, reason, seconds, ownSeconds, received, sent, made }) {
      const ending = reason === undefined ? status === undefined ? ABORTED : SUCCESS : ENDING_PLACES.get(reason)
      requests.add(asked + (ending as number))
      const place = status === undefined ? NO_STATUS : STATUS_PLACES.get(status) ?? OTHER_STATUS
      durations.observe(http + place, seconds)
      if (status !== undefined) own.observe(route, ownSeconds)
      bytes.add(route, received)
      bytes.add(ROUTES + route, sent)
      if (made !== undefined) indexes.add(MADE_AT.at(made))
    },
    dropped (route, action) { countRequest(route, action, DROPPED) },
    refusedEarly (reason) { countRequest(NONE, undefined, ENDING_PLACES.get(reason) as number) },
    ofTenant (tenant, known, action, reason) {
      const ending = reason === undefined ? 'success' : endingOf(reason)
      const place = TENANT_ENDING_AT.at(ending)
      if (place >= 0) tenants.add(tenant, known, ACTION_AT.at(action) * TENANT_ENDINGS + place)
    },
    upstreamAnswered (method, result, seconds) {
      upstream.observe(METHOD_AT.at(method) * ANSWERS + (ANSWER_PLACES.get(result) ?? OTHER_ANSWER), seconds)
    },
    eventLoopDelay (seconds) { delays.observe(0, seconds) },
    count (name, place = 0) { (name === 'chartgate_reloads_total' ? reloads : restarts).add(place) },
    read (name, reading) { readings.push([name, reading]) },
    snapshot () {
      const counted = requests.rows()
      const rows: Partial<Record<MetricName, readonly Row[]>> = {
        chartgate_requests_total: counted,
        ...derived(counted),
        http_server_request_duration_seconds: durations.rows(),
        chartgate_own_duration_seconds: own.rows(),
        http_client_request_duration_seconds: upstream.rows(),
        chartgate_network_bytes_total: bytes.rows(),
        chartgate_index_answers_total: indexes.rows(),
        chartgate_event_loop_delay_seconds: delays.rows(),
        chartgate_reloads_total: reloads.rows(),
        chartgate_workers_restarted_total: restarts.rows()
      }
      for (const [name, reading] of readings) {
        rows[name] = reading().flatMap((value, place): Row[] => value === undefined ? [] : [[place, value]])
      }
      const counts = Object.entries(rows).filter(([, own]) => own.length > 0)
      return { rows: Object.fromEntries(counts), tenants: tenants.rows() }
    }
  }
}
