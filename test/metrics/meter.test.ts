// What a process counts, and how it is told.
import t from 'tap'
import { createMeter, type AskedFor, type EndedRequest, type Meter } from '../../src/metrics/meter.ts'
import { METRICS, labelsOf, type MetricName } from '../../src/metrics/table.ts'

type Request = AskedFor & EndedRequest
const ended = (meter: Meter, request: Request): void => { meter.ended(meter.placesOf(request), request) }
const read: Request = { route: 'index', action: 'pull', method: 'GET', status: 200, reason: undefined, seconds: 0.01, ownSeconds: 0.001, received: 100, sent: 2000, made: 'rewritten' }

/** Series with their labels, of a histogram how often it was observed. */
function seen (meter: ReturnType<typeof createMeter>, name: MetricName): [string, number][] {
  const metric = METRICS[name]
  return (meter.snapshot().rows[name] ?? []).map(([place, ...values]) => [
    Object.values(labelsOf(metric, place)).join(' '),
    metric.buckets === undefined ? values[0] as number : values.slice(0, -1).reduce((a, b) => a + b)
  ])
}

await t.test('a request counts by route, right, outcome and reason, with its time and its bytes', async t => {
  const meter = createMeter()
  ended(meter, read)
  ended(meter, { ...read, status: 304, made: 'not_modified' })
  ended(meter, { ...read, status: 401, reason: 'bad_password', made: undefined })
  ended(meter, { ...read, status: undefined, made: undefined })
  t.same(seen(meter, 'chartgate_requests_total').sort(), [['index pull aborted none', 1], ['index pull refused bad_password', 1], ['index pull success none', 2]])
  t.same(seen(meter, 'http_server_request_duration_seconds').sort(), [['index GET 200', 1], ['index GET 304', 1], ['index GET 401', 1], ['index GET none', 1]])
  t.same(seen(meter, 'chartgate_own_duration_seconds'), [['index', 3]], 'whoever left is waited for by nobody')
  t.same(seen(meter, 'chartgate_network_bytes_total'), [['in index', 400], ['out index', 8000]])
  t.same(seen(meter, 'chartgate_index_answers_total'), [['rewritten', 1], ['not_modified', 1]])
  t.same(seen(meter, 'chartgate_failed_logins_total'), [['bad_password', 1]])
})

await t.test('what is in no table is in a series of its own', async t => {
  const meter = createMeter()
  ended(meter, { ...read, route: 'none', action: undefined, method: 'PROPFIND', status: 999, made: undefined })
  ended(meter, { ...read, method: 'PATCH', status: 200, made: undefined })
  t.same(seen(meter, 'http_server_request_duration_seconds').sort(), [['none _OTHER 200', 1], ['none _OTHER other', 1]])
  meter.upstreamAnswered('GET', 299, 1)
  meter.upstreamAnswered('GET', 200, 1)
  meter.upstreamAnswered('POST', 'upstream_timeout', 1)
  t.same(seen(meter, 'http_client_request_duration_seconds').sort(), [['GET 200 none', 1], ['GET other none', 1], ['POST none upstream_timeout', 1]])
})

await t.test('uploads and tokens are other views of the same requests', async t => {
  const meter = createMeter()
  const push: Request = { ...read, route: 'upload-chart', action: 'push', method: 'POST', status: 201, made: undefined }
  ended(meter, push)
  ended(meter, { ...push, route: 'upload-prov' })
  ended(meter, { ...push, status: 409, reason: 'chart_exists' })
  const token: Request = { ...read, route: 'token', action: undefined, made: undefined }
  ended(meter, token)
  ended(meter, { ...token, status: 400, reason: 'invalid_scope' })
  ended(meter, { ...token, status: undefined })
  t.same(seen(meter, 'chartgate_uploads_total').sort(), [['exists', 1], ['stored', 2]])
  t.same(seen(meter, 'chartgate_tokens_issued_total'), [['', 1]])
  t.same(seen(meter, 'chartgate_tokens_refused_total'), [['invalid_scope', 1]])
})

await t.test('what never becomes an answer counts too', async t => {
  const meter = createMeter()
  meter.dropped('index', 'pull')
  meter.dropped('home', undefined)
  meter.refusedEarly('headers_too_large')
  t.same(seen(meter, 'chartgate_requests_total').sort(), [['home none dropped none', 1], ['index pull dropped none', 1], ['none none refused headers_too_large', 1]])
})

await t.test('tenants count by action and outcome; who left counts for nobody', async t => {
  const meter = createMeter()
  meter.ofTenant('org1/repo1', true, 'pull', undefined)
  meter.ofTenant('org1/repo1', true, 'push', 'missing_right')
  meter.ofTenant('org1/repo1', true, 'push', 'upstream_timeout')
  meter.ofTenant('org1/repo1', true, 'push', 'upload_aborted')
  const metric = METRICS.chartgate_tenant_requests_total
  t.same(meter.snapshot().tenants.map(([tenant, place, value]) => [tenant, ...Object.values(labelsOf(metric, place)), value]), [
    ['org1/repo1', 'pull', 'success', 1], ['org1/repo1', 'push', 'refused', 1], ['org1/repo1', 'push', 'failed', 1]
  ])
})

await t.test('numbers that somebody keeps are asked for, and what is unknown has no series', async t => {
  const meter = createMeter()
  let length = 3
  meter.read('chartgate_queue_length', () => [undefined, length])
  meter.read('chartgate_upstream_up', () => [undefined])
  t.same(seen(meter, 'chartgate_queue_length'), [['upstream', 3]])
  t.notOk('chartgate_upstream_up' in meter.snapshot().rows)
  length = 0
  t.same(seen(meter, 'chartgate_queue_length'), [['upstream', 0]], 'a gauge that is 0 has one')
  meter.count('chartgate_reloads_total', 1)
  meter.count('chartgate_workers_restarted_total')
  meter.eventLoopDelay(0.3)
  t.same([seen(meter, 'chartgate_reloads_total'), seen(meter, 'chartgate_workers_restarted_total'), seen(meter, 'chartgate_event_loop_delay_seconds')], [[['refused', 1]], [['', 1]], [['', 1]]])
})

await t.test('a snapshot is small, and JSON carries it', async t => {
  const meter = createMeter()
  for (let i = 0; i < 1000; i++) ended(meter, read)
  const text = JSON.stringify(meter.snapshot())
  t.ok(text.length < 1000, `${text.length}`)
  t.same(JSON.parse(text), meter.snapshot())
})
