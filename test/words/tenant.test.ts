import fc from 'fast-check'
import t from 'tap'
import { OWN_ENDPOINTS } from '../../src/doors/own-endpoints.ts'
import { isReservedFirstSegment, isTenantName, isTenantSegment, type Depth } from '../../src/words/tenant.ts'

await t.test('a segment has letters, digits, dots, underscores and hyphens, and begins with a letter or digit', async t => {
  for (const segment of ['a', 'org1', 'Org-1', '0', 'a.b', 'a_b', 'a..b', 'a.', 'x'.repeat(300)]) t.equal(isTenantSegment(segment), true, segment)
  for (const segment of ['', '.', '..', '.a', '-a', '_a', ':repo', 'a b', 'a/b', 'a\\b', 'a+b', 'a~', 'a\n', '\na', 'a\0', "a'b", 'a`b', 'a"b', 'a%', 'caf\u00e9', '\u0430', '*', '**']) {
    t.equal(isTenantSegment(segment), false, JSON.stringify(segment))
  }
})

await t.test('no segment is named like a file of a repository, in whatever case', async t => {
  for (const segment of ['x.tgz', 'mychart-1.0.0.tgz', 'mychart-1.0.0.tgz.prov', 'index-cache.yaml', 'X-1.0.0.TGZ', 'x.Tgz.Prov', 'Index-Cache.yaml', '1.tgz', 'a..tgz']) {
    t.equal(isTenantSegment(segment), false, segment)
    for (const depth of [1, 'dynamic'] as const) t.equal(isTenantName(segment, depth), false, segment)
    for (const depth of [2, 'dynamic'] as const) for (const name of [`a/${segment}`, `${segment}/a`]) t.equal(isTenantName(name, depth), false, name)
    t.equal(isTenantName(`a/${segment}/b`, 'dynamic'), false, segment)
  }
  for (const segment of ['tgz', 'xtgz', 'x.tgz.', 'x.tgz-1', 'x.tgz.prov.d', 'x.prov', 'prov', 'index.yaml', 'index-cache.yml', 'index-cache', 'my-index-cache.yaml', 'x.yaml']) t.equal(isTenantSegment(segment), true, segment)
})

await t.test('first segments of endpoints belong to no tenant', async t => {
  const always = ['api', 'oauth', 'v2', 'authz', 'health', 'info', 'metrics', 'static', 'static-files', 'statics']
  for (const depth of [0, 1, 2, 3, 'dynamic'] as const) {
    for (const segment of always) t.equal(isReservedFirstSegment(segment, depth), true, `${segment} at depth ${depth}`)
    for (const segment of ['apis', 'API', 'v1', 'Static', 'stati', 'oauth2', 'repo', 'chart']) t.equal(isReservedFirstSegment(segment, depth), false, `${segment} at depth ${depth}`)
    for (const path of OWN_ENDPOINTS.keys()) {
      const segment = path.split('/')[1] as string
      t.ok(isReservedFirstSegment(segment, depth) || !isTenantSegment(segment), `${path} is no tenant's at depth ${depth}`)
    }
    t.equal(isReservedFirstSegment('charts', depth), depth === 0 || depth === 'dynamic', `charts at depth ${depth}`)
  }
})

await t.test('a name is a tenant at its own depth alone', async t => {
  const cases: [name: string, depths: Depth[]][] = [
    ['repo', [0, 1, 'dynamic']],
    ['org1', [1, 'dynamic']],
    ['charts', [1]],
    ['charts/a', [2]],
    ['a/charts', [2, 'dynamic']],
    ['org1/repo1', [2, 'dynamic']],
    ['a/b/c', [3, 'dynamic']],
    ['a/api', [2, 'dynamic']],
    ['api/a', []],
    ['static1/a', []],
    ['org1/', []],
    ['/org1', []],
    ['a//b', []],
    ['org1/..', []],
    ['../org1', []],
    ['org1/../org2/repo2', []],
    ['org1/./repo1', []],
    [':repo', []],
    ['a%2fb', []],
    ['*', []],
    ['org1/*', []],
    ['**', []],
    ['', []]
  ]
  for (const [name, depths] of cases) {
    for (const depth of [0, 1, 2, 3, 'dynamic'] as const) t.equal(isTenantName(name, depth), depths.includes(depth), `${JSON.stringify(name)} at depth ${depth}`)
  }
})

await t.test('whatever is a tenant has nothing in it that a path or a query language could read otherwise', async () => {
  const name = fc.array(fc.oneof(fc.string({ unit: 'binary', maxLength: 3 }), fc.constantFrom('a', 'B9', '..', '.', 'static', ':repo', 'x.tgz', 'X.TGZ.prov')), { maxLength: 4 }).map(parts => parts.join('/'))
  fc.assert(fc.property(name, fc.constantFrom<Depth>(0, 1, 2, 3, 'dynamic'), (name, depth) => {
    if (!isTenantName(name, depth)) return true
    return /^[A-Za-z0-9._/-]+$/.test(name) && name.split('/').every(segment => /^[A-Za-z0-9]/.test(segment) && !/\.tgz(?:\.prov)?$/i.test(segment))
  }))
})
