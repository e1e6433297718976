// What clients get while the repository behind the built gateway refuses, breaks off or
// talks nonsense, what is left of it afterwards, and how soon it is used again.
import { randomBytes } from 'node:crypto'
import t, { type Test } from 'tap'
import { askAs, type Answered } from '../helpers/repositories.ts'
import { startFaultyUpstream, type Fault, type FaultyUpstream } from '../helpers/faulty-upstream.ts'
import { chartOf } from '../helpers/packages.ts'
import { KEY, startSeveral, type Several } from '../helpers/several.ts'
import { until, untilTrue } from '../helpers/until.ts'
import { beforeEach, nothingIsHeld } from './lab.ts'

/** What a read is answered: the status, the reason in the log; 200 is the whole and right answer. */
const READS: readonly (readonly [fault: Fault, status: number, reason?: string])[] = [
  ['500', 502, 'upstream_bad_answer'],
  ['cut', 502, 'upstream_unreachable'],
  ['reset_in_head', 502, 'upstream_unreachable'],
  ['reset_in_body', 502, 'upstream_unreachable'],
  ['too_short', 502, 'upstream_unreachable'],
  ['too_long', 200],
  ['garbage', 502, 'upstream_bad_answer'],
  ['long_head', 502, 'upstream_bad_answer']
]

const CHART = '/org1/repo1/charts/a-1.0.0.tgz'
const LARGE = '/org1/repo1/charts/large-1.0.0.tgz'

interface Lab {
  readonly gateway: Several
  readonly between: FaultyUpstream
  ask (method: string, path: string, body?: Buffer): Promise<Answered>
}

async function open (t: Test, origin: string): Promise<Lab> {
  const between = await startFaultyUpstream(t, origin)
  const gateway = await startSeveral(t, { upstream: { url: between.origin, auth: 'none' } })
  const target = { url: gateway.url.replace('localhost', '127.0.0.1'), masterKey: KEY }
  return { gateway, between, ask: async (...request) => await askAs(target, ...request) }
}

/** Whatever the fault is: all but the page of its health. */
const onAll = (fault: Fault) => (request: string): Fault | undefined => request === 'GET /health' ? undefined : fault

