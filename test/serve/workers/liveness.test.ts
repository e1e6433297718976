// Who does not answer, or says that it stands still, makes the gateway unready, and is
// ended if that does not pass; who is only slow is left alone.
import t from 'tap'
import { createLiveness, type Liveness } from '../../../src/serve/workers/liveness.ts'
import { fakeWorker, manualBeats, settled, type FakeWorker } from '../../helpers/channels.ts'

interface Lab {
  readonly liveness: Liveness
  readonly log: { fields: object, message: string }[]
  readonly beat: (times: number) => Promise<void>
  readonly count: () => number
  readonly worker: (joins?: boolean) => FakeWorker & { answers: boolean, stuck: string | undefined }
}

function lab (): Lab {
  const beats = manualBeats()
  const log: Lab['log'] = []
  const liveness = createLiveness(beats.every, { error (fields, message) { log.push({ fields, message }) } })
  let pid = 0
  return {
    liveness,
    log,
    count: beats.count,
    async beat (times) {
      for (let i = 0; i < times; i++) {
        beats.beat()
        await settled()
      }
    },
    worker (joins = true) {
      const fake = fakeWorker(++pid)
      const worker = { ...fake, answers: true, stuck: undefined as string | undefined }
      liveness.begin(worker.process)
      worker.process.onEnd(() => { liveness.leave(worker.process) })
      worker.own.receive(({ kind }) => {
        if (kind === 'ping' && worker.answers) worker.own.send({ kind: 'pong', ...(worker.stuck === undefined ? {} : { stuck: worker.stuck }) })
      })
      if (joins) worker.own.send({ kind: 'joined' })
      return worker
    }
  }
}

await t.test('who answers is well, for as long as it likes', async t => {
  const { liveness, beat, worker, log, count } = lab()
  const a = worker()
  await settled()
  await beat(100)
  t.same([liveness.ailment(), a.killed(), log], [undefined, false, []])
  t.equal(a.sent.length, 100)
  liveness.close()
  t.equal(count(), 0)
})

await t.test('who answers no more is waited for, makes the gateway unready, and is ended; nobody else is', async t => {
  const { liveness, beat, worker, log } = lab()
  const [a, b] = [worker(), worker()]
  await settled()
  await beat(5)
  a.answers = false
  const said: (string | undefined)[] = []
  let beats = 0
  while (!a.killed()) {
    await beat(1)
    beats++
    if (!a.killed()) said.push(liveness.ailment())
  }
  t.same(said, [undefined, undefined, ...[3, 4, 5, 6, 7, 8].map(n => `worker 1 has not answered for ${n} s`)])
  t.equal(beats, 9, 'within ten seconds')
  t.same(log, [{ fields: { worker: 1, reason: 'worker 1 has not answered for 8 s' }, message: 'a worker hangs, and is ended' }])
  t.same([liveness.ailment(), b.killed()], [undefined, false], 'it has gone')
})

await t.test('who comes back in time is forgiven', async t => {
  const { liveness, beat, worker } = lab()
  const a = worker()
  await settled()
  for (let i = 0; i < 3; i++) {
    a.answers = false
    await beat(6)
    t.match(liveness.ailment(), /^worker 1 has not answered/)
    a.answers = true
    await beat(1)
    t.equal(liveness.ailment(), undefined)
  }
  t.equal(a.killed(), false)
})

await t.test('who says that its queues stand still is ended too, unless they move again', async t => {
  const { liveness, beat, worker, log } = lab()
  const a = worker()
  await settled()
  a.stuck = 'the passwords to be checked have not moved for 60 s'
  await beat(3)
  t.equal(liveness.ailment(), 'worker 1: the passwords to be checked have not moved for 60 s')
  a.stuck = undefined
  await beat(2)
  t.equal(liveness.ailment(), undefined)
  a.stuck = 'they have not'
  await beat(10)
  t.equal(a.killed(), true)
  t.match(log, [{ fields: { worker: 1, reason: 'worker 1: they have not' } }])
})

await t.test('a start may take long, but not for ever; it makes nobody unready', async t => {
  const { liveness, beat, worker, log } = lab()
  const a = worker(false)
  await beat(60)
  t.same([liveness.ailment(), a.killed(), a.sent], [undefined, false, []])
  await beat(1)
  t.equal(a.killed(), true)
  t.match(log, [{ fields: { worker: 1, reason: 'it has not started in 60 s' } }])
})
