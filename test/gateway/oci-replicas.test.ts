// Two gateways before one repository, each with a stateDir of its own: what one has answered or
// taken in at /v2/, and what the other knows of it, with a Redis that both tell and without.
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { createLocks } from '../../src/lib/locks.ts'
import { later } from '../../src/lib/timers.ts'
import { createReplicaAnswered } from '../../src/replicas/answered.ts'
import { connectRedis } from '../../src/replicas/replicas.ts'
import { startApp } from '../helpers/app.ts'
import { skipped } from '../helpers/not-tried.ts'
import { ARCHIVE_TYPE, CONFIG_TYPE, descriptorOf, digestOfBytes, manifestIn, ociAsker, pushOci, pushOf, type AskOci } from '../helpers/oci.ts'
import { chartOf } from '../helpers/packages.ts'
import { temporaryFolder } from '../helpers/processes.ts'
import { NO_REDIS, redisServer, startRedis, type RedisServer } from '../helpers/redis.ts'
import { overEachRepository } from '../helpers/repositories.ts'
import { untilTrue } from '../helpers/until.ts'

const CHART = 'org1/repo1/mychart'

interface Replica {
  readonly ask: AskOci
  /** Asks the API, with every right. */
  api (method: string, path: string, body?: Buffer): Promise<number>
}

/** Two gateways on one Redis, or on none; one of them at a time stores something. */
async function twoOf (t: Test, origin: string, redis?: RedisServer): Promise<[Replica, Replica]> {
  const locks = createLocks()
  const open = async (): Promise<Replica> => {
    const stateDir = await temporaryFolder(t)
    const connected = redis === undefined ? undefined : (await connectRedis({ host: '127.0.0.1', port: redis.port, database: 0 }, { log: { error () {} }, clock: () => performance.now(), later })).redis
    if (connected !== undefined) t.teardown(connected.close)
    const { url, masterKey } = await startApp(t, { origin, locks, config: config => ({ ...config, stateDir, upstream: { ...config.upstream, auth: 'none' } }), ...(connected === undefined ? {} : { answered: createReplicaAnswered(connected) }) })
    const authorization = `Bearer ${masterKey}`
    return {
      ask: ociAsker(url, () => authorization),
      api: async (method, path, body) => (await fetch(url + path, { method, headers: { authorization }, ...(body === undefined ? {} : { body }) })).status
    }
  }
  return [await open(), await open()]
}

const tagOf = async ({ ask }: Replica, version: string): Promise<unknown> => (await ask(`${CHART}/manifests/${version}`)).headers['docker-content-digest']
const statusOf = async ({ ask }: Replica, digest: string): Promise<number> => (await ask(`${CHART}/manifests/${digest}`)).status

/** A push of the same chart that was packed at another time. */
async function pushAt (replica: Replica, version: string, chart: Buffer, created: string): Promise<string> {
  const push = pushOf('mychart', version, { chart, created })
  const { status } = await pushOci(replica.ask, CHART, version, push)
  if (status !== 201) throw new Error(`the push of ${version} was ${status}`)
  return push.digest
}

