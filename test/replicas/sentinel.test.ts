// Where the master is, Sentinels say; when it is gone another one is, and everybody follows.
import t, { type Test } from 'tap'
import { CLOCK } from '../../src/lib/clock.ts'
import { createLocks } from '../../src/lib/locks.ts'
import { every, later } from '../../src/lib/timers.ts'
import { openReplicas, revokeForAll, type Replicas } from '../../src/replicas/replicas.ts'
import { askMaster } from '../../src/replicas/sentinel.ts'
import { createRevocations, revocationText } from '../../src/tokens/revocations.ts'
import { aChange } from '../helpers/changes.ts'
import { notTried } from '../helpers/not-tried.ts'
import { freePorts } from '../helpers/processes.ts'
import { asks, NO_REDIS, redisServer, startRedis, startSentinel } from '../helpers/redis.ts'
import { until, untilTrue } from '../helpers/until.ts'

/** Milliseconds: a Sentinel that had no time thinks that its clock was set, and waits for 30 seconds (TILT). */
const FAILOVER = 90_000

const clock = (): number => performance.now()

await t.test('the first that knows the master is believed, and of several that do not the last says why', async t => {
  const places = [{ host: 'a', port: 1 }, { host: 'b', port: 2 }]
  const asked: string[] = []
  const answers = async (...replies: unknown[]): Promise<unknown> => await askMaster({
    sentinel: { master: 'm', places },
    async ask ({ host }, words) {
      asked.push(`${host} ${words.join(' ')}`)
      const reply = replies.shift()
      if (reply instanceof Error) throw reply
      return reply
    }
  })
  const refused = Object.assign(new Error('no'), { code: 'ECONNREFUSED' })
  t.same(await answers(['c', '7']), { host: 'c', port: 7 })
  t.same(await answers(refused, ['c', '7']), { host: 'c', port: 7 })
  t.same(asked, ['a', 'a', 'b'].map(host => `${host} SENTINEL GET-MASTER-ADDR-BY-NAME m`))
  for (const [reply, message] of [
    [refused, /^no Sentinel at redis\.url can be reached \(ECONNREFUSED\)$/],
    [null, /^Sentinel knows no master "m": redis\.sentinel is the name/],
    [new Error("ERR unknown command 'SENTINEL'"), /^what answers at redis\.url is no Sentinel/],
    [new Error('NOAUTH Authentication required.'), /can be asked: it says "NOAUTH Authentication required\."$/]
  ] as const) await t.rejects(answers(null, reply), { message })
})

if (redisServer === undefined) await notTried(t, 'a real Redis', NO_REDIS)
else {
  const open = async (t: Test, ports: readonly number[], lines: string[] = [], master = 'mymaster'): Promise<Replicas> => {
    const places = ports.map(port => ({ host: '127.0.0.1', port }))
    const config = { host: '127.0.0.1', port: ports[0] as number, database: 0, sentinel: { master, places } }
    const log = { error (_fields: object, message: string) { lines.push(message) } }
    const replicas = await openReplicas(config, { log, clock, later, every, locks: createLocks(), keeps: () => true, revocations: createRevocations(CLOCK) })
    t.teardown(replicas.close)
    return replicas
  }

  await t.test('when the master dies all go on with the one that Sentinel made of its replica', async t => {
    const first = await startRedis(t)
    const second = await startRedis(t, ['--replicaof', '127.0.0.1', String(first.port)])
    const sentinel = await startSentinel(t, first)
    const [nobody] = await freePorts(1) as [number]
    const [a, b] = [await open(t, [nobody, sentinel]), await open(t, [sentinel])]
    const heard: (string | undefined)[] = []
    b.peers.onChange(async tenant => { heard.push(tenant) })
    await untilTrue(() => a.peers.knowsAll() && b.peers.knowsAll())
    await a.peers.changed(aChange())
    await untilTrue(() => heard.includes('org1/repo1'))
    // One that has not said that it follows is no candidate yet.
    await untilTrue(async () => /\r\nmaster-link-status\r\n\$2\r\nok\r\n/.test(await asks(sentinel, ['SENTINEL', 'REPLICAS', 'mymaster'])), FAILOVER)
    await first.kill()
    await untilTrue(async () => /role:master/.test(await second.ask('INFO', 'replication')), FAILOVER)
    await untilTrue(() => a.isUp() === true && b.isUp() === true && a.peers.knowsAll() && b.peers.knowsAll())
    await a.peers.changed(aChange('org2/repo2'))
    await untilTrue(() => heard.includes('org2/repo2'))
  })

  await t.test('what is no Sentinel, and a master that it does not know, is said in one line, and nobody waits for it', async t => {
    const redis = await startRedis(t)
    const sentinel = await startSentinel(t, redis)
    const [none, unknown]: [string[], string[]] = [[], []]
    const alone = await open(t, [redis.port], none)
    await open(t, [sentinel], unknown, 'another')
    await t.rejects(alone.store.multi().get('x').exec(true))
    await t.rejects(alone.store.eval('return 1', { keys: [], arguments: [] }))
    t.equal(alone.isUp(), false)
    const text = revocationText({ token: 'a-b' }, CLOCK.wall(), 300)
    const config = { host: '127.0.0.1', port: redis.port, database: 0, sentinel: { master: 'm', places: [{ host: '127.0.0.1', port: redis.port }] } }
    t.match(await revokeForAll(config, text, CLOCK.wall(), { clock, later }), /^what answers at redis\.url is no Sentinel/)
    t.match([await until(() => none[0]), await until(() => unknown[0])], [/^what answers at redis\.url is no Sentinel/, /^Sentinel knows no master "another"/])
    t.same([none.length, unknown.length], [1, 1])
  })
}
