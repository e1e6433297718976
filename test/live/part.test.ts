// What of the files is said to who asks whether the gateway is ready.
import t from 'tap'
import { standingCheck } from '../../src/live/part.ts'

await t.test('what cannot be used is said without what somebody wrote, and what waits for a restart by its keys', async t => {
  const check = standingCheck(() => ({ mistakes: ['c.yaml:7:1: "hunter2": unknown key'], later: ['listen.port', 'workers'], last: undefined }))
  t.match(check, { name: 'configuration', hinders: false })
  t.strictSame(await check.look(), ['c.yaml:7:1: "…": unknown key', 'restart to apply: listen.port, workers'])
  t.strictSame(await standingCheck(() => ({ mistakes: [], later: [], last: undefined })).look(), [])
})
