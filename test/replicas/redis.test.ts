// How Redis is spoken to, against the real one: what it answers, what is said when it is away or
// is none, and that nothing waits for it.
import { connect, createServer, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import type { Outages } from '../../src/lib/outages.ts'
import { createRedisOutages } from '../../src/replicas/outages.ts'
import { openRedis, type Redis } from '../../src/replicas/redis.ts'
import type { RedisConfig } from '../../src/config/schema.ts'
import type { TlsTexts } from '../../src/tls/material.ts'
import { later } from '../../src/lib/timers.ts'
import { SAY } from '../../src/replicas/scripts.ts'
import { Authority } from '../helpers/certificates.ts'
import { testFolder } from '../helpers/folder.ts'
import { freePorts } from '../helpers/processes.ts'
import { newMasterKey } from '../helpers/secrets.ts'
import { notTried, skipped } from '../helpers/not-tried.ts'
import { NO_REDIS, NO_TLS, redisServer, speaksTls, startRedis } from '../helpers/redis.ts'
import { until, untilTrue } from '../helpers/until.ts'

const clock = (): number => performance.now()
const ECHO = { keys: [], lua: 'return ARGV[1]', stores: true } as const
const WRITE = { keys: ['x'], lua: "return redis.call('SET', KEYS[1], ARGV[1])", stores: true } as const

interface Opened {
  readonly redis: Redis
  readonly outages: Outages
  readonly lines: string[]
}

async function open (t: Test, port: number, more: Partial<RedisConfig> = {}, texts: TlsTexts = {}, now = clock): Promise<Opened> {
  const lines: string[] = []
  const outages = createRedisOutages({ error: (_fields, message) => { lines.push(message) } }, 'here', now)
  const redis = await openRedis({ config: { host: '127.0.0.1', port, database: 0, ...more }, texts, outages, later, clock: now })
  t.teardown(() => { redis.close() })
  return { redis, outages, lines }
}

/** A way to a server of which those who are on it may get nothing more, and which may lead elsewhere. */
async function blackHole (t: Test, first: number): Promise<{ readonly port: number, swallow (): void, leadTo (port: number): void }> {
  let to = first
  const open = new Set<Socket>()
  const way = createServer(here => {
    const there = connect(to, '127.0.0.1')
    for (const [from, into] of [[here, there], [there, here]] as const) {
      open.add(from)
      from.pipe(into)
      from.on('error', () => {}).on('close', () => { into.destroy() })
    }
  })
  await new Promise<void>(resolve => { way.listen(0, '127.0.0.1', resolve) })
  t.teardown(() => {
    way.close()
    for (const each of open) each.destroy()
  })
  return {
    port: (way.address() as { port: number }).port,
    swallow () { for (const each of open) each.unpipe().resume() },
    leadTo (port) { to = port }
  }
}

async function works (redis: Redis): Promise<void> {
  await untilTrue(async () => await redis.run(ECHO, ['a']).then(() => true, () => false))
}

if (redisServer === undefined) await notTried(t, 'a real Redis', NO_REDIS)
else {
  await t.test('a script is run with what it is given, and what is published is heard, also after Redis was away', async t => {
    const server = await startRedis(t)
    const { redis, outages, lines } = await open(t, server.port)
    t.equal(redis.storedAt(), -Infinity)
    const heard: string[] = []
    redis.hear('news', text => { heard.push(text) })
    await works(redis)
    t.equal(await redis.run(ECHO, ['hello']), 'hello')
    t.equal(outages.isUp(), true)
    t.ok(redis.storedAt() > 0)
    await untilTrue(async () => {
      await redis.run(SAY, ['news', 'one'])
      return heard.includes('one')
    })
    await server.kill()
    await until(async () => await redis.run(ECHO, ['a']).then(() => undefined, () => true))
    await untilTrue(() => outages.isUp() === false)
    await server.start()
    await works(redis)
    await untilTrue(async () => {
      await redis.run(SAY, ['news', 'two'])
      return heard.includes('two')
    })
    t.match(lines.at(-1), /^Redis can be used again, after \d+ s$/)
    t.match(lines[0], /^Redis cannot be reached \(ECONNREFUSED\); till then each replica is alone/)
    t.equal(lines.length, 2, 'one line for each')
  })

  await t.test('who wants to hear while Redis is away hears when it is back', async t => {
    const server = await startRedis(t)
    const { redis } = await open(t, server.port)
    await works(redis)
    await server.kill()
    await until(async () => await redis.run(ECHO, ['a']).then(() => undefined, () => true))
    const heard: string[] = []
    redis.hear('news', text => { heard.push(text) })
    await server.start()
    await untilTrue(async () => {
      await redis.run(SAY, ['news', 'one']).catch(() => {})
      return heard.includes('one')
    })
  })

  if (!await speaksTls()) await skipped(t, 'over TLS', NO_TLS)
  else {
    await t.test('over TLS its certificate is verified', async t => {
      const authority = Authority.make(testFolder(t))
      const { cert, key } = authority.issue()
      const [port] = await freePorts(1) as [number]
      await startRedis(t, ['--tls-port', String(port), '--tls-cert-file', cert, '--tls-key-file', key, '--tls-ca-cert-file', authority.cert, '--tls-auth-clients', 'no'])
      const tls = { tls: { ca: authority.cert } }
      const sound = await open(t, port, tls, { ca: authority.certText })
      await works(sound.redis)
      const wrong = await open(t, port, tls)
      t.match(await until(() => wrong.lines[0]), /^the certificate of Redis is not good \([A-Z_]+\): look at redis\.tls\.ca/)
    })
  }

  await t.test('who counts in it is answered by the same connection', async t => {
    const server = await startRedis(t)
    const { redis: { store, ...redis } } = await open(t, server.port)
    await works({ store, ...redis })
    t.equal(await store.eval(WRITE.lua, { keys: ['x'], arguments: ['7'] }), 'OK')
    t.same(await store.multi().get('x').pTTL('x').exec(true), ['7', -1])
  })

  await t.test('a Redis that answers nothing is not waited for, and is said once', async t => {
    const server = await startRedis(t)
    const { redis, lines } = await open(t, server.port)
    await works(redis)
    lines.length = 0
    server.signal('SIGSTOP')
    await t.rejects(redis.run(ECHO, ['a']), 'no answer in time')
    await t.rejects(redis.store.multi().get('x').exec(true))
    t.match(lines, ['Redis does not answer; till then each replica is alone (docs/scaling.md)'])
    server.signal('SIGCONT')
    await works(redis)
  })

  await t.test('a connection into which words go and out of which nothing comes is given up, and another one works', async t => {
    const server = await startRedis(t)
    const way = await blackHole(t, server.port)
    const { redis, lines } = await open(t, way.port)
    const heard: string[] = []
    redis.hear('news', text => { heard.push(text) })
    await works(redis)
    way.swallow()
    await untilTrue(async () => { // as somebody asks it all the time
      await sleep(100)
      return await redis.run(SAY, ['news', 'one']).then(() => heard.includes('one'), () => false)
    })
    t.match(lines.map(line => line.replace(/;.*/, '')), ['Redis does not answer'])
    await works(redis)
    t.match(lines[1], /^Redis can be used again/)
  })

  await t.test('what was answered while the process stood still counts', async t => {
    const { redis, lines } = await open(t, (await startRedis(t)).port)
    await works(redis)
    lines.length = 0
    const asked = redis.run(ECHO, ['a'])
    setTimeout(() => {
      const until = clock() + 1_300
      while (clock() < until);
    }, 5)
    t.equal(await asked, 'a')
    t.strictSame(lines, [])
  })

  await t.test('whose name is another one’s since it became a replica is left for that one', async t => {
    const [old, next] = [await startRedis(t), await startRedis(t)]
    const way = await blackHole(t, old.port)
    const { redis, lines } = await open(t, way.port)
    await untilTrue(async () => await redis.run(WRITE, ['a']).then(() => true, () => false))
    lines.length = 0
    await old.ask('REPLICAOF', '127.0.0.1', String(next.port))
    way.leadTo(next.port)
    await untilTrue(async () => {
      await sleep(100)
      return await redis.run(WRITE, ['b']).then(() => true, () => false)
    })
    t.match(lines, [/^Redis is read-only/, /^Redis can be used again/])
    t.match(await next.ask('GET', 'x'), /b/)
  })

  await t.test('a password is needed, wrong or right', async t => {
    const password = newMasterKey()
    const server = await startRedis(t, [], password)
    const without = await open(t, server.port)
    t.match(await until(() => without.lines[0]), /^Redis wants a password: set redis\.password;/)
    const wrong = await open(t, server.port, { password: newMasterKey() })
    t.match(await until(() => wrong.lines[0]), /^Redis refuses redis\.username and redis\.password/)
    const right = await open(t, server.port, { username: 'default', password })
    await works(right.redis)
    await sleep(0)
    t.same([without.lines.length, wrong.lines.length, right.lines.length], [1, 1, 0], 'one line each')
  })

  await t.test('what its user may not do is said once, and is over when it was done', async t => {
    const server = await startRedis(t)
    const { redis, lines, outages } = await open(t, server.port)
    await works(redis)
    const allow = async (...rule: string[]): Promise<void> => { await server.ask('ACL', 'SETUSER', 'default', ...rule) }
    await allow('-set')
    for (let i = 0; i < 3; i++) {
      await t.rejects(redis.run(WRITE, ['a']))
      await redis.run(ECHO, ['a'])
    }
    t.equal(outages.isUp(), false)
    t.match(lines.splice(0), [/^Redis does not let/])
    await allow('+set')
    await redis.run(WRITE, ['a'])
    t.match(lines.splice(0), [/^Redis can be used again/])
    await allow('resetchannels')
    redis.hear('news', () => {})
    t.match(await until(() => lines[0]), /^Redis does not let/)
    await redis.run(ECHO, ['a'])
    t.equal(lines.length, 1)
    await allow('allchannels')
    redis.hear('news', () => {})
    await untilTrue(async () => {
      await redis.run(ECHO, ['a'])
      return lines.length === 2
    })
  })

  await t.test('what takes connections and ends each at its first question is said, though there is one again at once', async t => {
    const server = await startRedis(t)
    const way = createServer(here => {
      const there = connect(server.port, '127.0.0.1')
      for (const each of [here, there]) each.on('error', () => {}).on('close', () => { here.destroy(); there.destroy() })
      there.pipe(here)
      here.on('data', (bytes: Buffer) => { if (isBroken && bytes.includes('EVAL')) here.destroy(); else there.write(bytes) })
    })
    let isBroken = false
    await new Promise<void>(resolve => { way.listen(0, '127.0.0.1', resolve) })
    t.teardown(() => { way.close() })
    const { redis, lines } = await open(t, (way.address() as { port: number }).port)
    await works(redis)
    isBroken = true
    await untilTrue(async () => await redis.run(ECHO, ['a']).then(() => false, () => lines.length > 0))
    t.match(lines, [/^what answers at redis\.url ends connections/])
    isBroken = false
    await works(redis)
    t.match(lines[1], /^Redis can be used again/)
    redis.close()
  })

  await t.test('a Redis that is read-only or full says so', async t => {
    const first = await startRedis(t)
    const replica = await startRedis(t, ['--replicaof', '127.0.0.1', String(first.port)])
    const { redis, lines } = await open(t, replica.port)
    await works(redis)
    await t.rejects(redis.run(WRITE, ['a']))
    t.match(lines, [/^Redis is read-only: redis\.url names a replica/])
    const full = await open(t, first.port)
    await works(full.redis)
    await first.ask('CONFIG', 'SET', 'maxmemory', '1')
    await t.rejects(full.redis.run(WRITE, ['a']))
    t.match(full.lines, [/^Redis is full \(maxmemory\)/])
  })
}

await t.test('what is no Redis is called so, and what is not there cannot be reached', async t => {
  const web = createServer(socket => { socket.on('error', () => {}).once('data', () => { socket.end('HTTP/1.1 400 Bad Request\r\n\r\n') }) })
  await new Promise<void>(resolve => { web.listen(0, '127.0.0.1', resolve) })
  t.teardown(() => { web.close() })
  const { port } = web.address() as { port: number }
  const { redis, lines } = await open(t, port)
  t.match(await until(() => lines[0]), /^what answers at redis\.url is no Redis;/)
  await t.rejects(redis.run(ECHO, ['a']))
  const closing = createServer(socket => { socket.on('error', () => {}).once('data', () => { socket.end() }) })
  await new Promise<void>(resolve => { closing.listen(0, '127.0.0.1', resolve) })
  t.teardown(() => { closing.close() })
  const closed = await open(t, (closing.address() as { port: number }).port)
  t.match(await until(() => closed.lines[0]), /^what answers at redis\.url ends connections:/)
  await sleep(1_500) // in which it is tried several times
  t.same([lines.length, closed.lines.length], [1, 1], 'one line each')
  const [gone] = await freePorts(1) as [number]
  const nobody = await open(t, gone)
  nobody.redis.hear('news', () => {})
  t.match(await until(() => nobody.lines[0]), /^Redis cannot be reached \(ECONNREFUSED\);/)
})
