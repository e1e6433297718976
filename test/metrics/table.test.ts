// The table of metrics: closed, bounded, and named as Prometheus and OpenTelemetry name.
import t from 'tap'
import { REASONS } from '../../src/http/reasons.ts'
import { ASKED, ENDED, HTTP_ROUTE, LOGIN_FAILURES, ROUTE, endingOf } from '../../src/metrics/axes.ts'
import { METRICS, labelsOf, seriesOf, type Metric } from '../../src/metrics/table.ts'
import { MOST_TENANTS } from '../../src/metrics/tenants.ts'
import { ROUTES } from '../../src/chartmuseum/routes.ts'

const rows = Object.entries(METRICS)
/** Lines of a scrape. */
const linesOf = (metric: Metric): number => seriesOf(metric) * (metric.buckets === undefined ? 1 : metric.buckets.length + 3) * (metric.ofTenants === true ? MOST_TENANTS + 1 : 1)

await t.test('names say their unit, counters end in _total and nothing else does, and each is explained', async t => {
  for (const [name, { type, help }] of rows) {
    t.match(name, /^(?:chartgate|http_server|http_client)_[a-z_]+$/)
    t.equal(name.endsWith('_total'), type === 'counter', name)
    t.ok(help.length > 10 && !help.endsWith('.'), name)
    t.equal(type === 'histogram', METRICS[name as keyof typeof METRICS].buckets !== undefined)
    if (type === 'histogram') t.match(name, /_seconds$/)
  }
})

await t.test('buckets rise', async t => {
  for (const [name, { buckets = [] }] of rows) t.same(buckets, [...new Set(buckets)].sort((a, b) => a - b), name)
})

await t.test('there is a bound for all series together: labels are closed sets, and tenants are capped', async t => {
  const sum = (some: typeof rows): number => some.reduce((all, [, metric]) => all + linesOf(metric), 0)
  t.ok(sum(rows.filter(([, { ofTenants }]) => ofTenants !== true)) <= 32_000, `${sum(rows.filter(([, { ofTenants }]) => ofTenants !== true))}`)
  t.ok(sum(rows) <= 44_000, `${sum(rows)}`)
})

await t.test('each place of a metric has labels of its own', async t => {
  for (const [name, metric] of rows) {
    const all = Array.from({ length: seriesOf(metric) }, (_, place) => JSON.stringify(labelsOf(metric, place)))
    t.equal(new Set(all).size, all.length, name)
  }
  t.same(labelsOf(METRICS.chartgate_network_bytes_total, ROUTE.values.length), { direction: 'out', route: 'index' })
})

await t.test('every route, own endpoint and reason has its series', async t => {
  for (const { id, methods } of ROUTES) {
    t.ok(ASKED.values.some(([route]) => route === id))
    for (const method of methods) t.ok(HTTP_ROUTE.values.some(([route, its]) => route === id && its === method))
  }
  for (const endpoint of ['home', 'token', 'jwks', 'health', 'info', 'none']) t.ok(ROUTE.values.some(([route]) => route === endpoint), endpoint)
  for (const code of Object.keys(REASONS)) t.ok(ENDED.values.some(([, reason]) => reason === code), code)
})

await t.test('a refusal is for the client, for us, or for nobody', async t => {
  t.equal(endingOf('missing_right'), 'refused')
  t.equal(endingOf('upstream_timeout'), 'failed')
  t.equal(endingOf('upload_aborted'), 'aborted')
  t.equal(endingOf('client_gone'), 'aborted')
  t.notOk(LOGIN_FAILURES.includes('missing_credentials'), 'who shows none has not failed')
})
