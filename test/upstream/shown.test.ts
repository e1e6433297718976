// A change is waited for until the chart repository shows it, for a while, and no longer than it says anything.
import t from 'tap'
import type { UpstreamAnswer } from '../../src/upstream/answers.ts'
import { GONE, type Change } from '../../src/upstream/change.ts'
import type { Question } from '../../src/upstream/client.ts'
import { createShowing, type Showing } from '../../src/upstream/shown.ts'
import { settled } from '../helpers/channels.ts'
import { aChange } from '../helpers/changes.ts'

type Says = string | number | Error

interface Lab {
  readonly showing: Showing
  /** Milliseconds of each pause. */
  readonly paused: number[]
  readonly asked: Question[]
  now: number
}

const whole = (body: string, status = 200): UpstreamAnswer => ({ kind: 'whole', status, headers: {}, body: Buffer.from(body) })

/** One that says what it is given, one after the other, and the last again and again. */
function lab (says: Says[], { paused = (_count: number): void => {}, takes = 0 } = {}): Lab {
  const each: Omit<Lab, 'showing'> = { paused: [], asked: [], now: 0 }
  const ask = async (question: Question): Promise<UpstreamAnswer> => {
    each.asked.push(question)
    each.now += takes
    const next = (says.length > 1 ? says.shift() : says[0]) as Says
    if (next instanceof Error) throw next
    if (typeof next === 'number') return whole('{}', next)
    return next === GONE ? whole('{}', 404) : whole(JSON.stringify({ version: question.target.version, digest: next }))
  }
  const showing = createShowing(() => ({ ask }), (ms, run) => {
    each.paused.push(ms)
    paused(each.paused.length)
    setImmediate(run)
    return () => {}
  }, () => each.now)
  return Object.assign(each, { showing })
}

const until = async (showing: Showing, change: Change, waits = { waited: 0 }): Promise<boolean> => await showing.until(change, waits)

await t.test('what is shown at once costs one question, of the version that was changed', async t => {
  for (const [became, says] of [['new', 'new'], [GONE, GONE]] as const) {
    const { showing, paused, asked } = lab([says])
    t.equal(await until(showing, aChange('org1/repo1', { became })), true)
    t.strictSame(paused, [])
    t.match(asked, [{ method: 'GET', named: false, target: { route: 'version', tenant: 'org1/repo1', chart: 'web', version: '1.0.0' } }])
    t.equal(asked.length, 1)
  }
})

await t.test('it is asked again, with longer and longer pauses, until it shows it', async t => {
  for (const [became, says] of [
    ['new', [GONE, GONE, 'old', 500, 'new']],
    [GONE, ['old', 'old', 500, 500, GONE]]
  ] as const) {
    const { showing, paused } = lab([...says])
    t.equal(await until(showing, aChange('org1/repo1', { became })), true)
    t.strictSame(paused, [5, 10, 25, 50])
  }
})

await t.test('it is not waited for without end, also where there is no answer for a moment', async t => {
  const never = lab(['old'])
  t.equal(await until(never.showing, aChange()), false)
  t.equal(never.asked.length, 9)
  t.equal(never.paused.reduce((sum, ms) => sum + ms), 1_590)
  const slow = lab(['old'], { takes: 900 })
  const waits = { waited: 1 }
  t.equal(await until(slow.showing, aChange(), waits), false)
  t.equal(waits.waited, 2_701, 'which is no time of the gateway\'s own')
  t.equal(slow.asked.length, 3, 'also where each answer takes long')
  const away = lab([GONE, new Error('away')])
  t.equal(await until(away.showing, aChange()), false)
  t.equal(away.asked.length, 9)
  t.equal(await until(lab([new Error('away'), new Error('away'), 'new']).showing, aChange('org1/repo1', { became: 'new' })), true)
})

await t.test('what nobody knows is not waited for', async t => {
  const { showing, asked } = lab(['new'])
  t.equal(await until(showing, aChange('org1/repo1', { became: undefined })), false)
  t.strictSame(asked, [])
})

await t.test('who waits for what somebody else has changed since waits no longer', async t => {
  const others: ReadonlyArray<readonly [string, Change | undefined, boolean]> = [
    ['the same version', aChange('org1/repo1', { became: 'other' }), true],
    ['nobody knows what', undefined, true],
    ['another version', aChange('org1/repo1', { version: '2.0.0' }), false],
    ['another chart', aChange('org1/repo1', { chart: 'other' }), false],
    ['another tenant', aChange('org2/repo2'), false]
  ]
  for (const [what, other, isOver] of others) {
    const { showing, asked } = lab(['old'], { paused: count => { if (count === 2) showing.hear(other) } })
    const waiting = until(showing, aChange())
    await settled()
    t.equal(await waiting, false)
    t.equal(asked.length, isOver ? 2 : 9, what)
    showing.hear(other)
  }
})
