// Nobody answers from memory what is of before a change that was answered: with members that
// hear, that are silent, that are new, with a Redis that comes, goes and forgets.
import t, { type Test } from 'tap'
import { createLeases, type Leases } from '../../src/replicas/leases.ts'
import { createRedisOutages } from '../../src/replicas/outages.ts'
import { openRedis, type Redis } from '../../src/replicas/redis.ts'
import { BEAT, CHANGE, LEAVE, type BeatReply } from '../../src/replicas/scripts.ts'
import { every, later, type Every } from '../../src/lib/timers.ts'
import { notTried } from '../helpers/not-tried.ts'
import { NO_REDIS, redisServer, startRedis, type RedisServer } from '../helpers/redis.ts'
import type { Change } from '../../src/upstream/change.ts'
import { aChange } from '../helpers/changes.ts'
import { untilTrue } from '../helpers/until.ts'

const clock = (): number => performance.now()

interface Member {
  readonly leases: Leases
  /** What it was told to forget; '*' for everything. */
  readonly forgotten: string[]
  /** What of it was known. */
  readonly heard: (Change | undefined)[]
  /** What it does with it, and is waited for. */
  hears: () => Promise<void>
  readonly beats: BeatReply[]
  /** From now on it says and asks nothing, as one that hangs or cannot reach Redis; its memory stays. */
  fallSilent (): void
  rise (): void
}

async function member (t: Test, server: RedisServer, { keeps = () => true, mostAge = 10_000 }: { keeps?: () => boolean, mostAge?: number } = {}): Promise<Member> {
  const outages = createRedisOutages({ error () {} }, 'here', clock)
  const redis = await openRedis({ config: { host: '127.0.0.1', port: server.port, database: 0 }, texts: {}, outages, later, clock })
  let silent = false
  const muted: Pick<Redis, 'run' | 'hear'> = {
    async run (script, args) {
      if (silent) throw new Error('silent')
      return await redis.run(script, args)
    },
    hear (channel, heard) { redis.hear(channel, text => { if (!silent) heard(text) }) }
  }
  const [forgotten, heard, beats]: [string[], (Change | undefined)[], BeatReply[]] = [[], [], []]
  const leases = createLeases({ redis: muted, keeps, isAlone: () => false, mostAge, clock, later, every, hearer: { revokedUpTo: () => 0, heard (reply) { beats.push(reply) } } })
  leases.onChange(async (tenant = '*', change) => {
    forgotten.push(tenant)
    heard.push(change)
    await each.hears()
  })
  t.teardown(async () => {
    await leases.close()
    redis.close()
  })
  const each: Member = { leases, forgotten, heard, beats, hears: async () => {}, fallSilent () { silent = true }, rise () { silent = false } }
  return each
}

/** Until each holds a lease, and what it knows is older than the longest of them. */
async function settled (...members: Member[]): Promise<void> {
  for (const { leases, beats } of members) await untilTrue(() => leases.holds() && beats.length > 6)
}

