// Which tenants have a series of their own? Those that somebody wrote into a rule without a
// wildcard, and those that were answered with charts: no name that a client thinks out. The
// first thousand of them; everybody else is one series.

/** Whoever has no series; no tenant is called that (it would begin with a letter or a digit). */
export const OTHER_TENANTS = '_OTHER'
export const MOST_TENANTS = 1_000

/** What a set of names is counted by, place for place. */
export type TenantRow = readonly [tenant: string, place: number, value: number]

export interface TenantCounts {
  /** @param known it is one that may have a series */
  add (tenant: string, known: boolean, place: number, by?: number): void
  rows (): TenantRow[]
}

/**
 * What is counted under `_OTHER` stays there when its tenant becomes known: no series falls.
 * @param width how many series each tenant has
 */
export function createTenantCounts (width: number, most = MOST_TENANTS): TenantCounts {
  const tenants = new Map<string, Float64Array>([[OTHER_TENANTS, new Float64Array(width)]])

  function cellsOf (tenant: string, known: boolean): Float64Array {
    const own = tenants.get(tenant)
    if (own !== undefined) return own
    if (!known || tenants.size > most) return tenants.get(OTHER_TENANTS) as Float64Array
    const cells = new Float64Array(width)
    tenants.set(Buffer.from(tenant).toString(), cells) // a text of its own, and no part of a request's target
    return cells
  }

  return {
    add (tenant, known, place, by = 1) { (cellsOf(tenant, known)[place] as number) += by },
    rows: () => [...tenants].flatMap(([tenant, cells]) =>
      [...cells.entries()].flatMap(([place, value]): TenantRow[] => value === 0 ? [] : [[tenant, place, value]]))
  }
}