await overEachRepository(t, {}, async (t, { origin, ask: askApi }) => {
  await t.test('without Redis', async t => {
    const [here, there] = await twoOf(t, origin)
    await t.test('a chart that came by the API has one digest, which each knows when it was asked for the tag', async t => {
      t.equal((await askApi('POST', '/api/org1/repo1/charts', await chartOf('mychart', '0.1.0'))).status, 201)
      const digest = String(await tagOf(here, '0.1.0'))
      t.equal(await statusOf(there, digest), 404)
      t.equal(await tagOf(there, '0.1.0'), digest)
      t.equal(await statusOf(there, digest), 200)
    })

    await t.test('a pushed manifest is that of the tag where it was pushed; the archive is the same at both', async t => {
      const chart = await chartOf('mychart', '0.2.0')
      const digest = await pushAt(here, '0.2.0', chart, 'x')
      t.equal(await tagOf(here, '0.2.0'), digest)
      t.not(await tagOf(there, '0.2.0'), digest)
      t.equal(await statusOf(there, digest), 404)
      const archive = manifestIn(await there.ask(`${CHART}/manifests/0.2.0`)).layers.find(({ mediaType }) => mediaType === ARCHIVE_TYPE)?.digest
      t.equal(archive, digestOfBytes(chart))
      for (const { ask } of [here, there]) t.ok((await ask(`${CHART}/blobs/${digestOfBytes(chart)}`)).bytes.equals(chart))
    })
  })

  if (redisServer === undefined) {
    await skipped(t, 'with Redis', NO_REDIS)
    return
  }

  await t.test('with Redis', async t => {
    const redis = await startRedis(t)
    const [here, there] = await twoOf(t, origin, redis)
    await t.test('a digest that one has answered the other knows, with all that its manifest names', async t => {
      t.equal((await askApi('POST', '/api/org1/repo1/charts', await chartOf('mychart', '1.0.0'))).status, 201)
      const digest = String(await tagOf(here, '1.0.0'))
      const manifest = await there.ask(`${CHART}/manifests/${digest}`)
      t.equal(manifest.status, 200)
      const { config, layers } = manifestIn(manifest)
      for (const { digest: blob, size } of [config, ...layers]) {
        const { bytes } = await there.ask(`${CHART}/blobs/${blob}`)
        t.strictSame([digestOfBytes(bytes), bytes.length], [blob, size])
      }
      t.equal(await tagOf(there, '1.0.0'), digest)
      t.equal(await statusOf(there, `sha256:${'a'.repeat(64)}`), 404)
    })

    await t.test('a pushed manifest has the tag at both, and each push takes it over from the one before', async t => {
      const chart = await chartOf('mychart', '1.1.0')
      const digests: string[] = []
      for (const [i, replica] of [here, there, here].entries()) {
        const digest = await pushAt(replica, '1.1.0', chart, `${i}`)
        digests.push(digest)
        t.strictSame([await tagOf(there, '1.1.0'), await tagOf(here, '1.1.0')], [digest, digest])
      }
      for (const digest of digests) t.strictSame([await statusOf(here, digest), await statusOf(there, digest)], [200, 200])
      const { config } = manifestIn(await there.ask(`${CHART}/manifests/${digests[0] as string}`))
      t.strictSame(descriptorOf(CONFIG_TYPE, (await there.ask(`${CHART}/blobs/${config.digest}`)).bytes), config)
    })

    await t.test('of two pushes of one archive at once both are known at both, and one of them has the tag', async t => {
      for (let i = 0; i < 5; i++) {
        const version = `1.2.${i}`
        const chart = await chartOf('mychart', version)
        const digests = await Promise.all([pushAt(here, version, chart, 'here'), pushAt(there, version, chart, 'there')])
        const tag = String(await tagOf(here, version))
        t.ok(digests.includes(tag))
        t.equal(await tagOf(there, version), tag)
        for (const digest of digests) t.strictSame([await statusOf(here, digest), await statusOf(there, digest)], [200, 200])
      }
    })

    await t.test('what is deleted at one is gone at both, and does not come back with the same chart', async t => {
      const chart = await chartOf('mychart', '1.3.0')
      const digest = await pushAt(here, '1.3.0', chart, 'x')
      t.equal(await tagOf(there, '1.3.0'), digest)
      t.equal((await there.ask(`${CHART}/manifests/${digest}`, { method: 'DELETE' })).status, 202)
      for (const replica of [here, there]) t.strictSame([await statusOf(replica, digest), await statusOf(replica, '1.3.0')], [404, 404])
      t.equal(await here.api('POST', '/api/org1/repo1/charts', chart), 201)
      await untilTrue(async () => await statusOf(here, '1.3.0') === 200)
      const now = await tagOf(there, '1.3.0')
      t.not(now, digest)
      t.equal(await tagOf(here, '1.3.0'), now)
    })

    await t.test('without Redis for a while each goes by what it has; one that is back, with nothing in it, is told', async t => {
      const [first, second] = [await chartOf('mychart', '1.4.0'), await chartOf('mychart', '1.4.1')]
      const known = await pushAt(here, '1.4.0', first, 'x')
      t.equal(await tagOf(there, '1.4.0'), known)
      await redis.kill()
      const unknown = await pushAt(here, '1.4.1', second, 'x')
      t.strictSame([await tagOf(here, '1.4.0'), await tagOf(there, '1.4.0'), await statusOf(there, known)], [known, known, 200])
      t.not(await tagOf(there, '1.4.1'), unknown)
      t.equal(await statusOf(there, unknown), 404)
      await redis.start()
      await untilTrue(async () => {
        await sleep(50)
        return await tagOf(here, '1.4.1') === unknown && await tagOf(there, '1.4.1') === unknown
      })
      t.equal(await statusOf(there, unknown), 200)
    })
  })
}, [2])
