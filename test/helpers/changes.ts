// A change, as whoever made it tells it.
import type { Change } from '../../src/upstream/change.ts'

export function aChange (tenant = 'org1/repo1', more: Partial<Change> = {}): Change {
  return { tenant, tenantPath: tenant, chart: 'web', version: '1.0.0', became: 'a digest', isNew: true, ...more }
}