if (redisServer === undefined) await notTried(t, 'a real Redis', NO_REDIS)
else {
  await t.test('a change is answered when all have forgotten, and no lease has to end for it', async t => {
    const server = await startRedis(t)
    const [a, b, c] = [await member(t, server), await member(t, server), await member(t, server, { keeps: () => false })]
    await settled(a, b)
    await untilTrue(() => c.beats.length > 2)
    b.forgotten.length = 0
    await a.leases.changed(aChange('org1/repo1'))
    t.ok(b.forgotten.includes('org1/repo1'))
    t.ok(b.leases.holds(), 'and goes on answering')
    await c.leases.changed(aChange('x'))
    t.ok(b.forgotten.includes('x'), 'also of one that remembers nothing itself')
    await b.leases.close()
    t.notOk(b.leases.holds(), 'who has gone answers nothing')
    const times = Number(await server.ask('HLEN', '{chartgate}:replicas').then(text => text.slice(1)))
    t.equal(times, 6 + 2, 'and is not waited for')
    await a.leases.changed(aChange('y'))
  })

  await t.test('who says nothing is waited for until their lease is over, and learns of all that it missed', async t => {
    const server = await startRedis(t)
    const [a, b] = [await member(t, server), await member(t, server)]
    await settled(a, b)
    b.fallSilent()
    b.forgotten.length = 0
    await a.leases.changed(aChange('org1/repo1'))
    t.notOk(b.leases.holds())
    t.same(b.forgotten, [])
    // and the next change does not wait for it
    await untilTrue(async () => !(await server.ask('HKEYS', '{chartgate}:replicas')).includes(b.leases.own))
    await a.leases.changed(aChange('org2/repo2'))
    b.rise()
    await untilTrue(() => b.leases.holds())
    t.same([...new Set(b.forgotten)].sort(), ['org1/repo1', 'org2/repo2'])
  })

  await t.test('who cannot tell the others waits until what they remember is too old', async t => {
    const server = await startRedis(t)
    const [a, b] = [await member(t, server, { keeps: () => false, mostAge: 1_500 }), await member(t, server)]
    await settled(b)
    await untilTrue(() => a.beats.some(([, , , , members]) => members.some(saying => saying.endsWith(' keeps'))))
    const before = clock()
    a.fallSilent()
    await a.leases.changed(aChange('org1/repo1'))
    t.ok(clock() - before >= 1_499, 'as long as anybody may')
    t.ok(b.leases.holds())
    await a.leases.close()
    t.notOk(a.leases.holds(), 'it goes all the same')
  })

  await t.test('what was changed is heard in its words, and what came of that is waited for', async t => {
    const server = await startRedis(t)
    const [a, b] = [await member(t, server), await member(t, server)]
    await settled(a, b)
    await server.age()
    b.heard.length = 0
    let looked = false
    b.hears = async () => {
      const before = a.beats.length
      await untilTrue(() => a.beats.length > before + 1)
      looked = true
    }
    const change = aChange('org1/repo1', { version: '2.0.0' })
    await a.leases.changed(change)
    t.ok(looked)
    t.strictSame(b.heard, [change], 'once')
  })

  await t.test('of what could not be told the others hear before they hear of who did it again', async t => {
    const server = await startRedis(t)
    const [a, b] = [await member(t, server, { mostAge: 0 }), await member(t, server)]
    await settled(a, b)
    a.fallSilent()
    await a.leases.changed(aChange('org1/repo1'))
    await a.leases.changed(aChange('org2/repo2'))
    b.forgotten.length = b.heard.length = 0
    const before = b.beats.length
    await untilTrue(() => b.beats.length > before + 1)
    const sayings = new Set(b.beats.flatMap(([, , , , members]) => members))
    let news: string[] | undefined
    b.hears = async () => { news ??= b.beats.at(-1)?.[4].filter((_, i, all) => all[i - 1] === a.leases.own && !sayings.has(all[i] as string)) }
    a.rise()
    await untilTrue(() => b.forgotten.length === 2)
    t.strictSame([b.forgotten, b.heard, news], [['org1/repo1', 'org2/repo2'], [undefined, undefined], []])
    await untilTrue(() => a.leases.holds())
  })

  await t.test('where nobody answers from memory a change waits for nobody, with Redis and without', async t => {
    const server = await startRedis(t)
    const never = { keeps: () => false, mostAge: 1e9 }
    const [a, b] = [await member(t, server, never), await member(t, server, never)]
    await untilTrue(() => a.beats.length > 0 && b.beats.length > 0)
    b.fallSilent()
    await a.leases.changed(aChange('org1/repo1'))
    t.notOk(a.leases.holds())
    a.fallSilent()
    await a.leases.changed(aChange('org1/repo1'))
  })

  await t.test('one that begins to answer from memory while it runs is told of changes from then on, and one that ends not', async t => {
    const server = await startRedis(t)
    let keeps = false
    const [a, b] = [await member(t, server), await member(t, server, { keeps: () => keeps })]
    await settled(a)
    await untilTrue(() => b.beats.length > 1)
    t.notOk(b.leases.holds())
    keeps = true
    await untilTrue(() => b.leases.holds())
    b.fallSilent()
    await a.leases.changed(aChange('org1/repo1'))
    t.notOk(b.leases.holds(), 'it was waited for')
    b.rise()
    await untilTrue(() => b.leases.holds())
    keeps = false
    await untilTrue(() => !b.leases.holds())
  })

  await t.test('a Redis that was restarted empty, or emptied, makes everybody forget, and hides nobody', async t => {
    const server = await startRedis(t)
    const [a, b] = [await member(t, server), await member(t, server)]
    await settled(a, b)
    for (const empties of [
      async () => {
        await server.kill()
        await untilTrue(() => !a.leases.holds() && !b.leases.holds())
        await server.start()
      },
      async () => { await server.ask('DEL', '{chartgate}:changes') },
      async () => { await server.ask('FLUSHALL') }
    ]) {
      b.forgotten.length = 0
      await empties()
      await untilTrue(() => b.forgotten.includes('*'))
      await untilTrue(() => a.leases.holds() && b.leases.holds())
    }
    b.fallSilent()
    await server.ask('FLUSHALL')
    await a.leases.changed(aChange('org1/repo1'))
    t.notOk(b.leases.holds(), 'it is not known there, and was waited for all the same')
  })

  await t.test('who was away for more changes than are known forgets everything', async t => {
    const server = await startRedis(t)
    const [a, b] = [await member(t, server), await member(t, server)]
    await settled(a, b)
    b.fallSilent()
    b.forgotten.length = 0
    await server.ask('EVAL', 'for i = 1, 10050 do redis.call("ZADD", KEYS[1], i, "t" .. i) end redis.call("HSET", KEYS[2], "seq", 10050) return 1', '2', '{chartgate}:changes', '{chartgate}:replicas')
    await a.leases.changed(aChange('org1/repo1'))
    b.rise()
    await untilTrue(() => b.leases.holds())
    t.same(b.forgotten, ['*'])
    t.match(await server.ask('ZCARD', '{chartgate}:changes'), /^:\d{4}\r/)
  })

  await t.test('a beat that takes long is not followed by another one before its end', async t => {
    let beats: (() => void)[] = []
    let asked = 0
    const always: Every = (_ms, run) => {
      beats.push(run)
      return () => { beats = [] }
    }
    const leases = createLeases({
      redis: { run: async () => { asked++; return await new Promise(() => {}) }, hear () {} },
      keeps: () => true,
      isAlone: () => true,
      mostAge: 0,
      clock,
      later,
      every: always,
      hearer: { revokedUpTo: () => 0, heard () {} }
    })
    for (const beat of beats) beat()
    t.equal(asked, 1)
    t.notOk(leases.holds())
  })
}

