import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { parse } from 'yaml'
import { CHART_DOCUMENTS } from '../../scripts/chart-documents.ts'
import { CHART_VALUES, isValue, type ChartValues } from '../../scripts/chart-values.ts'
import { ROOT } from '../helpers/processes.ts'
import packageJson from '../../package.json' with { type: 'json' }

const CHART = 'deploy/chartgate'

await t.test('what is made of other files says what they say (npm run docs:chart writes it)', async t => {
  for (const [file, make] of Object.entries(CHART_DOCUMENTS)) {
    const made = await make()
    if (process.env['UPDATE_DOCS'] === '1') await writeFile(join(ROOT, file), made)
    t.equal(await readFile(join(ROOT, file), 'utf8'), made, file)
  }
})

await t.test('values.yaml has the defaults of the table, and nothing else', async t => {
  const defaults = (values: ChartValues): object => Object.fromEntries(Object.entries(values)
    .map(([name, node]) => [name, isValue(node) ? node.default : defaults(node)]))
  t.same(parse(await readFile(join(ROOT, CHART, 'values.yaml'), 'utf8')), defaults(CHART_VALUES))
})

await t.test('the chart has the version of the program', async t => {
  const { version, appVersion } = parse(await readFile(join(ROOT, CHART, 'Chart.yaml'), 'utf8')) as Record<string, string>
  t.strictSame([version, appVersion], [packageJson.version, packageJson.version])
})

await t.test('templates name no value that the table does not have, and each value is used', async t => {
  const paths = (values: ChartValues, before: string): string[] => Object.entries(values)
    .flatMap(([name, node]) => isValue(node) ? [`${before}${name}`] : paths(node, `${before}${name}.`))
  const known = paths(CHART_VALUES, '')
  const folder = join(ROOT, CHART, 'templates')
  const files = (await readdir(folder, { recursive: true })).filter(name => /\.(?:yaml|tpl|txt)$/.test(name))
  const all = (await Promise.all(files.map(async name => await readFile(join(folder, name), 'utf8')))).join('\n')
  const named = new Set([...all.matchAll(/\.Values\.([A-Za-z.]+[A-Za-z])/g)].map(match => match[1] as string))
  for (const name of named) t.ok(known.some(path => path === name || path.startsWith(`${name}.`) || name.startsWith(`${path}.`)), `${name} is a value`)
  for (const path of known) t.ok([...named].some(name => path === name || path.startsWith(`${name}.`) || name.startsWith(`${path}.`)), `${path} is used`)
})
