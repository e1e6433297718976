// How long is the upstream waited for? Each of the limits, with little of it, in this
// process; what every day's are is written down here once more.
import t, { type Test } from 'tap'
import { PLACE_PATIENCE, LOOK } from '../../src/limits/shares.ts'
import { PATIENCE, type Patience } from '../../src/upstream/client.ts'
import { startApp, type TestGateway } from '../helpers/app.ts'
import { startFaultyUpstream, type Fault, type FaultyUpstream } from '../helpers/faulty-upstream.ts'
import { chartOf } from '../helpers/packages.ts'
import { askAs, type Answered } from '../helpers/repositories.ts'
import { untilTrue } from '../helpers/until.ts'
import { OPEN, startEmbedded } from '../repository/servers.ts'
import { temporaryFolder } from '../helpers/processes.ts'

/** As short as answers of good ones on a busy machine allow. */
const SHORT: Patience = { connect: 400, headers: 400, body: 400, health: 400 }
const CHART = '/org1/repo1/charts/a-1.0.0.tgz'

interface Lab {
  readonly gateway: TestGateway
  readonly between: FaultyUpstream
  ask (method: string, path: string, body?: Buffer): Promise<Answered>
}

async function open (t: Test): Promise<Lab> {
  const { port } = await startEmbedded(t, await temporaryFolder(t), OPEN)
  const between = await startFaultyUpstream(t, `http://127.0.0.1:${port}`)
  const gateway = await startApp(t, { origin: between.origin, waits: SHORT, config: config => ({ ...config, upstream: { ...config.upstream, auth: 'none' } }) })
  return { gateway, between, ask: async (...request) => await askAs(gateway, ...request) }
}

const codes = ({ log }: TestGateway): unknown[] => log.flatMap(({ reason }) => reason ?? [])

await t.test('a connection is waited for 5 s, in turn 5 s, the beginning of an answer 30 s, and each piece of it 60 s', async t => {
  t.same(PATIENCE, { connect: 5_000, headers: 30_000, body: 60_000, health: 2_000 })
  t.equal(PLACE_PATIENCE + LOOK, 5_000)
})

await t.test('what hangs or trickles is 504 with Retry-After, gives its place back, and is no reason to keep anybody out', async t => {
  const { gateway, between, ask } = await open(t)
  const chart = await chartOf('a', '1.0.0')
  t.equal((await ask('POST', '/api/org1/repo1/charts', chart)).status, 201)
  const slow = ['hang', 'slow_head', 'slow_body'] as const satisfies readonly Fault[]
  // The slow tenant asks for much, and another one for something now and then.
  between.fault = request => request.includes('/slow/') ? slow[between.seen.length % slow.length] : undefined
  const hanging = Promise.all(Array.from({ length: 30 }, async (_, i) => await ask('GET', `/org1/slow/charts/a-1.0.${i}.tgz`)))
  for (let i = 0; i < 10; i++) t.equal((await ask('GET', CHART)).status, 200)
  for (const { status, retryAfter, error } of await hanging) t.same([status, retryAfter, error], [504, '5', 'the chart repository did not answer in time'])
  t.equal((await ask('GET', CHART)).status, 200)
  t.same(new Set(codes(gateway)), new Set(['upstream_timeout']))
  t.notMatch(gateway.logText(), 'answers nothing')
  await untilTrue(() => between.connections() <= 2)
})

await t.test('a push that hangs is 504, and is there when it was done: the next one says so', async t => {
  const { between, ask } = await open(t)
  const chart = await chartOf('a', '1.0.0')
  between.fault = request => request === 'GET /health' ? undefined : request.startsWith('POST') ? 'hang' : undefined
  t.equal((await ask('POST', '/api/org1/repo1/charts', chart)).status, 201, 'its answer was lost, and it is there')
  between.fault = request => request === 'GET /health' ? undefined : 'hang'
  const other = await chartOf('b', '1.0.0')
  const { status, retryAfter } = await ask('POST', '/api/org1/repo1/charts', other)
  t.same([status, retryAfter], [504, '5'])
  between.fault = () => undefined
  t.equal((await ask('POST', '/api/org1/repo1/charts', other)).status, 201, 'it was not sent while nobody said whether it was there')
})

await t.test('one that hangs for everybody is not waited for, and is used within two seconds when it goes on', async t => {
  const { gateway, between, ask } = await open(t)
  between.fault = () => 'hang'
  const first = await Promise.all(Array.from({ length: 8 }, async (_, i) => await ask('GET', `/org1/repo${i}/index.yaml`)))
  t.same(new Set(first.map(({ status }) => status)), new Set([504]))
  await untilTrue(async () => (await ask('GET', CHART)).error === 'the chart repository does not answer: try again shortly')
  t.equal(codes(gateway).at(-1), 'upstream_away')
  between.fault = () => undefined
  await untilTrue(async () => (await ask('GET', CHART)).status === 404, 2_000)
  t.equal(gateway.log.filter(({ msg }) => /answers nothing|is asked again/.test(String(msg))).length, 2, 'one line when it begins, and one when it is over')
})

await t.test('a connection that is not taken is given up, and its client is told within that time', async t => {
  // Nobody is there, and nothing says so (RFC 5737); some networks say that there is no way.
  const gateway = await startApp(t, { origin: 'http://192.0.2.1:8080', waits: SHORT })
  const { status, retryAfter } = await askAs(gateway, 'GET', CHART)
  t.same([status, retryAfter], [502, '5'])
})
