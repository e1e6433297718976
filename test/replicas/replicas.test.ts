// One that is not heard of any more is taken for dead, and out of Redis, after ten minutes. Who goes
// or dies, and could not tell what it did, makes others doubt what they know.
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { CLOCK } from '../../src/lib/clock.ts'
import { createLocks } from '../../src/lib/locks.ts'
import { every, later } from '../../src/lib/timers.ts'
import { openReplicas } from '../../src/replicas/replicas.ts'
import { createRevocations } from '../../src/tokens/revocations.ts'
import { notTried } from '../helpers/not-tried.ts'
import { NO_REDIS, redisServer, startRedis } from '../helpers/redis.ts'
import { untilTrue } from '../helpers/until.ts'

if (redisServer === undefined) await notTried(t, 'a real Redis', NO_REDIS)
else {
  await t.test('whoever died without a word', async t => {
    const { port, ask } = await startRedis(t)
    let passed = 0
    const clock = (): number => performance.now() + passed
    const replicas = await openReplicas({ host: '127.0.0.1', port, database: 0 }, { log: { error () {} }, clock, later, every, locks: createLocks(), keeps: () => true, revocations: createRevocations(CLOCK) })
    await untilTrue(() => replicas.peers.holds())
    let doubts = 0
    replicas.peers.onDoubt(() => { doubts++ })
    await untilTrue(replicas.peers.knowsAll)
    await ask('HSET', '{chartgate}:replicas', 'replica:ghost', '1')
    await untilTrue(() => replicas.peers.holds() && !replicas.peers.knowsAll())
    t.equal(doubts, 0, 'one that says nothing may change something, and tells of it when it is back')
    await untilTrue(async () => {
      passed += 700_000
      return (await ask('HEXISTS', '{chartgate}:replicas', 'replica:ghost')).startsWith(':0')
    })
    await untilTrue(() => doubts === 1)
    await untilTrue(replicas.peers.knowsAll)
    await ask('HSET', '{chartgate}:replicas', 'replica:another', '1 alone')
    await untilTrue(() => !replicas.peers.knowsAll())
    await ask('PUBLISH', 'chartgate:gone', 'another')
    await untilTrue(() => doubts === 2)
    t.ok(replicas.peers.knowsAll(), 'it is not waited for, and not heard of again')
    await ask('HSET', '{chartgate}:replicas', 'replica:third', '1')
    await untilTrue(() => !replicas.peers.knowsAll())
    for (let i = 2; !replicas.peers.knowsAll(); i++) {
      await ask('HSET', '{chartgate}:replicas', 'replica:third', String(i))
      await sleep(200)
    }
    await ask('PUBLISH', 'chartgate:gone', 'third')
    await sleep(200)
    t.equal(doubts, 2, 'who was in touch has told all that it did')
    await replicas.close()
  })
}
