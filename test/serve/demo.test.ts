import { createReadStream } from 'node:fs'
import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import t from 'tap'
import { readChartArchive } from '../../src/uploads/archive.ts'
import { seedDemoChart } from '../../src/serve/demo.ts'
import { readPlainTar } from '../../src/repository/tar.ts'
import { testFolder } from '../helpers/folder.ts'
import { ROOT } from '../helpers/processes.ts'

const MYCHART = join(ROOT, 'examples/mychart')

/** What is in a packaged chart, by the paths below its folder. */
async function filesOf (archive: string): Promise<Map<string, string>> {
  const files = readPlainTar(gunzipSync(await readFile(archive))) ?? []
  return new Map(files.map(({ name, data }) => [name.slice(name.indexOf('/') + 1), data.toString()]))
}

await t.test('the first start packages the example, as every reader of charts takes it', async t => {
  const charts = join(testFolder(t), 'charts')
  await seedDemoChart(MYCHART, charts)
  t.strictSame(await readdir(charts, { recursive: true }).then(files => files.sort()), ['org1', 'org1/repo1', 'org1/repo1/mychart-0.1.0.tgz'])
  const archive = join(charts, 'org1/repo1/mychart-0.1.0.tgz')
  const { size } = await stat(archive)
  t.strictSame(await readChartArchive(createReadStream(archive), size), { ok: true, name: 'mychart', version: '0.1.0' })
  const files = await filesOf(archive)
  for (const file of ['values.yaml', 'templates/configmap.yaml']) t.equal(files.get(file), await readFile(join(MYCHART, file), 'utf8'), file)
})

await t.test('the file is named by the chart, with every file of its folder', async t => {
  const dir = testFolder(t, { 'any-name': { 'Chart.yaml': 'apiVersion: v2\nname: other\nversion: 1.2.3\n', a: { b: { 'c.txt': 'deep' } } } })
  await seedDemoChart(join(dir, 'any-name'), join(dir, 'charts'))
  t.strictSame(await readdir(join(dir, 'charts/org1/repo1')), ['other-1.2.3.tgz'])
  t.equal((await filesOf(join(dir, 'charts/org1/repo1/other-1.2.3.tgz'))).get('a/b/c.txt'), 'deep')
})

await t.test('a tenant that was there before stays as it is', async t => {
  const charts = join(testFolder(t), 'charts')
  await seedDemoChart(MYCHART, charts)
  const file = join(charts, 'org1/repo1/mychart-0.1.0.tgz')
  const before = await readFile(file)
  await seedDemoChart(MYCHART, charts)
  t.strictSame(await readFile(file), before)
  await rm(file)
  await seedDemoChart(MYCHART, charts)
  t.strictSame(await readdir(join(charts, 'org1/repo1')), [], 'a chart that somebody deleted stays deleted')
})

await t.test('another tenant is no reason to leave it out', async t => {
  const charts = join(testFolder(t), 'charts')
  await mkdir(join(charts, 'org1/repo2'), { recursive: true })
  await seedDemoChart(MYCHART, charts)
  t.strictSame(await readdir(join(charts, 'org1/repo1')), ['mychart-0.1.0.tgz'])
})
