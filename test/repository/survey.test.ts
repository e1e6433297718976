// Does whoever looks after a chart folder hear of every file that no client sees?
import { copyFileSync, existsSync, mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { surveyCharts } from '../../src/repository/survey.ts'
import { testFolder } from '../helpers/folder.ts'
import { chartOf } from '../helpers/packages.ts'
import { STORES, unpackStore } from '../helpers/stores.ts'

await t.test('files in no index are named with tenant and reason, and nothing is written', async t => {
  const good = await chartOf('good', '1.0.0')
  const folder = testFolder(t, { 'top-1.0.0.tgz': await chartOf('top', '1.0.0'), org: { a: { 'good-1.0.0.tgz': good, 'broken-1.0.0.tgz': 'x', 'notes.txt': 'x', 'good-1.0.0.tgz.prov': 'x' }, b: { 'good-1.0.0.tgz': good, 'good-2.0.0.tgz': '' } }, '.chartgate': { tmp: { 'x.tgz': 'x' } } })
  copyFileSync(join(folder, 'org/a/good-1.0.0.tgz'), join(folder, 'org/a/good-1.0.0 (1).tgz'))
  mkdirSync(join(folder, 'org/a/folder-1.0.0.tgz'))
  symlinkSync('nowhere', join(folder, 'org/a/link-1.0.0.tgz'))
  t.strictSame(await surveyCharts(folder), {
    charts: 3,
    leftOut: [
      { tenant: 'org/a', file: 'broken-1.0.0.tgz', reason: 'unexpected EOF' },
      { tenant: 'org/a', file: 'good-1.0.0 (1).tgz', reason: 'another file holds the same version of the same chart' },
      { tenant: 'org/b', file: 'good-2.0.0.tgz', reason: 'EOF' }
    ]
  })
  t.notOk(existsSync(join(folder, '.chartgate/index')))
  t.strictSame(await surveyCharts(join(folder, 'nowhere')), { charts: 0, leftOut: [] }, 'before the first start')
})

await t.test('of the stores of the world it names what ChartMuseum does not list', async t => {
  const folder = testFolder(t)
  for (const store of STORES) await unpackStore(store, join(folder, store.case))
  const { leftOut } = await surveyCharts(folder)
  for (const store of STORES) {
    const listed = store.case === 'paren2' ? ['mychart-0.1.0.tgz'] : store.chartmuseum.map(({ url }) => url.slice('charts/'.length))
    const left = store.files.filter(file => file.endsWith('.tgz') && !listed.includes(file))
    t.strictSame(leftOut.filter(({ tenant }) => tenant === store.case).map(({ file }) => file).sort(), left.sort(), store.case)
  }
})
