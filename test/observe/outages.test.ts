import t from 'tap'
import { createOutages, sayBreaker, sayFollower } from '../../src/observe/outages.ts'

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
    [{ upstream: 'http://cm', seconds: 3 }, 'the chart repository is asked again, after 3 s']
  ])
  t.end()
})

await t.test('of several addresses it is said which one it is, and what that means', t => {
  const lines: string[] = []
  const log = { error: (_fields: object, message: string) => { lines.push(message) } }
  for (const place of ['first', 'further'] as const) {
    const say = sayBreaker(log, 'http://cm', place)
    say({ isOpen: true })
    say({ isOpen: false, ms: 1_000 })
    const outages = createOutages(log, 'http://cm', () => 0, place)
    for (const sentence of ['away', undefined]) outages.report(sentence)
  }
  const [first, other] = ['the first address of the chart repository', 'this further address of the chart repository']
  t.match(lines, [
    /^the first address .*until it does, changes get 503 at once/, `${first} is asked again, after 1 s`, 'away', `${first} answers again, after 0 s`,
    /^this further address .*is asked nothing until it does$/, `${other} is asked again, after 1 s`, 'away', `${other} answers again, after 0 s`
  ])
  t.end()
})

await t.test('whether an address follows the first is one line', t => {
  const lines: [level: string, fields: object, message: string][] = []
  const level = (name: string) => (fields: object, message: string): void => { lines.push([name, fields, message]) }
  const say = sayFollower({ info: level('info'), warn: level('warn') }, 'http://cm')
  for (const state of ['follows', 'behind', 'unproven'] as const) say(state)
  t.match(lines, [
    ['info', { upstream: 'http://cm' }, /is read from while the first is away$/],
    ['warn', { upstream: 'http://cm' }, /--always-regenerate-chart-index\?$/],
    ['warn', { upstream: 'http://cm' }, /not read from until it has shown it, or the next ones$/]
  ])
  t.end()
})
