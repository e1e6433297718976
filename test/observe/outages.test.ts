import t from 'tap'
import { createOutages, sayBreaker } from '../../src/observe/outages.ts'

await t.test('an outage is one line when it begins, when it becomes another, and when it is over, with how long it was', t => {
  const lines: [fields: object, message: string][] = []
  let now = 0
  const outages = createOutages({ error: (...line) => { lines.push(line) } }, 'http://cm', () => now)
  const step = (seconds: number, sentence: string | undefined): void => {
    now += seconds * 1000
    outages.report(sentence)
  }
  t.equal(outages.isUp(), undefined, 'nobody has looked')
  step(1, undefined)
  t.equal(outages.isUp(), true)
  t.strictSame(lines, [], 'nothing is said of what is well')
  step(1, 'away')
  t.equal(outages.isUp(), false)
  step(5, 'away')
  step(5, 'refused')
  step(9.6, undefined)
  step(1, undefined)
  step(1, 'away')
  t.strictSame(lines, [
    [{ upstream: 'http://cm' }, 'away'],
    [{ upstream: 'http://cm' }, 'refused'],
    [{ upstream: 'http://cm', seconds: 20 }, 'the chart repository answers again, after 20 s'],
    [{ upstream: 'http://cm' }, 'away']
  ])
  t.end()
})

await t.test('that clients are not let through is one line, and so is that they are again, with how long it was', t => {
  const lines: [fields: object, message: string][] = []
  const say = sayBreaker({ error: (...line) => { lines.push(line) } }, 'http://cm')
  say({ isOpen: true })
  say({ isOpen: false, ms: 2_600 })
  t.strictSame(lines, [
    [{ upstream: 'http://cm' }, 'the chart repository answers nothing: clients get 503 at once, until it does'],
    [{ upstream: 'http://cm', seconds: 3 }, 'the chart repository is asked for clients again, after 3 s']
  ])
  t.end()
})
