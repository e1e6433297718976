// A user of Redis that may do what docs/scaling.md says, and nothing else, is enough.
import { readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import type { RedisConfig } from '../../src/config/schema.ts'
import { CLOCK } from '../../src/lib/clock.ts'
import { createLocks } from '../../src/lib/locks.ts'
import { every, later } from '../../src/lib/timers.ts'
import { createCounter } from '../../src/limits/counter.ts'
import { openReplicas, revokeForAll, type Replicas } from '../../src/replicas/replicas.ts'
import { createRevocations, revocationText, type Revocations } from '../../src/tokens/revocations.ts'
import { aChange } from '../helpers/changes.ts'
import { notTried } from '../helpers/not-tried.ts'
import { NO_REDIS, redisServer, startRedis, type RedisServer } from '../helpers/redis.ts'
import { newMasterKey } from '../helpers/secrets.ts'
import { shown } from '../helpers/spent.ts'
import { until, untilTrue } from '../helpers/until.ts'

const clock = (): number => performance.now()

/** As the page has them. */
function commands (): string[] {
  const [, list = ''] = /a user of an ACL needs (.*?), on keys/.exec(readFileSync('docs/scaling.md', 'utf8')) ?? []
  return Array.from(list.matchAll(/`([A-Z]+)`/g), ([, name]) => (name as string).toLowerCase())
}

async function userWith (server: RedisServer, names: readonly string[], keys = '{chartgate}*'): Promise<RedisConfig> {
  const password = newMasterKey()
  const rights = [`~${keys}`, '&chartgate:*', ...names.map(name => `+${name}`)]
  t.match(await server.ask('ACL', 'SETUSER', 'gate', 'reset', 'on', `>${password}`, ...rights), /^\+OK/)
  return { host: '127.0.0.1', port: server.port, database: 0, username: 'gate', password }
}

interface Opened extends Replicas {
  readonly revocations: Revocations
  readonly lines: string[]
}

async function open (t: Test, config: RedisConfig): Promise<Opened> {
  const [revocations, lines]: [Revocations, string[]] = [createRevocations(CLOCK), []]
  const log = { error (_fields: object, message: string) { lines.push(message) } }
  const replicas = await openReplicas(config, { log, clock, later, every, locks: createLocks(), keeps: () => true, revocations })
  t.teardown(replicas.close)
  return { ...replicas, revocations, lines }
}

if (redisServer === undefined) await notTried(t, 'a real Redis', NO_REDIS)
else {
  await t.test('with the commands that the page names everything is done, and nothing else is asked', async t => {
    const server = await startRedis(t)
    const config = await userWith(server, commands())
    const [a, b] = [await open(t, config), await open(t, config)]
    await untilTrue(() => a.peers.knowsAll() && b.peers.knowsAll())
    const elsewhere = await open(t, { ...config, database: 1 })
    await untilTrue(() => elsewhere.peers.holds())
    await server.age()
    const heard: (string | undefined)[] = []
    b.peers.onChange(async tenant => { heard.push(tenant) })
    await a.peers.changed(aChange())
    t.strictSame(heard, ['org1/repo1'])
    t.equal(await a.locks.hold('x', async hold => hold()), 'proved')
    const text = revocationText({ subject: 'user:alice' }, CLOCK.wall(), 300)
    t.equal(await revokeForAll(config, text, CLOCK.wall(), { clock, later }), undefined)
    await untilTrue(() => a.revocations.has(text) && b.revocations.has(text))
    t.equal(await a.spent.spend(shown('a-token')), 'first')
    const counts = { within: () => 60, most: 10, shared: { store: a.store, name: '{chartgate}:of-this-test' } }
    const counter = createCounter(counts)
    await counter.add('x')
    await (await counter.add('x')).takeBack()
    t.match(await counter.read('x'), { times: 1 })
    t.equal(counter.size(), 0, 'it is counted there')
    const archive = 'a'.repeat(64)
    await a.answered.keep('org1/repo1/mychart', '1.0.0', { hex: 'b'.repeat(64), archive, text: 'text' })
    const number = await a.answered.tag('org1/repo1/mychart', '1.0.0', 'first', 0)
    await b.answered.tagAgain('org1/repo1/mychart', '1.0.0', `${number ?? 0} {"archive":"${archive}"}`, `${number ?? 0} first`)
    t.equal(await b.answered.content('org1/repo1/mychart', 'b'.repeat(64)), 'text')
    await b.answered.forget('org1/repo1/mychart', '1.0.0', archive)
    t.match(await a.answered.version('org1/repo1/mychart', '1.0.0'), { last: /^\d+ $/, has: [] })
    await b.close()
    t.strictSame([a.lines, b.lines, elsewhere.lines], [[], [], []])
    t.equal(await server.ask('ACL', 'LOG'), '*0\r\n', 'nothing was refused')
  })

  await t.test('without one of them, or of the keys, that is said in one line', async t => {
    for (const [names, keys] of [[commands().filter(name => name !== 'zadd')], [commands().filter(name => name !== 'eval')], [commands(), '{other}*']] as const) {
      const server = await startRedis(t)
      const { lines, peers, store } = await open(t, await userWith(server, names, keys))
      const counter = createCounter({ within: () => 60, most: 10, shared: { store, name: '{chartgate}:of-this-test' } })
      t.match(await until(() => lines[0]), /^Redis does not let redis\.username do what is needed: it needs the commands of docs\/scaling\.md;/)
      await untilTrue(async () => {
        await counter.add('x') // which it may do without zadd, each time between two beats
        return /count\r\n:[3-9]/.test(await server.ask('ACL', 'LOG'))
      })
      t.notOk(peers.holds())
      t.equal(lines.length, 1)
    }
  })

  await t.test('without SUBSCRIBE, by which one would hear of changes, too', async t => {
    const server = await startRedis(t)
    const { lines, peers, isUp } = await open(t, await userWith(server, commands().filter(name => name !== 'subscribe')))
    t.match(await until(() => lines[0]), /^Redis does not let/)
    await untilTrue(() => peers.holds())
    t.equal(isUp(), false)
    t.equal(lines.length, 1, 'though beats are answered')
  })
}