/** With a Redis that answers as a test says, and times that do not come by themselves. */
function alone (run: Redis['run'], own: Partial<Parameters<typeof createLeases>[0]> = {}): { leases: Leases, heard: Map<string, (text: string) => void>, waiting: number[] } {
  const heard = new Map<string, (text: string) => void>()
  const waiting: number[] = []
  const leases = createLeases({
    redis: { run, hear (channel, hears) { heard.set(channel, hears) } },
    keeps: () => true,
    isAlone: () => false,
    mostAge: 10_000,
    clock: () => 0,
    later (ms) {
      waiting.push(ms)
      return () => {}
    },
    every,
    hearer: { revokedUpTo: () => 0, heard () {} },
    ...own
  })
  return { leases, heard, waiting }
}

await t.test('what cannot be said is not said', async t => {
  const { leases, heard } = alone(async () => { throw new Error('away') })
  const forgotten: (string | undefined)[] = []
  leases.onChange(async tenant => { forgotten.push(tenant) })
  heard.get('chartgate:changes')?.(JSON.stringify(['e', 1, 'org1/repo1', 'id', 'another', '']))
  heard.get(`chartgate:forgot:${leases.own}`)?.(JSON.stringify(['nobody asked', 'another']))
  t.same(forgotten, ['org1/repo1'])
  await leases.close()
})

