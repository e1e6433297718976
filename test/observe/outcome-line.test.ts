import t from 'tap'
import { Outcome, isRefused } from '../../src/observe/outcome.ts'
import { outcomeLine } from '../../src/observe/outcome-line.ts'

const ASKED = { ip: '192.0.2.1', method: 'POST', subject: 'robot:ci', route: 'upload-chart' }

await t.test('what was allowed says by which rule, and what it changed', t => {
  const outcome = new Outcome()
  outcome.allowedBy = 'policy[3]'
  outcome.upload = { chart: 'a', version: '1.0.0', digest: 'd', bytes: 5, provenance: undefined }
  t.strictSame(outcomeLine(outcome, ASKED, 201, outcome.arrivedAt + 12.4), {
    level: 'info',
    message: 'allowed',
    fields: { ...ASKED, decision: 'allowed', by: 'policy[3]', chart: 'a', version: '1.0.0', digest: 'd', bytes: 5, provenance: undefined, status: 201, ms: 12 }
  })
  t.equal(isRefused(outcome), false)
  t.end()
})

await t.test('what was refused says why, and what failed behind the gateway', t => {
  const outcome = new Outcome()
  outcome.allowedBy = 'policy[3]'
  outcome.refusal = { code: 'upstream_bad_answer', detail: 'of 500' }
  outcome.because = 'a job that no rule takes'
  outcome.failure = 'the upstream answered 500'
  t.strictSame(outcomeLine(outcome, ASKED, 502, outcome.arrivedAt), {
    level: 'warn',
    message: 'refused',
    fields: { ...ASKED, decision: 'refused', reason: 'upstream_bad_answer', detail: 'of 500', because: 'a job that no rule takes', status: 502, ms: 0, err: 'the upstream answered 500' }
  })
  t.equal(isRefused(outcome), true)
  t.end()
})

await t.test('an upload whose client has gone is none that was refused', t => {
  const outcome = new Outcome()
  outcome.refusal = { code: 'upload_aborted' }
  t.equal(isRefused(outcome), false)
  t.end()
})
