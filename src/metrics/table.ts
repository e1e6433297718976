// What is measured? The one table that metrics are registered by, docs/metrics.md is made of,
// and dashboard and alerts are tested against. Names follow the OpenTelemetry conventions of
// HTTP (v1.29) where there is one, in Prometheus's form; all others begin with chartgate_.
import {
  ACTION, ASKED, ENDED, HTTP_ROUTE, HTTP_STATUS, LOGIN_FAILURES, REASON, ROUTE, UPSTREAM_ANSWER, UPSTREAM_METHOD,
  axisOf, type Axis
} from './axes.ts'
import { UPLOAD_OUTCOMES } from './uploads.ts'
import { MOST_ADDRESSES } from '../config/schema/repository.ts'
import { BREAKER_STATES } from '../upstream/breaker.ts'
import { FOLLOWER_STATES } from '../upstream/follower.ts'

/** How the values of several processes become one. */
export type Adding = 'sum' | 'max' | 'min'

export interface Metric {
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly help: string
  readonly axes: readonly Axis[]
  /** Counters and histograms are sums always. */
  readonly adds: Adding
  /** Of a histogram: the upper bounds, in seconds. */
  readonly buckets?: readonly number[]
  /** There is also a series for each tenant, up to a bound (tenants.ts). */
  readonly ofTenants?: true
  /** Why it is in no dashboard and no alert. */
  readonly notShown?: string
}

const counter = (help: string, ...axes: Axis[]): Metric => ({ type: 'counter', help, axes, adds: 'sum' })
const gauge = (adds: Adding, help: string, ...axes: Axis[]): Metric => ({ type: 'gauge', help, axes, adds })
const histogram = (buckets: readonly number[], help: string, ...axes: Axis[]): Metric =>
  ({ type: 'histogram', help, axes, adds: 'sum', buckets })

/** Of a whole exchange over the network. */
const EXCHANGE = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60]
/** Of what the gateway itself does, which is a few tenths of a millisecond. */
const OWN = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1, 5]
const DELAYS = [0.0125, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5]

export const QUEUE = axisOf('queue', 'passwords', 'upstream')
export const CONNECTION_LIMIT = axisOf('limit', 'all', 'address')
export const LOGIN_LIMIT = axisOf('limit', 'account', 'address', 'secret')
export const DIRECTION = axisOf('direction', 'in', 'out')
export const SIZE = axisOf('size', 'large', 'small')
export const MADE = axisOf('made', 'fresh', 'shared', 'kept', 'rewritten', 'not_modified')
export const CERTIFICATE = axisOf('certificate', 'listen', 'clients', 'admin', 'upstream')
export const SECRET_STATE = axisOf('state', 'endless', 'good', 'soon', 'ended')
export const RELOAD = axisOf('outcome', 'applied', 'refused')
export const BREAKER_STATE = axisOf('state', ...BREAKER_STATES)
/** By its place in upstream.urls; the first has none. */
export const ADDRESS = axisOf('address', ...Array.from({ length: MOST_ADDRESSES - 1 }, (_, i) => String(i + 2)))
export const FOLLOWER_STATE = axisOf('state', ...FOLLOWER_STATES)
export const WORKER_STATE = axisOf('state', 'wanted', 'listening', 'unheard')
export const STREAM = axisOf('stream', 'log', 'audit')
export const TENANT_ENDING = axisOf('outcome', 'success', 'refused', 'failed')

/** The label of a series of a tenant. */
export const TENANT_LABEL = 'tenant'

