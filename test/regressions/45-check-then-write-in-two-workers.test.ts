// Class 45: a check and a write that belong together, and two processes that do both at
// once. Of 120 races for one version through two workers ChartMuseum answered two with
// 201 twice; a repository that overwrites would answer all of them so. And whoever dies
// between the two must not keep the others waiting, nor let them in while what it asked
// for is still being done.
import type { Agent } from 'node:http'
import t, { type Test } from 'tap'
import { startChartMuseum, chartMuseum, NO_CHARTMUSEUM } from '../helpers/chartmuseum.ts'
import { chartOf } from '../helpers/packages.ts'
import { allGone, ask, connectionTo, startSeveral, type Answer, type Several } from '../helpers/several.ts'
import { EMPTY_INDEX, startStubUpstream, type StubUpstream } from '../helpers/stub-upstream.ts'
import { until, untilTrue } from '../helpers/until.ts'

const CHARTS = '/api/org1/repo1/charts'
const AT_ONCE = 6

/** What is asked about one version of the chart `race`, with whether it is a push. */
type Stores = (file: string) => Promise<void>

interface Repository {
  readonly stub: StubUpstream
  /** What it holds. */
  readonly files: Set<string>
  /** Pushes that it was ever sent, and how many were in its hands at the same time at most. */
  readonly count: { pushes: number, now: number, most: number }
  /** What comes between a push and its end. */
  stores: Stores
}

/** A repository that would overwrite, and takes its time to store. */
async function overwriting (t: Test): Promise<Repository> {
  const stub = await startStubUpstream(t)
  const repository: Repository = { stub, files: new Set(), count: { pushes: 0, now: 0, most: 0 }, stores: async () => { await new Promise(resolve => { setTimeout(resolve, 20) }) } }
  const { files, count } = repository
  stub.answer = async ({ method, target, body }) => {
    if (target.endsWith('.tgz')) return files.has(target.split('/').at(-1) as string) ? { body: 'x' } : { status: 404, body: '{"error":"object not found"}' }
    if (method !== 'POST') return { body: EMPTY_INDEX } // the question whether it is healthy, too
    const file = `race-${versionOf(body)}.tgz`
    count.pushes++
    count.most = Math.max(count.most, ++count.now)
    await repository.stores(file)
    count.now--
    files.add(file)
    return { status: 201, body: '{"saved":true}' }
  }
  return repository
}

const versions = new Map<number, string>()

/** A chart of a length that no other of these has: the repository knows it by that. */
async function raceChart (version: string): Promise<Buffer> {
  for (let i = 0; ; i++) {
    const chart = await chartOf('race', version, [{ name: 'race/pad', body: 'x'.repeat(i) }, { name: 'race/noise', body: `${Math.random()}`.repeat(i) }])
    if (versions.get(chart.length) === undefined) versions.set(chart.length, version)
    if (versions.get(chart.length) === version) return chart
  }
}

function versionOf (body: Buffer): string {
  return versions.get(body.length) as string
}

async function push (gateway: Several, body: Buffer, agent?: Agent): Promise<Answer> {
  return await ask(gateway, CHARTS, { method: 'POST', body, ...(agent === undefined ? {} : { agent }) })
}

/** Everybody pushes each version at once; how many answers of each kind each version had. */
async function race (gateway: Several, rounds: number): Promise<string[]> {
  const seen: string[] = []
  for (let i = 0; i < rounds; i++) {
    const chart = await raceChart(`1.0.${i}`)
    const answers = await Promise.all(Array.from({ length: AT_ONCE }, async () => await push(gateway, chart)))
    seen.push(answers.map(({ status }) => status).sort().join(' '))
  }
  return seen
}

const ONE_WINS = ['201', ...Array.from({ length: AT_ONCE - 1 }, () => '409')].join(' ')

