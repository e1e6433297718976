// A token that counts once counts once also when the gateway is killed and begins again, at
// several gateways, and while their Redis is away.
import t, { type Test } from 'tap'
import { readToken } from '../../src/tokens/signature.ts'
import { startGateway, type Gateway } from '../helpers/gateway.ts'
import { notTried } from '../helpers/not-tried.ts'
import { startOpenIdProvider } from '../helpers/oidc.ts'
import { temporaryFolder } from '../helpers/processes.ts'
import { layKeys } from '../helpers/key-pool.ts'
import { NO_REDIS, redisServer, startRedis } from '../helpers/redis.ts'
import { recordToken } from '../helpers/secrets.ts'
import { until, untilTrue } from '../helpers/until.ts'

t.setTimeout(180_000)
const AUDIENCE = 'https://charts.example.test'

interface Lab {
  /** The configuration of every gateway. */
  readonly config: object
  job (): Promise<string>
}

async function lab (t: Test): Promise<Lab> {
  const provider = await startOpenIdProvider(t, AUDIENCE)
  return {
    config: {
      federation: {
        providers: [{ name: 'build', issuer: provider.issuer, kind: 'generic', audience: AUDIENCE, exchangeOnce: true, clockSkew: '0s' }],
        rules: [{ provider: 'build', match: { sub: 'build-7' }, subject: 'ci:build:{sub}', repositories: ['org1/*'], actions: ['pull'] }]
      }
    },
    job: async () => await provider.idTokenOf('build-7')
  }
}

async function exchange (gateway: Gateway, assertion: string): Promise<number> {
  const body = new URLSearchParams({ grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion })
  const answer = await fetch(`${gateway.url}/oauth/token`, { method: 'POST', body, headers: { connection: 'close' } })
  const { access_token: got } = await answer.json() as { access_token?: string }
  if (got !== undefined) recordToken(got)
  return answer.status
}

/** A token that was exchanged, when the first seconds are over, which belong to what was before. */
async function exchanged (gateway: Gateway, job: Lab['job']): Promise<string> {
  return await until(async () => {
    const token = await job()
    return await exchange(gateway, token) === 200 ? token : undefined
  })
}

/** One that was issued later, by more than clocks of whole seconds leave open. This provider's have no `jti`: two of one second are the same. */
async function another (job: Lab['job'], before: string): Promise<string> {
  const issuedAt = (token: string): number => readToken(token)?.payload['iat'] as number
  return await until(async () => {
    const token = await job()
    return issuedAt(token) - issuedAt(before) < 3 ? undefined : token
  })
}

for (const workers of [1, 2]) {
  await t.test(`a gateway with ${workers === 1 ? 'one process' : 'workers'} that is killed, and begins again, takes no token twice`, async t => {
    const { config, job } = await lab(t)
    const stateDir = await temporaryFolder(t)
    await layKeys(stateDir)
    const start = async (): Promise<Gateway> => await startGateway(t, { ...config, workers }, { stateDir })
    const first = await start()
    const used = await exchanged(first, job)
    const unused = await another(job, used)
    t.equal(await exchange(first, used), 400)
    process.kill(first.pid, 'SIGKILL')
    await first.ended
    const second = await start()
    t.strictSame([await exchange(second, used), await exchange(second, unused), await exchange(second, unused)], [400, 200, 400])
    t.match(second.stdout(), '"reason":"federation_token_used"')
  })
}

if (redisServer === undefined) await notTried(t, 'a real Redis', NO_REDIS)
else {
  await t.test('of two gateways with one Redis each refuses what the other exchanged, and while it is away both refuse for now', async t => {
    const { config, job } = await lab(t)
    const redis = await startRedis(t)
    const start = async (workers: number): Promise<Gateway> => await startGateway(t, { ...config, workers, redis: { url: `redis://127.0.0.1:${redis.port}` } })
    const [a, b] = [await start(1), await start(2)]
    const used = await exchanged(a, job)
    t.equal(await exchange(b, used), 400)
    const other = await exchanged(b, job)
    t.equal(await exchange(a, other), 400)
    const unused = await another(job, other)
    await redis.kill()
    for (const gateway of [a, b]) await untilTrue(async () => await exchange(gateway, unused) === 503)
    t.match(a.stdout(), '"reason":"federation_use_unproved"')
    await redis.start()
    for (const gateway of [a, b]) await untilTrue(async () => await exchange(gateway, used) === 400)
    t.strictSame([await exchange(b, used), await exchange(a, unused), await exchange(b, unused)], [400, 400, 400], 'what it held before is lost, so nothing of before counts')
    t.match(a.stdout() + b.stdout(), '"reason":"federation_token_too_early"')
    t.equal(await exchange(b, await exchanged(a, job)), 400)
  })
}
