import t from 'tap'
import { coresOf } from '../../benchmarks/lab/allowed-cores.ts'
import { plot } from '../../benchmarks/report/plot.ts'
import { gather, type Outcome } from '../../benchmarks/report/outcome.ts'
import { figuresText, resultsMarkdown, resultsPlot } from '../../benchmarks/report/results.ts'
import { goalText, number, quantity, spread, table, verdict } from '../../benchmarks/report/text.ts'
import type { Goal } from '../../benchmarks/scenario.ts'

await t.test('numbers have the digits that mean something', async t => {
  for (const [value, text] of [[27_512.4, '27,512'], [142.3, '142'], [14.23, '14.2'], [4.3219, '4.32'], [0.7618, '0.762'], [0.0431, '0.0431'], [3, '3'], [Infinity, 'Infinity']] as const) t.equal(number(value), text)
  t.strictSame([quantity(4.5, '×'), quantity(5600, '/s'), quantity(0.25, 'ms')], ['4.50×', '5,600/s', '0.250 ms'])
  t.strictSame([spread({ median: 2, low: 1, high: 3 }, 'ms'), spread({ median: 2, low: 2, high: 2 }, 'ms')], ['1 – 3 ms', ''])
})

await t.test('a table is Markdown, whatever is in its cells', async t => {
  t.equal(table(['who', 'rate'], [['a|b', '5'], ['two\nlines', '1,000']], ['rate']), [
    '| who       |  rate |',
    '| --------- | ----: |',
    '| a\\|b      |     5 |',
    '| two lines | 1,000 |', ''
  ].join('\n'))
})

const goals: readonly Goal[] = [
  { measured: 'fast', against: 'slow', unit: '×', at: 'least', bound: 1.2 },
  { measured: 'fast', against: 'slow', unit: '/s', at: 'most', bound: 50, inTheWay: 'It does more.' },
  { measured: 'absent', unit: '/s', at: 'least', bound: 1 },
  { measured: 'slow', unit: '/s', at: 'most', bound: 0 }
]
const outcome: Outcome = {
  scenario: { name: 'race', title: 'A <race>', goals, open: async () => [] },
  figures: gather([[{ name: 'slow', unit: '/s', value: 100 }, { name: 'fast', unit: '/s', value: 200 }], [{ name: 'slow', unit: '/s', value: 100 }, { name: 'fast', unit: '/s', value: 300 }]]),
  missing: [{ name: 'absent', why: 'it is not installed' }],
  notes: ['both ran']
}

await t.test('goals are written as they were agreed, and verdicts say by how much', async t => {
  t.strictSame(goals.map(goalText), ['≥ 1.2×', '≤ +50/s', '≥ 1/s', '≤ 0/s'])
  const found = { median: 1, low: 1, high: 1 }
  t.strictSame([verdict({ kind: 'reached', found }), verdict({ kind: 'missed', found, by: 0.25 }), verdict({ kind: 'missed', found, by: Infinity }), verdict({ kind: 'unknown', why: 'x is missing' })],
    ['reached', '**missed by 25 %**', '**missed**', 'x is missing'])
})

await t.test('results have every goal, every figure, who is missing and what was measured with', async t => {
  const text = resultsMarkdown([outcome], [['machine', '2 × something']], '2 rounds.')
  for (const line of [
    /A <race> \| fast +\| slow +\| +≥ 1\.2× \| +2\.50× \| 2 – 3× +\| reached/,
    /\| absent +\| – +\| +≥ 1\/s \| +– \| +\| absent is missing/,
    /\* A <race>, fast: 150\/s instead of ≤ \+50\/s\. It does more\./,
    /\| fast +\| +250\/s \| 200 – 300\/s +\|/,
    /\| absent +\| +missing \| it is not installed \|/,
    /\* both ran/,
    /\| machine \| 2 × something \|/
  ]) t.match(text, line)
})

await t.test('a scenario that failed has no figures', async t => {
  const text = figuresText({ ...outcome, failure: 'fast: 3 timeouts among 9 requests' })
  t.match(text, /\*\*Failed\*\*.*3 timeouts/)
  t.notMatch(text, /250\/s/)
})

await t.test('where all is reached and nobody said anything, nothing of that stands there', async t => {
  const goal: Goal = { measured: 'fast', unit: 'ms', at: 'most', bound: 2 }
  const good: Outcome = { ...outcome, scenario: { ...outcome.scenario, goals: [goal] }, figures: gather([[{ name: 'fast', unit: 'ms', value: 1 }]]), missing: [], notes: [] }
  const text = resultsMarkdown([good], [], '')
  t.match(text, /≤ 2 ms \| +1 ms \|/)
  t.notMatch(text, /What is not reached|\* /)
  t.match(resultsPlot([good]), />1 ms, goal ≤ 2 ms</)
})

await t.test('the plot has a bar for every goal that has a multiple', async t => {
  const svg = resultsPlot([outcome])
  t.equal(svg.match(/<text [^>]*text-anchor="end">/g)?.length, 3, 'all but the one with a bound of 0')
  t.match(svg, /2\.50×, goal ≥ 1\.2× beside slow/)
  t.match(svg, /race: absent/)
  t.match(svg, /not measured/)
})

await t.test('a bar is as long as its multiple of the goal, cut off at three, and its text is escaped', async t => {
  const svg = plot('a & b', [{ label: '<x>', times: 0.5, text: '1' }, { label: 'y', times: 99, text: '2' }, { label: 'z', times: undefined, text: '3' }])
  t.match(svg, /a &amp; b/)
  t.match(svg, /&lt;x&gt;/)
  const widths = [...svg.matchAll(/width="([\d.]+)" height="14"/g)].map(match => Number(match[1]))
  t.strictSame(widths, [80, 480, 0])
})

await t.test('the cores that a process may use are read', async t => {
  t.strictSame(coresOf('Name:\tnode\nCpus_allowed_list:\t0-2,5\nx: y\n'), [0, 1, 2, 5])
  t.strictSame(coresOf('Cpus_allowed_list:\t7\n'), [7])
  t.strictSame(coresOf(''), [])
})
