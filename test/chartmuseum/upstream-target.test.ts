import t from 'tap'
import { parseRequestTarget } from '../../src/doors/request-target.ts'
import type { Depth } from '../../src/words/tenant.ts'
import { upstreamTarget } from '../../src/chartmuseum/upstream-target.ts'

await t.test('the upstream is asked for what was understood, in one spelling', async t => {
  const cases: [method: string, target: string, depth: Depth, path: string, query: string][] = [
    ['GET', '/org1/repo1/index.yaml?x=1', 2, '/org1/repo1/index.yaml', ''],
    ['HEAD', '/index.yaml', 0, '/index.yaml', ''],
    ['GET', '/a/b/c/index.yaml', 'dynamic', '/a/b/c/index.yaml', ''],
    ['GET', '/charts/x-1.tgz', 0, '/charts/x-1.tgz', ''],
    ['GET', '/org1/repo1/charts/x-1.0.0%2bb.tgz', 2, '/org1/repo1/charts/x-1.0.0+b.tgz', ''],
    ['GET', '/org1/repo1/charts/x-1.0.0+b.tgz.prov?force', 2, '/org1/repo1/charts/x-1.0.0+b.tgz.prov', ''],
    ['GET', '/org1/repo1/artifacthub-repo.yml', 2, '/org1/repo1/artifacthub-repo.yml', ''],
    ['GET', '/api/org1/repo1/charts?limit=2&x=y&%6fffset=1', 2, '/api/org1/repo1/charts', 'limit=2&offset=1'],
    ['GET', '/api/org1/repo1/charts?limit=%26force%3d1%23&offset', 2, '/api/org1/repo1/charts', 'limit=%26force%3D1%23&offset'],
    ['GET', '/api/charts/x/%5e1.2', 0, '/api/charts/x/%5E1.2', ''],
    ['GET', '/api/charts/x/^1.2/values', 0, '/api/charts/x/%5E1.2/values', ''],
    ['GET', '/api/charts/x/~1/templates', 0, '/api/charts/x/~1/templates', ''],
    ['POST', '/api/org1/repo1/charts?%66orce=yes&x=1', 2, '/api/org1/repo1/charts', 'force'],
    ['POST', '/api/org1/repo1/prov?offset=1', 2, '/api/org1/repo1/prov', ''],
    ['DELETE', '/api/org1/repo1/charts/x/1.0.0%2Bb?force', 2, '/api/org1/repo1/charts/x/1.0.0+b', '']
  ]
  for (const [method, target, depth, path, query] of cases) {
    const parsed = parseRequestTarget(method, target, { depth, basePath: '' })
    if (parsed.kind !== 'chart') {
      t.fail(`${target} is refused`)
      continue
    }
    t.strictSame(upstreamTarget(parsed.request, ''), { path, query }, `${method} ${target}`)
    t.strictSame(upstreamTarget(parsed.request, '/cm/x'), { path: `/cm/x${path}`, query }, 'below a context path')
  }
})
