// Real gateways on one Redis, one of them with workers: what one has answered at /v2/ all know.
import t from 'tap'
import { startGateway, type Gateway } from '../helpers/gateway.ts'
import { notTried } from '../helpers/not-tried.ts'
import { ociAsker, pushOci, pushOf, type AskOci } from '../helpers/oci.ts'
import { chartOf } from '../helpers/packages.ts'
import { temporaryFolder } from '../helpers/processes.ts'
import { NO_REDIS, redisServer, startRedis } from '../helpers/redis.ts'
import { newMasterKey } from '../helpers/secrets.ts'
import { OPEN, startEmbedded } from '../repository/servers.ts'

t.setTimeout(180_000)
const CHART = 'org1/repo1/mychart'

if (redisServer === undefined) await notTried(t, 'a real Redis', NO_REDIS)
else {
  await t.test('a manifest that is pushed at one gateway has the tag at all of them, in each worker', async t => {
    const [redis, masterKey] = [await startRedis(t), newMasterKey()]
    const { port } = await startEmbedded(t, await temporaryFolder(t), { ...OPEN, depth: 2 })
    const start = async (workers: number): Promise<Gateway> => await startGateway(t, {
      masterKey,
      workers,
      upstream: { url: `http://127.0.0.1:${port}`, auth: 'none' },
      redis: { url: redis.url }
    })
    const all: AskOci[] = (await Promise.all([start(1), start(2)])).map(({ url }) => ociAsker(url.replace('localhost', '127.0.0.1'), () => `Bearer ${masterKey}`))
    await redis.age()
    const chart = await chartOf('mychart', '1.0.0')
    for (const [i, pusher] of all.entries()) {
      const push = pushOf('mychart', '1.0.0', { chart, created: `${i}` })
      t.equal((await pushOci(pusher, CHART, '1.0.0', push)).status, 201)
      for (const ask of all) {
        for (let again = 0; again < 5; again++) {
          t.equal((await ask(`${CHART}/manifests/1.0.0`, { headers: { connection: 'close' } })).headers['docker-content-digest'], push.digest)
          t.equal((await ask(`${CHART}/manifests/${push.digest}`, { headers: { connection: 'close' } })).status, 200)
        }
      }
    }
  })
}
