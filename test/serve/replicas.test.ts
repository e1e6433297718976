// A process joins all replicas on its Redis, or is alone, and says what that means.
import { mkdir, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { Config } from '../../src/config/schema.ts'
import { CLOCK } from '../../src/lib/clock.ts'
import { createLive } from '../../src/lib/live.ts'
import { createLocks } from '../../src/lib/locks.ts'
import { createMeter } from '../../src/metrics/meter.ts'
import { isFromElsewhere, joinReplicas, sayAlone, shareForWorkers, type JoinOptions, type Joined } from '../../src/serve/replicas.ts'
import { createRevocations, revocationText } from '../../src/tokens/revocations.ts'
import type { Change } from '../../src/upstream/change.ts'
import { NO_PEERS } from '../../src/upstream/peers.ts'
import { testConfig } from '../helpers/app.ts'
import { aChange } from '../helpers/changes.ts'
import { testFolder } from '../helpers/folder.ts'
import { notTried } from '../helpers/not-tried.ts'
import { NO_REDIS, redisServer, startRedis } from '../helpers/redis.ts'
import { shown } from '../helpers/spent.ts'
import { untilTrue } from '../helpers/until.ts'

const log = { error () {} }
const HERE = { host: '127.0.0.1', port: 1, database: 0 }

function optionsOf (config: Config): JoinOptions {
  const own = { peers: NO_PEERS, locks: createLocks() }
  return { settings: createLive(config), own, log, meter: createMeter(), revocations: createRevocations(CLOCK) }
}

await t.test('without Redis a process shares nothing, and one of several says what is its own then', async t => {
  const config = testConfig(testFolder(t), 'http://museum')
  const options = optionsOf(config)
  const joined = await joinReplicas(options)
  t.equal(joined.locks, options.own.locks)
  t.equal(joined.peers, NO_PEERS)
  t.equal(joined.store, undefined)
  await joined.close()
  await joined.peers.changed(aChange('a'))
  const counts = await shareForWorkers(config)
  t.strictSame([counts.store, counts.spent, joined.spent], [undefined, undefined, undefined])
  counts.close()
  const away = await shareForWorkers({ redis: HERE }) // its workers say that it is
  t.equal(await away.spent?.spend(shown('a')), 'unproved')
  away.close()
  const lines: string[] = []
  const say = (more: object, sharesKeys = false): void => { sayAlone({ ...config, ...more }, sharesKeys, { info: (_fields, message) => { lines.push(message) } }) }
  const tokens = { ...config.tokens, keys: [{ file: 'a', alg: 'RS256', state: 'active' }] }
  const upstream = { ...config.upstream, keyFile: 'k' }
  say({})
  say({ upstream })
  say({ tokens })
  say({ tokens, upstream, redis: HERE })
  say({ tokens, upstream: { ...upstream, url: undefined } })
  t.same(lines, [], 'one that makes a key of its own is no replica')
  say({ tokens, upstream })
  say({ tokens, upstream: { ...config.upstream, auth: 'basic' }, charts: { ...config.charts, index: { maxAge: 5, maxBytes: 1 } } })
  say({ tokens, upstream: { ...upstream, further: ['http://other'] }, oci: { enabled: false } })
  t.match(lines.splice(0), [/^redis\.url is not set: .* tokens here, of what its registry has answered, nor of a push that runs$/, /up to 5 s \(charts\.index\.maxAge\) older than a push$/, /tokens here, nor of a push that runs, and may read at an address \(upstream\.urls\) what is of before a push$/])
  say({ redis: HERE }, true)
  t.same(lines, [])
  say({}, true)
  t.match(lines, [/^redis\.url is not set: /], 'a folder of keys that is another one’s')
})

await t.test('whose folder of keys is a link or a mount shares it', async t => {
  const [here, there] = [testFolder(t), testFolder(t)]
  await mkdir(join(here, 'own'))
  await symlink(there, join(here, 'linked'))
  for (const [folder, expected] of [['own', false], ['missing', false], ['linked', true]] as const) t.equal(await isFromElsewhere(here, join(here, folder)), expected, folder)
  t.equal(await isFromElsewhere(here, '/proc'), true, 'another file system')
})

await t.test('files of redis.tls that cannot be used are said', async t => {
  const folder = testFolder(t, { 'ca.pem': 'nothing' })
  const config = testConfig(folder, 'http://museum')
  const joinWith = async (ca: string): Promise<Joined> => await joinReplicas(optionsOf({ ...config, redis: { ...HERE, tls: { ca: join(folder, ca) } } }))
  await t.rejects(joinWith('missing'), { message: /^redis\.tls\.ca: / })
  await t.rejects(joinWith('ca.pem'), { message: /^redis\.tls: / })
})

if (redisServer === undefined) await notTried(t, 'a real Redis', NO_REDIS)
else {
  const lab = async (t: Test): Promise<{ config: Config, age: () => Promise<void> }> => {
    const { port, age } = await startRedis(t)
    const base = testConfig(testFolder(t), 'http://museum')
    return { config: { ...base, redis: { ...HERE, port }, charts: { ...base.charts, index: { maxAge: 5, maxBytes: 1 } } }, age }
  }

  await t.test('two that joined tell each other of changes, share locks and counts, and one that leaves is not waited for', async t => {
    const { config, age } = await lab(t)
    const options = optionsOf(config)
    const [a, b] = [await joinReplicas(options), await joinReplicas(optionsOf(config))]
    const forgotten: (string | undefined)[] = []
    b.peers.onChange(async tenant => { forgotten.push(tenant) })
    await untilTrue(() => a.peers.knowsAll() && b.peers.knowsAll())
    await age()
    await a.peers.changed(aChange('org1/repo1'))
    t.ok(forgotten.includes('org1/repo1') || !b.peers.holds())
    t.equal(await a.locks.hold('x', async hold => hold()), 'proved')
    t.same(options.meter.snapshot().rows.chartgate_redis_up, [[0, 1]])
    const counts = await shareForWorkers(config)
    const count = { keys: ['x'], arguments: [] }
    await untilTrue(async () => await counts.store?.eval("return redis.call('INCR', KEYS[1])", count).then(() => true, () => false) === true)
    t.equal(await a.store?.eval("return redis.call('INCR', KEYS[1])", count), 2)
    t.strictSame([await counts.spent?.spend(shown('a')), await a.spent?.spend(shown('a')), await b.spent?.spend(shown('b'))], ['first', 'used', 'first'])
    counts.close()
    await b.close()
    await a.peers.changed(aChange('org1/repo1'))
    await a.close()
    t.notOk(a.peers.holds())
  })

  await t.test('one that answers nothing from memory has to hear of changes where it may read at another address', async t => {
    const { config } = await lab(t)
    const fresh = { ...config, charts: { ...config.charts, index: { maxAge: 0, maxBytes: 1 } } }
    const [a, b] = [await joinReplicas(optionsOf({ ...fresh, upstream: { ...config.upstream, further: ['http://other'] } })), await joinReplicas(optionsOf(fresh))]
    let doubts = 0
    b.peers.onDoubt(() => { doubts++ })
    await untilTrue(() => a.peers.knowsAll())
    t.notOk(b.peers.knowsAll())
    t.ok(doubts < 10, 'and nobody who says something is doubted')
    const heard: (Change | undefined)[] = []
    a.peers.onChange(async (_tenant, change) => { heard.push(change) })
    await untilTrue(async () => {
      await b.peers.changed(aChange('org1/repo1', { became: undefined }))
      return heard.length > 0
    })
    t.strictSame(heard[0], JSON.parse(JSON.stringify(aChange('org1/repo1', { became: undefined }))))
    await b.close()
    await a.close()
  })

  await t.test('what one revokes the others know, also one that comes later, and after Redis forgot it', async t => {
    const { config } = await lab(t)
    const [first, second, third] = [optionsOf(config), optionsOf(config), optionsOf(config)]
    const [a, b] = [await joinReplicas(first), await joinReplicas(second)]
    const text = revocationText({ token: 'a-b-c' }, CLOCK.wall(), 300)
    first.revocations.add([text])
    await untilTrue(() => second.revocations.has(text))
    await a.close()
    await untilTrue(async () => await b.store?.eval("return redis.call('FLUSHALL')", { keys: [], arguments: [] }).then(() => true, () => false) === true)
    const c = await joinReplicas(third)
    await untilTrue(() => third.revocations.has(text))
    await b.close()
    await c.close()
  })
}
