// docs/metrics.md, made of the table of metrics (src/metrics/table.ts), so that it cannot
// drift. A test compares them; `npm run docs:metrics` writes the page.
import { METRICS, TENANT_LABEL, type Metric } from '../src/metrics/table.ts'
import { MOST_TENANTS } from '../src/metrics/tenants.ts'

/** Values are written out up to so many; more of them are in a table of their own elsewhere. */
const MOST_SHOWN = 12
const ELSEWHERE: Readonly<Record<string, string>> = {
  reason: 'a code of [reasons.md](reasons.md), or `none`',
  route: 'a route of [routing.md](routing.md), an endpoint of our own (`home`, `token`, `jwks`, `health`, `info`), one of the registry (`oci-base`, `oci-manifest`, `oci-blob`, `oci-uploads`, `oci-upload`, `oci-tags`, `oci-referrers`; `oci-push` is a manifest that is put under a tag), or `none`',
  http_route: 'as `route`',
  http_response_status_code: 'a status, `other` for one that is in no table, or `none` where there was no answer'
}
const ADDS = { sum: 'the sum', max: 'the greatest', min: 'the least' } as const

function labelsText ({ axes, ofTenants }: Metric): string {
  const own = axes.flatMap(({ labels, values }) => labels.map((label, i) => {
    const all = [...new Set(values.map(each => each[i] as string))]
    const text = all.length <= MOST_SHOWN ? all.map(value => `\`${value}\``).join(', ') : ELSEWHERE[label] as string
    return `\`${label}\`: ${text}`
  }))
  const tenants = ofTenants === true ? [`\`${TENANT_LABEL}\`: a tenant, at most ${MOST_TENANTS.toLocaleString('en')}, or \`_OTHER\``] : []
  return [...tenants, ...own].join('; ')
}

/** docs/metrics.md */
export function metricsMarkdown (): string {
  const rows = Object.entries<Metric>(METRICS).map(([name, metric]) =>
    `| \`${name}\` | ${metric.type} | ${metric.help} | ${labelsText(metric)} | ${ADDS[metric.adds]} |\n`).join('')
  const histograms = Object.entries<Metric>(METRICS).filter(([, { buckets }]) => buckets !== undefined)
    .map(([name, { buckets = [] }]) => `| \`${name}\` | ${buckets.join(', ')} |\n`).join('')
  return `# Metrics

Made from \`src/metrics/table.ts\` by \`npm run docs:metrics\`. [How to scrape them, and what each alert means](operations.md#metrics-and-alerts).

\`GET /metrics\` on the admin listener, in Prometheus's text form, or in OpenMetrics for who asks for that in \`Accept\`. The public listener has no such path. Names follow the [OpenTelemetry conventions of HTTP](https://opentelemetry.io/docs/specs/semconv/http/http-metrics/) where there is one. A label has one of a closed set of values, and none comes from a path that somebody asked for: there are at most 32,000 lines of our own, and with \`metrics.tenants\` 44,000. A series is there when it has counted something; a counter of few series has all of them from the start.

With several workers the primary asks each of them, and adds up what they say. One that does not answer within a second counts with what it said last (\`chartgate_workers{state="unheard"}\`). One that has ended leaves its counters, so that no sum falls; what it counted in its last second may lack. The last column is how the values of several processes become one.

| metric | type | what it is | labels | of several processes |
| --- | --- | --- | --- | --- |
${rows}
Upper bounds of the buckets, in seconds:

| histogram | bounds |
| --- | --- |
${histograms}
Beside these there is what [prom-client](https://github.com/siimon/prom-client) knows of the process: \`process_*\` (CPU, memory, open files, start) and \`nodejs_*\` (heap, garbage collection, handles). Of several processes it is the sum, but for the start, which is the first one's. It begins with the first scrape: a gateway that nobody scrapes has neither the library in its memory nor its observers.
`
}
