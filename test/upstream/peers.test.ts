// Who is alone tells nobody, and may always answer from memory.
import t from 'tap'
import { NO_PEERS } from '../../src/upstream/peers.ts'

await t.test('who is alone waits for nobody', async t => {
  NO_PEERS.onChange(() => { t.fail('nobody says anything') })
  await NO_PEERS.changed('org1/repo1')
  t.ok(NO_PEERS.holds())
})
