import t from 'tap'
import { createLately, SEVERAL } from '../../src/limits/lately.ts'
import type { Login } from '../../src/limits/login.ts'

const DAY = 86_400

function who (of: Partial<Login>): Login {
  return { origin: '192.0.2.1', account: 'alice', proof: 'the password', isPeer: true, ...of }
}

await t.test('who came in is known there, with what, for eight days', async t => {
  const time = { now: 0 }
  const lately = createLately(() => time.now, () => {})
  lately.letIn(who({}))
  t.ok(lately.isProved('the password') && lately.isKnown('192.0.2.1', 'alice'))
  t.notOk(lately.isProved('another') || lately.isKnown('192.0.2.1', 'bob') || lately.isKnown('192.0.2.2', 'alice'))
  t.equal(lately.size(), 2)
  time.now = 8 * DAY
  t.notOk(lately.isProved('the password') || lately.isKnown('192.0.2.1', 'alice'))
})

await t.test('an address is several people\'s when so many accounts came in within eight days, which is said once, and of no proxy', async t => {
  const time = { now: 0 }
  const said: string[] = []
  const lately = createLately(() => time.now, origin => { said.push(origin) })
  for (let i = 0; i < SEVERAL; i++) {
    t.notOk(lately.isSeveral('192.0.2.1') || lately.isSeveral('192.0.2.2'), `${i}`)
    for (const [origin, isPeer] of [['192.0.2.1', true], ['192.0.2.2', false]] as const) lately.letIn(who({ origin, isPeer, account: `user${i}` }))
  }
  t.ok(lately.isSeveral('192.0.2.1') && lately.isSeveral('192.0.2.2'))
  lately.letIn(who({ account: 'one more' }))
  t.strictSame(said, ['192.0.2.1'])
  time.now = 8 * DAY
  t.notOk(lately.isSeveral('192.0.2.1'))
})

await t.test('what is remembered has a bound: passwords, addresses, and accounts of each', async t => {
  const lately = createLately(() => 0, () => {})
  for (let i = 0; i < 100; i++) lately.letIn(who({ account: `user${i}` }))
  t.equal(lately.size(), 1 + 64)
  for (let i = 0; i < 11_000; i++) lately.letIn(who({ origin: `origin ${i}`, proof: `proof ${i}` }))
  t.equal(lately.size(), 10_000 + 10_000)
  t.notOk(lately.isKnown('192.0.2.1', 'user99'))
})
