// What a registry has answered with is in Redis for all replicas, with bounds, and the last push has the tag.
import t, { type Test } from 'tap'
import { later } from '../../src/lib/timers.ts'
import { createReplicaAnswered, type Answered } from '../../src/replicas/answered.ts'
import { connectRedis } from '../../src/replicas/replicas.ts'
import { notTried } from '../helpers/not-tried.ts'
import { NO_REDIS, redisServer, startRedis, type RedisServer } from '../helpers/redis.ts'

const PLACE = 'org1/repo1/mychart'
const [A, B, C] = ['a', 'b', 'c'].map(digit => digit.repeat(64)) as [string, string, string]
const NOTHING = { last: '', has: [] }

await t.test('a fault is no answer, and nothing more', async t => {
  const answered = createReplicaAnswered({ run: async () => await Promise.reject(new Error('away')) })
  const all = [answered.content(PLACE, A), answered.keep(PLACE, '1.0.0', { hex: A, archive: B, text: '' }), answered.version(PLACE, '1.0.0'), answered.tag(PLACE, '1.0.0', '', 0), answered.tagAgain(PLACE, '1.0.0', '', ''), answered.forget(PLACE, '1.0.0', A)]
  t.strictSame(await Promise.all(all), all.map(() => undefined))
})

await t.test('of a version it is read what has the tag, and of which digests there is content', async t => {
  const replies = [[], [A, `${B} 3`, 'last', '5 x']]
  const answered = createReplicaAnswered({ run: async () => replies.shift() })
  t.strictSame([await answered.version(PLACE, '1.0.0'), await answered.version(PLACE, '1.0.0')], [NOTHING, { last: '5 x', has: [A] }])
})

async function replica (t: Test, { port }: RedisServer): Promise<Answered> {
  const { redis } = await connectRedis({ host: '127.0.0.1', port, database: 0 }, { log: { error () {} }, clock: () => performance.now(), later })
  t.teardown(redis.close)
  return createReplicaAnswered(redis)
}

