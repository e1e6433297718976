import t from 'tap'
import { createFollowersOffice } from '../../../src/serve/workers/followers.ts'
import { fakeWorker, settled } from '../../helpers/channels.ts'

await t.test('the primary knows the best that a worker knows of each address, and forgets what one that ended said', async t => {
  const office = createFollowersOffice(2)
  const [a, b] = [fakeWorker(1), fakeWorker(2)]
  for (const { process } of [a, b]) office.join(process)
  t.strictSame(office.states(), ['unproven', 'unproven'])
  a.own.send({ kind: 'followers', states: ['behind', 'follows'] })
  b.own.send({ kind: 'followers', states: ['follows', 'unproven'] })
  b.own.send({ kind: 'joined' })
  await settled()
  t.strictSame(office.states(), ['follows', 'follows'])
  office.leave(b.process)
  t.strictSame(office.states(), ['behind', 'follows'])
  a.own.send({ kind: 'followers', states: ['untold', 'unproven'] })
  await settled()
  t.strictSame(office.states(), ['untold', 'unproven'])
  office.leave(a.process)
  t.strictSame(office.states(), ['unproven', 'unproven'])
  office.ask(() => ['follows', 'behind'])
  t.strictSame(office.states(), ['follows', 'behind'], 'one without workers knows it itself')
})
