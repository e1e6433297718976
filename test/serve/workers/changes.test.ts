// What one worker changes, no other answers from before; and who waits is answered
// always, whatever becomes of the others.
import fc from 'fast-check'
import t from 'tap'
import type { Peers } from '../../../src/upstream/peers.ts'
import { createPeers, createRelay } from '../../../src/serve/workers/changes.ts'
import { aChange } from '../../helpers/changes.ts'
import { fakeWorker, settled, type FakeWorker } from '../../helpers/channels.ts'

interface Joined extends FakeWorker {
  readonly peers: Peers
  readonly forgotten: string[]
}

function lab (): { join: () => Joined, deafMember: () => FakeWorker, leave: (worker: FakeWorker, code?: number) => void } {
  const relay = createRelay()
  let pid = 0
  function deafMember (): FakeWorker {
    const worker = fakeWorker(++pid)
    worker.process.onEnd(() => { relay.leave(worker.process) })
    relay.join(worker.process)
    return worker
  }
  return {
    deafMember,
    leave: (worker, code = 1) => { worker.end(code) },
    join () {
      const worker = deafMember()
      const forgotten: string[] = []
      const peers = createPeers(worker.own)
      peers.onChange(async (tenant, change) => { forgotten.push(`${tenant}${change?.version === '1.0.0' ? '' : ' of which nothing is known'}`) })
      peers.onDoubt(() => { forgotten.push('a doubt') })
      return { ...worker, peers, forgotten }
    }
  }
}

/** Whether it is done by now. */
function watched (promise: Promise<void>): () => boolean {
  let done = false
  void promise.then(() => { done = true })
  return () => done
}

await t.test('a change is over when every other worker has forgotten, and not before', async t => {
  const { join } = lab()
  const [a, b, c] = [join(), join(), join()]
  await a.peers.changed(aChange('org1/repo1'))
  t.same([a.forgotten, b.forgotten, c.forgotten], [[], ['org1/repo1'], ['org1/repo1']], 'the others, once')
})

await t.test('a worker alone waits for nobody', async () => {
  await lab().join().peers.changed(aChange('org1/repo1'))
})

await t.test('who ends while somebody waits for it counts no longer', async t => {
  const { join, deafMember, leave } = lab()
  const a = join()
  const deaf = deafMember()
  const done = watched(a.peers.changed(aChange('x/y')))
  await settled()
  t.equal(done(), false, 'it is waited for as long as it lives')
  leave(deaf)
  await settled()
  t.equal(done(), true)
})

await t.test('what nobody asked for, and an acknowledgement that comes twice, change nothing', async t => {
  const { join, deafMember } = lab()
  const a = join()
  const deaf = deafMember()
  const done = watched(a.peers.changed(aChange('x/y')))
  await settled()
  const asked = deaf.sent.find(message => message.kind === 'forget')
  a.own.send({ kind: 'forgot', id: asked?.id as number })
  a.own.send({ kind: 'forgot', id: 99 })
  a.process.send({ kind: 'all_forgot', id: 99 })
  await settled()
  t.equal(done(), false, 'nobody acknowledges for another')
  deaf.own.send({ kind: 'forgot', id: asked?.id as number })
  deaf.own.send({ kind: 'forgot', id: asked?.id as number })
  await settled()
  t.equal(done(), true)
})

await t.test('whatever many workers change at once, and whoever ends meanwhile, all are answered, and no tenant that changed is still remembered', async () => {
  const step = fc.record({ who: fc.nat(3), tenant: fc.constantFrom('a/a', 'b/b', 'c/c'), ends: fc.boolean() })
  await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 12 }), async steps => {
    const { join, leave } = lab()
    const workers = [join(), join(), join(), join(), join()]
    const gone = new Set<Joined>()
    const asked: { by: Joined, tenant: string, done: () => boolean }[] = []
    for (const { who, tenant, ends } of steps) {
      const worker = workers[who] as Joined
      if (gone.has(worker)) continue
      if (ends) {
        gone.add(worker)
        leave(worker)
      } else asked.push({ by: worker, tenant, done: watched(worker.peers.changed(aChange(tenant))) })
    }
    await settled()
    const living = asked.filter(({ by }) => !gone.has(by))
    return living.every(({ by, tenant, done }) => done() && workers.every(worker => worker === by || gone.has(worker) || worker.forgotten.includes(tenant)))
  }), { numRuns: 100 })
})
