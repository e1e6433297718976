// docs/metrics.md is the table of metrics.
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { metricsMarkdown } from '../../scripts/metric-documents.ts'
import { METRICS } from '../../src/metrics/table.ts'
import { ROOT } from '../helpers/processes.ts'

const PAGE = join(ROOT, 'docs/metrics.md')

await t.test('docs/metrics.md has every metric (npm run docs:metrics writes it)', async t => {
  if (process.env['UPDATE_DOCS'] === '1') await writeFile(PAGE, metricsMarkdown())
  const page = await readFile(PAGE, 'utf8')
  t.equal(page, metricsMarkdown())
  for (const name of Object.keys(METRICS)) t.match(page, `| \`${name}\` |`)
  t.notMatch(page, 'undefined', 'every label has its values, or says where they are')
})
