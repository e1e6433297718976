import t from 'tap'
import { gatewayItself, toItsEnd } from '../../src/upstream/asker.ts'
import { someAsker } from '../helpers/askers.ts'

void t.test('what is done to its end is nobody\'s who goes, or is sent away', t => {
  const asker = someAsker()
  asker.dismiss = () => { t.fail('sent away') }
  const heard: number[] = []
  asker.answered = status => { heard.push(status) }
  const going = toItsEnd(asker)
  t.match(going, { requestId: asker.requestId, client: asker.client, party: asker.party, tenant: asker.tenant })
  for (const each of [going, gatewayItself('org1/repo1')]) {
    each.dismiss('not_read')
    each.answered(200)
    t.equal(each.presence.gone, false)
  }
  t.same(heard, [200], 'who asked hears what became of it')
  t.end()
})
