// What a machine lacks is skipped, and said; where CHARTGATE_NO_SKIPS is 1, as in
// .ci/run, it is a failure.
import type { Test } from 'tap'

/** Says that this was not tried here, and why. */
export async function notTried (t: Test, what: string, reason: string): Promise<void> {
  if (process.env['CHARTGATE_NO_SKIPS'] === '1') t.fail(`${what} must be tried here: ${reason}`)
  else await t.test(what, { skip: reason }, () => {})
}
