// One holder at a time among all replicas, for as long as it says so to Redis; and everybody
// knows what a lock is worth: with a Redis that is away, that forgets, or that others have too.
import t, { type Test } from 'tap'
import { createLocks, type Hold, type Locks } from '../../src/lib/locks.ts'
import { every, later } from '../../src/lib/timers.ts'
import { createReplicaLocks, STANDS, type ReplicaLocks } from '../../src/replicas/locks.ts'
import { createRedisOutages } from '../../src/replicas/outages.ts'
import { openRedis, type Redis } from '../../src/replicas/redis.ts'
import { LOCK, REVOKE, UNLOCK } from '../../src/replicas/scripts.ts'
import { manualBeats, settled } from '../helpers/channels.ts'
import { notTried } from '../helpers/not-tried.ts'
import { NO_REDIS, redisServer, startRedis, type RedisServer } from '../helpers/redis.ts'
import { untilTrue } from '../helpers/until.ts'

const clock = (): number => performance.now()

async function connected (t: Test, server: RedisServer): Promise<Redis> {
  const outages = createRedisOutages({ error () {} }, 'here', clock)
  const redis = await openRedis({ config: { host: '127.0.0.1', port: server.port, database: 0 }, texts: {}, outages, later, clock })
  t.teardown(() => { redis.close() })
  await untilTrue(async () => await redis.run(REVOKE, ['epoch', '0']).then(() => true, () => false))
  await server.age()
  return redis
}

async function replica (t: Test, server: RedisServer): Promise<Locks> {
  const redis = await connected(t, server)
  return createReplicaLocks(createLocks(), { redis, isSomebodyAlone: () => false, clock, later, every })
}

/** A Redis that gives or refuses locks as a test says, at a time that it says. */
function lab (): { locks: ReplicaLocks, state: { now: number, answer: () => unknown, alone: boolean, storedAt: number }, waited: number[], beat: () => void, asked: string[][] } {
  const state = { now: 0, answer: (): unknown => STANDS, alone: false, storedAt: 0 }
  const [waited, asked]: [number[], string[][]] = [[], []]
  const beats = manualBeats()
  const locks = createReplicaLocks(createLocks(), {
    redis: {
      async run (_script, args) {
        asked.push([...args])
        return state.answer()
      },
      storedAt: () => state.storedAt
    },
    isSomebodyAlone: () => state.alone,
    clock: () => state.now,
    later (ms, run) {
      waited.push(ms)
      state.now += ms
      setImmediate(run)
      return () => {}
    },
    every: beats.every
  })
  return { locks, state, waited, asked, beat: beats.beat }
}

if (redisServer === undefined) await notTried(t, 'a real Redis', NO_REDIS)
else {
  await t.test('two replicas never hold one name together, and another name does not wait', async t => {
    const server = await startRedis(t)
    const [a, b] = [await replica(t, server), await replica(t, server)]
    let [inside, most] = [0, 0]
    const held: Hold[] = []
    const work = async (hold: () => Hold): Promise<void> => {
      most = Math.max(most, ++inside)
      held.push(hold())
      await settled()
      inside--
    }
    await Promise.all([a, b, a, b, a, b].map(async locks => { await locks.hold('org1/repo1/x-1.0.0.tgz', work) }))
    t.equal(most, 1)
    t.same(held, Array<Hold>(6).fill('proved'))
    await a.hold('x', async () => { await b.hold('y', async () => {}) })
    await untilTrue(async () => (await server.ask('KEYS', '*lock*')).startsWith('*0'))
  })

  await t.test('clients of one replica that want the same lock without end keep no other replica from it', async t => {
    const server = await startRedis(t)
    const [busy, other] = [await replica(t, server), await replica(t, server)]
    const most = 2_000
    let turns = 0
    const over = new AbortController()
    const again = async (): Promise<void> => {
      while (!over.signal.aborted && turns < most) {
        await busy.hold('x', async () => {
          turns++
          await settled()
        })
      }
    }
    const clients = Promise.all([again(), again()])
    await untilTrue(() => turns > 10)
    await other.hold('x', async () => { over.abort() })
    await clients
    t.ok(turns < most, `had by the other one after ${turns} turns`)
    await untilTrue(async () => (await server.ask('KEYS', '*turn*')).startsWith('*0'))
  })

  await t.test('whoever is refused a lock first has it next, and a turn that nobody comes for ends by itself', async t => {
    const server = await startRedis(t)
    const redis = await connected(t, server)
    const ask = async (who: string, turn = '60000'): Promise<boolean> => await redis.run(LOCK, ['x', who, '60000', 'epoch', turn]) as number >= 0
    const giveBack = async (who: string): Promise<void> => { await redis.run(UNLOCK, ['x', who]) }
    t.ok(await ask('a'))
    t.notOk(await ask('b'))
    t.notOk(await ask('c'), 'the turn stays with b')
    t.ok(await ask('a'), 'renewed')
    await giveBack('a')
    t.notOk(await ask('a'))
    t.notOk(await ask('c'))
    t.ok(await ask('b'))
    t.notOk(await ask('c', '1'))
    await giveBack('b')
    await untilTrue(async () => await ask('a'))
  })
}

