// A change, as whoever made it tells it.
import type { ToldChange } from '../../src/upstream/change.ts'

export function aChange (tenant = 'org1/repo1', more: Partial<ToldChange> = {}): ToldChange {
  return { tenant, tenantPath: tenant, chart: 'web', version: '1.0.0', became: 'a digest', isNew: true, isShown: true, ...more }
}
