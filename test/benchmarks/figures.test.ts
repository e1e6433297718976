// The pictures of docs/performance.md are what RESULTS.md says.
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { FIGURES, figure, figuresOf, rowsOf } from '../../benchmarks/report/figures.ts'
import { ROOT } from '../helpers/processes.ts'

const RESULTS = await readFile(join(ROOT, 'benchmarks/RESULTS.md'), 'utf8')

await t.test('docs/figures is drawn from RESULTS.md (npm run bench:figures), and docs/performance.md shows each', async t => {
  const figures = figuresOf(RESULTS)
  t.same((await readdir(join(ROOT, 'docs/figures'))).sort(), [...figures.keys()].sort())
  const page = await readFile(join(ROOT, 'docs/performance.md'), 'utf8')
  for (const [file, svg] of figures) {
    t.equal(await readFile(join(ROOT, 'docs/figures', file), 'utf8'), svg, file)
    t.match(page, `](figures/${file})`)
  }
})

await t.test('a figure has every row of the table in its unit, with the lowest and the highest', async t => {
  const results = 'x\n### race: A race\n\n| who | median | lowest – highest |\n| --- | ---: | --- |\n| chartgate, fast <b> | 1,234/s | 1,000 – 2,000/s |\n| nginx    |  10.5/s |                 |\n| bytes | 7 MB |  |\n\n### other: x\n| late | 9/s | |\n'
  const rows = rowsOf(results, { scenario: 'race', unit: '/s' })
  t.same(rows, [{ name: 'chartgate, fast <b>', text: '1,234/s', median: 1234, low: 1000, high: 2000 }, { name: 'nginx', text: '10.5/s', median: 10.5, low: 10.5, high: 10.5 }])
  const svg = figure('a & b', rows)
  t.match(svg, /prefers-color-scheme:dark/)
  t.match(svg, /a &amp; b[\s\S]*chartgate, fast &lt;b&gt;/)
  t.equal(svg.match(/class="bar ours"/g)?.length, 1)
  t.match(svg, /width="246\.8"/, 'the longest line has the whole length')
})

await t.test('what is not in the results is an error, and no empty picture', async t => {
  t.throws(() => rowsOf(RESULTS, { scenario: 'nothing', unit: '/s' }), /no scenario nothing/)
  t.throws(() => rowsOf(RESULTS, { scenario: 'index-bearer', unit: ' parsecs' }), /no figures in "parsecs"/)
  t.ok(FIGURES.length > 2)
})
