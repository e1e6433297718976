import t from 'tap'
import { ACTIONS } from '../../src/words/access.ts'
import { ROUTES, routeOf, type Route } from '../../src/chartmuseum/routes.ts'

/** A row as ChartMuseum's own table writes it. */
function template (route: Route): string {
  const tail = route.tail.map(part => typeof part === 'string' ? part : `:${part.parameter}`)
  return [route.api ? '/api/:repo' : '/:repo', ...tail].join('/')
}

await t.test('the table has every route of ChartMuseum that names a tenant, with its rights', async t => {
  // methods, path, our action, ChartMuseum's action, door (pkg/chartmuseum/server/multitenant/routes.go)
  t.strictSame(ROUTES.map(route => [route.methods.join(), template(route), route.action, route.upstreamAction, route.door].join(' ')).sort(), [
    'DELETE /api/:repo/charts/:chart/:version delete push delete',
    'GET,HEAD /:repo/artifacthub-repo.yml pull pull forward',
    'GET,HEAD /:repo/charts/:file pull pull file', // .tgz
    'GET,HEAD /:repo/charts/:file pull pull file', // .tgz.prov
    'GET,HEAD /:repo/index.yaml pull pull index',
    'GET,HEAD /api/:repo/charts pull pull forward',
    'GET,HEAD /api/:repo/charts/:chart pull pull forward',
    'GET,HEAD /api/:repo/charts/:chart/:version pull pull forward',
    'GET,HEAD /api/:repo/charts/:chart/:version/templates pull pull forward',
    'GET,HEAD /api/:repo/charts/:chart/:version/values pull pull forward',
    'POST /api/:repo/charts push push upload',
    'POST /api/:repo/prov push push upload'
  ])
})

await t.test('a read never needs, nor asks the upstream for, more than pull', async t => {
  for (const route of ROUTES) {
    const reads = route.methods.every(method => method === 'GET' || method === 'HEAD')
    t.equal(route.action === 'pull', reads, route.id)
    t.equal(route.upstreamAction === 'pull', reads, route.id)
    t.ok(ACTIONS.includes(route.action))
  }
})

await t.test('parameters are known where they mean something, and nowhere else', async t => {
  t.strictSame(Object.fromEntries(ROUTES.filter(route => route.query.length > 0).map(route => [route.id, route.query])), {
    list: ['offset', 'limit'],
    'upload-chart': ['force'],
    'upload-prov': ['force']
  })
})

await t.test('an id names one row', async t => {
  t.equal(new Set(ROUTES.map(route => route.id)).size, ROUTES.length)
  for (const route of ROUTES) t.equal(routeOf(route.id), route)
})

await t.test('a file is a chart or a provenance file with a name that stays in its folder', async t => {
  const takes = (id: 'chart-file' | 'prov-file', file: string): boolean => {
    const part = routeOf(id).tail[1]
    return typeof part === 'object' && part.accepts(file)
  }
  for (const file of ['mychart-0.1.0.tgz', 'a-1.0.0+b.1.tgz', '_a-1.tgz', '.a-1.tgz', '-a-1.tgz', '0.tgz', 'a..b-1.tgz', '+a.tgz', 'a~.tgz', 'a^.tgz', 'a-1 (1).tgz', 'größe-1.tgz', 'a?b-1.tgz']) {
    t.ok(takes('chart-file', file), file)
    t.notOk(takes('prov-file', file), file)
    t.ok(takes('prov-file', `${file}.prov`), file)
    t.notOk(takes('chart-file', `${file}.prov`), file)
  }
  for (const file of ['.tgz', 'atgz', 'a.tar.gz', 'a.TGZ', 'a.tgz.prov.prov', 'a.prov', 'a/b.tgz', 'a\\b.tgz', 'a%20b.tgz', 'a\nb.tgz', 'a.tgz\n', '']) {
    t.notOk(takes('chart-file', file) || takes('prov-file', file), JSON.stringify(file))
  }
})

await t.test('an encoding is taken where the name of a stored file is said, and nowhere else', t => {
  const taking = ROUTES.flatMap(({ id, tail }) => tail.flatMap(part => typeof part === 'object' && part.encoded === true ? [`${id} ${part.parameter}`] : []))
  t.strictSame(taking, ['chart-file file', 'prov-file file', 'delete-version chart', 'delete-version version'])
  t.end()
})
