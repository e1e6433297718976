// Whatever hostile clients do, a neighbour is answered, and what was done for them ends
// when they have gone. Here for some seconds, with one seed, and by counts alone;
// `npm run fuzz -- neighbours` goes on for as long as one likes, in front of ChartMuseum
// too, and takes the time.
import t from 'tap'
import { notTried } from '../helpers/not-tried.ts'
import { until } from '../helpers/until.ts'
import { openLab } from './neighbours/lab.ts'
import { HAS_PROC } from './neighbours/proc.ts'
import { complaintsOf, runRound } from './neighbours/round.ts'
import { leftBehind, readStanding, stillAtWork } from './neighbours/standing.ts'
import { warmUp } from './neighbours/trial.ts'

const SEED = 13
const CLIENTS = 6
const MS = 8_000
/** Milliseconds in which the slowest machine has answered. */
const LIMIT = 20_000

// as long as a busy machine needs
t.setTimeout(180_000)

if (!HAS_PROC) await notTried(t, 'what hostile clients leave behind', 'this system has no /proc')
else {
  await t.test('hostile clients take nothing from a neighbour, and leave nothing behind', async t => {
    const lab = await openLab(t, { workers: 2, program: undefined })
    const baseline = await warmUp(lab, SEED)
    const { samples, notes } = await runRound(lab, { seed: SEED, ms: MS, clients: CLIENTS, only: [], limit: LIMIT })
    t.comment(`${notes.length} actions, ${samples.length} errands of the neighbour`)
    t.ok(notes.length >= CLIENTS && samples.length > 0, 'both were there')
    t.same(complaintsOf(samples, { timed: false }).map(({ text }) => text), [], 'the neighbour has no complaint')

    let left = ['everything']
    await until(async () => {
      left = [...leftBehind(await readStanding(lab), baseline, { pool: true }), ...await stillAtWork(lab)]
      return left.length === 0 ? true : undefined
    }).catch(() => {}) // what is left says more
    t.same(left, [], 'nothing is left behind')
    t.equal(await lab.readiness(), 200, 'and it is ready for more')
  })
}