await t.test('of many pushes of one version through two workers one is stored, also by a repository that would overwrite', async t => {
  const { stub, count } = await overwriting(t)
  const gateway = await startSeveral(t, { upstream: { url: stub.origin } })
  const rounds = 12
  t.same(await race(gateway, rounds), Array.from({ length: rounds }, () => ONE_WINS))
  t.equal(count.pushes, rounds, 'the repository was sent each version once')
  const by = new Set(gateway.log().filter(({ method, status }) => method === 'POST' && (status === 201 || status === 409)).map(({ pid }) => pid))
  t.equal(by.size, 2, 'both workers took part')
})

await t.test('the same in front of ChartMuseum', { skip: chartMuseum === undefined && NO_CHARTMUSEUM }, async t => {
  const { url, stateDir } = await startChartMuseum(t)
  const gateway = await startSeveral(t, { upstream: { url } }, { stateDir })
  const rounds = 60
  t.same(await race(gateway, rounds), Array.from({ length: rounds }, () => ONE_WINS))
})

await t.test('who asks for the same version waits in the order of asking, and nobody waits for another version', async t => {
  const repository = await overwriting(t)
  const { stub, count, files } = repository
  const gateway = await startSeveral(t, { upstream: { url: stub.origin } })
  const ends: (() => void)[] = []
  repository.stores = async file => { if (file === 'race-2.0.0.tgz') await new Promise<void>(resolve => { ends.push(resolve) }) }
  const first = await connectionTo(gateway, t)
  const second = await connectionTo(gateway, t, pid => pid !== first.pid)
  const chart = await raceChart('2.0.0')
  const held = push(gateway, chart, first.agent)
  await untilTrue(() => ends.length === 1)
  const waits = push(gateway, chart, second.agent)
  const { status } = await push(gateway, await raceChart('2.0.1'))
  t.equal(status, 201, 'another version is stored meanwhile')
  t.same([count.pushes, count.now], [2, 1])
  for (const end of ends) end()
  t.same([(await held).status, (await waits).status], [201, 409])
  t.equal(files.size, 2)
})

for (const [how, harm] of [['is killed', 'SIGKILL'], ['hangs', 'SIGSTOP']] as const) {
  await t.test(`a worker that ${how} while it has the lock gives it back, after what it asked for has ended`, async t => {
    const repository = await overwriting(t)
    const { stub, count } = repository
    const gateway = await startSeveral(t, { upstream: { url: stub.origin } })
    const end: { now?: () => void } = {}
    repository.stores = async () => { await new Promise<void>(resolve => { end.now = resolve }) }
    const first = await connectionTo(gateway, t)
    const second = await connectionTo(gateway, t, pid => pid !== first.pid)
    const chart = await raceChart('3.0.0')
    const lost = push(gateway, chart, first.agent).catch(() => 'no answer')
    await until(() => end.now)
    const waits = push(gateway, chart, second.agent)
    process.kill(first.pid, harm)
    setTimeout(() => { end.now?.() }, 3000) // the repository has all of it, and goes on without the worker
    t.equal((await waits).status, 409, 'who waited finds what was stored')
    t.equal(await lost, 'no answer')
    t.same([count.pushes, count.most], [1, 1], 'the repository was never asked for the same by two')
    await allGone([first.pid])
    await untilTrue(() => gateway.workers().length === 2)
    t.equal((await push(gateway, chart)).status, 409)
  })
}

await t.test('who waits for the lock and dies is passed over', async t => {
  const repository = await overwriting(t)
  const { stub, count } = repository
  const gateway = await startSeveral(t, { upstream: { url: stub.origin } })
  const end: { now?: () => void } = {}
  repository.stores = async () => { await new Promise<void>(resolve => { end.now = resolve }) }
  const first = await connectionTo(gateway, t)
  const second = await connectionTo(gateway, t, pid => pid !== first.pid)
  const chart = await raceChart('4.0.0')
  const held = push(gateway, chart, first.agent)
  await until(() => end.now)
  const lost = push(gateway, chart, second.agent).catch(() => 'no answer')
  const last = push(gateway, chart, (await connectionTo(gateway, t, pid => pid === first.pid)).agent)
  process.kill(second.pid, 'SIGKILL')
  t.equal(await lost, 'no answer')
  end.now?.()
  t.same([(await held).status, (await last).status, count.pushes], [201, 409, 1])
})
