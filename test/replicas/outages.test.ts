// One line when Redis goes or comes back, and none in between; each fault in its own sentence.
import t from 'tap'
import { isEnd, RedisSilent, sentenceOf } from '../../src/replicas/faults.ts'
import { createRedisOutages } from '../../src/replicas/outages.ts'

await t.test('an outage is one line, another reason another one, and its end says how long it was', async t => {
  const lines: unknown[] = []
  let now = 0
  const outages = createRedisOutages({ error (fields, message) { lines.push([fields, message]) } }, 'redis:6379', () => now)
  t.equal(outages.isUp(), undefined)
  outages.report(undefined)
  t.equal(outages.isUp(), true)
  t.same(lines, [])
  for (const sentence of ['a', 'a', 'b', 'b']) outages.report(sentence)
  t.equal(outages.isUp(), false)
  now = 61_000
  outages.report(undefined)
  const then = 'till then each replica is alone (docs/scaling.md)'
  t.same(lines, [
    [{ redis: 'redis:6379' }, `a; ${then}`],
    [{ redis: 'redis:6379' }, `b; ${then}`],
    [{ redis: 'redis:6379', seconds: 61 }, 'Redis can be used again, after 61 s']
  ])
})

await t.test('each fault says what is to be done, and others are quoted, in short', async t => {
  const say = (message: string): string => sentenceOf(new Error(message))
  t.match(say('NOAUTH HELLO must be called'), /set redis\.password/)
  t.match(say('NOPERM this user has no permissions'), /docs\/scaling\.md/)
  t.equal(say("ERR ACL failure in script: User gate has no permissions to run the 'zadd' command script"), say('NOPERM x'), 'of Valkey')
  t.match(say('MISCONF Redis is configured to save'), /its own log/)
  t.match(say('LOADING Redis is loading'), /starting/)
  t.match(say('CLUSTERDOWN Hash slot not served'), /cluster/)
  t.match(say("ERR unknown command 'EVAL', with args beginning with: 'local function epochNow"), /set redis\.sentinel/)
  t.match(say('Socket closed unexpectedly'), /is it Redis, and/)
  t.equal(say("Socket timeout timeout. Expecting data, but didn't receive any in 3000ms."), sentenceOf(new RedisSilent()))
  t.equal(say('Connection timeout'), sentenceOf(new RedisSilent()))
  t.match(sentenceOf(Object.assign(new Error('x'), { code: 'SELF_SIGNED_CERT_IN_CHAIN' })), /redis\.tls\.ca/)
  const isEndOf = (code: string): boolean => isEnd(Object.assign(new Error('read'), { code }))
  t.same([isEndOf('ECONNRESET'), isEndOf('EPIPE'), isEndOf('ECONNREFUSED'), isEnd(new Error('Socket closed unexpectedly'))], [true, true, false, true], 'of which the next try says more')
  t.match(say('Unknown RESP type 72 "H"'), /no Redis/)
  t.equal(say('ERR odd\n'), 'Redis cannot be used: it says "ERR odd\\n"')
  t.ok(say('x'.repeat(10_000)).length < 300)
  t.equal(sentenceOf(new RedisSilent()), 'Redis does not answer')
  t.equal(sentenceOf(Object.assign(new Error('x'), { code: 'ENOTFOUND' })), 'Redis cannot be reached (ENOTFOUND)')
})
