// As many workers as there should be, whatever becomes of them.
import t from 'tap'
import { openPool, type Pool, type PoolResult } from '../../../src/serve/workers/pool.ts'
import { fakeWorker, manualBeats, manualTimers, settled, type Beats, type FakeWorker } from '../../helpers/channels.ts'

interface Lab {
  readonly opened: Promise<PoolResult>
  readonly workers: FakeWorker[]
  readonly log: { level: string, fields: Record<string, unknown>, message: string }[]
  readonly timers: ReturnType<typeof manualTimers>
  readonly beats: Beats
  readonly time: { now: number }
  /** How many workers took the place of another. */
  readonly replaced: { count: number }
}

function lab (count: number): Lab {
  const workers: FakeWorker[] = []
  const log: Lab['log'] = []
  const timers = manualTimers()
  const beats = manualBeats()
  const time = { now: 0 }
  const replaced = { count: 0 }
  let begun = 0
  const line = (level: string) => (fields: object, message: string): void => { log.push({ level, fields: { ...fields }, message }) }
  const opened = openPool({
    count,
    setup: () => ({ loginKey: 'a key of this test', audit: { toPrimary: false, required: false }, socketPath: `run/${begun++}` }),
    fork () {
      const worker = fakeWorker(100 + workers.length)
      workers.push(worker)
      return worker.process
    },
    onReplaced: () => { replaced.count++ },
    offices: [],
    onTrouble: () => { line('trouble')({}, 'the upstream') },
    log: { info: line('info'), warn: line('warn'), error: line('error') },
    clock: () => time.now,
    later: timers.later,
    every: beats.every
  })
  return { opened, workers, log, timers, beats, time, replaced }
}

async function listens (worker: FakeWorker | undefined): Promise<void> {
  for (const message of [{ kind: 'hears' }, { kind: 'joined' }, { kind: 'listening', address: '127.0.0.1:5001' }] as const) worker?.own.send(message)
  await settled()
}

async function poolOf (each: Lab): Promise<Pool> {
  for (const worker of each.workers) await listens(worker)
  const opened = await each.opened
  if (!opened.ok) throw new Error(opened.message)
  return opened.front
}

const numberOf = (worker: FakeWorker | undefined): unknown => worker?.sent.flatMap(message => message.kind === 'begin' ? [message.setup.number] : [])[0]

await t.test('it is open when all listen; each worker has a number, and is told only when it hears', async t => {
  const l = lab(3)
  let open = false
  void l.opened.then(() => { open = true })
  await settled()
  t.same(l.workers.map(({ sent }) => sent.length), [0, 0, 0])
  await listens(l.workers[0])
  await listens(l.workers[2])
  t.equal(open, false)
  await listens(l.workers[1])
  const pool = await poolOf(l)
  t.equal(pool.address, '127.0.0.1:5001')
  t.same(l.workers.map(numberOf), [1, 2, 3])
  t.match(l.workers[0]?.sent, [{ kind: 'begin', setup: { socketPath: 'run/0', number: 1 } }])
  t.equal(pool.hindrance(), undefined)
  t.match(l.log, [{ level: 'info', fields: { worker: 100 } }, { fields: { worker: 102 } }, { fields: { worker: 101 } }])
})

await t.test('what hinders the first start is said once, and nothing is left', async t => {
  const said = lab(3)
  await listens(said.workers[0])
  said.workers[1]?.own.send({ kind: 'failed', message: 'listen.port 5001 is in use by another program' })
  await settled()
  said.workers[1]?.end(1)
  await settled()
  t.same([said.workers[0]?.sent.at(-1), said.workers[2]?.killed()], [{ kind: 'stop' }, true], 'who listens may have a client')
  said.workers[0]?.end(0)
  t.same(await said.opened, { ok: false, message: 'listen.port 5001 is in use by another program' })
  t.equal(said.workers.length, 3, 'none is replaced')

  for (const [code, signal, how] of [[7, undefined, 'code 7'], [null, 'SIGKILL', 'SIGKILL']] as const) {
    const silent = lab(1)
    silent.workers[0]?.end(code, signal)
    t.match(await silent.opened, { ok: false, message: `a worker ended before all of them listened (${how})` })
  }
})

await t.test('one that ends is replaced at once and under its number, and the log says how it ended', async t => {
  const l = lab(2)
  const pool = await poolOf(l)
  l.time.now = 60_000
  l.workers[1]?.end(null, 'SIGKILL')
  await settled()
  t.equal(l.workers.length, 3)
  await listens(l.workers[2])
  t.equal(numberOf(l.workers[2]), 2)
  t.same(l.log.slice(2), [
    { level: 'error', fields: { worker: 101, signal: 'SIGKILL' }, message: 'a worker ended, and another one takes its place' },
    { level: 'info', fields: { worker: 102 }, message: 'a worker listens' }
  ])
  t.equal(pool.hindrance(), undefined)
})

