import t from 'tap'
import { createForbidden } from '../../src/replicas/forbidden.ts'

await t.test('something is forbidden until all that was refused has passed', async t => {
  const forbidden = createForbidden()
  t.equal(forbidden.any(), false)
  for (const what of ['a script', 'a channel', 'a script']) forbidden.refused(what)
  forbidden.passed('a channel')
  forbidden.passed('another script')
  t.equal(forbidden.any(), true)
  forbidden.passed('a script')
  t.equal(forbidden.any(), false)
})
