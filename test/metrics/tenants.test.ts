// No client thinks out a series: which tenants have one, and how many.
import t from 'tap'
import { createNamedTenants } from '../../src/metrics/named-tenants.ts'
import { createTenantCounts } from '../../src/metrics/tenants.ts'

await t.test('a tenant has a series when it is known, and all others have one together', async t => {
  const counts = createTenantCounts(2)
  counts.add('org1/unknown', false, 0)
  counts.add('org1/unknown', false, 0)
  counts.add('org1/repo1', true, 1, 3)
  counts.add('org1/repo1', false, 1)
  t.same(counts.rows(), [['_OTHER', 0, 2], ['org1/repo1', 1, 4]])
  counts.add('org1/unknown', true, 0)
  t.same(counts.rows(), [['_OTHER', 0, 2], ['org1/repo1', 1, 4], ['org1/unknown', 0, 1]], 'what was counted before stays where it was')
})

await t.test('there are so many at most', async t => {
  const counts = createTenantCounts(1, 2)
  for (const tenant of ['a', 'b', 'c', 'd', 'a']) counts.add(tenant, true, 0)
  t.same(counts.rows(), [['_OTHER', 0, 2], ['a', 0, 2], ['b', 0, 1]])
})

await t.test('rules without a wildcard name tenants, those that are in force now', async t => {
  let policies: { repositories: string[] }[][] = [[{ repositories: ['org1/repo1', 'org2/*', '**'] }]]
  const isNamed = createNamedTenants(() => policies)
  t.same(['org1/repo1', 'org2/*', 'org2/x', '**'].map(isNamed), [true, false, false, false])
  policies = [[{ repositories: ['org3/x'] }], [{ repositories: ['org4/x'] }]]
  t.same(['org1/repo1', 'org3/x', 'org4/x'].map(isNamed), [false, true, true])
  const [first] = policies
  t.equal(createNamedTenants(() => [first, undefined])('org3/x'), true, 'there may be one policy alone')
})