const TABLE = {
  chartgate_requests_total: counter(
    'Requests by route, by the right that they need, and by what became of them: `success`, `refused` (for a reason ' +
      'of the client\'s), `failed` (for one of ours or the upstream\'s), `aborted` (the client left, or the answer ' +
      'broke off), `dropped` (it came before the answer to the one before it)',
    ASKED, ENDED),
  http_server_request_duration_seconds: histogram(EXCHANGE,
    'Seconds from the arrival of a request to the end of its answer, with the time that its client took to read it; ' +
      'of what has no end the status is `none`',
    HTTP_ROUTE, HTTP_STATUS),
  chartgate_own_duration_seconds: histogram(OWN,
    'Seconds of that which are the gateway\'s own: without the wait for the upstream and for the bytes of an upload, ' +
      'up to the beginning of a large answer',
    ROUTE),
  http_client_request_duration_seconds: histogram(EXCHANGE,
    'Seconds in which the upstream answered a question of the gateway, from the moment when there was a connection; ' +
      'of a download that streams, to its beginning',
    UPSTREAM_METHOD, UPSTREAM_ANSWER),
  http_server_active_requests: gauge('sum', 'Requests that run now'),
  chartgate_connections: gauge('sum', 'Connections of clients that are open'),
  chartgate_connections_max: gauge('sum', 'How many there may be (listen.maxConnections)'),
  chartgate_connections_refused_total: counter(
    'Connections that were closed as they came, because there were as many as there may be: of `all` together ' +
      '(listen.maxConnections), or from their `address` (listen.maxConnectionsPerAddress)', CONNECTION_LIMIT),
  chartgate_network_bytes_total: counter(
    'Bytes of requests that came in and of answers that went out, with their heads', DIRECTION, ROUTE),
  chartgate_index_answers_total: counter(
    'Indexes that were answered, by how they were made: `fresh` (from memory, within charts.index.maxAge), `shared` ' +
      '(the upstream was asked once for several), `kept` (it had the same bytes as before), `rewritten` (it had ' +
      'others), `not_modified` (304, in whatever way it was made)',
    MADE),
  chartgate_uploads_total: counter(
    'Uploads by what became of them; a push to the registry that finds the same bytes there is `stored`, ' +
      'because it succeeds',
    axisOf('outcome', ...UPLOAD_OUTCOMES)),
  chartgate_tokens_issued_total: counter('Tokens that were issued'),
  chartgate_tokens_refused_total: counter('Requests for a token that were refused, by reason', REASON),
  chartgate_failed_logins_total: counter('Credentials that nobody has or that do not count, by reason, on every route',
    axisOf('reason', ...LOGIN_FAILURES)),
  chartgate_logins_limited_total: counter(
    'Logins that were refused because too much had failed before (limits.logins): for the `account` from its ' +
      'address, for the `address`, or, of wrong secrets and keys, for the address (`secret`)', LOGIN_LIMIT),
  chartgate_login_records: {
    ...gauge('sum',
      'What limits.logins remembers: addresses, accounts there, and keyed digests of passwords that were right'),
    notShown: 'its bounds are fixed'
  },
  chartgate_queue_length: gauge('sum',
    'How many wait now: `passwords` to be checked, requests for a connection to the `upstream`', QUEUE),
  chartgate_queue_waited_total: counter('How many had to wait and came to their turn', QUEUE),
  chartgate_queue_wait_seconds_total: counter('How long they waited, all together', QUEUE),
  chartgate_queue_refused_total: counter('How many were refused because there was no room or no turn in time', QUEUE),
  chartgate_upstream_connections: gauge('sum',
    'Connections to the upstream in use, by what for: `large` downloads, or anything else', SIZE),
  chartgate_upstream_connections_max: gauge('sum', 'How many there may be, of all kinds'),
  chartgate_spool_bytes: gauge('sum', 'Bytes of uploads that are being inspected'),
  chartgate_spool_files: gauge('sum', 'Their files'),
  chartgate_spool_max_bytes: gauge('sum', 'Room for them (charts.spool.maxBytes)'),
  chartgate_spooled_bytes_total: counter('Bytes of uploads that were taken in, whatever became of them'),
  chartgate_oci_waiting_bytes: {
    ...gauge('max',
      'Bytes of what was pushed to the registry and waits for its tag, for which chartgate_spool_max_bytes is too'),
    notShown: 'a tenant, and all of them, have a bound, and clients are told of it'
  },
  chartgate_oci_waiting_files: {
    ...gauge('max', 'Its files: uploads that have begun, blobs and manifests'),
    notShown: 'as above'
  },
  chartgate_index_memory_bytes: gauge('sum', 'Memory that indexes take'),
  chartgate_index_memory_max_bytes: gauge('sum', 'Memory that they may take (charts.index.maxBytes, in each worker)'),
  chartgate_signing_key_age_seconds: gauge('max', 'How long the key that signs tokens has signed'),
  chartgate_certificate_expiry_timestamp_seconds: gauge('min',
    'When the first certificate ends that is in force there, in seconds since the epoch: `listen` and `admin` are ' +
      'the listeners\', `clients` authorities of clients, `upstream` all of upstream.tls; no series where none is',
    CERTIFICATE),
  chartgate_robots: gauge('max',
    'Robots by when the last of their secrets ends: `endless`, `good`, `soon` (within 14 days), `ended`', SECRET_STATE),
  chartgate_robot_secret_expiry_timestamp_seconds: gauge('min',
    'When the next robot is without a secret that counts, in seconds since the epoch; no series when none will be'),
  chartgate_reloads_total: counter('Readings of changed files: all in force, or something in them refused', RELOAD),
  chartgate_last_reload_successful: gauge('min', '1: all that the files say is in force; 0: something was refused'),
  chartgate_upstream_up: gauge('min',
    '1: the chart repository answers as it should; 0: not. No series with the embedded one, or before the first look'),
  chartgate_upstream_breaker: gauge('sum',
    'Processes by whether they ask the upstream: `closed` (they do), `doubted` (several questions in a row had no ' +
      'answer), `open` (clients are answered 503 at once), `half_open` (its health page is asked for meanwhile)',
    BREAKER_STATE),
  chartgate_upstream_further_up: gauge('min',
    '1: this further address of upstream.urls answers as it should; 0: not, which no client notices while the first ' +
      'answers. Labelled by its place in the list; no series before the first look',
    ADDRESS),
  chartgate_upstream_followers: {
    ...gauge('sum',
      'Processes by what they know of each further address of upstream.urls: `follows` (it showed the last changes ' +
        'at once, and is read from while the first is away), `unproven` (it has not shown enough yet), `behind` (it ' +
        'did not show what the first showed); by its place in the list',
      ADDRESS, FOLLOWER_STATE),
    notShown: 'after a start it is `unproven` until something is pushed; the log says when it is `behind`'
  },
  chartgate_revocations: {
    ...gauge('max',
      'Tokens and subjects that `chartgate revoke` named, as long as a token that it concerns could count'),
    notShown: 'whoever revokes something knows; the audit log has it'
  },
  chartgate_redis_up: gauge('min',
    '1: Redis can be used; 0: not, and each replica is alone. No series without redis.url, or before it was asked'),
  chartgate_workers: gauge('sum',
    'Workers: `wanted`, `listening`, and `unheard` (it did not answer this scrape, and counts with what it said ' +
      'last); no series with one process', WORKER_STATE),
  chartgate_workers_restarted_total: counter('Workers that ended and were replaced'),
  chartgate_lines_lost_total: counter('Lines that nobody read or that could not be written', STREAM),
  chartgate_event_loop_delay_seconds: histogram(DELAYS, 'The longest delay of the event loop in each second'),
  chartgate_tenant_requests_total: {
    ...counter('Requests by tenant, with metrics.tenants alone: tenants of rules without a wildcard, and those that ' +
      'were answered with charts, 1,000 at most; all others are `_OTHER`', ACTION, TENANT_ENDING),
    ofTenants: true
  }
} satisfies Record<string, Metric>

export type MetricName = keyof typeof TABLE
export const METRICS: Readonly<Record<MetricName, Metric>> = TABLE

/** How many series a metric has; the place of each: the axes from left to right, the last one counting fastest. */
export function seriesOf ({ axes }: Metric): number {
  return axes.reduce((all, { values }) => all * values.length, 1)
}

/** The labels of a series by its place. */
export function labelsOf ({ axes }: Metric, place: number): Record<string, string> {
  const labels: [string, string][] = []
  let rest = place
  for (const { labels: names, values } of [...axes].reverse()) {
    const found = values[rest % values.length] as readonly string[]
    labels.unshift(...names.map((name, i): [string, string] => [name, found[i] as string]))
    rest = Math.floor(rest / values.length)
  }
  return Object.fromEntries(labels)
}
