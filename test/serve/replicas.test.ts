// A process joins all replicas on its Redis, or is alone, and says what that means.
import { join } from 'node:path'
import t from 'tap'
import { createLocks } from '../../src/lib/locks.ts'
import { createMeter } from '../../src/metrics/meter.ts'
import { ALONE, joinReplicas, sayAlone } from '../../src/serve/replicas.ts'
import { testConfig } from '../helpers/app.ts'
import { testFolder } from '../helpers/folder.ts'
import { notTried } from '../helpers/not-tried.ts'
import { NO_REDIS, redisServer, startRedis } from '../helpers/redis.ts'
import { untilTrue } from '../helpers/until.ts'

const log = { error () {} }

await t.test('without Redis a process is alone, and a replica says what is its own then', async t => {
  const config = testConfig(testFolder(t), 'http://museum')
  t.equal(await joinReplicas(config, log, createMeter()), ALONE)
  const locks = createLocks()
  t.equal(ALONE.locks(locks), locks)
  await ALONE.close()
  await ALONE.peers.changed('a')
  const lines: string[] = []
  const say = (more: object): void => { sayAlone({ ...config, ...more }, { info: (_fields, message) => { lines.push(message) } }) }
  say({})
  say({ redis: { host: 'a', port: 1, database: 0 }, upstream: { ...config.upstream, keyFile: 'k' } })
  t.same(lines, [], 'one that has a key of its own is no replica')
  say({ upstream: { ...config.upstream, keyFile: 'k' } })
  say({ upstream: { ...config.upstream, keyFile: 'k' }, charts: { ...config.charts, index: { maxAge: 5, maxBytes: 1 } } })
  t.match(lines, [/^redis\.url is not set: .* nor of a push that runs$/, /up to 5 s \(charts\.index\.maxAge\) older than a push$/])
})

await t.test('files of redis.tls that cannot be used are said', async t => {
  const folder = testFolder(t, { 'ca.pem': 'nothing' })
  const config = testConfig(folder, 'http://museum')
  const redis = { host: '127.0.0.1', port: 1, database: 0 }
  await t.rejects(joinReplicas({ ...config, redis: { ...redis, tls: { ca: join(folder, 'missing') } } }, log, createMeter()), { message: /^redis\.tls\.ca: / })
  await t.rejects(joinReplicas({ ...config, redis: { ...redis, tls: { ca: join(folder, 'ca.pem') } } }, log, createMeter()), { message: /^redis\.tls: / })
})

if (redisServer === undefined) await notTried(t, 'a real Redis', NO_REDIS)
else {
  await t.test('two that joined tell each other of changes and share locks, and one that leaves is not waited for', async t => {
    const { port } = await startRedis(t)
    const meter = createMeter()
    const base = testConfig(testFolder(t), 'http://museum')
    const config = { ...base, redis: { host: '127.0.0.1', port, database: 0 }, charts: { ...base.charts, index: { maxAge: 5, maxBytes: 1 } } }
    const [a, b] = [await joinReplicas(config, log, meter), await joinReplicas(config, log, createMeter())]
    const forgotten: (string | undefined)[] = []
    b.peers.onChange(tenant => { forgotten.push(tenant) })
    await untilTrue(() => a.peers.holds() && b.peers.holds())
    await a.peers.changed('org1/repo1')
    t.ok(forgotten.includes('org1/repo1') || !b.peers.holds())
    t.equal(await a.locks(createLocks()).hold('x', async hold => hold()), 'proved')
    t.same(meter.snapshot().rows.chartgate_redis_up, [[0, 1]])
    await b.close()
    await a.peers.changed('org1/repo1')
    await a.close()
    t.notOk(a.peers.holds())
  })
}
