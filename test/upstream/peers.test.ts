// Who is alone tells nobody, and knows of everything.
import t from 'tap'
import { NO_PEERS } from '../../src/upstream/peers.ts'
import { aChange } from '../helpers/changes.ts'

await t.test('who is alone waits for nobody', async t => {
  NO_PEERS.onChange(async () => { t.fail('nobody says anything') })
  NO_PEERS.onDoubt(() => { t.fail('nobody doubts anything') })
  await NO_PEERS.changed(aChange())
  t.ok(NO_PEERS.holds() && NO_PEERS.knowsAll())
})
