// What all workers count together: also those that hang, and those that have ended.
import t from 'tap'
import { createMeter, type Meter } from '../../../src/metrics/meter.ts'
import type { OfLibrary } from '../../../src/metrics/prom.ts'
import { createCountsOffice, sayCounts, type CountsOffice } from '../../../src/serve/workers/counts.ts'
import { fakeWorker, manualTimers, settled, type FakeWorker } from '../../helpers/channels.ts'
import { until } from '../../helpers/until.ts'

interface Counting extends FakeWorker { readonly meter: Meter }

function lab (): { office: CountsOffice, timers: ReturnType<typeof manualTimers>, join: (answers?: boolean) => Counting, restarts: () => Promise<number | undefined> } {
  const timers = manualTimers()
  const office = createCountsOffice(timers.later)
  let pid = 100
  return {
    office,
    timers,
    join (answers = true) {
      const worker = fakeWorker(pid++)
      const meter = createMeter()
      if (answers) sayCounts(worker.own, meter)
      office.join(worker.process)
      return { ...worker, meter }
    },
    async restarts () { return (await office.collect(createMeter().snapshot)).snapshot.rows.chartgate_workers_restarted_total?.[0]?.[1] }
  }
}

await t.test('the workers and the primary are added up, when all have answered', async t => {
  const { office, join, timers } = lab()
  const [one, two] = [join(), join()]
  const own = createMeter()
  for (const { meter } of [one, two, { meter: own }]) meter.count('chartgate_workers_restarted_total')
  const { snapshot, libraries } = await office.collect(own.snapshot)
  t.same(snapshot.rows.chartgate_workers_restarted_total, [[0, 3]])
  t.equal(libraries.length, 4, 'the library of each, and of those that have ended')
  t.match(libraries[2], [{ name: 'process_cpu_user_seconds_total' }])
  t.same(timers.waiting(), [], 'nobody waits any more')
  t.equal(office.unheard(), 0)
})

await t.test('one that hangs counts with what it said last, after a second', async t => {
  const { office, join, timers, restarts } = lab()
  const [good, hangs] = [join(), join(false)]
  good.meter.count('chartgate_workers_restarted_total')
  hangs.meter.count('chartgate_workers_restarted_total')
  hangs.own.send({ kind: 'counted', snapshot: hangs.meter.snapshot() })
  await settled()
  const counted = restarts()
  await until(() => timers.waiting().length === 1 || undefined)
  t.same(timers.waiting(), [1000])
  await settled()
  timers.fire()
  t.equal(await counted, 2)
  t.equal(office.unheard(), 1)
})

await t.test('one that has ended leaves its counters, and what it said after its end is not counted twice', async t => {
  const { office, join, restarts } = lab()
  const dies = join()
  join()
  dies.meter.count('chartgate_workers_restarted_total')
  dies.meter.read('chartgate_spool_bytes', () => [7])
  t.equal(await restarts(), 1)
  office.leave(dies.process)
  dies.own.send({ kind: 'counted', snapshot: dies.meter.snapshot() })
  await settled()
  t.equal(await restarts(), 1)
  const { snapshot, libraries } = await office.collect(createMeter().snapshot)
  t.notOk('chartgate_spool_bytes' in snapshot.rows, 'what it held is gone')
  t.ok(libraries[1]?.some(({ name }) => name === 'process_cpu_user_seconds_total'), 'the time that it took is not')
  t.notOk(libraries[1]?.some(({ name }) => name === 'process_resident_memory_bytes'))
})

await t.test('one that ends while it is asked holds nobody up, nor does one that never joined', async t => {
  const { office, join, restarts } = lab()
  const dies = join(false)
  join()
  office.leave(fakeWorker(1).process)
  const counted = restarts()
  await settled()
  office.leave(dies.process)
  t.equal(await counted, undefined)
})

await t.test('at whatever moment one ends, it is in the sum once', async t => {
  const library = [{ name: 'x_total', help: 'x', type: 'counter', aggregator: 'sum', values: [{ value: 1, labels: {} }] }] as unknown as OfLibrary
  const sums = new Set<number>()
  for (let moment = 0; moment < 150; moment++) {
    const { office, join } = lab()
    const [one, two] = [join(false), join(false)]
    for (const { own } of [one, two]) {
      own.receive(message => { if (message.kind === 'count') own.send({ kind: 'counted', round: message.round, snapshot: { rows: { chartgate_workers_restarted_total: [[0, 1]] }, tenants: [] }, library }) })
    }
    office.leave(join(false).process) // one has ended already
    two.process.receive(() => {
      void (async () => {
        for (let i = 0; i < moment; i++) await Promise.resolve()
        office.leave(two.process)
      })()
    })
    const { snapshot, libraries } = await office.collect(createMeter().snapshot)
    sums.add(snapshot.rows.chartgate_workers_restarted_total?.[0]?.[1] ?? 0)
    sums.add(libraries.flat().filter(({ name }) => name === 'x_total').reduce((all, { values }) => all + (values[0]?.value ?? 0), 0))
  }
  t.same([...sums], [2])
})

await t.test('a worker says each second what it counted, without what the library knows', async t => {
  const { join } = lab()
  const worker = join()
  const said: unknown[] = []
  worker.process.receive(message => { said.push(message) })
  worker.process.send({ kind: 'ping' })
  await settled()
  t.match(said, [{ kind: 'counted', snapshot: { tenants: [] } }])
  t.notOk('library' in (said[0] as object))
})
