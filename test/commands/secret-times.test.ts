import t from 'tap'
import { earlierEnd, hasBegun, hasEnded, isoOf, lifeOf, readEnd } from '../../src/commands/secret-times.ts'
import type { RobotSecret } from '../../src/identity/accounts.ts'

const at = (time: string): number => Date.parse(time) / 1000
const secret = (times: Partial<RobotSecret>): RobotSecret => ({ digest: '', ...times })

void t.test('a length is a moment so far ahead', t => {
  for (const [text, hours] of [['1h', 1], ['12h', 12], ['90d', 2160]] as const) {
    const ahead = Date.parse(readEnd(text) ?? '') - Date.now()
    t.ok(Math.abs(ahead - hours * 3_600_000) < 60_000, text)
    t.match(readEnd(text), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
  }
  t.equal(readEnd('never'), 'never')
  for (const text of ['', '0d', '1', 'd', '1w', '-1d', '1.5d', '123456d', '1d ']) t.equal(readEnd(text), undefined, JSON.stringify(text))
  t.end()
})

void t.test('the life of a secret is said in words', t => {
  const [past, future] = [at('2020-02-01T00:00:00Z'), at('2099-02-01T00:00:00Z')]
  const cases: [times: Partial<RobotSecret>, words: string, counts: boolean][] = [
    [{}, 'does not end', true],
    [{ expires: future }, 'ends 2099-02-01T00:00:00Z', true],
    [{ expires: past }, 'ended 2020-02-01T00:00:00Z', false],
    [{ notBefore: past, expires: future }, 'ends 2099-02-01T00:00:00Z', true],
    [{ notBefore: future }, 'begins 2099-02-01T00:00:00Z, does not end', false]
  ]
  for (const [times, words, counts] of cases) t.strictSame([lifeOf(secret(times)), hasBegun(secret(times)) && !hasEnded(secret(times))], [words, counts])
  t.strictSame([isoOf(past), isoOf(undefined)], ['2020-02-01T00:00:00Z', null])
  t.end()
})

void t.test('an end is never put off', t => {
  const moment = '2030-01-01T00:00:00Z'
  t.equal(earlierEnd(secret({}), moment), moment)
  t.equal(earlierEnd(secret({ expires: at('2099-02-01T00:00:00Z') }), moment), moment)
  t.equal(earlierEnd(secret({ expires: at('2029-02-01T00:00:00Z') }), moment), '2029-02-01T00:00:00Z')
  t.end()
})