await t.test('who ends too soon again and again is replaced more and more slowly; who lives is forgiven', async t => {
  const l = lab(1)
  const pool = await poolOf(l)
  const pauses: number[] = []
  for (let i = 0; i < 7; i++) {
    if (i === 0) l.workers.at(-1)?.end(1)
    else {
      l.workers.at(-1)?.own.send({ kind: 'failed', message: 'no key' })
      await settled()
      l.workers.at(-1)?.end(1)
    }
    t.equal(pool.hindrance(), 'no worker listens')
    pauses.push(...l.timers.waiting())
    l.timers.fire()
  }
  t.same(pauses, [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000])
  t.match(l.log.at(-1), { level: 'error', fields: { code: 1, said: 'no key' }, message: 'a worker ended, and another one takes its place in 30 s' })
  await listens(l.workers.at(-1))
  t.equal(pool.hindrance(), undefined)
  l.time.now = 10_000
  const before = l.workers.length
  l.workers.at(-1)?.end(1)
  t.same([l.workers.length, l.timers.waiting()], [before + 1, []])
})

await t.test('a close lets those that listen end, ends the others, and replaces none', async t => {
  const l = lab(3)
  const pool = await poolOf(l)
  l.workers[0]?.end(1)
  t.same(l.timers.waiting(), [1000])
  l.time.now = 60_000
  l.workers[1]?.end(1)
  const closed = pool.close()
  t.same([l.workers[2]?.sent.at(-1), l.workers[2]?.killed(), l.workers[3]?.killed()], [{ kind: 'stop' }, false, true])
  await settled()
  l.timers.fire()
  l.workers[2]?.end(0)
  t.equal(await closed, true)
  t.equal(l.workers.length, 4)
})

await t.test('a close with nobody left is done, and one that cuts something off says so', async t => {
  const empty = lab(1)
  const nobody = await poolOf(empty)
  empty.workers[0]?.end(1)
  t.equal(await nobody.close(), true)
  nobody.logCutOff()

  const l = lab(2)
  const pool = await poolOf(l)
  const closed = pool.close()
  l.workers[0]?.end(0)
  pool.logCutOff()
  t.same(l.log.at(-1), { level: 'warn', fields: { workers: [101] }, message: 'cut off: these workers did not end in time' })
  t.equal(await closed, false)
  t.equal(empty.log.some(({ level }) => level === 'warn'), false)
})

await t.test('one that answers no more makes the gateway unready, and is ended and replaced', async t => {
  const l = lab(2)
  const pool = await poolOf(l)
  l.time.now = 60_000
  l.workers[0]?.own.receive(({ kind }) => { if (kind === 'ping') l.workers[0]?.own.send({ kind: 'pong' }) })
  const beat = async (): Promise<void> => {
    l.beats.beat()
    await settled()
  }
  for (let i = 0; i < 3; i++) await beat()
  t.equal(pool.hindrance(), 'worker 101 has not answered for 3 s')
  while (l.workers[1]?.killed() === false) await beat()
  t.equal(l.workers[0]?.killed(), false)
  t.equal(pool.hindrance(), undefined, 'the other one serves')
  t.equal(numberOf(l.workers[2]) ?? l.workers.length, 3, 'and another is made')
  await listens(l.workers[2])
  t.equal(numberOf(l.workers[2]), 2)
  const closed = pool.close()
  for (const worker of l.workers) worker.end(0)
  await closed
  t.equal(l.beats.count(), 0)
})

await t.test('the workers share the locks, and who ends gives back what it had', async t => {
  const l = lab(2)
  const pool = await poolOf(l)
  const [a, b] = l.workers as [FakeWorker, FakeWorker]
  for (const worker of [a, b]) worker.own.send({ kind: 'lock', id: 1, name: 'x' })
  await settled()
  t.same([a, b].map(({ sent }) => sent.at(-1)), [{ kind: 'locked', id: 1 }, b.sent[0]])
  a.end(1)
  l.timers.fire()
  t.same(b.sent.at(-1), { kind: 'locked', id: 1 })
  t.equal(pool.hindrance(), undefined)
})

await t.test('what a worker says of the upstream is passed on', async t => {
  const each = lab(2)
  await poolOf(each)
  each.workers[1]?.own.send({ kind: 'upstream_trouble' })
  await settled()
  t.strictSame(each.log.filter(({ level }) => level === 'trouble').length, 1)
})
