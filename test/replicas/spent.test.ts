// A token that was exchanged at one replica is used up at all of them, and nothing is exchanged of
// which Redis does not know that nobody did.
import t, { type Test } from 'tap'
import { later } from '../../src/lib/timers.ts'
import { connectRedis } from '../../src/replicas/replicas.ts'
import { createReplicaSpent } from '../../src/replicas/spent.ts'
import { MOST_SPENT, type Spent } from '../../src/tokens/spent.ts'
import { notTried } from '../helpers/not-tried.ts'
import { NO_REDIS, redisServer, startRedis, type RedisServer } from '../helpers/redis.ts'
import { shown } from '../helpers/spent.ts'
import { untilTrue } from '../helpers/until.ts'

await t.test('times are told in whole milliseconds, which make no token younger, and a fault is no answer', async t => {
  const told: (readonly string[])[] = []
  const spent = createReplicaSpent({ async run (_script, args) { told.push(args.slice(1)); return told.length === 1 ? 'first' : await Promise.reject(new Error('away')) } })
  t.strictSame([await spent.spend(shown('a', { age: 1.0004 })), await spent.spend(shown('b'))], ['first', 'unproved'])
  t.strictSame(told[0], ['github', 'a', '600000', '1001'])
})

async function replica (t: Test, { port }: RedisServer): Promise<Spent> {
  const { redis } = await connectRedis({ host: '127.0.0.1', port, database: 0 }, { log: { error () {} }, clock: () => performance.now(), later })
  t.teardown(redis.close)
  return createReplicaSpent(redis)
}

if (redisServer === undefined) await notTried(t, 'a real Redis', NO_REDIS)
else {
  await t.test('of many replicas that are shown one token at once, one exchanges it, and it is forgotten when it has ended', async t => {
    const server = await startRedis(t)
    const all = [await replica(t, server), await replica(t, server), await replica(t, server)]
    await all[0]?.spend(shown('x', { age: 0 }))
    await server.age()
    const uses = (await Promise.all(Array.from({ length: 30 }, async (_, i) => await all[i % 3]?.spend(shown(`t${i % 10}`))))).sort()
    t.strictSame(uses, [...Array.from({ length: 10 }, () => 'first'), ...Array.from({ length: 20 }, () => 'used')])
    t.equal(await all[1]?.spend(shown('t0', { provider: 'renamed' })), 'used', 'whatever its provider is called')
    const short = shown('short', { seconds: 0.05 })
    t.equal(await all[0]?.spend(short), 'first')
    await untilTrue(async () => (await server.ask('EXISTS', '{chartgate}:exchanged:short')).startsWith(':0'))
    t.equal(await all[1]?.spend(short), 'first')
    for (const key of ['{chartgate}:exchanged:t1', '{chartgate}:exchanged-of:github']) t.notMatch(await server.ask('PTTL', key), /^:-/, 'and nothing stays for ever')
  })

  await t.test('a provider that has used up its share takes nothing from others, and gets it back', async t => {
    const server = await startRedis(t)
    const spent = await replica(t, server)
    await spent.spend(shown('x', { age: 0 }))
    await server.age()
    const fill = `for i = 1, ${MOST_SPENT} do redis.call('ZADD', KEYS[1], ARGV[1], i) end return 1`
    await server.ask('EVAL', fill, '1', '{chartgate}:exchanged-of:flood', `${Date.now() + 1e8}`)
    t.strictSame([await spent.spend(shown('a', { provider: 'flood' })), await spent.spend(shown('b', { provider: 'other' }))], ['unproved', 'first'])
    await server.ask('EVAL', fill, '1', '{chartgate}:exchanged-of:flood', `${Date.now() - 1}`)
    t.equal(await spent.spend(shown('a', { provider: 'flood' })), 'first')
  })

  await t.test('a Redis that is away refuses, and one that comes back empty takes no token of before', async t => {
    const server = await startRedis(t)
    const [a, b] = [await replica(t, server), await replica(t, server)]
    await a.spend(shown('x', { age: 0 }))
    await server.age()
    t.strictSame([await a.spend(shown('used')), await b.spend(shown('used'))], ['first', 'used'])
    await server.kill()
    t.strictSame([await a.spend(shown('used')), await b.spend(shown('new'))], ['unproved', 'unproved'])
    await server.start()
    await untilTrue(async () => await b.spend(shown('used')) === 'too_early')
    await untilTrue(async () => await b.spend(shown('new', { age: 0.001 })) === 'first') // but those that are issued from then on
    await server.ask('FLUSHALL')
    t.equal(await b.spend(shown('new', { age: 60 })), 'too_early')
  })
}
