// Where the master is, Sentinels say; when it is gone another one is, and everybody follows.
import t, { type Test } from 'tap'
import type { RedisConfig } from '../../src/config/schema.ts'
import { CLOCK } from '../../src/lib/clock.ts'
import { createLocks } from '../../src/lib/locks.ts'
import { every, later } from '../../src/lib/timers.ts'
import { openReplicas, revokeForAll, type Replicas } from '../../src/replicas/replicas.ts'
import { askMaster } from '../../src/replicas/sentinel.ts'
import { createRevocations, revocationText } from '../../src/tokens/revocations.ts'
import { aChange } from '../helpers/changes.ts'
import { Authority } from '../helpers/certificates.ts'
import { testFolder } from '../helpers/folder.ts'
import { notTried, skipped } from '../helpers/not-tried.ts'
import { freePorts } from '../helpers/processes.ts'
import { asks, NO_REDIS, NO_TLS, redisServer, speaksTls, startRedis, startSentinel, type RedisServer } from '../helpers/redis.ts'
import { newMasterKey } from '../helpers/secrets.ts'
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
  const open = async (t: Test, ports: readonly number[], { lines = [], master = 'mymaster', ...more }: Partial<Pick<RedisConfig, 'password' | 'tls'>> & { lines?: string[], master?: string } = {}): Promise<Replicas> => {
    const places = ports.map(port => ({ host: '127.0.0.1', port }))
    const config = { host: '127.0.0.1', port: ports[0] as number, database: 0, sentinel: { master, places }, ...more }
    const log = { error (_fields: object, message: string) { lines.push(message) } }
    const replicas = await openReplicas(config, { log, clock, later, every, locks: createLocks(), keeps: () => true, revocations: createRevocations(CLOCK) })
    t.teardown(replicas.close)
    return replicas
  }

  /** @param asked the port of the Sentinel that the members ask, @param sentinel and one of its that needs no TLS */
  const failOver = async (t: Test, first: RedisServer, second: RedisServer, sentinel: number, asked: number, how: Pick<RedisConfig, 'password' | 'tls'>): Promise<void> => {
    const [nobody] = await freePorts(1) as [number]
    const [a, b] = [await open(t, [nobody, asked], how), await open(t, [asked], how)]
    const heard: (string | undefined)[] = []
    b.peers.onChange(async tenant => { heard.push(tenant) })
    await untilTrue(() => a.peers.knowsAll() && b.peers.knowsAll())
    await a.peers.changed(aChange())
    await untilTrue(() => heard.includes('org1/repo1'))
    // One that has not said that it follows is no candidate yet.
    await untilTrue(async () => /\r\nmaster-link-status\r\n\$2\r\nok\r\n/.test(await asks(sentinel, ['SENTINEL', 'REPLICAS', 'mymaster'])), FAILOVER)
    await first.kill()
    await untilTrue(async () => await second.ask('INFO', 'replication').then(text => text.includes('role:master'), () => false), FAILOVER)
    await untilTrue(() => a.isUp() === true && b.isUp() === true && a.peers.knowsAll() && b.peers.knowsAll())
    await a.peers.changed(aChange('org2/repo2'))
    await untilTrue(() => heard.includes('org2/repo2'))
  }

  await t.test('when the master dies all go on with the one that Sentinel made of its replica', async t => {
    const first = await startRedis(t)
    const second = await startRedis(t, ['--replicaof', '127.0.0.1', String(first.port)])
    const sentinel = await startSentinel(t, first)
    await failOver(t, first, second, sentinel, sentinel, {})
  })

  if (!await speaksTls()) await skipped(t, 'the same over TLS', NO_TLS)
  else {
    await t.test('the same where Redis has a password and all of them speak TLS', async t => {
      const [authority, password] = [Authority.make(testFolder(t)), newMasterKey()]
      const { cert, key } = authority.issue()
      const [ofFirst, ofSecond, ofSentinel] = await freePorts(3) as [number, number, number]
      const tls = (port: number): readonly (readonly [string, string])[] => [['tls-port', String(port)], ['tls-cert-file', cert], ['tls-key-file', key], ['tls-ca-cert-file', authority.cert], ['tls-auth-clients', 'no'], ['tls-replication', 'yes']]
      const flags = (port: number): string[] => [...tls(port), ['masterauth', password] as const].flatMap(([name, value]) => [`--${name}`, value])
      const first = await startRedis(t, flags(ofFirst), password)
      const second = await startRedis(t, [...flags(ofSecond), '--replicaof', '127.0.0.1', String(ofFirst)], password)
      const sentinel = await startSentinel(t, { port: ofFirst }, [...tls(ofSentinel).map(line => line.join(' ')), `sentinel auth-pass mymaster ${password}`])
      await failOver(t, first, second, sentinel, ofSentinel, { password, tls: { ca: authority.cert } })
      const lines: string[] = []
      await open(t, [ofSentinel], { lines, password, tls: {} })
      t.match(await until(() => lines[0]), /^no Sentinel at redis\.url can be reached \([A-Z_]+\);/, 'whose certificate nobody vouches for is not asked')
    })
  }

  await t.test('what is no Sentinel, and a master that it does not know, is said in one line, and nobody waits for it', async t => {
    const redis = await startRedis(t)
    const sentinel = await startSentinel(t, redis)
    const [none, unknown]: [string[], string[]] = [[], []]
    const alone = await open(t, [redis.port], { lines: none })
    await open(t, [sentinel], { lines: unknown, master: 'another' })
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