if (redisServer === undefined) await notTried(t, 'a real Redis', NO_REDIS)
else {
  await t.test('what one has told the others have, of that repository alone, until it is forgotten or nobody asks for 90 days', async t => {
    const server = await startRedis(t)
    const [one, other] = [await replica(t, server), await replica(t, server)]
    t.strictSame([await other.version(PLACE, '1.0.0'), await other.content(PLACE, B)], [NOTHING, ''])
    await one.keep(PLACE, '1.0.0', { hex: B, archive: A, text: 'manifest 1.0.0\nä' })
    await one.keep(PLACE, '1.0.0', { hex: C, archive: C, text: 'of another archive' })
    t.equal(await other.content(PLACE, B), 'manifest 1.0.0\nä')
    t.equal(await other.content('org1/repo1/other', B), '')
    const number = await one.tag(PLACE, '1.0.0', `{"archive":"${A}"}`, 0)
    const known = await other.version(PLACE, '1.0.0')
    t.strictSame([known?.last, [...known?.has ?? []].sort()], [`${number ?? 0} {"archive":"${A}"}`, [B, C]])
    for (const key of [`{chartgate}:registry:${PLACE}:1.0.0`, `{chartgate}:registry:${PLACE}@${B}`]) {
      t.match(await server.ask('PTTL', key), /^:777\d{7}\r/)
      await server.ask('EXPIRE', key, '10')
    }
    await other.version(PLACE, '1.0.0')
    await other.content(PLACE, B)
    for (const key of [`{chartgate}:registry:${PLACE}:1.0.0`, `{chartgate}:registry:${PLACE}@${B}`]) t.match(await server.ask('PTTL', key), /^:777\d{7}\r/, 'who asks renews it')
    await other.forget(PLACE, '1.0.0', A)
    t.strictSame([await one.content(PLACE, B), await one.content(PLACE, C)], ['', 'of another archive'])
    const after = await one.version(PLACE, '1.0.0')
    t.strictSame(after?.has, [C])
    t.ok(Number(/^(\d+) $/.exec(after?.last ?? '')?.[1]) > (number ?? 0), 'and that it has the tag no more is later than that it had')
    await one.tag(PLACE, '1.0.0', `{"archive":"${B}"}`, 0)
    await other.forget(PLACE, '1.0.0', A)
    t.match((await one.version(PLACE, '1.0.0'))?.last, new RegExp(`${B}`), 'what is of another archive stays')
  })

  await t.test('who asks for a version renews what there is of it, and what Redis has lost of it is not said to be there', async t => {
    const server = await startRedis(t)
    const [one, other] = [await replica(t, server), await replica(t, server)]
    const keyOf = (hex: string): string => `{chartgate}:registry:${PLACE}@${hex}`
    for (const hex of [A, B]) await one.keep(PLACE, '1.0.0', { hex, archive: C, text: 'content' })
    await server.ask('EXPIRE', keyOf(A), '10')
    await server.ask('DEL', keyOf(B))
    t.strictSame((await other.version(PLACE, '1.0.0'))?.has, [A])
    t.match(await server.ask('PTTL', keyOf(A)), /^:777\d{7}\r/)
    await one.keep(PLACE, '1.0.0', { hex: B, archive: C, text: 'content' })
    t.strictSame([...(await other.version(PLACE, '1.0.0'))?.has ?? []].sort(), [A, B])
  })

  await t.test('that a version is gone is known for a week, whatever it had before', async t => {
    const server = await startRedis(t)
    const one = await replica(t, server)
    const key = `{chartgate}:registry:${PLACE}:1.0.0`
    await one.tag(PLACE, '1.0.0', `{"archive":"${A}"}`, 0)
    await one.forget(PLACE, '1.0.0', A)
    t.match(await server.ask('PTTL', key), /^:60[34]\d{6}\r/)
    await one.keep(PLACE, '1.0.0', { hex: B, archive: A, text: 'told late' })
    await one.forget(PLACE, '1.0.0', A)
    t.match(await server.ask('PTTL', key), /^:60[34]\d{6}\r/)
    await one.tag(PLACE, '1.0.0', `{"archive":"${A}"}`, 0)
    t.match(await server.ask('PTTL', key), /^:777\d{7}\r/, 'and one that comes again is kept as long as any other')
    await one.keep(PLACE, '2.0.0', { hex: B, archive: B, text: 'pulled' })
    await one.forget(PLACE, '2.0.0', B)
    t.match(await server.ask('EXISTS', `{chartgate}:registry:${PLACE}:2.0.0`), /^:0/, 'of one that had no tag nothing stays')
  })

  await t.test('each push has a number above all that are known, whatever the clock says', async t => {
    const server = await startRedis(t)
    const [one, other] = [await replica(t, server), await replica(t, server)]
    const numbers = await Promise.all(Array.from({ length: 20 }, async (_, i) => await [one, other][i % 2]?.tag(PLACE, '1.0.0', `${i}`, 0)))
    t.equal(new Set(numbers).size, 20)
    t.ok(numbers.every(number => Math.abs((number ?? 0) - Date.now()) < 60_000))
    const far = 9_000_000_000_000
    t.strictSame([await one.tag(PLACE, '1.0.0', 'x', far), await other.tag(PLACE, '1.0.0', 'y', 0)], [far + 1, far + 2])
    t.equal((await one.version(PLACE, '1.0.0'))?.last, `${far + 2} y`)
  })

  await t.test('what Redis has lost is told again in the place of nothing, and not of what somebody told meanwhile', async t => {
    const server = await startRedis(t)
    const one = await replica(t, server)
    t.equal(await one.tagAgain(PLACE, '1.0.0', '5 x', ''), 1)
    t.equal(await one.tagAgain(PLACE, '1.0.0', '6 y', ''), 0)
    t.equal((await one.version(PLACE, '1.0.0'))?.last, '5 x')
    t.equal(await one.tagAgain(PLACE, '1.0.0', '6 y', '5 x'), 1)
    t.equal((await one.version(PLACE, '1.0.0'))?.last, '6 y')
  })

  await t.test('of a version 256 KiB are kept, and from half of maxmemory on nothing more', async t => {
    const server = await startRedis(t)
    const one = await replica(t, server)
    const text = 'x'.repeat(64 * 1024)
    await one.tag(PLACE, '1.0.0', 'x', 0)
    const kept = async (i: number, version = '1.0.0'): Promise<unknown> => await one.keep(PLACE, version, { hex: `${i}`.repeat(64), archive: A, text })
    t.strictSame([await kept(1), await kept(2), await kept(3), await kept(4), await kept(5), await kept(4), await kept(6, '2.0.0')], [1, 1, 1, 1, 0, 1, 1])
    t.match(await server.ask('CONFIG', 'SET', 'maxmemory', '2mb'), /OK/)
    t.strictSame([await kept(7, '3.0.0'), await one.tag(PLACE, '3.0.0', 'x', 0), await one.tagAgain(PLACE, '3.0.0', '5 x', '')], [0, 0, 0])
    t.ok((await one.tag(PLACE, '1.0.0', 'y', 0) ?? 0) > 0, 'another push of what is there')
    t.match(await server.ask('CONFIG', 'SET', 'maxmemory', '1gb'), /OK/)
    t.equal(await kept(7, '3.0.0'), 1)
  })
}