await t.test('what a beat knows before it was published is waited for, and heard in its words', async t => {
  const beats: (() => void)[] = []
  let changes: readonly string[] = []
  const made = alone(async ({ lua }) => lua === BEAT.lua ? ['e', String(changes.length / 2), '0', changes, [], []] : 0, {
    every (_ms, run) {
      beats.push(run)
      return () => {}
    },
    later (ms, run) {
      t.equal(ms, 100)
      made.heard.get('chartgate:changes')?.(JSON.stringify(['e', 1, 'org1/repo1', 'id', 'another', JSON.stringify(aChange())]))
      setImmediate(run)
      return () => {}
    }
  })
  await made.leases.begun
  const heard: (Change | undefined)[] = []
  made.leases.onChange(async (_tenant, change) => { heard.push(change) })
  changes = ['org1/repo1', '1']
  for (const beat of beats) beat()
  await untilTrue(() => heard.length > 0)
  t.strictSame(heard, [aChange()])
  changes = ['org1/repo1', '1', 'org2/repo2', '2']
  for (const beat of beats) beat()
  await untilTrue(() => heard.length > 2)
  t.strictSame(heard.slice(1), [aChange(), undefined], 'of what was lost it is known that there was something')
  await made.leases.close()
})

await t.test('who forgot before it is known that they are there is not waited for', async t => {
  const made = alone(async ({ lua }, [, , , id, own]) => {
    if (lua === BEAT.lua) return ['e', '0', '0', [], [], []]
    made.heard.get(`chartgate:forgot:${own}`)?.(JSON.stringify([id, 'another']))
    return [10_000, ['another', '1 keeps'], 1]
  })
  await made.leases.begun
  await made.leases.changed(aChange('org1/repo1'))
  t.equal(made.waiting.length, 1, 'its time did not come')
  await made.leases.close()
})

await t.test('a member says each time something else, and whether it keeps anything and stores something alone', async t => {
  const said: unknown[] = []
  const { leases } = alone(async ({ lua }, args) => {
    if (lua === BEAT.lua) said.push(args[5])
    return ['e', '0', '0', [], [], []]
  }, { isAlone: () => true })
  await leases.begun
  await untilTrue(() => said.length > 1)
  t.same(said.slice(0, 2), ['1 keeps alone', '2 keeps alone'])
  await leases.close()
})

await t.test('who goes tells what it could not tell before, and does not come again behind its goodbye', async t => {
  const asked: string[] = []
  const beats: (() => void)[] = []
  let answer = async (): Promise<unknown> => { throw new Error('away') }
  const named = new Map([[BEAT, 'beat'], [CHANGE, 'change'], [LEAVE, 'leave']])
  const { leases } = alone(async script => {
    asked.push(named.get(script) as string)
    return script === CHANGE ? await answer() : script === BEAT ? ['e', '0', '0', [], [], []] : 0
  }, {
    every (_ms, run) {
      beats.push(run)
      return () => {}
    },
    later (_ms, run) {
      setImmediate(run)
      return () => {}
    }
  })
  await leases.begun
  await leases.changed(aChange('org1/repo1'))
  asked.length = 0
  let say = (_reply: unknown): void => {}
  answer = async () => await new Promise(resolve => { say = resolve })
  for (const beat of beats) beat()
  answer = async () => [0, [], 1]
  await leases.close()
  say([0, [], 1])
  await new Promise(resolve => { setImmediate(resolve) })
  t.strictSame(asked, ['change', 'change', 'leave'])
})
