import t from 'tap'
import { judge, timesTheGoal } from '../../benchmarks/report/judge.ts'
import { gather, type Outcome } from '../../benchmarks/report/outcome.ts'
import type { Goal, Scenario } from '../../benchmarks/scenario.ts'

const scenario: Scenario = { name: 'x', title: 'X', goals: [], open: async () => [] }
const turns = (a: number, b: number) => [{ name: 'a', unit: '/s' as const, value: a }, { name: 'b', unit: '/s' as const, value: b }]
const outcome: Outcome = { scenario, figures: gather([turns(400, 100), turns(300, 150), turns(900, 300)]), missing: [{ name: 'c', why: 'it is not installed' }], notes: [] }

const ratio: Goal = { measured: 'a', against: 'b', unit: '×', at: 'least', bound: 3 }

await t.test('a ratio is the median of the ratios of the rounds', async t => {
  t.strictSame(judge(ratio, outcome), { kind: 'reached', found: { median: 3, low: 2, high: 4 } })
})

await t.test('a goal that is not reached says by how much of its bound', async t => {
  t.match(judge({ ...ratio, bound: 4 }, outcome), { kind: 'missed', by: 0.25 })
  t.match(judge({ ...ratio, at: 'most', bound: 2 }, outcome), { kind: 'missed', by: 0.5 })
})

await t.test('a difference is in the unit of the figures', async t => {
  t.match(judge({ ...ratio, unit: '/s', at: 'most', bound: 300 }, outcome), { kind: 'reached', found: { median: 300 } })
})

await t.test('a figure alone is held to its bound', async t => {
  const alone: Goal = { measured: 'a', unit: '/s', at: 'most', bound: 0 }
  t.match(judge(alone, outcome), { kind: 'missed', found: { median: 400 }, by: Infinity })
  t.match(judge({ ...alone, bound: 400 }, outcome), { kind: 'reached' })
})

await t.test('what nobody measured is neither reached nor missed', async t => {
  t.strictSame(judge({ ...ratio, against: 'c, Basic' }, outcome), { kind: 'unknown', why: 'c is missing' })
  t.strictSame(judge({ ...ratio, measured: 'd' }, outcome), { kind: 'unknown', why: 'nobody measured "d"' })
  t.strictSame(judge(ratio, { ...outcome, failure: 'the status is 500' }), { kind: 'unknown', why: 'the scenario failed' })
})

await t.test('1 is the goal and more is better, whichever way the bound looks', async t => {
  t.equal(timesTheGoal(ratio, 6), 2)
  t.equal(timesTheGoal({ ...ratio, at: 'most' }, 1.5), 2)
  t.equal(timesTheGoal({ ...ratio, at: 'most' }, 0), Infinity)
  t.equal(timesTheGoal({ ...ratio, bound: 0 }, 1), undefined)
})
