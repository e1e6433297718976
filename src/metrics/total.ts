// What do several processes count together? Each metric is added up as the table says. Of a
// process that has ended stays what never falls: its counters and histograms.
import type { Row } from './cells.ts'
import type { Snapshot } from './meter.ts'
import { toMicros } from './micros.ts'
import { METRICS, type Adding, type MetricName } from './table.ts'
import { MOST_TENANTS, OTHER_TENANTS } from './tenants.ts'

export interface Total {
  add (snapshot: Snapshot): void
  /** Only what never falls. */
  addLasting (snapshot: Snapshot): void
  snapshot (): Snapshot
}

type Values = readonly number[]

const ADD: Readonly<Record<Adding, (a: number, b: number) => number>> = {
  sum: (a, b) => toMicros(a + b),
  max: Math.max,
  min: Math.min
}

/**
 * @param admitted tenants that have a series of their own: shared by all totals of one
 * process, so that one that has a series keeps it
 */
export function createTotal (admitted: Set<string>, most = MOST_TENANTS): Total {
  const metrics = new Map<MetricName, Map<number, Values>>()
  const tenants = new Map<string, Map<number, number>>()

  function nameOf (tenant: string): string {
    if (tenant === OTHER_TENANTS || admitted.has(tenant)) return tenant
    if (admitted.size >= most) return OTHER_TENANTS
    admitted.add(tenant)
    return tenant
  }

  function addRows (name: MetricName, rows: readonly Row[]): void {
    const known = metrics.get(name) ?? new Map<number, Values>()
    metrics.set(name, known)
    const { adds } = METRICS[name]
    for (const [place, ...said] of rows) {
      const values = adds === 'sum' ? said.map(toMicros) : said
      const before = known.get(place)
      known.set(place, before === undefined ? values : values.map((value, i) => ADD[adds](before[i] as number, value)))
    }
  }

  function addTenants (snapshot: Snapshot): void {
    for (const [tenant, place, value] of snapshot.tenants) {
      const name = nameOf(tenant)
      const known = tenants.get(name) ?? new Map<number, number>()
      tenants.set(name, known.set(place, (known.get(place) ?? 0) + value))
    }
  }

  function addSome (snapshot: Snapshot, counts: (name: MetricName) => boolean): void {
    for (const [name, rows] of Object.entries(snapshot.rows) as [MetricName, readonly Row[]][]) {
      if (counts(name)) addRows(name, rows)
    }
    addTenants(snapshot)
  }

  return {
    add (snapshot) { addSome(snapshot, () => true) },
    addLasting (snapshot) { addSome(snapshot, name => METRICS[name].type !== 'gauge') },
    snapshot: () => ({
      rows: Object.fromEntries([...metrics].map(([name, rows]) =>
        [name, [...rows].map(([place, values]): Row => [place, ...values])])),
      tenants: [...tenants].flatMap(([tenant, counts]) =>
        [...counts].map(([place, value]) => [tenant, place, value] as const))
    })
  }
}
