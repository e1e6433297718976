// The one file that knows prom-client: from numbers to the two forms in which Prometheus reads
// them, and what the library itself knows of the process and its garbage. It is deprecated;
// its successor wants Node 22, and would come in here. Loaded when somebody first asks, so
// that a gateway that nobody asks has neither its memory nor its observers.
import type { Registry, MetricObjectWithValues, MetricValue } from 'prom-client'
import type { Row } from './cells.ts'
import type { Snapshot } from './meter.ts'
import { toMicros } from './micros.ts'
import { METRICS, TENANT_LABEL, labelsOf, seriesOf, type Metric, type MetricName } from './table.ts'

/** What the library says of one process; plain data, for a message. */
export type OfLibrary = readonly MetricObjectWithValues<MetricValue<string>>[]

/** The two forms, as their content types. */
export const FORMS = {
  text: 'text/plain; version=0.0.4; charset=utf-8',
  openMetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8'
} as const
export type Form = keyof typeof FORMS

/**
 * Theirs of the event loop forgets with each look (chartgate_event_loop_delay_seconds does
 * not), and gauges called _total are no good names, and sums of others that are there.
 */
const LEFT_OUT = /^nodejs_(?:eventloop_lag_|active_\w+_total$)/

let registry: Promise<Registry> | undefined

async function openRegistry (): Promise<Registry> {
  const { Registry: LibraryRegistry, collectDefaultMetrics } = await import('prom-client')
  const opened = new LibraryRegistry()
  collectDefaultMetrics({ register: opened })
  for (const { name } of opened.getMetricsAsArray()) if (LEFT_OUT.test(name)) opened.removeSingleMetric(name)
  return opened
}

/** What the library knows of this process, since somebody first asked. */
export async function askLibrary (): Promise<OfLibrary> {
  registry ??= openRegistry()
  const metrics = await (await registry).getMetricsAsJSON() as unknown as OfLibrary
  // By itself it leaves the time of the start out of a sum.
  return inMicros(metrics)
    .map(metric => metric.name === 'process_start_time_seconds' ? { ...metric, aggregator: 'min' } : metric)
}

function inMicros (metrics: OfLibrary): OfLibrary {
  return metrics.map(metric => String(metric.type) === 'gauge'
    ? metric
    : { ...metric, values: metric.values.map(each => ({ ...each, value: toMicros(each.value) })) })
}

/** What the library says of several processes, as of one. */
async function sumOf (libraries: readonly OfLibrary[]): Promise<OfLibrary> {
  const { AggregatorRegistry } = await import('prom-client')
  const together = AggregatorRegistry.aggregate(libraries.map(each => [...each]))
  return inMicros(await together.getMetricsAsJSON() as unknown as OfLibrary)
}

/** Of a process that has ended: what never falls. */
export async function addLasting (before: OfLibrary, ended: OfLibrary): Promise<OfLibrary> {
  return await sumOf([before, ended.filter(({ type }) => String(type) !== 'gauge')])
}

/** All of it as text. @param libraries what the library said in each process */
export async function textOf (snapshot: Snapshot, libraries: readonly OfLibrary[], form: Form): Promise<string> {
  const { AggregatorRegistry } = await import('prom-client')
  const ours = (Object.entries(METRICS) as [MetricName, Metric][]).flatMap(([name, metric]) => {
    const rows = metric.ofTenants === true ? tenantRows(metric, snapshot) : closedRows(name, metric, snapshot)
    return rows.length === 0 ? [] : [{ name, help: metric.help, type: metric.type, aggregator: 'sum', values: rows }]
  })
  const all = [ours, await sumOf(libraries)].map(each => form === 'openMetrics' ? each.map(withoutSuffix) : [...each])
  const together = AggregatorRegistry.aggregate(all)
  together.setContentType(FORMS[form])
  return await together.metrics()
}

/** In OpenMetrics the name of a counter's family has no _total; the library puts it behind that of each sample. */
function withoutSuffix <M extends { readonly name: string, readonly type: unknown }> (metric: M): M {
  return metric.type === 'counter' ? { ...metric, name: metric.name.replace(/_total$/, '') } : metric
}

/** A counter of few series has all of them, so that the first of something is seen as a rise. */
const FEW = 16

interface Value {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
  readonly metricName?: string
}

function closedRows (name: MetricName, metric: Metric, { rows }: Snapshot): Value[] {
  const counted = rows[name] ?? []
  const own = metric.type === 'counter' && seriesOf(metric) <= FEW ? withZeros(counted, seriesOf(metric)) : counted
  return metric.buckets === undefined
    ? own.map(([place, value = 0]) => ({ labels: labelsOf(metric, place), value }))
    : own.flatMap(row => histogramRows(name, metric, row, metric.buckets as readonly number[]))
}

function withZeros (rows: readonly Row[], series: number): readonly Row[] {
  const values = new Map(rows.map(([place, value = 0]) => [place, value]))
  return Array.from({ length: series }, (_, place) => [place, values.get(place) ?? 0])
}

function tenantRows (metric: Metric, { tenants }: Snapshot): Value[] {
  return tenants.map(([tenant, place, value]) =>
    ({ labels: { [TENANT_LABEL]: tenant, ...labelsOf(metric, place) }, value }))
}

/** Prometheus counts in each bucket all that are below it too. */
function histogramRows (name: string, metric: Metric, [place, ...values]: Row, bounds: readonly number[]): Value[] {
  const labels = labelsOf(metric, place)
  let count = 0
  const buckets = [...bounds.map(String), '+Inf'].map((le, i): Value => {
    count += values[i] as number
    return { labels: { le, ...labels }, value: count, metricName: `${name}_bucket` }
  })
  return [
    ...buckets,
    { labels, value: values.at(-1) as number, metricName: `${name}_sum` },
    { labels, value: count, metricName: `${name}_count` }
  ]
}
