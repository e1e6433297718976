// Which of what is left out of an index has not been said yet? One warning for each entry
// or link, however often the index is read, changes, or has to be read anew.
import { ownText } from '../lib/own-text.ts'
import { LEFT_OUT_REASONS, type LeftOut } from './left-out.ts'

/** Writes a line of the log. */
export type Warn = (line: LeftOut & {
  readonly tenant: string
  /** why, and what to do */
  readonly detail: string
}) => void

/**
 * So much is remembered of all tenants together; who was read the longest ago is forgotten
 * first, and warned of again.
 */
const MOST_SAID = 10_000

/** @returns hears what is left out of the index of a tenant now */
export function createIndexWarnings (
  warn: Warn,
  most = MOST_SAID
): (tenant: string, all: readonly LeftOut[]) => void {
  const said = new Map<string, ReadonlySet<string>>()
  let remembered = 0

  function forget (tenant: string): void {
    remembered -= said.get(tenant)?.size ?? 0
    said.delete(tenant)
  }

  return (tenant, all) => {
    const before = said.get(tenant)
    if (all.length === 0 && before === undefined) return
    forget(tenant)
    const now = new Set<string>()
    for (const each of all) {
      const name = JSON.stringify(each)
      if (before?.has(name) !== true && !now.has(name)) warn({ tenant, ...each, detail: LEFT_OUT_REASONS[each.reason] })
      now.add(name)
    }
    if (now.size === 0) return
    said.set(ownText(tenant), now)
    remembered += now.size
    for (const oldest of said.keys()) {
      if (remembered <= most || oldest === tenant) break
      forget(oldest)
    }
  }
}
