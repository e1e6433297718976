// A folder for a test, which goes last. tap removes a `testdir` before it runs the
// teardowns that were registered after it, and so under the feet of a server that still
// writes there; behind an earlier teardown it waits for all of them.
import type { Test } from 'tap'

export type TestLike = Pick<Test, 'teardown' | 'testdir'>

/** A new folder of this test alone, filled as tap's `testdir` has it; removed when everything that the test started has stopped. */
export function testFolder (t: TestLike, content?: Parameters<Test['testdir']>[0]): string {
  t.teardown(() => {})
  return t.testdir(content)
}