await beforeEach(t, async (t, origin) => {
  const { gateway, between, ask } = await open(t, origin)
  const [chart, large] = [await chartOf('a', '1.0.0'), await chartOf('large', '1.0.0', [{ name: 'large/files/random', body: randomBytes(200_000) }])]
  for (const bytes of [chart, large]) t.equal((await ask('POST', '/api/org1/repo1/charts', bytes)).status, 201)
  const reasonsSince = (lines: number): unknown[] => gateway.log().slice(lines).flatMap(({ reason }) => reason ?? [])
  const refused = ({ status, retryAfter, error }: Answered): boolean => [502, 503, 504].includes(status) && retryAfter === '5' && error !== ''

  await t.test('a read is the whole answer or one refusal with Retry-After, and the next one is right', async t => {
    for (const [fault, status, reason] of READS) {
      between.fault = onAll(fault)
      const lines = gateway.log().length
      for (const path of ['/org1/repo1/index.yaml', CHART, '/api/org1/repo1/charts/a']) {
        const answer = await ask('GET', path)
        t.equal(answer.status, status, `${fault}: ${path}`)
        if (status === 200) t.match(answer.bytes, path === CHART ? chart : /a/, fault)
        else t.ok(refused(answer), `${fault}: ${path}`)
      }
      if (reason !== undefined) t.same(new Set(await until(() => reasonsSince(lines).length >= 3 ? reasonsSince(lines) : undefined)), new Set([reason]), fault)
      between.fault = () => undefined
      const good = await ask('GET', CHART)
      t.ok(good.status === 200 && good.bytes.equals(chart), `${fault}: and then`)
      t.same(await nothingIsHeld(gateway), [], fault)
    }
  })

  await t.test('a large download that breaks off is seen to, and never shorter without a word', async t => {
    for (const fault of ['reset_in_body', 'too_short'] as const) {
      between.fault = onAll(fault)
      await t.rejects(ask('GET', LARGE), fault)
    }
    between.fault = () => undefined
    t.ok((await ask('GET', LARGE)).bytes.equals(large))
    t.same(await nothingIsHeld(gateway), [])
  })

  await t.test('a push that was answered 201 is there, and any other is not, or may be sent again', async t => {
    for (const [i, [fault]] of READS.entries()) {
      for (const where of ['POST', 'all'] as const) {
        const version = `${i}.0.${where.length}`
        const bytes = await chartOf('pushed', version)
        const file = `/org1/repo1/charts/pushed-${version}.tgz`
        between.fault = request => where === 'all' || request.startsWith('POST') ? onAll(fault)(request) : undefined
        const first = await ask('POST', '/api/org1/repo1/charts', bytes)
        between.fault = () => undefined
        t.ok(first.status === 201 || refused(first), `${fault} of ${where}: ${first.status}`)
        if (first.status === 201) t.ok((await ask('GET', file)).bytes.equals(bytes), `${fault} of ${where}`)
        else t.ok([201, 409].includes((await ask('POST', '/api/org1/repo1/charts', bytes)).status), `${fault} of ${where}: again`)
        t.ok((await ask('GET', file)).bytes.equals(bytes), `${fault} of ${where}: whole`)
        t.match((await ask('GET', '/org1/repo1/index.yaml')).bytes.toString(), `pushed-${version}.tgz`)
      }
    }
    t.same(await nothingIsHeld(gateway), [])
  })

  await t.test('a read whose kept connection is closed just as it is used is answered, and a change is sent once', async t => {
    // Each worker keeps a connection; the next request over it is not answered.
    for (const path of [CHART, '/org1/repo1/index.yaml']) {
      let closed = 0
      between.fault = request => request.startsWith('GET') && closed++ === 0 ? 'cut' : undefined
      t.equal((await ask('GET', path)).status, 200, path)
      t.ok(closed >= 2)
    }
    between.seen.length = 0
    between.fault = request => request.startsWith('DELETE') ? 'cut' : undefined
    t.ok(refused(await ask('DELETE', '/api/org1/repo1/charts/a/1.0.0')))
    t.equal(between.seen.filter(request => request.startsWith('DELETE')).length, 1)
    between.fault = () => undefined
  })

  await t.test('one that is away is not waited for, and it is used within two seconds of its return', async t => {
    await between.leave()
    const away = async (): Promise<boolean> => (await ask('GET', CHART)).error.startsWith('the chart repository does not answer')
    t.ok(refused(await ask('GET', CHART)))
    await untilTrue(away)
    for (const [method, path] of [['GET', '/org1/repo1/index.yaml'], ['POST', '/api/org1/repo1/charts'], ['DELETE', '/api/org1/repo1/charts/a/1.0.0']] as const) {
      t.ok(refused(await ask(method, path, method === 'POST' ? chart : undefined)), method)
    }
    t.equal((await fetch(`${gateway.adminUrl}/readyz`)).status, 503)
    t.equal((await fetch(`${gateway.adminUrl}/healthz`)).status, 200)
    await between.comeBack()
    await untilTrue(async () => (await ask('GET', CHART)).bytes.equals(chart), 2_000)
    for (const [msg, count] of [['the chart repository answers nothing: clients get 503 at once, until it does', 1], ['the chart repository is asked again', 1]] as const) {
      const workers = gateway.log().filter(line => String(line['msg']).startsWith(msg)).map(({ pid }) => pid)
      t.ok(workers.length >= count && new Set(workers).size === workers.length, 'a line of each worker that saw it')
    }
    t.same(await nothingIsHeld(gateway), [])
    await untilTrue(async () => await fetch(`${gateway.adminUrl}/metrics`).then(async answer => /chartgate_upstream_breaker\{state="closed"\} 2$/m.test(await answer.text())))
  })
})