await t.test('a lock is proved by the own clock, from before it was asked for, as long as it is renewed', async t => {
  const { locks, state, beat } = lab()
  const seen: Hold[] = []
  await locks.hold('x', async hold => {
    const look = async (): Promise<void> => {
      await settled()
      seen.push(hold())
    }
    await look()
    state.alone = true
    await look()
    state.alone = false
    state.now = STANDS - 1_000
    await look()
    beat()
    await look()
    state.answer = () => { throw new Error('away') }
    beat()
    await look()
    state.now += STANDS
    await look()
    state.answer = () => 0
    beat()
    await look()
    state.answer = () => -1
    beat()
    await look()
  })
  t.same(seen, ['proved', 'doubted', 'lost', 'proved', 'proved', 'lost', 'lost', 'lost'])
})

await t.test('who is refused asks again; without Redis nobody is asked, once the others know that one is alone', async t => {
  const { locks, state, waited, asked } = lab()
  let refusals = 3
  state.answer = () => refusals-- > 0 ? -1 : STANDS
  t.equal(await locks.hold('x', async hold => hold()), 'proved')
  t.same(waited, [50, 50, 50])
  t.equal(new Set(asked.map(args => args[1])).size, 1, 'as the same holder')
  state.answer = () => { throw new Error('away') }
  state.now = 1_000
  t.equal(await locks.hold('x', async hold => {
    t.ok(locks.isAlone())
    return hold()
  }), 'none')
  t.notOk(locks.isAlone())
  t.equal(await locks.hold('x', async hold => hold()), 'none')
  t.same(waited.slice(3), [2_000, 2_000, 1_000])
})

await t.test('where locks alone cannot be had, the others hear that somebody is alone before it is, and nobody waits for ever', async t => {
  const { locks, state, waited } = lab()
  const alone: boolean[] = []
  let fails = Infinity
  state.answer = () => {
    alone.push(locks.isAlone())
    state.storedAt = state.now // beats come through
    if (fails-- > 0) throw new Error('SET is not allowed')
    return STANDS
  }
  t.equal(await locks.hold('x', async hold => hold()), 'none')
  t.same([waited, alone], [[2_000, 2_000, 2_000], [false, true, true, true, false]], 'and is alone until it is done')
  t.notOk(locks.isAlone())
  fails = 1
  t.same(await locks.hold('x', async hold => [hold(), locks.isAlone()]), ['proved', false])
})

await t.test('in a Redis that has just begun nobody has a lock before those of the one before have ended', async t => {
  const { locks, state, waited, asked } = lab()
  state.answer = () => state.now
  t.equal(await locks.hold('x', async hold => hold()), 'proved')
  t.same(waited, [2_000, 2_000, 2_000, 2_000, 2_000])
  t.equal(new Set(asked.map(args => args[1])).size, 1, 'it has the key meanwhile')
})

await t.test('work that fails gives its lock back, and its error on', async t => {
  const { locks, asked } = lab()
  await t.rejects(locks.hold('x', async () => { throw new Error('broken') }), { message: 'broken' })
  await settled()
  t.same(asked.map(args => args.length), [5, 2])
})
