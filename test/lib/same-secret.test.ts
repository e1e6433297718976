import t from 'tap'
import { secretComparer } from '../../src/lib/same-secret.ts'

await t.test('the secret is the same, another one is not, and an empty one is nobody\'s', t => {
  const isIt = secretComparer('one of sixteen')
  t.strictSame([isIt('one of sixteen'), isIt('one of sixteeN'), isIt('')], [true, false, false])
  t.equal(secretComparer('')(''), false)
  t.end()
})
