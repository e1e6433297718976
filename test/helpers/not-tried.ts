// What a machine lacks is skipped, and said. What a machine can have is a failure where
// CHARTGATE_NO_SKIPS is 1, as in .ci/run.
import type { Test } from 'tap'

/** Says that this was not tried here, and why; for programs that .ci/run installs. */
export async function notTried (t: Test, what: string, reason: string): Promise<void> {
  if (process.env['CHARTGATE_NO_SKIPS'] === '1') t.fail(`${what} must be tried here: ${reason}`)
  else await skipped(t, what, reason)
}

/** The same for what no registry has, ChartMuseum and cm-push: it is tried where it is, and nowhere demanded. */
export async function skipped (t: Test, what: string, reason: string): Promise<void> {
  await t.test(what, { skip: reason }, () => {})
}
