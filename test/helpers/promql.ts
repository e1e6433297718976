// Which metrics and labels does a query name? Enough of PromQL's words for the queries of the
// dashboard and the alerts; whether they are PromQL at all promtool says.
import { METRICS, TENANT_LABEL, type Metric } from '../../src/metrics/table.ts'
import type { OfLibrary } from '../../src/metrics/prom.ts'

/** A metric in a query, and what is asked of its labels. */
interface Selector {
  readonly name: string
  readonly matchers: readonly { readonly label: string, readonly regexp: boolean, readonly value: string }[]
}

const SELECTOR = /\b((?:chartgate|http_server|http_client|process|nodejs|up)(?:_\w+)?)\b(?:\{([^}]*)\})?/g
const GROUPING = /\b(?:by|without|on|ignoring)\s*\(([^)]*)\)/g
/** What Prometheus itself adds to a scrape. */
const OF_SCRAPE = ['instance', 'job']

export function selectorsOf (query: string): Selector[] {
  const without = query.replace(GROUPING, ' ').replace(/label_values\((.*),\s*\w+\)/, '$1')
  return [...without.matchAll(SELECTOR)].map(([, name = '', inside = '']) => ({
    name,
    matchers: [...inside.matchAll(/(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"/g)].map(([, label = '', sign, value = '']) => ({ label, regexp: sign === '=~' || sign === '!~', value }))
  }))
}

interface Known { readonly labels: readonly string[], readonly values: (label: string) => readonly string[] | undefined }

function known (name: string, library: OfLibrary): Known | undefined {
  if (name === 'up') return { labels: [], values: () => undefined }
  const [family, part] = Object.hasOwn(METRICS, name) || library.some(each => each.name === name) ? [name, ''] : [name.replace(/_(?:bucket|sum|count)$/, ''), name]
  const metric = (METRICS as Readonly<Record<string, Metric>>)[family]
  if (metric !== undefined && (part === '') === (metric.buckets === undefined)) {
    return {
      labels: [...metric.axes.flatMap(({ labels }) => labels), ...metric.ofTenants === true ? [TENANT_LABEL] : [], ...metric.buckets === undefined ? [] : ['le']],
      values: label => metric.axes.flatMap(({ labels, values }) => labels.includes(label) ? [values.map(each => each[labels.indexOf(label)] as string)] : [])[0]
    }
  }
  const its = library.find(each => each.name === family)
  return its === undefined ? undefined : { labels: its.values.flatMap(({ labels }) => Object.keys(labels)), values: () => undefined }
}

/** What is wrong with a query, in sentences. */
export function faultsOf (query: string, library: OfLibrary): string[] {
  const selectors = selectorsOf(query)
  if (selectors.length === 0) return [`${query}: it names no metric`]
  const labels = new Set([...OF_SCRAPE, ...selectors.flatMap(({ name }) => known(name, library)?.labels ?? [])])
  const grouped = [...query.matchAll(GROUPING)].flatMap(([, names = '']) => names.split(',').map(name => name.trim()))
  return [
    ...grouped.filter(label => !labels.has(label)).map(label => `${query}: no metric in it has the label ${label}`),
    ...selectors.flatMap(({ name, matchers }) => {
      const metric = known(name, library)
      if (metric === undefined) return [`${query}: there is no metric ${name}`]
      return matchers.flatMap(({ label, regexp, value }) => {
        if (OF_SCRAPE.includes(label)) return []
        if (!metric.labels.includes(label)) return [`${query}: ${name} has no label ${label}`]
        const values = metric.values(label)
        const missing = values === undefined ? [] : (regexp ? value.split('|') : [value]).filter(each => !values.includes(each))
        return missing.map(each => `${query}: ${label} of ${name} is never ${each}`)
      })
    })
  ]
}
